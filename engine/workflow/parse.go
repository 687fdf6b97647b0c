package workflow

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// Parse reads a workflow file. The name is the name of the file; messages show it,
// and it is the name of the workflow when the file does not set one. The error is
// [source.Problems]. The workflow is returned even so, so that Compile can find
// what else is wrong.
func Parse(name string, src []byte) (*Workflow, error) {
	d := source.Read(name, src)
	w := &Workflow{
		File: name, Source: src, Name: nameOf(name), Inputs: &action.Schema{}, Connection: source.Text{Text: DefaultConnection},
		Timeout: DefaultTimeout, ResumeWithin: DefaultResumeWithin, document: d,
	}
	root, ok := d.Root()
	switch {
	case ok:
		readWorkflow(root, w)
	case d.Count() == 0:
		d.Report(source.Position{Line: 1, Column: 1}, ruleForeign, "the file is empty", "a workflow needs at least `steps:`")
	}
	return w, d.Err()
}

// nameOf returns the name of the file without its folder and .yaml.
func nameOf(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return strings.TrimSuffix(strings.TrimSuffix(base, ".yaml"), ".yml")
}

func readWorkflow(root source.Node, w *Workflow) {
	d, blank := root.Document(), *w
	var parts [Finally + 1]*source.Node
	var concurrency *source.Node
	scheduled := false
	keys := []source.Key{
		{Name: "name", Read: func(v source.Node) { w.Name, w.NamePosition = v.SomeText("name"), v.Position() }},
		{Name: "description", Read: func(v source.Node) { w.Description = v.Text("description") }},
		{Name: "inputs", Read: func(v source.Node) { readInputs(v, w) }},
		{Name: "secrets", Read: func(v source.Node) { readSecrets(v, w) }},
		{Name: "permissions", Read: func(v source.Node) { readPermissions(v, w) }},
		{Name: "schedule", Read: func(v source.Node) { scheduled = true; readSchedules(v, w) }},
		{Name: "connection", Read: func(v source.Node) { w.Connection = *ReadConnection(v) }},
		{Name: "defaults", Read: func(v source.Node) { readDefaults(v, w) }},
		{Name: "limits", Read: func(v source.Node) { w.Limits = readLimits(v, &w.demands) }},
		{Name: "timeout", Read: func(v source.Node) {
			w.Timeout = v.Duration("timeout")
			w.demands.duration(v, "the timeout of the run", "run_timeout", w.Timeout, func(c Ceilings) time.Duration { return c.RunTimeout })
		}},
		{Name: "steps", Read: func(v source.Node) { parts[Main] = &v }},
		{Name: "outputs", Read: func(v source.Node) { readOutputs(v, w) }},
		{Name: "on_failure", Read: func(v source.Node) { parts[OnFailure] = &v }},
		{Name: "finally", Read: func(v source.Node) { parts[Finally] = &v }},
		{Name: "concurrency", Read: func(v source.Node) { concurrency = &v }},
		{Name: "resume_within", Read: func(v source.Node) {
			w.ResumeWithin = v.Duration("resume_within")
			w.demands.duration(v, "resume_within", "resume_within", w.ResumeWithin, func(c Ceilings) time.Duration { return c.ResumeWithin })
		}},
	}
	if why := foreign(root, keys); why != "" {
		reportForeign(root, why, keys)
		return
	}
	found := d.Apart(func() {
		root.Mapping("a workflow", keys...)
		readParts(parts, w)
	})
	if root, ok := root.Resolve(); ok && root.IsMapping() && parts[Main] == nil {
		// The file may be another file that has a key of a workflow, such as name. Nothing of it
		// is quoted but misspelt keys, and nothing else of it is looked at.
		*w, concurrency = blank, nil
		d.Forget()
		root.Report("missing-key", `a workflow needs "steps"`, "a list of steps, each with `uses:` or `lua:`")
		found = slices.DeleteFunc(found, func(p source.Problem) bool {
			return p.Rule != "unknown-key" || !strings.HasPrefix(p.Hint, "did you mean")
		})
	}
	d.Add(found...)
	checkPatterns(w)
	checkSchedules(w)
	if concurrency != nil {
		w.Concurrency = readConcurrency(*concurrency, scheduled)
	}
}

// connectionName is what a connection may be called.
var connectionName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)

// ReadConnection reads the name of a connection. Whether a connection of this name
// exists depends on the machine, and is not checked.
func ReadConnection(n source.Node) *source.Text {
	t := n.PlacedText("connection")
	if t.Text != "" {
		CheckConnection(n, t.Text, "; the configuration says what it stands for")
	}
	return t
}

// CheckConnection reports, at the node, a text that cannot be the name of a
// connection. more is the end of the hint.
func CheckConnection(n source.Node, name, more string) {
	if !connectionName.MatchString(name) {
		n.Report("bad-name", fmt.Sprintf("the connection %q is not a name", source.Clip(name)), "a name has letters, digits, _ and -"+more)
	}
}

