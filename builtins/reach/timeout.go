package reach

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// maxTimeout is the largest timeout of a call. A call that needs longer must be a loop with
// time.sleep, in which a run can be resumed.
const maxTimeout = 5 * time.Minute

// errTimedOut is the cause of a context that [WithTimeout] ended. It distinguishes the
// timeout of the call from the end of the step or of the run.
var errTimedOut = errors.New("timeout")

// WithTimeout returns a context that ends once d has passed on the run's clock, or on the
// machine's clock without a run. The returned function releases its timer.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, func()) {
	clock := action.ScopeOf(ctx).Clock
	if clock == nil {
		return context.WithTimeoutCause(ctx, d, errTimedOut)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := clock.AfterFunc(d, func() { cancel(errTimedOut) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// TimedOut reports whether [WithTimeout] ended ctx.
func TimedOut(ctx context.Context) bool { return context.Cause(ctx) == errTimedOut }

// CheckTimeout checks an input called timeout.
func CheckTimeout(d time.Duration) error {
	if d <= 0 || d > maxTimeout {
		return fmt.Errorf(`"timeout" must be more than 0s and at most %s, got %s`, maxTimeout, d)
	}
	return nil
}
