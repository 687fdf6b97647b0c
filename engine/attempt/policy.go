package attempt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Policy is what the operator of the machine allows all workflows to do. A workflow needs
// the permission of both the policy and its own file. Its rules are the rules of a
// workflow's permissions.
type Policy struct {
	permission.Permissions
	// Secrets are the names of the secrets that workflows may declare.
	Secrets []string
	// File is the file of the policy, for messages.
	File string
}

// allow returns an error unless the policy allows the action.
func (p *Policy) allow(a *action.Action) error {
	if p == nil || p.AllowsAction(a) {
		return nil
	}
	return p.refused("call "+a.Name, p.ActionLine(a))
}

// permit returns an error unless the policy allows the target.
func (p *Policy) permit(t action.Target) error {
	if p == nil || p.AllowsTarget(t, nil) {
		return nil
	}
	return p.refused("reach "+t.String(), p.Line(t))
}

func (p *Policy) refused(what, line string) error {
	return &action.Error{Kind: action.Permission, Message: notAllowed + what, Hint: p.hint(line)}
}

// notAllowed is followed by a verb and its object.
const notAllowed = "the operator's policy does not allow workflows to "

// hint says which line of the policy would allow something, given the line of a workflow
// that would.
func (p *Policy) hint(line string) string {
	return fmt.Sprintf("to allow it, add it to %s: %s", p.File, strings.Replace(line, "permissions:", "allow:", 1))
}

// Check reports what a plan declares that the policy does not allow. What depends on inputs
// is checked only when a call is made.
func (p *Policy) Check(plan *workflow.Plan) source.Problems {
	if p == nil {
		return nil
	}
	var found source.Problems
	report := func(at source.Position, what, line string) {
		found = append(found, source.Problem{
			File: plan.Workflow.File, Line: max(at.Line, 1), Column: max(at.Column, 1), Rule: "ceiling", Severity: source.SeverityError,
			Message: notAllowed + what, Hint: p.hint(line),
		})
	}
	for _, secret := range plan.Workflow.Secrets {
		if !strings.HasPrefix(secret.Name, "inputs.") && !slices.Contains(p.Secrets, secret.Name) {
			report(secret.Position, "use the secret "+secret.Name, fmt.Sprintf("allow: {secrets: [%s]}", secret.Name))
		}
	}
	patterns := func(list string, asked, allowed []permission.Pattern) {
		for _, pattern := range asked {
			if !slices.ContainsFunc(allowed, func(a permission.Pattern) bool { return a.Covers(pattern) }) {
				report(pattern.Position, "reach "+pattern.Text, fmt.Sprintf("allow: {%s: [%q]}", list, pattern.Text))
			}
		}
	}
	patterns("http", plan.Workflow.Permissions.HTTP, p.HTTP)
	patterns("net", plan.Workflow.Permissions.Net, p.Net)
	for _, call := range plan.Calls() {
		if a, ok := plan.Action(call.Action); ok && !p.AllowsAction(a) {
			report(call.Position, "call "+a.Name, p.ActionLine(a))
		}
	}
	return found
}
