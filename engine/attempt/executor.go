package attempt

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// MaxStepOutputs bounds one output of the workflow, in bytes of JSON text.
const MaxStepOutputs = workflow.DefaultOutput

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

// An Executor executes the attempts of one run. It is safe for concurrent use.
type Executor struct {
	Plan        *workflow.Plan
	Interpreter Interpreter
	Clock       clock.Clock
	Secrets     *Secrets
	Redactor    *action.Redactor
	Policy      *Policy // nil: only the workflow's permissions count
	// DryRun collects the writes of a run that must send none; nil for a real run.
	DryRun *DryRun
	// Confirmed is the dry run after which this run was confirmed; nil: there was none.
	Confirmed *DryRun

	keys plainKeys
}

// Do executes an attempt: the condition, then the inputs and the action, or the
// script. It returns when the attempt has ended or the context has.
func (x *Executor) Do(ctx context.Context, a run.Attempt, recorder Recorder) run.Outcome {
	e := &execution{executor: x, attempt: a, recorder: recorder}
	e.scope = action.Scope{
		Run: a.Run.ID, Step: a.Step, Connection: x.connection(a), Clock: x.Clock, Random: e.draw, Redactor: x.Redactor,
		Permit: e.permitted, Reveal: x.Secrets.Reveal, Log: recorder.Log,
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
	evaluation Evaluation
	first      stage    // of every call; nil before the first one
	memo       *memoize // the stages that later stages and the end of the attempt refer to
	recorded   *record
	scope      action.Scope // of pure functions; a call gets a copy of its own
	random     *rand.Rand
	stop       context.CancelCauseFunc
	defaults   action.Object // inputs that the calls of a script get unless they set them

	// What an attempt ends with although its script could catch it:
	halted     *action.Error   // why it cannot continue
	suspension *run.Suspension // what it waits for, when it is halted for that
	unknown    *action.Error   // of a call whose outcome was unknown when the attempt was stopped
	doubtful   int             // the call.started event of the last call whose outcome is unknown
}

// environment returns what the programs of the attempt see.
func (e *execution) environment() Environment {
	env := Environment{Modules: e.executor.Plan.Modules, Clock: e.executor.Clock, Random: e.draw, Call: e.call, Data: e.data}
	if e.attempt.Index >= 0 {
		env.Limits = e.executor.Plan.Steps[e.attempt.Index].Limits
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

// draw returns the next number of a random stream that derives from the run and the
// task, not from the number of the attempt. A retry draws the same numbers.
func (e *execution) draw() uint64 {
	if e.random == nil {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", e.attempt.Run.ID, e.attempt.Step, e.attempt.Item))
		e.random = rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))
	}
	return e.random.Uint64()
}

// step evaluates the condition of a step, and then the step.
func (e *execution) step(ctx context.Context, s *workflow.PlanStep) run.Outcome {
	if s.If != nil {
		v, err := e.evaluation.Eval(s.If)
		if err != nil {
			return e.failed(ctx, err)
		}
		if v == nil || v == false {
			return run.Outcome{Status: run.Skipped}
		}
	}
	var outputs any
	var err error
	if s.Action != nil {
		outputs, err = e.uses(ctx, s)
	} else {
		outputs, err = e.script(s.Script)
	}
	size := 0
	if err == nil {
		size, err = checkOutputs(outputs, int(cmp.Or(s.Limits.Output, workflow.DefaultOutput)))
	}
	if err == nil {
		err = e.memo.missing()
	}
	if err != nil {
		return e.failed(ctx, err)
	}
	if outputs == nil {
		outputs = action.Object{}
	}
	return run.Outcome{Status: run.Success, Outputs: outputs, Size: size}
}

// list evaluates the list of a for_each.
func (e *execution) list(ctx context.Context, list *workflow.Template) run.Outcome {
	v, err := list.Evaluate(e.evaluation.Eval)
	if err == nil {
		_, err = checkOutputs(v, run.MaxOutputs)
	}
	if err != nil {
		return e.failed(ctx, err)
	}
	items, ok := v.([]any)
	if o, empty := v.(action.Object); empty && len(o) == 0 {
		items, ok = []any{}, true // what Lua has for an empty list
	}
	if !ok {
		return e.failed(ctx, action.Errorf(action.InvalidInput, "for_each needs a list, got %s", describeType(v)))
	}
	return run.Outcome{Status: run.Success, Outputs: items}
}

func describeType(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case string:
		return "text"
	case float64:
		return "a number"
	case bool:
		return "true or false"
	}
	return "an object"
}

// halt ends the attempt with an error that its script cannot catch.
func (e *execution) halt(err *action.Error) error {
	e.halted = err
	e.stop(err)
	return err
}

