package attempt

import (
	"context"

	"github.com/pdflow/pdflow/engine/action"
)

// send does the action.
type send struct{ *execution }

func (s *send) do(ctx context.Context, c *call) (action.Object, error) {
	output, err := guard(func() (action.Object, error) { return c.Do(s.scoped(ctx, c), c.record.Before) })
	if err != nil && ctx.Err() != nil {
		// Whatever the action says when its time is over, it may have been done.
		typed := *action.AsError(err)
		typed.Ambiguous = true
		err = &typed
	}
	return output, err
}
