package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A liveAttempt is an attempt that this process executes, or that waits for its time.
type liveAttempt struct {
	cancel context.CancelCauseFunc
}

// launch executes an attempt in a goroutine of its own. The last message of the goroutine
// says how the attempt ended. The goroutine starts at the end of the turn, so an attempt that
// the same turn cancels, as in a resume to cancel the run, sends nothing.
func (l *loop) launch(a run.Attempt) {
	ctx, cancel := context.WithCancelCause(context.Background())
	id := run.TaskID{Step: a.Step, Item: a.Item}
	l.attempts[id] = &liveAttempt{cancel}
	l.working++
	l.busy()
	recorder := &recorder{loop: l, attempt: a, recorded: slices.Clone(l.history[id])}
	l.launched = append(l.launched, func() {
		outcome := l.execute(ctx, cancel, a, recorder)
		l.messages <- message{event: l.ending(a, outcome), last: true}
	})
}

// launchAt executes an attempt once a time has come.
func (l *loop) launchAt(a run.Attempt, at time.Time) {
	id := run.TaskID{Step: a.Step, Item: a.Item}
	waiting := &liveAttempt{}
	stop := l.after(at.Sub(l.times.now()), func() error {
		if l.attempts[id] != waiting {
			return nil // it was cancelled when the timer fired
		}
		return l.enabled(run.StartAttempt{Attempt: a})
	})
	waiting.cancel = func(error) {
		stop()
		delete(l.attempts, id)
	}
	l.attempts[id] = waiting
}

// ending returns the event for the end of an attempt.
func (l *loop) ending(a run.Attempt, o run.Outcome) run.Event {
	e := run.Event{Kind: run.EventAttemptFinished, Time: l.times.now(), Step: a.Step, Item: a.Item, Attempt: a.Number, Outcome: &o}
	switch {
	case o.Status == run.Suspended:
		e.Kind = run.EventAttemptSuspended
	case o.Status == run.Success && a.Index >= 0 && a.Item == 0 && l.plan.Steps[a.Index].ForEach != nil:
		e.Kind, e.Outcome = run.EventStepExpanded, nil
		e.Items, _ = o.Outputs.([]any)
	}
	return e
}

// execute executes an attempt within the timeout of its step. When it returns, no timer of
// the attempt is left.
func (l *loop) execute(ctx context.Context, cancel context.CancelCauseFunc, a run.Attempt, r attempt.Recorder) run.Outcome {
	defer cancel(nil)
	claim, _ := l.local.Memory.claim(ctx, l.clock, l.id, l.memoryLimit(a), a.Index < 0 || l.plan.Steps[a.Index].Part != workflow.Main)
	defer claim.leave()
	if a.Index >= 0 {
		timeout := l.local.Ceilings.Timeout(l.plan.Steps[a.Index].Timeout)
		stop := l.afterWorking(claim, timeout, func() {
			cancel(&action.Error{
				Kind: action.Timeout, Message: fmt.Sprintf("the step took longer than its timeout of %s", timeout),
				Hint: "raise `timeout:` of the step if it needs more",
			})
		})
		defer stop()
	}
	return l.doSafely(ctx, a, r, claim)
}

// memoryLimit returns how much memory the script of an attempt may hold, in bytes. A script
// may hold an eighth more for a moment.
func (l *loop) memoryLimit(a run.Attempt) int64 {
	limits := workflow.DefaultLimits()
	if a.Index >= 0 {
		limits = l.plan.Steps[a.Index].Limits
	}
	return l.local.Ceilings.Within(limits).Memory / 8 * 9
}

// afterWorking calls f once an attempt has worked for a duration. The time in which it
// waited for memory does not count.
func (l *loop) afterWorking(c *claim, d time.Duration, f func()) (stop func()) {
	var mu sync.Mutex
	var timer func() bool
	stopped, counted := false, time.Duration(0)
	var arm func(time.Duration)
	arm = func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			return
		}
		timer = l.clock.AfterFunc(d, func() {
			if waited := c.Waited() - counted; waited > 0 {
				counted += waited
				arm(waited)
				return
			}
			f()
		})
	}
	arm(d)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer()
	}
}

// doSafely turns a panic into a failure of the step, so that a mistake in the engine does
// not end the process.
func (l *loop) doSafely(ctx context.Context, a run.Attempt, r attempt.Recorder, c *claim) (outcome run.Outcome) {
	defer func() {
		if r := recover(); r != nil {
			f := &run.Failure{
				Kind: action.Script, Step: a.Step, Item: a.Item, File: l.plan.Workflow.File,
				Message: fmt.Sprintf("the engine itself failed in this step: %v", r), Hint: "please report this",
			}
			outcome = run.Outcome{Status: run.Failed, Error: f}
		}
	}()
	if c == nil {
		return l.executor.Do(ctx, a, r, nil)
	}
	return l.executor.Do(ctx, a, r, c)
}

// A recorder reports the calls of an attempt to the loop as events.
type recorder struct {
	loop     *loop
	attempt  run.Attempt
	recorded []attempt.RecordedCall
}

var _ attempt.Recorder = (*recorder)(nil)

// Recorded returns the calls of the task that are recorded already.
func (r *recorder) Recorded() []attempt.RecordedCall { return r.recorded }

// Begin reports that a call starts. It returns once the loop has applied the event, or
// with durable once the event is durable.
func (r *recorder) Begin(_ context.Context, call run.Call, durable bool) (int, error) {
	answer := make(chan reply, 1)
	r.loop.messages <- message{event: r.event(run.Event{Kind: run.EventCallStarted, Call: &call}), durable: durable, reply: answer}
	got := <-answer
	return got.sequence, got.err
}

// End reports the result of a call.
func (r *recorder) End(call run.Call, durable bool) {
	r.loop.messages <- message{event: r.event(run.Event{Kind: run.EventCallReturned, Call: &call}), durable: durable}
}

// Log reports a line that the step logs.
func (r *recorder) Log(record action.LogRecord) {
	r.loop.messages <- message{event: r.event(run.Event{Kind: run.EventLogged, Log: &record})}
}

// event adds the time and the attempt to an event.
func (r *recorder) event(e run.Event) run.Event {
	e.Time, e.Step, e.Item, e.Attempt = r.loop.times.now(), r.attempt.Step, r.attempt.Item, r.attempt.Number
	return e
}
