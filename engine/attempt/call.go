package attempt

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
)

// A stage does its part of a call and passes the call on. Package doc has their order.
type stage interface {
	do(ctx context.Context, c *call) (action.Object, error)
}

// A call is one use of an action on its way through the stages.
type call struct {
	*action.Invocation
	record   run.Call  // what the history gets of it
	sequence int       // of its call.started event; 0 until that is recorded
	since    time.Time // when it was started first
	// earlier is what is known about an earlier start of the call whose result the
	// history does not have.
	earlier earlier
	// hidden masks the keys that the input has as plain text.
	hidden *redact.Redactor
	// preview receives the requests of a write that is not to be sent.
	preview func(action.Request)
}

// An earlier says what is known about an earlier start of a call.
type earlier int

const (
	notStarted  earlier = iota // there was none, or it may be sent again
	maybeDone                  // it may have been done: look before sending it
	neverRepeat                // it may have been done, and must not be sent again
	decidedDone                // a person says that it was done
)

// pipeline builds the stages of the attempt's calls. calls are the recorded calls of the
// task.
func (e *execution) pipeline(calls []RecordedCall) {
	e.recorded = &record{execution: e, next: &grace{e.executor.Clock, &reconcile{e, &preview{e, &send{e}}}}}
	e.memo = newMemoize(e, calls)
	e.first = &permit{e, e.memo}
}

// call makes one call. It is the only way in which an attempt reaches anything.
func (e *execution) call(ctx context.Context, a *action.Action, input action.Object) (action.Object, error) {
	output, err := e.pass(ctx, a, e.withDefaults(a, input))
	if err == nil {
		return output, nil
	}
	typed := *action.AsError(err)
	typed.Action = a.Name
	if typed.Kind == action.UnknownOutcome && ctx.Err() != nil {
		e.unknown = &typed // the script is stopped and cannot handle this itself
	}
	return nil, &typed
}

// maxNotes is how many notes of one call are logged.
const maxNotes = 10

// pass checks the input and passes the call to its first stage.
func (e *execution) pass(ctx context.Context, a *action.Action, input action.Object) (action.Object, error) {
	if a.Lenient {
		var notes []string
		input, notes = action.WithoutNotes(input)
		for i, note := range notes {
			if i == maxNotes {
				e.recorder.Log(action.LogRecord{Level: "warn", Message: fmt.Sprintf("%s: and %d more", a.Name, len(notes)-i)})
				break
			}
			e.recorder.Log(action.LogRecord{Level: "warn", Message: a.Name + ": " + note})
		}
	}
	invocation, err := guard(func() (*action.Invocation, error) { return a.Prepare(input) })
	if err != nil {
		return nil, err
	}
	if a.Effect == action.Pure {
		output, err := guard(func() (action.Object, error) { return invocation.Do(ctx, nil) })
		if err != nil {
			return nil, redactedError(err, e.executor.Redactor)
		}
		return output, nil
	}
	if e.first == nil {
		e.pipeline(nil)
	}
	output, err := e.first.do(ctx, &call{Invocation: invocation})
	if err != nil {
		err = e.refusal(invocation, err)
	}
	return output, err
}

// refusal notes a failure that says nothing about what the call asked: it was not permitted,
// or could not be made on this machine. A script must not take such a failure of a read for
// a fact about the world, so the attempt ends. A write that was not permitted was not sent,
// so the script may catch it; but the run will not be a success.
func (e *execution) refusal(i *action.Invocation, err error) error {
	typed := *action.AsError(err)
	if typed.Kind != action.Permission && !typed.Final {
		return err
	}
	typed.Action = i.Action.Name
	if e.refused == nil {
		e.refused = &typed
	}
	if typed.Final || !i.Effect().Writes() {
		return e.halt(&typed)
	}
	return &typed
}

// withDefaults adds the defaults of the workflow to the input of a script's call.
func (e *execution) withDefaults(a *action.Action, input action.Object) action.Object {
	for name, v := range e.defaults {
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

// scoped returns the context in which the action of a call works.
func (e *execution) scoped(ctx context.Context, c *call) context.Context {
	scope := e.scope
	scope.Key, scope.Since, scope.Preview = c.record.Key, c.since, c.preview
	if c.hidden != nil {
		scope.Redactor = c.hidden // so that the action can add the forms in which it sends a key
	}
	return action.WithScope(ctx, scope)
}

// guard turns a panic of an action's code into an error. Every use of that code goes
// through it. How far the action came is unknown, so the error is ambiguous.
func guard[T any](do func() (T, error)) (result T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &action.Error{
				Kind: action.Script, Message: fmt.Sprintf("it ended in a panic: %v", r),
				Hint: "this is a mistake in the action's own code: please report it", Ambiguous: true,
			}
		}
	}()
	return do()
}

// redactedError returns the error with every text that the redactors know masked.
func redactedError(err error, redactors ...*redact.Redactor) *action.Error {
	typed := *action.AsError(err)
	for _, r := range redactors {
		typed.Message, typed.Hint = r.Redact(typed.Message), r.Redact(typed.Hint)
		typed.Details, _ = r.RedactValue(typed.Details).(action.Object)
	}
	return &typed
}

// unknownOutcome says that a write may or may not have been done.
func unknownOutcome(err error) error {
	cause := action.AsError(err)
	return &action.Error{
		Kind: action.UnknownOutcome, Message: "it is unknown whether this call was done: " + cause.Message,
		Hint: "check at the service whether it was done; it is not sent again automatically", Status: cause.Status, Code: cause.Code, Err: err,
	}
}
