package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Local runs plans in this process. Its zero value, with an Interpreter, is
// ready; it is safe for concurrent use.
type Local struct {
	Interpreter attempt.Interpreter
	// Clock is the time that runs live in; nil is the system's.
	Clock action.Clock
	// Secrets returns the text of a declared secret by name. Nil: there are none.
	Secrets func(name string) (string, error)
	// Redactor masks secret texts; give one to share it with the writers of a
	// program. Nil: each run has its own.
	Redactor *action.Redactor
	// Observers hear of every event, in order, from one goroutine a run. They may
	// hear of an event shortly before it is durable.
	Observers []run.Observer
	// Journal keeps the runs; nil keeps nothing, and knows of no concurrency
	// groups.
	Journal journal.Journal
	// Admit waits for a slot for a run that starts or is resumed. It is called once,
	// after the start or resume is durable and before the run does anything, and
	// reports whether the run had to wait. An error ends the work on the run, which
	// stays unfinished. Nil: every run has a slot.
	Admit func(ctx context.Context, run string) (waited bool, err error)
	// Ceiling is what the operator of the machine allows workflows to do; nil
	// allows whatever they ask for.
	Policy *attempt.Policy
	// NewID returns the id of a run that starts now; nil makes random ones.
	NewID func(now time.Time) string
}

// A Request asks for a run.
type Request struct {
	Inputs  action.Object // as given, before they are checked
	Trigger run.Trigger   // manual when empty
	Target  run.Target
	// Keys are the texts of the keys that the target is talked to with, by what
	// each is for. The run records fingerprints of them.
	Keys map[string]string
	// Occurrence makes this the run of a schedule's instant: it has its id and its
	// trigger, and ErrExists says that it was begun before.
	Occurrence *run.Occurrence
	// Patient makes the run wait where its concurrency group would skip it: an instant
	// that is caught up together with others runs after them.
	Patient bool
	// Begun is called once the run's beginning is durable, or it was skipped.
	Begun func()
	// Rehearsed makes this the run that was rehearsed: it has that one's id, so that
	// its keys are the same, and sees what that one read before its first write.
	Rehearsed *attempt.DryRun
}

// An InputError says that a run could not begin because of what it was given.
// Nothing was called.
type InputError struct{ Err error }

// Error returns the message.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// IsInputError reports whether a run could not begin because of what it was
// given.
func IsInputError(err error) bool {
	var input *InputError
	return errors.As(err, &input)
}

// Run runs a plan until its end and returns what became of it. The error is an
// [InputError] when the run could not begin, and a [JournalError] when it had to
// stop since it cannot be recorded; a run that fails is a Result. The run is
// cancelled when the context ends.
//
// A run whose concurrency group is busy is skipped or waits, as its workflow
// says. One that comes upon a call that a person must decide returns with
// Result.Suspended; [Local.Resume] goes on with it.
func (l *Local) Run(ctx context.Context, plan *workflow.Plan, request Request) (*run.Result, error) {
	loop, start, err := l.prepare(plan, request)
	if err != nil {
		return nil, err
	}
	defer loop.live()()
	return loop.start(ctx, start)
}

// live tells a virtual clock that the run is under way, until it is left.
func (l *loop) live() (leave func()) {
	l.underWay()
	l.spent++
	return l.pass
}

// prepare checks what a new run is given and returns its loop and its beginning.
func (l *Local) prepare(plan *workflow.Plan, request Request) (*loop, *run.Start, error) {
	inputs, problems := plan.Workflow.Inputs.Normalize(request.Inputs)
	if len(problems) > 0 {
		return nil, nil, &InputError{problems}
	}
	if request.Occurrence != nil {
		request.Trigger = request.Occurrence.Trigger()
	}
	if request.Trigger.Kind == "" {
		request.Trigger.Kind = "manual"
	}
	loop := l.loop(plan)
	secrets, err := attempt.ResolveSecrets(plan, inputs, l.Secrets, loop.redactor)
	if err != nil {
		return nil, nil, &InputError{err}
	}
	loop.executor.Secrets, loop.executor.Approved = secrets, request.Rehearsed
	switch {
	case request.Rehearsed != nil:
		loop.id = request.Rehearsed.Run
	case request.Occurrence != nil:
		loop.id = request.Occurrence.RunID()
	case l.NewID != nil:
		loop.id = l.NewID(loop.clock.Now())
	default:
		loop.id = newRunID(loop.clock.Now())
	}
	loop.begun, loop.patient = request.Begun, request.Patient
	start := &run.Start{
		Workflow: plan.Workflow.Name, Source: plan.Sources[0].Hash(), Inputs: inputs, Trigger: request.Trigger,
		Target: request.Target.WithKeys(loop.id, request.Keys),
	}
	return loop, start, nil
}

// loop returns the loop of a new run.
func (l *Local) loop(plan *workflow.Plan) *loop {
	loop := &loop{
		local: l, plan: plan, run: run.New(plan), clock: l.Clock, redactor: l.Redactor,
		messages: make(chan message), wake: make(chan func() error), ended: make(chan struct{}),
		attempts: map[run.TaskID]*liveAttempt{}, calls: attempt.History{},
	}
	if loop.clock == nil {
		loop.clock = clock.System{}
	}
	if loop.redactor == nil {
		loop.redactor = &action.Redactor{}
	}
	loop.virtual, _ = loop.clock.(*clock.Virtual)
	loop.executor = &attempt.Executor{Plan: plan, Interpreter: l.Interpreter, Clock: loop.clock, Redactor: loop.redactor, Policy: l.Policy}
	return loop
}

// newRunID returns a ULID: 48 bits of milliseconds and 80 random ones, so that
// ids sort by time.
func newRunID(now time.Time) string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return run.ID(now, random)
}

// A JournalError says that a run stopped because it could not be recorded. All
// that was recorded stays, and nothing was sent after it.
type JournalError struct {
	Run string
	Err error
}

// Error says what happened to the run.
func (e *JournalError) Error() string {
	return fmt.Sprintf("the run %s stopped, since it cannot be recorded: %v", e.Run, e.Err)
}

// Unwrap returns the cause.
func (e *JournalError) Unwrap() error { return e.Err }
