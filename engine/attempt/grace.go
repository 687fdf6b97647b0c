package attempt

import (
	"context"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/run"
)

// writeGrace is how long a write may still take to answer after its run was cancelled.
const writeGrace = 10 * time.Second

// grace lets a write that is being sent when the run is cancelled finish within
// writeGrace. Cut off at once, its outcome would be unknown.
type grace struct {
	clock clock.Clock
	next  stage
}

func (g *grace) do(ctx context.Context, c *call) (action.Object, error) {
	if !c.Effect().Writes() || ctx.Done() == nil {
		return g.next.do(ctx, c)
	}
	detached, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	timer := make(chan func() bool, 1) // stops the timer of the grace
	stopWatching := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if cause == run.ErrCancelled || cause == run.ErrTimedOut {
			timer <- g.clock.AfterFunc(writeGrace, func() { cancel(cause) })
			return
		}
		cancel(cause)
		close(timer)
	})
	defer func() {
		if !stopWatching() {
			if stop := <-timer; stop != nil {
				stop()
			}
		}
	}()
	return g.next.do(detached, c)
}
