package attempt

import (
	"context"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
)

// permit refuses a call unless the workflow's permissions and the operator's policy
// allow the action and everything that it reaches.
type permit struct {
	*execution
	next stage
}

func (p *permit) do(ctx context.Context, c *call) (action.Object, error) {
	permissions := p.executor.Plan.Workflow.Permissions
	if !permissions.AllowsAction(c.Action) {
		return nil, &action.Error{
			Kind: action.Permission, Message: "the workflow may not call " + c.Action.Name,
			Hint: "add it: " + permissions.ActionLine(c.Action),
		}
	}
	if err := p.executor.Policy.allow(c.Action); err != nil {
		return nil, err
	}
	targets, err := guard(c.Targets)
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		if err := p.permitted(target); err != nil {
			return nil, err
		}
	}
	return p.next.do(ctx, c)
}

// permitted refuses a target unless the workflow and the policy list it.
func (e *execution) permitted(t action.Target) error {
	permissions := e.executor.Plan.Workflow.Permissions
	if !permissions.AllowsTarget(t, e.attempt.Inputs) {
		return &action.Error{
			Kind: action.Permission, Message: fmt.Sprintf("the workflow may not reach %s", t), Hint: "add it: " + permissions.Line(t),
		}
	}
	return e.executor.Policy.permit(t)
}
