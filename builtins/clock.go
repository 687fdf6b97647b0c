package builtins

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

// errTimedOut is the cause of a context that ended by [withTimeout], which tells
// the call's own timeout from the end of the step or of the run.
var errTimedOut = errors.New("timeout")

// clockOf returns the clock of the run that makes the call.
func clockOf(ctx context.Context) (action.Clock, error) {
	if clock := action.ScopeOf(ctx).Clock; clock != nil {
		return clock, nil
	}
	return nil, action.Errorf(action.Permission, "there is no clock outside of a run")
}

// withTimeout returns a context that ends once d has passed on the run's clock,
// or on the machine's where there is no run.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, func()) {
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

// timedOut reports whether ctx ended by [withTimeout].
func timedOut(ctx context.Context) bool { return context.Cause(ctx) == errTimedOut }

// checkTimeout checks an input called timeout.
func checkTimeout(d time.Duration) error {
	if d <= 0 || d > maxTimeout {
		return fmt.Errorf(`"timeout" must be more than 0s and at most %s, got %s`, maxTimeout, d)
	}
	return nil
}
