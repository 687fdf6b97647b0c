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
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Local executes runs in this process. Its zero value, with an Interpreter, is ready to
// use. It is safe for concurrent use. Do not change its fields after the first run.
type Local struct {
	Interpreter attempt.Interpreter
	// Clock is the time that runs live in; nil is the time of the machine.
	Clock clock.Clock
	// Secrets returns the text of a declared secret by name; an empty text is an error of the
	// run. Nil: there are no secrets.
	Secrets func(name string) (string, error)
	// Redactor masks secret texts. Share it with everything that prints. Nil: each run
	// has its own.
	Redactor *redact.Redactor
	// Observers receive every event, in order, from one goroutine for each run. They
	// may receive an event shortly before it is durable.
	Observers []run.Observer
	// Journal stores the runs. Without one nothing is stored, and concurrency groups
	// have no effect.
	Journal journal.Journal
	// Admit waits for a slot for a run that starts or is resumed. It is called once,
	// after the start or resume is durable and before the run does anything, and
	// reports whether the run had to wait. An error ends the work on the run, which
	// stays unfinished. Nil: every run has a slot.
	Admit func(ctx context.Context, run string) (waited bool, err error)
	// Waiting is called when a run that is resumed has to wait for its concurrency group.
	// Nil: no one is told. A run that starts records that it is queued instead.
	Waiting func(run string, busy *journal.BusyError)
	// GiveUp ends such waits when it is closed. A run that is resumed already continues.
	GiveUp <-chan struct{}
	// Policy is what the operator of the machine allows all workflows to do; nil allows
	// everything that the permissions of a workflow allow.
	Policy *attempt.Policy
	// Memory is the memory that all runs of the process share; nil: each script has its own
	// limit, and together they have none.
	Memory *Memory
	// Ceilings bound what the steps of all workflows get, whatever their files ask for. The
	// files of new runs are checked against them when they are compiled.
	Ceilings workflow.Ceilings
	// NewID returns the id of a run that starts now; nil makes random ids.
	NewID func(now time.Time) string
}

// A Request asks for a run.
type Request struct {
	Inputs  action.Object // as given, before they are checked
	Trigger run.Trigger   // manual when empty
	Actor   run.Actor     // who asked for the run; the schedule for an Occurrence
	Target  run.Target
	// Keys are the texts of the target's keys, by purpose. The run records fingerprints
	// of them.
	Keys map[string]string
	// Occurrence makes this the run of a scheduled time, with its id and its trigger.
	// [journal.ErrExists] then says that the run was started before.
	Occurrence *run.Occurrence
	// Patient makes the run wait for its concurrency group where the policy of its workflow
	// would skip it. It is for scheduled times that are caught up together.
	Patient bool
	// Started is called once the start of the run is durable, or it was skipped.
	Started func()
	// Confirmed is the dry run that a person confirmed. The run gets the id of the dry run,
	// so its idempotency keys are the same. Until its first write, its reads return what
	// the dry run read.
	Confirmed *attempt.DryRun
}

// An InputError says that a run could not start or resume because of what it was given.
// Nothing was called and nothing has changed.
type InputError struct{ Err error }

// Error returns the message.
func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// IsInputError reports whether err is or wraps an [InputError].
func IsInputError(err error) bool {
	var input *InputError
	return errors.As(err, &input)
}

// A JournalError says that a run stopped because it could not be recorded. Everything
// recorded stays, and nothing was sent after it.
type JournalError struct {
	Run string
	Err error
}

// Error says what happened to the run.
func (e *JournalError) Error() string {
	return fmt.Sprintf("run %s stopped because it cannot be recorded: %v", e.Run, e.Err)
}

// Unwrap returns the cause.
func (e *JournalError) Unwrap() error { return e.Err }