// script evaluates a script. Its defaults come first: none could be evaluated
// while it runs.
func (e *execution) script(program workflow.Program) (any, error) {
	for i := range e.executor.Plan.Defaults {
		d := &e.executor.Plan.Defaults[i]
		v, err := d.Value.Evaluate(e.evaluation.Eval)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if e.defaults == nil {
			e.defaults = action.Object{}
		}
		e.defaults[d.Name] = v
	}
	return e.evaluation.Eval(program)
}

func (e *execution) uses(ctx context.Context, s *workflow.PlanStep) (any, error) {
	input := make(action.Object, len(s.With))
	for i := range s.With {
		v, err := s.With[i].Value.Evaluate(e.evaluation.Eval)
		if err != nil {
			return nil, err
		}
		if v != nil {
			input[s.With[i].Name] = v
		}
	}
	return e.call(ctx, s.Action, input)
}

// outputs evaluates the outputs of the workflow.
func (e *execution) outputs() run.Outcome {
	values := action.Object{}
	for i := range e.executor.Plan.Outputs {
		output := &e.executor.Plan.Outputs[i]
		v, err := output.Value.Evaluate(e.evaluation.Eval)
		if err == nil {
			_, err = checkOutputs(v, MaxStepOutputs)
		}
		if err != nil {
			outcome := e.failed(context.Background(), err)
			outcome.Error.Step = ""
			if outcome.Error.Line == 0 {
				outcome.Error.Line = output.Value.Position().Line
			}
			outcome.Error.Message = fmt.Sprintf("the output %q: %s", output.Name, outcome.Error.Message)
			return outcome
		}
		values[output.Name] = v
	}
	return run.Outcome{Status: run.Success, Outputs: values}
}

// failed describes an error with its place.
func (e *execution) failed(ctx context.Context, err error) run.Outcome {
	f := &run.Failure{Step: e.attempt.Step, Item: e.attempt.Item, File: e.executor.Plan.Workflow.File}
	if e.attempt.Index >= 0 {
		f.Line = e.executor.Plan.Steps[e.attempt.Index].Position.Line
	}
	var place *ScriptError
	if errors.As(err, &place) {
		f.File = place.File
		if place.Line > 0 {
			f.Line = place.Line
		}
	}
	typed := action.AsError(err)
	// Why the attempt was stopped says more than what it was doing then, except
	// that an unknown outcome must never be hidden.
	cause := stopCause(ctx)
	if cause != nil && e.halted == nil && e.unknown == nil {
		e.unknown = e.memo.unresolved()
	}
	switch {
	case e.halted != nil:
		typed = e.halted
	case e.unknown != nil:
		typed = e.unknown
	case cause != nil && typed.Kind != action.UnknownOutcome:
		typed = cause
	}
	f.Describe(typed)
	if f.Kind == action.UnknownOutcome {
		f.Call = e.doubtful
	}
	if e.suspension != nil {
		return run.Outcome{Status: run.Suspended, Error: f, Suspension: e.suspension}
	}
	return run.Outcome{Status: run.Failed, Error: f, Final: e.halted != nil}
}

// stopCause returns why a context ended, where the engine ended it.
func stopCause(ctx context.Context) *action.Error {
	var cause *action.Error
	if ctx.Err() != nil && errors.As(context.Cause(ctx), &cause) {
		return cause
	}
	return nil
}

// checkOutputs refuses what outputs cannot hold: secrets, and too much. It returns
// their size.
func checkOutputs(v any, most int) (int, error) {
	size, err := sizeOf(v, "outputs")
	if err == nil && size > most {
		err = &action.Error{
			Kind: action.Limit, Message: fmt.Sprintf("the outputs have %d bytes, more than their limit of %s", size, workflow.SizeText(int64(most))),
			Hint: "return what later steps need, or raise `limits: {output: ...}`",
		}
	}
	return size, err
}

// sizeOf estimates the bytes of a value as JSON text.
func sizeOf(v any, path string) (int, error) {
	size := 2
	switch v := v.(type) {
	case string:
		size += len(v)
	case float64:
		size = 8
	case action.Secret:
		return 0, action.Errorf(action.InvalidInput, "%s is %s: a secret cannot be returned", path, v)
	case []any:
		for i, item := range v {
			n, err := sizeOf(item, fmt.Sprintf("%s[%d]", path, i+1))
			if err != nil {
				return 0, err
			}
			size += n + 1
		}
	case action.Object:
		for _, name := range action.SortedNames(v) {
			n, err := sizeOf(v[name], path+"."+name)
			if err != nil {
				return 0, err
			}
			size += n + len(name) + 4
		}
	}
	return size, nil
}
