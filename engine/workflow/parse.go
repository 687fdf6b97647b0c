package workflow

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"gopkg.in/yaml.v3"
)

// Parse reads a workflow file. The name is that of the file, for messages and as
// the default of the workflow's name. The error is [Diagnostics]; the workflow
// is returned all the same, so that Compile can find what else is wrong.
func Parse(name string, src []byte) (*Workflow, error) {
	p := newParser(name, src)
	w := &Workflow{
		File: name, Source: src, Name: nameOf(name), Inputs: &action.Schema{}, Connection: Text{Text: DefaultConnection},
		Timeout: DefaultTimeout, ResumeWithin: DefaultResumeWithin, parser: p,
	}
	root := p.document(src)
	switch {
	case root != nil:
		p.workflow(root, w)
	case len(p.diagnostics) == 0:
		p.reportAt(Position{1, 1}, "empty", "the file is empty", "a workflow needs at least `steps:`")
	}
	w.parser.diagnostics = p.diagnostics.sorted()
	return w, p.diagnostics.err()
}

// nameOf is the file's name without folder and .yaml.
func nameOf(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return strings.TrimSuffix(strings.TrimSuffix(base, ".yaml"), ".yml")
}

func (p *parser) workflow(root *yaml.Node, w *Workflow) {
	var parts [Finally + 1]*yaml.Node
	var concurrency *yaml.Node
	seen := p.mapping(root, "a workflow",
		key{name: "name", read: func(v *yaml.Node) { w.Name = p.someText(v, "name") }},
		key{name: "description", read: func(v *yaml.Node) { w.Description = p.text(v, "description") }},
		key{name: "inputs", read: func(v *yaml.Node) { p.inputs(v, w) }},
		key{name: "secrets", read: func(v *yaml.Node) { p.secrets(v, w) }},
		key{name: "permissions", read: func(v *yaml.Node) { p.permissions(v, w) }},
		key{name: "schedule", read: func(v *yaml.Node) { p.schedules(v, w) }},
		key{name: "connection", read: func(v *yaml.Node) { w.Connection = *p.connection(v) }},
		key{name: "defaults", read: func(v *yaml.Node) { p.defaults(v, w) }},
		key{name: "limits", read: func(v *yaml.Node) { w.Limits = p.limits(v) }},
		key{name: "timeout", read: func(v *yaml.Node) { w.Timeout = p.duration(v, "timeout") }},
		key{name: "steps", read: func(v *yaml.Node) { parts[Main] = v }},
		key{name: "outputs", read: func(v *yaml.Node) { p.outputs(v, w) }},
		key{name: "on_failure", read: func(v *yaml.Node) { parts[OnFailure] = v }},
		key{name: "finally", read: func(v *yaml.Node) { parts[Finally] = v }},
		key{name: "concurrency", read: func(v *yaml.Node) { concurrency = v }},
		key{name: "resume_within", read: func(v *yaml.Node) { w.ResumeWithin = p.duration(v, "resume_within") }},
	)
	p.parts(parts, w)
	if root = p.resolve(root); root != nil && root.Kind == yaml.MappingNode && !seen["steps"] {
		p.report(root, "missing-key", `a workflow needs "steps"`, "a list of steps, each with `uses:` or `lua:`")
	}
	p.checkPatterns(w)
	p.checkSchedules(w)
	if concurrency != nil {
		w.Concurrency = p.concurrency(concurrency, seen["schedule"])
	}
}

// connectionName is what a connection may be called.
var connectionName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)

// connection reads the name of a connection. Whether there is one is a matter of
// the configuration of the machine, not of the file.
func (p *parser) connection(n *yaml.Node) *Text {
	t := p.wholeText(n, "connection")
	if t.Text != "" && !connectionName.MatchString(t.Text) {
		p.report(n, "bad-name", fmt.Sprintf("the connection %q is not a name", clipped(t.Text)), "a name has letters, digits, _ and -; the configuration says what it stands for")
	}
	return t
}

// defaults reads the inputs that calls are given where they have none of their
// own.
func (p *parser) defaults(n *yaml.Node, w *Workflow) {
	p.mapping(n, "defaults", key{name: "with", read: func(v *yaml.Node) {
		p.entries(v, "defaults.with", func(name string, keyNode, item *yaml.Node) {
			w.Defaults = append(w.Defaults, NamedValue{name, Position{keyNode.Line, keyNode.Column}, p.value(item, "defaults.with")})
		})
	}})
}

