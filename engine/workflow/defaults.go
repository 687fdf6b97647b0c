package workflow

import (
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
)

// defaults compiles `defaults.with`: inputs that every call is given which has an
// input of that name and was given none. They are evaluated once an attempt, from
// `inputs` and secrets alone, so that they mean the same in every step.
func (c *compiler) defaults() {
	if len(c.workflow.Defaults) == 0 {
		return
	}
	scope := &scope{compiler: c, index: -1, what: "defaults", inputsOnly: true, unrecorded: true, reads: map[int]bool{}}
	taken := c.inputNames()
	for _, named := range c.workflow.Defaults {
		if !taken[named.Name] {
			c.parser.reportAt(named.Position, "unknown-input", fmt.Sprintf("no action has an input %q", clipped(named.Name)),
				action.DidYouMean(named.Name, sortedSet(taken)))
			continue
		}
		d := OutputTemplate{named.Name, scope.template(named.Value, true)}
		if _, literal := d.Value.literal.(string); literal && c.isCredential(named.Name) {
			c.parser.reportAt(d.Value.position, "literal-secret", literalSecret(named.Name), credentialHint(named.Name))
		}
		c.plan.Defaults = append(c.plan.Defaults, d)
	}
}

// isCredential reports whether an action takes the text of a key under this name.
func (c *compiler) isCredential(input string) bool {
	for _, name := range c.catalog.Names() {
		a, _ := c.catalog.Lookup(name)
		if f, ok := a.In.Field(input); ok && f.Type.Credential {
			return true
		}
	}
	return false
}

// defaultProblem reports a problem of a default where that stands, and whether it
// is one. Each default is said once, however many calls take it.
func (s *scope) defaultProblem(problem action.Problem, given action.Object) bool {
	name, _ := nextSegment(problem.Path)
	if _, own := given[name]; own || problem.Rule == action.RuleMissingInput && name == problem.Path {
		return false
	}
	for i := range s.plan.Defaults {
		if d := &s.plan.Defaults[i]; d.Name == name {
			s.parser.reportAt(d.Value.position, problem.Rule, problem.Message, problem.Hint)
			return true
		}
	}
	return false
}

// inputNames are the names of the inputs of all actions.
func (c *compiler) inputNames() map[string]bool {
	names := map[string]bool{}
	for _, name := range c.catalog.Names() {
		a, _ := c.catalog.Lookup(name)
		for _, input := range a.In.Names() {
			names[input] = true
		}
	}
	return names
}

func sortedSet(set map[string]bool) []string {
	o := make(action.Object, len(set))
	for name := range set {
		o[name] = nil
	}
	return action.SortedNames(o)
}

// fits reports whether an action has an input of this name.
func (t *OutputTemplate) fits(a *action.Action) bool {
	_, ok := a.In.Field(t.Name)
	return ok
}

// withDefaults is the literal input of a script's call, as the action gets it.
func (p *Plan) withDefaults(a *action.Action, input action.Object) action.Object {
	filled := input
	for i := range p.Defaults {
		d := &p.Defaults[i]
		if _, given := input[d.Name]; given || !d.fits(a) {
			continue
		}
		if len(filled) == len(input) { // not copied yet
			filled = make(action.Object, len(input)+len(p.Defaults))
			for name, v := range input {
				filled[name] = v
			}
		}
		filled[d.Name] = d.Value.shape()
	}
	return filled
}