// Run executes a plan until the run has ended or is suspended, and returns its result. A
// run that fails is a result. The error is an [InputError] when the run could not start,
// and a [JournalError] when it had to stop. The run is cancelled when the context ends.
//
// A run whose concurrency group is busy is skipped or waits, as its workflow says. A
// suspended run has Result.Suspended; [Local.Resume] continues it.
func (l *Local) Run(ctx context.Context, plan *workflow.Plan, request Request) (*run.Result, error) {
	loop, start, err := l.prepare(plan, request)
	if err != nil {
		return nil, err
	}
	defer loop.live()()
	return loop.start(ctx, start)
}

// prepare checks what a new run is given, and returns its loop and its start.
func (l *Local) prepare(plan *workflow.Plan, request Request) (*loop, *run.Start, error) {
	if request.Occurrence != nil {
		request.Trigger, request.Actor = request.Occurrence.Trigger(), request.Occurrence.Actor()
	}
	if request.Trigger.Kind == "" {
		request.Trigger.Kind = "manual"
	}
	loop := l.loop(plan, request.Actor)
	for _, c := range plan.Workflow.Inputs.PlainCredentials(request.Inputs) {
		loop.redactor.Add(c.Text) // before there is any message
	}
	inputs, problems := plan.Workflow.Inputs.Normalize(request.Inputs)
	if len(problems) > 0 {
		return nil, nil, &InputError{problems}
	}
	secrets, err := attempt.ResolveSecrets(plan, inputs, l.Secrets, loop.redactor)
	if err != nil {
		return nil, nil, &InputError{err}
	}
	loop.executor.Secrets, loop.executor.Confirmed = secrets, request.Confirmed
	switch {
	case request.Confirmed != nil:
		loop.id = request.Confirmed.Run
	case request.Occurrence != nil:
		loop.id = request.Occurrence.RunID()
	case l.NewID != nil:
		loop.id = l.NewID(loop.clock.Now())
	default:
		loop.id = newID(loop.clock.Now())
	}
	loop.started, loop.patient = request.Started, request.Patient
	start := &run.Start{
		Workflow: plan.Workflow.Name, Source: plan.Sources[0].Hash(), Inputs: inputs, Trigger: request.Trigger,
		Target: request.Target.WithKeys(loop.id, request.Keys),
	}
	return loop, start, nil
}

// loop returns the loop of a run.
func (l *Local) loop(plan *workflow.Plan, actor run.Actor) *loop {
	loop := &loop{
		local: l, plan: plan, state: run.New(plan), clock: l.clock(), redactor: l.Redactor,
		messages: make(chan message), wake: make(chan func() error), ended: make(chan struct{}),
		attempts: map[run.TaskID]*liveAttempt{}, history: attempt.History{},
	}
	if actor != (run.Actor{}) {
		loop.actor = &actor
	}
	if loop.redactor == nil {
		loop.redactor = &redact.Redactor{}
	}
	loop.virtual, _ = loop.clock.(*clock.Virtual)
	loop.times = runTime{loop.clock, clock.Read(loop.clock)}
	loop.executor = &attempt.Executor{Plan: plan, Interpreter: l.Interpreter, Clock: loop.clock, Redactor: loop.redactor, Policy: l.Policy, Ceilings: l.Ceilings}
	return loop
}

// clock returns the time that runs live in.
func (l *Local) clock() clock.Clock {
	if l.Clock == nil {
		return clock.System{}
	}
	return l.Clock
}

// newID returns a random id that sorts by time.
func newID(now time.Time) string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return run.ID(now, random)
}

// Skip records that the run of a scheduled time does not start, and why. A run of that
// time that is recorded already stays as it is.
func (l *Local) Skip(ctx context.Context, plan *workflow.Plan, o run.Occurrence, target run.Target, reason string) error {
	if l.Journal == nil {
		return &InputError{errors.New("a skipped run cannot be recorded without a journal")}
	}
	loop := l.loop(plan, o.Actor())
	loop.id = o.RunID()
	start := &run.Start{Workflow: plan.Workflow.Name, Source: plan.Sources[0].Hash(), Trigger: o.Trigger(), Target: target}
	loop.entry = loop.newEntry(start, "")
	_, err := loop.skip(start, reason)
	if errors.Is(err, journal.ErrExists) {
		return nil
	}
	return err
}
