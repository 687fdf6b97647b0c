package engine

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// writeGrace is how long a write under way may still take to answer after the
// run was cancelled.
const writeGrace = 10 * time.Second

// maxReconciled bounds how often a Reconciled action is done again after it was
// found not to have happened.
const maxReconciled = 3

// maxCalls bounds the recorded calls of one attempt, which stay in memory until the
// step ends: two every ten seconds for a day are 17,280.
const maxCalls = 20_000

// call makes one call. This is the only way by which an attempt touches the
// world: the input is checked, the permission too, the call is recorded, then
// made, and its result recorded.
func (w *work) call(ctx context.Context, a *action.Action, input action.Object) (action.Object, error) {
	input = w.withDefaults(a, input)
	output, err := safely(func() (action.Object, error) { return w.invoke(ctx, a, input) })
	if err == nil {
		return output, nil
	}
	typed := w.redacted(err) // the script reads it
	typed.Action = a.Name
	if typed.Kind == action.UnknownOutcome && ctx.Err() != nil {
		w.unknown = typed // the script is stopped before it could see this
	}
	return nil, typed
}

// safely turns a panic of an action, a mistake of pdflow or of a host's own
// action, into an error. How far the action came then is not known.
func safely(do func() (action.Object, error)) (output action.Object, err error) {
	defer func() {
		if r := recover(); r != nil {
			output, err = nil, &action.Error{
				Kind: action.Script, Message: fmt.Sprintf("it ended in a panic: %v", r),
				Hint: "this is a mistake in the action's own code: please report it", Ambiguous: true,
			}
		}
	}()
	return do()
}

func (w *work) invoke(ctx context.Context, a *action.Action, input action.Object) (action.Object, error) {
	invocation, err := a.Prepare(input)
	if err != nil {
		return nil, err
	}
	if a.Effect == action.Pure {
		return invocation.Do(ctx, nil)
	}
	if err := w.permitted(invocation); err != nil {
		return nil, err
	}
	return w.recorded(ctx, invocation)
}

// withDefaults adds the defaults of the workflow to the input of a script's call.
func (w *work) withDefaults(a *action.Action, input action.Object) action.Object {
	for name, v := range w.defaults {
		if _, takes := a.In.Field(name); takes && input[name] == nil {
			input = maps.Clone(input)
			if input == nil {
				input = action.Object{}
			}
			input[name] = v
		}
	}
	return input
}

// permitted checks the action and what it reaches.
func (w *work) permitted(i *action.Invocation) error {
	permissions := w.executor.Plan.Workflow.Permissions
	if !permissions.AllowsAction(i.Action) {
		return &action.Error{
			Kind: action.Permission, Message: "the workflow may not call " + i.Action.Name,
			Hint: "add it: " + permissions.ActionLine(i.Action),
		}
	}
	if err := w.executor.Ceiling.allow(i.Action); err != nil {
		return err
	}
	targets, err := i.Targets()
	if err != nil {
		return err
	}
	for _, target := range targets {
		if err := w.permit(target); err != nil {
			return err
		}
	}
	return nil
}

// recorded makes a call with its record before and after, unless the record has
// it already.
func (w *work) recorded(ctx context.Context, i *action.Invocation) (action.Object, error) {
	if w.calls++; w.calls > maxCalls {
		return nil, &action.Error{
			Kind: action.Limit, Message: fmt.Sprintf("the step has made %d calls, the most that one attempt may make", maxCalls),
			Hint: "look for a loop that does not end; make a step of each with for_each, or pause longer between them",
		}
	}
	record := Call{Number: w.calls, Action: i.Action.Name, Effect: i.Effect().String(), Input: i.Input, Fleeting: !i.Memoized()}
	if err := w.hide(i.Credentials()); err != nil {
		return nil, err
	}
	record.Input, _ = w.hidden.RedactValue(record.Input).(action.Object)
	var err error
	if record.Digest, err = w.digest(i); err != nil {
		return nil, err
	}
	w.takeKey(i, &record)
	if old := w.past.made(record.Number); old != nil {
		return w.replay(ctx, i, record, old)
	}
	if i.Memoized() {
		if old := w.past.succeeded(record.Digest, w.completed[record.Digest]); old != nil {
			return w.again(record, old)
		}
		if old := w.past.doubts[record.Digest]; old != nil && i.Effect() >= action.Reconciled {
			return w.doubted(ctx, i, record, old)
		}
	}
	if w.kept > maxKept {
		return nil, &action.Error{
			Kind:    action.Limit,
			Message: fmt.Sprintf("the writes of the step sent and got more than %s together, which a run keeps until the step ends", workflow.SizeText(maxKept)),
			Hint:    "send less at a time, or make a step of each with for_each",
		}
	}
	if record.Before, err = i.Before(ctx); err != nil {
		return nil, err
	}
	return w.begin(ctx, i, record, w.do)
}

// takeKey derives the key of a Keyed call and hands it to the input.
func (w *work) takeKey(i *action.Invocation, record *Call) {
	w.scope.Key = ""
	if i.Effect() == action.Keyed {
		record.Key = w.idempotencyKey(record.Digest)
		w.scope.Key = record.Key
		i.UseKey(record.Key)
	}
}

// A doer makes a call that is recorded.
type doer func(ctx context.Context, i *action.Invocation, record Call) (action.Object, error)