func (p *parser) limits(n *yaml.Node) (l Limits) {
	p.mapping(n, "limits",
		key{name: "instructions", read: func(v *yaml.Node) { l.Instructions = p.whole(v, "instructions") }},
		key{name: "time", read: func(v *yaml.Node) { l.Time = p.duration(v, "time") }},
		key{name: "memory", read: func(v *yaml.Node) { l.Memory = p.size(v, "memory", 1<<20, 1<<40) }},
		key{name: "output", read: func(v *yaml.Node) { l.Output = p.size(v, "output", 1, MaxOutput) }},
	)
	return l
}

func (p *parser) outputs(n *yaml.Node, w *Workflow) {
	p.entries(n, "outputs", func(name string, keyNode, v *yaml.Node) {
		p.identifier(keyNode, name, "an output")
		w.Outputs = append(w.Outputs, NamedValue{name, Position{keyNode.Line, keyNode.Column}, p.value(v, "outputs")})
	})
}

func (p *parser) secrets(n *yaml.Node, w *Workflow) {
	p.entries(n, "secrets", func(name string, keyNode, v *yaml.Node) {
		p.identifier(keyNode, name, "a secret")
		b := SecretBinding{Name: name, Position: Position{keyNode.Line, keyNode.Column}}
		before := len(p.diagnostics)
		p.mapping(v, fmt.Sprintf("the secret %s", clipped(name)),
			key{name: "hosts", read: func(v *yaml.Node) { b.Hosts = p.hosts(v) }},
			key{name: "service_key", read: func(v *yaml.Node) { b.ServiceKey = p.boolean(v, "service_key") }},
		)
		if len(b.Hosts) == 0 && !b.ServiceKey && len(p.diagnostics) == before {
			p.report(keyNode, "unbound-secret", fmt.Sprintf("the secret %s is bound to nothing, so nothing could use it", clipped(name)),
				"add `hosts: [hooks.example.com]` or `service_key: true`; its text comes from the environment, never from here")
		}
		w.Secrets = append(w.Secrets, b)
	})
}

func (p *parser) hosts(n *yaml.Node) []string {
	var hosts []string
	p.items(n, "hosts", func(v *yaml.Node) {
		host := strings.ToLower(p.someText(v, "a host"))
		if host == "" {
			return
		}
		if err := checkHost(host); err != nil {
			p.report(v, "bad-host", fmt.Sprintf("%q is not a host: %v", clipped(host), err), "write the name alone, such as hooks.example.com")
		}
		hosts = append(hosts, host)
	})
	return hosts
}

func (p *parser) permissions(n *yaml.Node, w *Workflow) {
	p.mapping(n, "permissions",
		key{name: "pagerduty", read: func(v *yaml.Node) {
			w.Permissions.Narrowed = true
			p.items(v, "permissions.pagerduty", func(item *yaml.Node) {
				name := strings.TrimPrefix(p.someText(item, "an action"), "pagerduty.")
				if name == "" {
					return
				}
				w.Permissions.PagerDuty = append(w.Permissions.PagerDuty, name)
				w.pagerDutyPlaces = append(w.pagerDutyPlaces, Position{item.Line, item.Column})
			})
		}},
		key{name: "http", read: func(v *yaml.Node) { w.Permissions.HTTP = p.patterns(v, "http") }},
		key{name: "net", read: func(v *yaml.Node) { w.Permissions.Net = p.patterns(v, "net") }},
	)
}

func (p *parser) patterns(n *yaml.Node, kind string) []Pattern {
	var patterns []Pattern
	p.items(n, "permissions."+kind, func(v *yaml.Node) {
		before := len(p.diagnostics)
		text := p.rawText(v, "a permission")
		switch {
		case len(p.diagnostics) > before:
			return
		case text == "":
			p.report(v, "empty-text", "a permission is empty", "")
			return
		case strings.Contains(text, "${{"):
			p.report(v, "expression-refused", "a permission cannot hold ${{ }}", `for the value of an input, write "inputs.NAME"`)
			return
		}
		pattern, err := parsePattern(kind, text)
		if err != nil {
			example := `"https://hooks.example.com"`
			if kind == "net" {
				example = `"db.example.com:5432"`
			}
			p.report(v, "bad-permission", fmt.Sprintf("%q is not a permission: %v", clipped(text), err), "write it like "+example)
			return
		}
		pattern.Position = Position{v.Line, v.Column}
		patterns = append(patterns, pattern)
	})
	return patterns
}

// checkPatterns reports permissions that name inputs which are not declared.
func (p *parser) checkPatterns(w *Workflow) {
	for _, pattern := range append(append([]Pattern(nil), w.Permissions.HTTP...), w.Permissions.Net...) {
		for _, name := range pattern.inputNames() {
			if _, ok := w.Inputs.Field(name); !ok {
				p.reportAt(pattern.Position, "unknown-input", fmt.Sprintf("no input %q is declared", name), action.DidYouMean(name, w.Inputs.Names()))
			}
		}
	}
}
