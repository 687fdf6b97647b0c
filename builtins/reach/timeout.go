package reach

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// maxTimeout bounds every timeout input: a call that needs longer is a job for a
// loop with time.sleep, which a run can be resumed in.
const maxTimeout = 5 * time.Minute

// errTimedOut is the cause of a context that ended by [WithTimeout], which tells
// the call's own timeout from the end of the step or of the run.
var errTimedOut = errors.New("timeout")

// WithTimeout returns a context that ends once d has passed on the run's clock,
// or on the machine's where there is no run.
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

// TimedOut reports whether ctx ended by [WithTimeout].
func TimedOut(ctx context.Context) bool { return context.Cause(ctx) == errTimedOut }

// CheckTimeout checks an input called timeout.
func CheckTimeout(d time.Duration) error {
	if d <= 0 || d > maxTimeout {
		return fmt.Errorf(`"timeout" must be more than 0s and at most %s, got %s`, maxTimeout, d)
	}
	return nil
}
