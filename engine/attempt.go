package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
)

// An attempt is one that is under way here, or waited for.
type liveAttempt struct {
	cancel context.CancelCauseFunc
}

// launch makes an attempt in a goroutine of its own, which ends with the message
// of how it ended.
func (l *loop) launch(a run.Attempt) {
	ctx, cancel := context.WithCancelCause(context.Background())
	id := run.TaskID{Step: a.Step, Item: a.Item}
	l.attempts[id] = &liveAttempt{cancel}
	l.working++
	l.underWay()
	recorder := &attemptRecorder{loop: l, attempt: a, recorded: slices.Clone(l.calls[id])}
	go func() {
		outcome := l.attempt(ctx, cancel, a, recorder)
		l.messages <- message{event: l.ending(a, outcome), last: true}
	}()
}

// launchAt makes an attempt once a time has come.
func (l *loop) launchAt(a run.Attempt, at time.Time) {
	id := run.TaskID{Step: a.Step, Item: a.Item}
	waiting := &liveAttempt{}
	stop := l.after(at.Sub(l.clock.Now()), func() error {
		if l.attempts[id] != waiting {
			return nil // cancelled when the timer came already
		}
		return l.enabled(run.StartAttempt{Attempt: a})
	})
	waiting.cancel = func(error) {
		stop()
		delete(l.attempts, id)
	}
	l.attempts[id] = waiting
}

// ending is the event with which an attempt ends.
func (l *loop) ending(a run.Attempt, o run.Outcome) run.Event {
	e := run.Event{Kind: run.EventAttemptFinished, Time: l.clock.Now(), Step: a.Step, Item: a.Item, Attempt: a.Number, Outcome: &o}
	switch {
	case o.Status == run.Suspended:
		e.Kind = run.EventAttemptSuspended
	case o.Status == run.Success && a.Index >= 0 && a.Item == 0 && l.plan.Steps[a.Index].ForEach != nil:
		e.Kind, e.Outcome = run.EventStepExpanded, nil
		e.Items, _ = o.Outputs.([]any)
	}
	return e
}

// attempt makes an attempt within the timeout of its step. Nothing of it is left
// when it returns, no timer either.
func (l *loop) attempt(ctx context.Context, cancel context.CancelCauseFunc, a run.Attempt, recorder attempt.Recorder) run.Outcome {
	defer cancel(nil)
	if a.Index >= 0 {
		defer l.limit(a, cancel)()
	}
	return l.doSafely(ctx, a, recorder)
}

// limit ends the attempt when the timeout of its step is over.
func (l *loop) limit(a run.Attempt, cancel context.CancelCauseFunc) (stop func()) {
	timeout := l.plan.Steps[a.Index].Timeout
	timer := l.clock.AfterFunc(timeout, func() {
		cancel(&action.Error{
			Kind: action.Timeout, Message: fmt.Sprintf("the step took longer than its timeout of %s", timeout),
			Hint: "raise `timeout:` of the step if it needs more",
		})
	})
	return func() { timer() }
}

// doSafely turns a panic, which would be a mistake of pdflow, into a failure of
// the step: one step never takes the process down.
func (l *loop) doSafely(ctx context.Context, a run.Attempt, recorder attempt.Recorder) (outcome run.Outcome) {
	defer func() {
		if r := recover(); r != nil {
			f := &run.Failure{
				Kind: action.Script, Step: a.Step, Item: a.Item, File: l.plan.Workflow.File,
				Message: l.redactor.Redact(fmt.Sprintf("pdflow itself failed in this step: %v", r)), Hint: "please report this",
			}
			outcome = run.Outcome{Status: run.Failed, Error: f}
		}
	}()
	return l.executor.Do(ctx, a, recorder)
}

// An attemptRecorder reports the calls of an attempt as events.
type attemptRecorder struct {
	loop     *loop
	attempt  run.Attempt
	recorded []attempt.RecordedCall
}

// Recorded returns the calls of the step, or item, up to this attempt.
func (r *attemptRecorder) Recorded() []attempt.RecordedCall { return r.recorded }

// Begin reports that a call begins and waits until that was taken, and is
// durable where that is asked for.
func (r *attemptRecorder) Begin(_ context.Context, call run.Call, durable bool) (int, error) {
	answer := make(chan reply, 1)
	r.loop.messages <- message{event: r.event(run.EventCallStarted, call), durable: durable, reply: answer}
	got := <-answer
	return got.sequence, got.err
}

// End reports the result of a call.
func (r *attemptRecorder) End(call run.Call, durable bool) {
	r.loop.messages <- message{event: r.event(run.EventCallReturned, call), durable: durable}
}

// Log reports a line that the step logs.
func (r *attemptRecorder) Log(record action.LogRecord) {
	record.Message = r.loop.redactor.Redact(record.Message)
	record.Fields, _ = r.loop.redactor.RedactValue(record.Fields).(action.Object)
	r.loop.messages <- message{event: r.stamp(run.Event{Kind: run.EventLogged, Log: &record})}
}

func (r *attemptRecorder) event(kind run.EventKind, call run.Call) run.Event {
	redactor := r.loop.redactor
	call.Input, _ = redactor.RedactValue(call.Input).(action.Object)
	if call.Before != nil {
		call.Before = json.RawMessage(redactor.Redact(string(call.Before)))
	}
	return r.stamp(run.Event{Kind: kind, Call: &call})
}

// stamp adds when and where.
func (r *attemptRecorder) stamp(e run.Event) run.Event {
	e.Time, e.Step, e.Item, e.Attempt = r.loop.clock.Now(), r.attempt.Step, r.attempt.Item, r.attempt.Number
	return e
}
