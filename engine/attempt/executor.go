package attempt

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Recorder records what an attempt does as events of its run.
type Recorder interface {
	// Recorded returns the calls of the task that are recorded already: the calls of
	// earlier attempts, and of this attempt when it is a replay.
	Recorded() []RecordedCall
	// Begin records that a call starts, and returns the sequence number of the event.
	// With durable it returns once the event and everything before it is durable. The
	// call must not be made after an error.
	Begin(ctx context.Context, call run.Call, durable bool) (sequence int, err error)
	// End records the result of a call.
	End(call run.Call, durable bool)
	// Log records a line that the step logs.
	Log(record action.LogRecord)
}

// An Executor executes the attempts of one run. It is safe for concurrent use; its fields
// must not change after the first attempt.
type Executor struct {
	Plan        *workflow.Plan
	Interpreter Interpreter
	Clock       clock.Clock
	Secrets     *Secrets
	Redactor    *redact.Redactor
	Policy      *Policy           // nil: the workflow's permissions are the only limit
	Ceilings    workflow.Ceilings // bound the limits of all steps
	// DryRun collects the writes of a run that must send none; nil for a real run.
	DryRun *DryRun
	// Confirmed is the dry run that a person confirmed before this run; nil: there was none.
	Confirmed *DryRun

	keys plainKeys
}

// Do executes an attempt: the condition, then the inputs and the action, or the script.
// When the context ends, the attempt stops and fails with the cause. The room may be nil.
func (x *Executor) Do(ctx context.Context, a run.Attempt, recorder Recorder, room Room) run.Outcome {
	e := &execution{executor: x, attempt: a, recorder: recorder, room: room}
	e.scope = action.Scope{
		Run: a.Run.ID, Workflow: x.Plan.Workflow.Name, Step: a.Step, Connection: x.connection(a), Clock: x.Clock, Random: e.draw, Redactor: x.Redactor,
		Permit: e.permitted, Reveal: x.Secrets.Reveal, Hosts: x.Secrets.Hosts, Log: recorder.Log,
	}
	if recorded := recorder.Recorded(); len(recorded) > 0 {
		e.pipeline(recorded)
	}
	ctx, e.stop = context.WithCancelCause(ctx)
	defer e.stop(nil)
	ctx = action.WithScope(ctx, e.scope)
	e.evaluation = x.Interpreter.Open(ctx, e.environment())
	switch {
	case a.Step == run.OutputsStep:
		return e.outputs()
	case a.Item == 0 && x.Plan.Steps[a.Index].ForEach != nil:
		return e.list(ctx, x.Plan.Steps[a.Index].ForEach)
	}
	outcome := e.step(ctx, &x.Plan.Steps[a.Index])
	if e.refused != nil {
		outcome.Refused = e.failure(e.refused)
	}
	if x.Plan.Steps[a.Index].Script != nil && outcome.Status != run.Skipped {
		used := e.evaluation.Used()
		outcome.Used = &used
	}
	return outcome
}

// connection returns the name of the account that the calls of an attempt use.
func (x *Executor) connection(a run.Attempt) string {
	if a.Index < 0 {
		return x.Plan.Workflow.Connection.Text
	}
	return x.Plan.Steps[a.Index].Connection.Text
}

// An execution is one attempt while it is executed. One goroutine owns it.
type execution struct {
	executor   *Executor
	attempt    run.Attempt
	recorder   Recorder
	room       Room // nil: the process has room for everything
	evaluation Evaluation
	first      stage        // of every call; nil before the first one
	memo       *memoize     // nil before the first call
	recorded   *record      // nil before the first call
	scope      action.Scope // of pure functions; each call gets a copy
	random     *rand.Rand
	stop       context.CancelCauseFunc
	defaults   action.Object // inputs that the calls of a script get unless they set them

	// The attempt ends with these errors even if its script catches them.
	halted     *action.Error   // why the attempt cannot continue
	refused    *action.Error   // the first call that was not permitted
	suspension *run.Suspension // what it waits for, if it was halted to be suspended
	unknown    *action.Error   // of a call whose outcome was unknown when the attempt was stopped
	doubtful   int             // the call.started event of the last call whose outcome is unknown
}

// environment returns what the programs of the attempt see and may do.
func (e *execution) environment() Environment {
	env := Environment{Modules: e.executor.Plan.Modules, Clock: e.executor.Clock, Random: e.draw, Call: e.call, Data: e.data, Room: e.room}
	if e.attempt.Index >= 0 {
		env.Limits = e.executor.Ceilings.Within(e.executor.Plan.Steps[e.attempt.Index].Limits)
	}
	return env
}

// data returns the value of a name that programs can read.
func (e *execution) data(name string) (any, bool) {
	switch name {
	case "inputs":
		return e.attempt.Inputs, true
	case "steps":
		steps := make(action.Object, len(e.attempt.Steps))
		for id, result := range e.attempt.Steps {
			steps[id] = result.Object()
		}
		return steps, true
	case "run":
		return e.attempt.Run.Object(), true
	case "secrets":
		return e.executor.Secrets.references(), true
	case "item":
		return e.attempt.Value, true
	case "index":
		return float64(e.attempt.Item), true
	case "failure":
		return e.attempt.Failure.Object(), true
	case "previous":
		return e.attempt.Previous.Object(), true
	}
	return nil, false
}

// draw returns the next number of the attempt's random stream. The stream derives from
// the run and the task, so a retry and a replay draw the same numbers.
func (e *execution) draw() uint64 {
	if e.random == nil {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", e.attempt.Run.ID, e.attempt.Step, e.attempt.Item))
		e.random = rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
	}
	return e.random.Uint64()
}

// halt ends the attempt with an error that its script cannot catch.
func (e *execution) halt(err *action.Error) error {
	e.halted = err
	e.stop(err)
	return err
}
