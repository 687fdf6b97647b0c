package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Local runs plans in this process. Its zero value, with an Interpreter, is
// ready; it is safe for concurrent use.
type Local struct {
	Interpreter Interpreter
	// Clock is the time that runs live in; nil is the system's.
	Clock action.Clock
	// Secrets returns the text of a declared secret by name. Nil: there are none.
	Secrets func(name string) (string, error)
	// Redactor masks secret texts; give one to share it with the writers of a
	// program. Nil: each run has its own.
	Redactor *action.Redactor
	// Observers hear of every event, in order, from one goroutine a run.
	Observers []Observer
	// NewID returns the id of a run that starts now; nil makes random ones.
	NewID func(now time.Time) string
}

// A Request asks for a run.
type Request struct {
	Inputs  action.Object // as given, before they are checked
	Trigger Trigger       // manual when empty
	Target  Target
}

// An InputError says that a run could not begin because of what it was given.
// Nothing was called.
type InputError struct{ Err error }

// Error returns the message.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// errCancelled is the cause that ends attempts when their run is cancelled.
var errCancelled error = &action.Error{Kind: action.Cancelled, Message: "the run was cancelled"}

// errRunTimedOut is the cause that ends attempts when the time of their run is
// over.
var errRunTimedOut error = &action.Error{Kind: action.Cancelled, Message: "the run took longer than its timeout"}

// Run runs a plan until its end and returns what became of it. The error is an
// [InputError] when the run could not begin; a run that fails is a Result. The
// run is cancelled when the context ends.
func (l *Local) Run(ctx context.Context, plan *workflow.Plan, request Request) (*Result, error) {
	inputs, problems := plan.Workflow.Inputs.Normalize(request.Inputs)
	if len(problems) > 0 {
		return nil, &InputError{problems}
	}
	redactor := l.Redactor
	if redactor == nil {
		redactor = &action.Redactor{}
	}
	secrets, err := resolveSecrets(plan, inputs, l.Secrets, redactor)
	if err != nil {
		return nil, &InputError{err}
	}
	clock := l.Clock
	if clock == nil {
		clock = SystemClock{}
	}
	loop := &loop{
		local: l, run: NewRun(plan), clock: clock, messages: make(chan message),
		executor: &Executor{Plan: plan, Interpreter: l.Interpreter, Clock: clock, Secrets: secrets, Redactor: redactor},
		cancels:  map[string]context.CancelCauseFunc{}, redactor: redactor,
	}
	return loop.do(ctx, plan, inputs, request)
}

// A loop drives one run: it alone applies events.
type loop struct {
	local    *Local
	run      *Run
	executor *Executor
	clock    action.Clock
	redactor *action.Redactor
	id       string
	sequence int
	messages chan message // from the attempts under way
	cancels  map[string]context.CancelCauseFunc
	finish   *Finish
}

// A message is an event that an attempt reports, with its time: the loop may take
// it later. Taken is closed once it was
// applied, where the attempt waits for that.
type message struct {
	event Event
	taken chan error
}

func (l *loop) do(ctx context.Context, plan *workflow.Plan, inputs action.Object, request Request) (*Result, error) {
	now := l.clock.Now()
	if l.id = ""; l.local.NewID != nil {
		l.id = l.local.NewID(now)
	} else {
		l.id = newRunID(now)
	}
	if request.Trigger.Kind == "" {
		request.Trigger.Kind = "manual"
	}
	start := &RunStart{Workflow: plan.Workflow.Name, Source: plan.Sources[0].Hash(), Inputs: inputs, Trigger: request.Trigger, Target: request.Target}
	if err := l.apply(Event{Kind: RunStarted, Started: start}); err != nil {
		return nil, err
	}
	timedOut := make(chan struct{}, 1)
	stopTimer := l.clock.AfterFunc(plan.Workflow.Timeout, func() { timedOut <- struct{}{} })
	defer stopTimer()
	cancelled := ctx.Done()
	for l.finish == nil {
		var err error
		select {
		case m := <-l.messages:
			err = l.apply(m.event)
			if m.taken != nil {
				m.taken <- err
			}
		case <-timedOut:
			err = l.apply(Event{Kind: RunTimedOut})
		case <-cancelled:
			cancelled = nil
			err = l.apply(Event{Kind: RunCancelled})
		}
		if err != nil {
			return nil, err
		}
	}
	if err := l.apply(Event{Kind: RunFinished, Status: l.finish.Status, Outputs: l.finish.Outputs, Error: l.finish.Error}); err != nil {
		return nil, err
	}
	return l.run.Result(), nil
}