// readDefaults reads the inputs that calls get where the step does not give them.
func readDefaults(n source.Node, w *Workflow) {
	n.Mapping("defaults", source.Key{Name: "with", Read: func(v source.Node) { w.Defaults = v.Fields("defaults.with") }})
}

func readLimits(n source.Node, d *demands) (l Limits) {
	n.Mapping("limits",
		source.Key{Name: "instructions", Read: func(v source.Node) {
			l.Instructions = v.Whole("instructions")
			d.count(v, "instructions", "instructions", l.Instructions, func(c Ceilings) int64 { return c.Instructions })
		}},
		source.Key{Name: "time", Read: func(v source.Node) {
			l.Time = v.Duration("time")
			d.duration(v, "time", "time", l.Time, func(c Ceilings) time.Duration { return c.ScriptTime })
		}},
		source.Key{Name: "memory", Read: func(v source.Node) {
			l.Memory = v.Size("memory", 1<<20, 1<<40)
			d.bytes(v, "memory", l.Memory, func(c Ceilings) int64 { return c.Memory })
		}},
		source.Key{Name: "output", Read: func(v source.Node) {
			l.Output = v.Size("output", 1, MaxOutput)
			d.bytes(v, "output", l.Output, func(c Ceilings) int64 { return c.Output })
		}},
	)
	return l
}

func readOutputs(n source.Node, w *Workflow) {
	n.Entries("outputs", func(name string, key, v source.Node) {
		key.CheckIdentifier(name, "an output")
		w.Outputs = append(w.Outputs, source.Field{Name: name, Position: key.Position(), Value: v.Value("outputs")})
	})
}

// A binding is what a file says about where a secret may go, until Compile checks it:
// the modules of the catalogue declare the places that a secret can be bound to.
type binding struct {
	secret SecretBinding
	what   string       // the mapping, for messages
	keys   []source.Key // of the mapping, for suggestions
	others []otherKey
	// isInput says that the mapping declares an input, and isSecret that what it
	// declares is secret.
	isInput, isSecret bool
	// broken says that something else is wrong with the mapping.
	broken bool
}

// An otherKey is a key that only the catalogue knows, with the problems of its
// value. They count if the key exists.
type otherKey struct {
	name     string
	position source.Position
	problems source.Problems
}

// input returns the name of the input that the mapping declares.
func (b *binding) input() string { return strings.TrimPrefix(b.secret.Name, "inputs.") }

// other reads a key that may bind the secret to a place.
func (b *binding) other(name string, key, v source.Node) {
	bound := false
	problems := key.Document().Apart(func() { bound = v.Bool(name) })
	b.others = append(b.others, otherKey{name, key.Position(), problems})
	if bound {
		b.secret.Places = append(b.secret.Places, name)
	}
}

func readSecrets(n source.Node, w *Workflow) {
	n.Entries("secrets", func(name string, key, v source.Node) {
		key.CheckIdentifier(name, "a secret")
		b := binding{secret: SecretBinding{Name: name, Position: key.Position()}, what: "the secret " + source.Clip(name), isSecret: true}
		b.keys = []source.Key{{Name: "hosts", Read: func(v source.Node) { b.secret.Hosts = permission.ReadHosts(v) }}}
		before := w.document.Count()
		v.OpenMapping(b.what, b.keys, b.other)
		b.broken = w.document.Count() > before
		w.Secrets = append(w.Secrets, b.secret)
		w.bindings = append(w.bindings, b)
	})
}

// A moduleList is an entry of `permissions:` that lists the functions of a module,
// with the problems of the list. They count if the catalogue has such a module.
type moduleList struct {
	module    string
	position  source.Position // of the name of the module
	functions []source.Text
	problems  source.Problems
}

func readPermissions(n source.Node, w *Workflow) {
	keys := []source.Key{
		{Name: "http", Read: func(v source.Node) { w.Permissions.HTTP = permission.ReadPatterns(v, "http") }},
		{Name: "net", Read: func(v source.Node) { w.Permissions.Net = permission.ReadPatterns(v, "net") }},
	}
	n.OpenMapping("permissions", keys, func(module string, key, v source.Node) {
		list := moduleList{module: module, position: key.Position()}
		list.problems = w.document.Apart(func() { list.functions = permission.ReadActions(v, "permissions."+module, module) })
		w.lists = append(w.lists, list)
		if w.Permissions.Actions == nil {
			w.Permissions.Actions = map[string][]string{}
		}
		functions := make([]string, len(list.functions))
		for i := range list.functions {
			functions[i] = list.functions[i].Text
		}
		w.Permissions.Actions[module] = functions
	})
}

// checkPatterns reports permissions that name inputs which are not declared.
func checkPatterns(w *Workflow) {
	for _, pattern := range slices.Concat(w.Permissions.HTTP, w.Permissions.Net) {
		for _, name := range pattern.Inputs() {
			if _, ok := w.Inputs.Field(name); !ok {
				w.document.Report(pattern.Position, "unknown-input", fmt.Sprintf("no input %q is declared", name), phrase.DidYouMean(name, w.Inputs.Names()))
			}
		}
	}
}
