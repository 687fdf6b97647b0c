package attempt

import (
	"context"
	"errors"

	"github.com/pdflow/pdflow/engine/action"
)

// maxReconciled is how often a Reconciled action is sent again after it was found not
// to have happened.
const maxReconciled = 3

// reconcile finds out what happened to a write whose answer was lost, or reports it as
// unknown. It never just repeats a write.
type reconcile struct {
	*execution
	next stage
}

// errStopped is why the outcome of a call from before a crash is unknown.
var errStopped = errors.New("the process was stopped before it knew")

func (r *reconcile) do(ctx context.Context, c *call) (action.Object, error) {
	switch c.earlier {
	case decidedDone:
		return c.Known(), nil
	case neverRepeat:
		return nil, unknownOutcome(errStopped)
	case maybeDone:
		return r.resolve(ctx, c, &action.Error{Kind: action.Unavailable, Message: errStopped.Error(), Ambiguous: true})
	}
	output, err := r.next.do(ctx, c)
	switch {
	case err == nil:
		return output, nil
	case c.Effect().LostAnswer() == action.Reconcile:
		return r.resolve(ctx, c, err)
	case c.Effect().LostAnswer() == action.AskPerson && action.AsError(err).Ambiguous:
		return nil, unknownOutcome(err)
	}
	return nil, err
}

// resolve looks up whether a Reconciled call was done, and sends it again when it
// certainly was not. A conflict with its own earlier try is looked up as well.
func (r *reconcile) resolve(ctx context.Context, c *call, err error) (action.Object, error) {
	ambiguous := false
	for range maxReconciled {
		typed := action.AsError(err)
		ambiguous = ambiguous || typed.Ambiguous
		if !typed.Ambiguous && !(ambiguous && typed.Kind == action.Conflict) {
			return nil, err
		}
		found, lookErr := r.look(ctx, c)
		switch {
		case lookErr != nil:
			return nil, unknownOutcome(err)
		case found.done:
			return found.output, nil
		}
		if ctx.Err() != nil {
			return nil, err // it certainly was not done, and no time is left to send it
		}
		var output action.Object
		if output, err = r.next.do(ctx, c); err == nil {
			return output, nil
		}
	}
	if action.AsError(err).Ambiguous {
		return nil, unknownOutcome(err)
	}
	return nil, err
}

// found is the result of a look-up of an earlier call.
type found struct {
	output action.Object
	done   bool
}

// look asks the service whether an earlier call was done.
func (r *reconcile) look(ctx context.Context, c *call) (found, error) {
	return guard(func() (f found, err error) {
		f.output, f.done, err = c.Reconcile(r.scoped(ctx, c), c.record.Before)
		return f, err
	})
}