// apply gives an event its number and time, applies it, shows it to the
// observers, and does what it enables.
func (l *loop) apply(e Event) error {
	l.sequence++
	e.Sequence, e.Run = l.sequence, l.id
	if e.Time.IsZero() {
		e.Time = l.clock.Now()
	}
	commands, err := l.run.Apply(e)
	if err != nil {
		return fmt.Errorf("the run cannot go on, which is a mistake of pdflow: %w", err)
	}
	if e.Started != nil {
		shown := *e.Started // an input may hold the text of a secret
		shown.Inputs, _ = l.redactor.RedactValue(shown.Inputs).(action.Object)
		e.Started = &shown
	}
	for _, o := range l.local.Observers {
		o.Observe(e)
	}
	for _, c := range commands {
		if err := l.command(c); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) command(c Command) error {
	switch c := c.(type) {
	case Start:
		return l.start(c.Attempt)
	case Cancel:
		if cancel := l.cancels[c.Step]; cancel != nil {
			cancel(l.run.cause())
		}
	case Finish:
		l.finish = &c
	}
	return nil
}

// start makes an attempt in a goroutine of its own, which ends with the message
// of how it ended.
func (l *loop) start(a Attempt) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	l.cancels[a.Step] = cancel
	if err := l.apply(Event{Kind: AttemptStarted, Step: a.Step, Attempt: a.Number}); err != nil {
		return err
	}
	go func() {
		outcome := l.attempt(ctx, cancel, a)
		l.messages <- message{event: Event{Kind: AttemptFinished, Time: l.clock.Now(), Step: a.Step, Attempt: a.Number, Outcome: &outcome}}
	}()
	return nil
}

// attempt makes an attempt within the timeout of its step. Nothing of it is left
// when it returns, no timer either.
func (l *loop) attempt(ctx context.Context, cancel context.CancelCauseFunc, a Attempt) Outcome {
	defer cancel(nil)
	if a.Index >= 0 {
		defer l.limit(a, cancel)()
	}
	return l.doSafely(ctx, a, &attemptRecorder{loop: l, attempt: a})
}

// limit ends the attempt when the timeout of its step is over.
func (l *loop) limit(a Attempt, cancel context.CancelCauseFunc) (stop func()) {
	timeout := l.executor.Plan.Steps[a.Index].Timeout
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
func (l *loop) doSafely(ctx context.Context, a Attempt, recorder Recorder) (outcome Outcome) {
	defer func() {
		if r := recover(); r != nil {
			f := &Failure{
				Kind: action.Script, Step: a.Step, File: l.executor.Plan.Workflow.File,
				Message: l.redactor.Redact(fmt.Sprintf("pdflow itself failed in this step: %v", r)), Hint: "please report this",
			}
			outcome = Outcome{Status: Failed, Error: f}
		}
	}()
	return l.executor.Do(ctx, a, recorder)
}

// An attemptRecorder reports the calls of an attempt as events.
type attemptRecorder struct {
	loop    *loop
	attempt Attempt
}

// Begin reports that a call begins and waits until that was taken.
func (r *attemptRecorder) Begin(_ context.Context, call Call) error {
	taken := make(chan error, 1)
	r.loop.messages <- message{event: r.event(CallStarted, call), taken: taken}
	return <-taken
}

// End reports the result of a call.
func (r *attemptRecorder) End(call Call) {
	r.loop.messages <- message{event: r.event(CallReturned, call)}
}

// Log reports a line that the step logs.
func (r *attemptRecorder) Log(record action.LogRecord) {
	record.Message = r.loop.redactor.Redact(record.Message)
	record.Fields, _ = r.loop.redactor.RedactValue(record.Fields).(action.Object)
	r.loop.messages <- message{event: Event{Kind: Logged, Time: r.loop.clock.Now(), Step: r.attempt.Step, Attempt: r.attempt.Number, Log: &record}}
}

func (r *attemptRecorder) event(kind EventKind, call Call) Event {
	redactor := r.loop.redactor
	call.Input, _ = redactor.RedactValue(call.Input).(action.Object)
	call.Output, _ = redactor.RedactValue(call.Output).(action.Object)
	if call.Before != nil {
		call.Before = json.RawMessage(redactor.Redact(string(call.Before)))
	}
	if call.Error != nil {
		f := *call.Error
		f.Message, f.Hint = redactor.Redact(f.Message), redactor.Redact(f.Hint)
		call.Error = &f
	}
	return Event{Kind: kind, Time: r.loop.clock.Now(), Step: r.attempt.Step, Attempt: r.attempt.Number, Call: &call}
}

// IsInputError reports whether a run could not begin because of what it was
// given.
func IsInputError(err error) bool {
	var input *InputError
	return errors.As(err, &input)
}
