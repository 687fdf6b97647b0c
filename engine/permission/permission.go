// Package permission decides what a workflow may reach.
//
//   - [Permissions] are the lists under `permissions:` of a workflow, or the lists
//     of an operator, who bounds every workflow. They allow actions by name
//     ([Permissions.AllowsAction]) and endpoints by pattern
//     ([Permissions.AllowsTarget]).
//   - A [Pattern] is one entry for endpoints, such as "https://*.example.com" or
//     "db.example.com:5432" (pattern.go). It may name inputs of the workflow, whose
//     values are known when it runs.
//   - [ReadPatterns], [ReadActions] and [ReadHosts] read the lists of a file.
package permission

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
)

// Permissions are what a workflow may reach. The zero value allows every action that
// need not be listed, and no endpoint.
type Permissions struct {
	// Actions are the functions that are allowed, by module. Of a module without an entry,
	// all actions are allowed that are not guarded. Only modules that are declared as
	// listed count; see [action.Module].
	Actions   map[string][]string
	HTTP, Net []Pattern
	// Everything allows all actions and endpoints: for a call that a person makes by
	// hand. No file can ask for it.
	Everything bool
}

// AllowsAction reports whether a step may call the action at all. The actions of a
// module that is not listed are bounded by the endpoints that they reach.
func (p Permissions) AllowsAction(a *action.Action) bool {
	if p.Everything || !a.Listed() {
		return true
	}
	if functions, listed := p.Actions[a.Module()]; listed {
		return slices.Contains(functions, a.Function())
	}
	return !a.Guarded
}

// AllowsTarget reports whether a call may reach the endpoint, given the inputs of
// the run.
func (p Permissions) AllowsTarget(t action.Target, inputs action.Object) bool {
	if p.Everything {
		return true
	}
	patterns := p.HTTP
	if t.Scheme == "net" {
		patterns = p.Net
	}
	return slices.ContainsFunc(patterns, func(pattern Pattern) bool {
		resolved, ok := pattern.resolve(inputs)
		return ok && resolved.matches(t)
	})
}

// Refuses reports whether a call may not reach the endpoint, whatever the inputs of a run
// are.
func (p Permissions) Refuses(t action.Target) bool {
	depends := func(pattern Pattern) bool { return len(pattern.Inputs()) > 0 }
	patterns := p.HTTP
	if t.Scheme == "net" {
		patterns = p.Net
	}
	return !slices.ContainsFunc(patterns, depends) && !p.AllowsTarget(t, nil)
}

// ActionLine returns the line of a file that allows an action in addition to those
// listed.
func (p Permissions) ActionLine(a *action.Action) string {
	names := append(slices.Clone(p.Actions[a.Module()]), a.Function())
	return fmt.Sprintf("permissions: {%s: [%s]}", a.Module(), strings.Join(names, ", "))
}

// Line returns the line of a file that allows an endpoint.
func (Permissions) Line(t action.Target) string {
	if t.Scheme == "net" {
		return fmt.Sprintf("permissions: {net: [%q]}", t.String())
	}
	return fmt.Sprintf("permissions: {http: [%q]}", t.String())
}

// ReadActions reads a list of functions of a module; the name of the module may
// stand before them. what names the list in messages.
func ReadActions(n source.Node, what, module string) []source.Text {
	names := []source.Text{}
	n.Items(what, func(item source.Node) {
		name := item.PlacedText("an action")
		if name.Text = strings.TrimPrefix(name.Text, module+"."); name.Text != "" {
			names = append(names, *name)
		}
	})
	return names
}

// ReadPatterns reads a list of endpoints; kind is "http" or "net".
func ReadPatterns(n source.Node, kind string) []Pattern {
	var patterns []Pattern
	n.Items("permissions."+kind, func(item source.Node) {
		before := n.Document().Count()
		text := item.AnyText("a permission")
		switch {
		case n.Document().Count() > before:
			return
		case text == "":
			item.Report("empty-text", "a permission is empty", "")
			return
		case source.HasExpression(text):
			item.Report("expression-refused", "a permission cannot hold ${{ }}", `for the value of an input, write "inputs.NAME"`)
			return
		}
		pattern, err := parsePattern(kind, text)
		if err != nil {
			example := `"https://hooks.example.com"`
			if kind == "net" {
				example = `"db.example.com:5432"`
			}
			item.Report("bad-permission", fmt.Sprintf("%q is not a permission: %v", source.Clip(text), err), "write it like "+example)
			return
		}
		pattern.Position = item.Position()
		patterns = append(patterns, pattern)
	})
	return patterns
}

// ReadHosts reads a list of host names, which may begin with `*.`.
func ReadHosts(n source.Node) []string {
	var hosts []string
	n.Items("hosts", func(item source.Node) {
		host := keepInputs(item.SomeText("a host")) // a dot at the end is refused below
		if host == "" {
			return
		}
		if err := checkHost(host); err != nil {
			item.Report("bad-host", fmt.Sprintf("%q is not a host: %v", source.Clip(host), err), "write the name alone, such as hooks.example.com")
		}
		hosts = append(hosts, host)
	})
	return hosts
}
