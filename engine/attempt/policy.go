package attempt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Ceiling is what the operator of a machine allows at most: no file can grant
// itself more. What it does not list is not allowed, except that PagerDuty's
// reading and event actions are, as in a workflow, unless it narrows them.
type Policy struct {
	workflow.Permissions
	// Secrets are the names that workflows may declare.
	Secrets []string
	// File is where it stands, for messages.
	File string
}

// allow refuses an action.
func (c *Policy) allow(a *action.Action) error {
	if c == nil || c.AllowsAction(a) {
		return nil
	}
	return c.refused("call "+a.Name, c.ActionLine(a))
}

// permit refuses a target.
func (c *Policy) permit(t action.Target) error {
	if c == nil || c.AllowsTarget(t, nil) {
		return nil
	}
	return c.refused("reach "+t.String(), c.Line(t))
}

func (c *Policy) refused(what, line string) error {
	return &action.Error{
		Kind: action.Permission, Message: fmt.Sprintf("the operator of this machine lets no workflow %s", what),
		Hint: fmt.Sprintf("to allow it, add it to %s: %s", c.File, strings.Replace(line, "permissions:", "allow:", 1)),
	}
}

// Check reports what a plan asks for beyond the ceiling, as far as its text
// shows: what depends on inputs is refused when it is called.
func (c *Policy) Check(plan *workflow.Plan) workflow.Diagnostics {
	if c == nil {
		return nil
	}
	var found workflow.Diagnostics
	report := func(at workflow.Position, message, line string) {
		found = append(found, workflow.Diagnostic{
			File: plan.Workflow.File, Line: max(at.Line, 1), Column: max(at.Column, 1), Rule: "ceiling", Severity: workflow.SeverityError,
			Message: message, Hint: fmt.Sprintf("to allow it, add it to %s: %s", c.File, line),
		})
	}
	for _, secret := range plan.Workflow.Secrets {
		if !strings.HasPrefix(secret.Name, "inputs.") && !slices.Contains(c.Secrets, secret.Name) {
			report(secret.Position, "the operator of this machine lets no workflow use the secret "+secret.Name, fmt.Sprintf("allow: {secrets: [%s]}", secret.Name))
		}
	}
	for _, pattern := range plan.Workflow.Permissions.HTTP {
		if !slices.ContainsFunc(c.HTTP, func(allowed workflow.Pattern) bool { return allowed.Covers(pattern) }) {
			report(pattern.Position, "the operator of this machine lets no workflow reach "+pattern.Text, fmt.Sprintf("allow: {http: [%q]}", pattern.Text))
		}
	}
	for _, pattern := range plan.Workflow.Permissions.Net {
		if !slices.ContainsFunc(c.Net, func(allowed workflow.Pattern) bool { return allowed.Covers(pattern) }) {
			report(pattern.Position, "the operator of this machine lets no workflow reach "+pattern.Text, fmt.Sprintf("allow: {net: [%q]}", pattern.Text))
		}
	}
	for _, call := range plan.Calls() {
		if a, ok := plan.Action(call.Action); ok && !c.AllowsAction(a) {
			report(call.Position, "the operator of this machine lets no workflow call "+a.Name, strings.Replace(c.ActionLine(a), "permissions:", "allow:", 1))
		}
	}
	return found
}