// begin records that a call begins, makes it, and records the result. A write is
// not made before its record is durable.
func (w *work) begin(ctx context.Context, i *action.Invocation, record Call, do doer) (action.Object, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx) // too late: nothing more is sent
	}
	if i.Effect().Writes() {
		w.kept += valueSize(record.Input)
	}
	sequence, err := w.recorder.Begin(ctx, record, i.Effect().Writes() || i.Action.Waits)
	if err != nil {
		return nil, err
	}
	w.scope.Since = w.executor.Clock.Now()
	return w.finish(ctx, i, record, sequence, do)
}

// finish makes a call whose beginning is recorded, and records the result. The
// script gets what the record has: a replay must not see more than it did.
func (w *work) finish(ctx context.Context, i *action.Invocation, record Call, sequence int, do doer) (action.Object, error) {
	output, err := safely(func() (action.Object, error) { return w.make(ctx, i, record, do) })
	result := Call{Number: record.Number, Action: record.Action}
	if err != nil {
		typed := w.redacted(err)
		if typed.Kind == action.UnknownOutcome {
			w.doubtful = sequence
		}
		result.Error, result.Stopped = &Failure{}, ctx.Err() != nil
		result.Error.describe(typed)
		err = typed
	} else {
		output, _ = w.executor.Redactor.RedactValue(w.hidden.RedactValue(output)).(action.Object)
		result.Output = output
		w.completed[record.Digest]++
		if i.Effect().Writes() {
			w.kept += valueSize(output)
		}
	}
	w.recorder.End(result, i.Effect() >= action.Reconciled)
	return output, err
}

// redacted is an error whose texts hold no secret.
func (w *work) redacted(err error) *action.Error {
	typed := *action.AsError(err)
	for _, redactor := range []*action.Redactor{w.hidden, w.executor.Redactor} {
		typed.Message, typed.Hint = redactor.Redact(typed.Message), redactor.Redact(typed.Hint)
	}
	return &typed
}

// make makes a call in its own context.
func (w *work) make(ctx context.Context, i *action.Invocation, record Call, do doer) (action.Object, error) {
	ctx, done := w.callContext(ctx, i.Effect())
	defer done()
	ctx = action.WithScope(ctx, *w.scope)
	return do(ctx, i, record)
}

// callContext is the context of one call. A write under way when the run is
// cancelled gets a while to answer: cut off at once, its outcome would be
// unknown.
func (w *work) callContext(ctx context.Context, effect action.Effect) (context.Context, func()) {
	if !effect.Writes() || ctx.Done() == nil {
		return ctx, func() {}
	}
	detached, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	grace := make(chan func() bool, 1) // stops its timer
	stopWatching := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if cause == errCancelled || cause == errRunTimedOut {
			grace <- w.executor.Clock.AfterFunc(writeGrace, func() { cancel(cause) })
			return
		}
		cancel(cause)
		close(grace)
	})
	return detached, func() {
		if !stopWatching() {
			if stop := <-grace; stop != nil {
				stop()
			}
		}
		cancel(nil)
	}
}

// do makes the call. What became of a write whose answer was lost is found out,
// or said to be unknown; it is never just repeated.
func (w *work) do(ctx context.Context, i *action.Invocation, record Call) (action.Object, error) {
	output, err := w.send(ctx, i, record)
	switch {
	case err == nil:
		return output, nil
	case i.Effect() == action.Reconciled:
		return w.reconcile(ctx, i, record, err)
	case i.Effect() == action.Once && action.AsError(err).Ambiguous:
		return nil, unknownOutcome(err)
	}
	return nil, err
}

// send does it. Whatever an action says when its time was over, it may have been
// done.
func (w *work) send(ctx context.Context, i *action.Invocation, record Call) (action.Object, error) {
	if output, err, done := w.rehearse(ctx, i, record); done {
		return output, err
	}
	output, err := safely(func() (action.Object, error) { return i.Do(ctx, record.Before) })
	if err != nil && ctx.Err() != nil {
		typed := *action.AsError(err)
		typed.Ambiguous = true
		err = &typed
	}
	return output, err
}

// reconcile finds out what became of a Reconciled call. It does it again when it
// certainly has not happened; should it be refused then because it has, that is
// found out too.
func (w *work) reconcile(ctx context.Context, i *action.Invocation, record Call, err error) (action.Object, error) {
	ambiguous := false
	for range maxReconciled {
		typed := action.AsError(err)
		ambiguous = ambiguous || typed.Ambiguous
		if !typed.Ambiguous && !(ambiguous && typed.Kind == action.Conflict) {
			return nil, err
		}
		output, done, lookErr := i.Reconcile(ctx, record.Before)
		if lookErr != nil {
			return nil, unknownOutcome(err)
		}
		if done {
			return output, nil
		}
		if ctx.Err() != nil {
			return nil, err // it certainly was not done, and there is no time to do it
		}
		if output, err = w.send(ctx, i, record); err == nil {
			return output, nil
		}
	}
	if action.AsError(err).Ambiguous {
		return nil, unknownOutcome(err)
	}
	return nil, err
}

// unknownOutcome says that a call may or may not have been done.
func unknownOutcome(err error) error {
	cause := action.AsError(err)
	return &action.Error{
		Kind: action.UnknownOutcome, Message: "it is unknown whether this call was done: " + cause.Message,
		Hint: "look at the service whether it was; it is not sent again by itself", Status: cause.Status, Code: cause.Code, Err: err,
	}
}
