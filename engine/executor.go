package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// MaxStepOutputs bounds one output of the workflow, in bytes of JSON text.
const MaxStepOutputs = workflow.DefaultOutput

// An Outcome is what became of an attempt.
type Outcome struct {
	Status  Status   `json:"status"`
	Outputs any      `json:"outputs,omitempty"`
	Size    int      `json:"size,omitempty"` // of the outputs, in bytes of JSON text
	Error   *Failure `json:"error,omitempty"`
	Final   bool     `json:"final,omitempty"` // no other attempt may follow
	Used    *Usage   `json:"used,omitempty"`  // by the step's script
}

// valid refuses what cannot be the outcome of an attempt that ends with an event
// of a kind. A failure without an error would end its run as a success.
func (o *Outcome) valid(k EventKind) error {
	switch {
	case o == nil:
		return fmt.Errorf("%s has no outcome", k)
	case k == AttemptSuspended && o.Status == Suspended && o.Error != nil:
		return nil
	case k == AttemptFinished && (o.Status == Success || o.Status == Skipped || o.Status == Failed && o.Error != nil):
		return nil
	}
	return fmt.Errorf("%s has the outcome %q, which no such attempt has", k, o.Status)
}

// A Recorder keeps the calls of an attempt.
type Recorder interface {
	// Recorded returns the calls of the step, or item, that were recorded before:
	// those of earlier attempts, and those of this one when it is a replay.
	Recorded() []RecordedCall
	// Begin returns the number of the event once a call is recorded, durable with
	// everything before it where that is asked for. Its error keeps the call from
	// being made.
	Begin(ctx context.Context, call Call, durable bool) (sequence int, err error)
	// End has the result of a call.
	End(call Call, durable bool)
	Log(record action.LogRecord)
}

// An Executor does attempts of one run. It is safe for concurrent use.
type Executor struct {
	Plan        *workflow.Plan
	Interpreter Interpreter
	Clock       action.Clock
	Secrets     *Secrets
	Redactor    *action.Redactor
	Ceiling     *Ceiling // nil: what the workflow may do is all that counts

	written    writtenKeys
	rehearsing *Rehearsal // of this very run, whose writes are not sent
	rehearsed  *Rehearsal // of this run, before
}

// Do makes an attempt: the condition, then the inputs and the action, or the
// script. It returns when that has ended or the context has.
func (x *Executor) Do(ctx context.Context, a Attempt, recorder Recorder) Outcome {
	work := newWork(x, a, recorder)
	ctx, work.stop = context.WithCancelCause(ctx)
	defer work.stop(nil)
	ctx = action.WithScope(ctx, *work.scope)
	work.evaluation = x.Interpreter.Open(ctx, work.environment())
	var outcome Outcome
	switch {
	case a.Step == OutputsStep:
		outcome = work.outputs()
	case a.Item == 0 && x.Plan.Steps[a.Index].ForEach != nil:
		outcome = work.list(ctx, x.Plan.Steps[a.Index].ForEach)
	default:
		outcome = work.step(ctx, &x.Plan.Steps[a.Index])
		if x.Plan.Steps[a.Index].Script != nil && outcome.Status != Skipped {
			used := work.evaluation.Used()
			outcome.Used = &used
		}
	}
	return x.redact(outcome)
}

// redact masks secret texts in what the attempt gives away.
func (x *Executor) redact(o Outcome) Outcome {
	o.Outputs = x.Redactor.RedactValue(o.Outputs)
	if o.Error != nil {
		o.Error.Message = x.Redactor.Redact(o.Error.Message)
		o.Error.Hint = x.Redactor.Redact(o.Error.Hint)
	}
	return o
}

// step evaluates the condition of a step, and then the step.
func (w *work) step(ctx context.Context, s *workflow.PlanStep) Outcome {
	if s.If != nil {
		v, err := w.evaluation.Eval(s.If)
		if err != nil {
			return w.failed(ctx, err)
		}
		if v == nil || v == false {
			return Outcome{Status: Skipped}
		}
	}
	var outputs any
	var err error
	if s.Action != nil {
		outputs, err = w.uses(ctx, s)
	} else {
		outputs, err = w.script(s.Script)
	}
	size := 0
	if err == nil {
		size, err = checkOutputs(outputs, int(cmp.Or(s.Limits.Output, workflow.DefaultOutput)))
	}
	if err == nil {
		err = w.unasked()
	}
	if err != nil {
		return w.failed(ctx, err)
	}
	if outputs == nil {
		outputs = action.Object{}
	}
	return Outcome{Status: Success, Outputs: outputs, Size: size}
}

// list evaluates the list of a for_each.
func (w *work) list(ctx context.Context, list *workflow.Template) Outcome {
	v, err := list.Evaluate(w.evaluation.Eval)
	if err == nil {
		_, err = checkOutputs(v, MaxRunOutputs)
	}
	if err != nil {
		return w.failed(ctx, err)
	}
	items, ok := v.([]any)
	if o, empty := v.(action.Object); empty && len(o) == 0 {
		items, ok = []any{}, true // what Lua has for an empty list
	}
	if !ok {
		return w.failed(ctx, action.Errorf(action.InvalidInput, "for_each needs a list, got %s", describeType(v)))
	}
	return Outcome{Status: Success, Outputs: items}
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

// script evaluates a script. Its defaults come first: none could be evaluated
// while it runs.
func (w *work) script(program workflow.Program) (any, error) {
	for i := range w.executor.Plan.Defaults {
		d := &w.executor.Plan.Defaults[i]
		v, err := d.Value.Evaluate(w.evaluation.Eval)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if w.defaults == nil {
			w.defaults = action.Object{}
		}
		w.defaults[d.Name] = v
	}
	return w.evaluation.Eval(program)
}

func (w *work) uses(ctx context.Context, s *workflow.PlanStep) (any, error) {
	input := make(action.Object, len(s.With))
	for i := range s.With {
		v, err := s.With[i].Value.Evaluate(w.evaluation.Eval)
		if err != nil {
			return nil, err
		}
		if v != nil {
			input[s.With[i].Name] = v
		}
	}
	return w.call(ctx, s.Action, input)
}

// outputs evaluates the outputs of the workflow.
func (w *work) outputs() Outcome {
	values := action.Object{}
	for i := range w.executor.Plan.Outputs {
		output := &w.executor.Plan.Outputs[i]
		v, err := output.Value.Evaluate(w.evaluation.Eval)
		if err == nil {
			_, err = checkOutputs(v, MaxStepOutputs)
		}
		if err != nil {
			outcome := w.failed(context.Background(), err)
			outcome.Error.Step = ""
			if outcome.Error.Line == 0 {
				outcome.Error.Line = output.Value.Position().Line
			}
			outcome.Error.Message = fmt.Sprintf("the output %q: %s", output.Name, outcome.Error.Message)
			return outcome
		}
		values[output.Name] = v
	}
	return Outcome{Status: Success, Outputs: values}
}

// failed describes an error with its place.
func (w *work) failed(ctx context.Context, err error) Outcome {
	f := &Failure{Step: w.attempt.Step, Item: w.attempt.Item, File: w.executor.Plan.Workflow.File}
	if w.attempt.Index >= 0 {
		f.Line = w.executor.Plan.Steps[w.attempt.Index].Position.Line
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
	if cause != nil && w.halted == nil && w.unknown == nil {
		w.unknown = w.unresolved()
	}
	switch {
	case w.halted != nil:
		typed = w.halted
	case w.unknown != nil:
		typed = w.unknown
	case cause != nil && typed.Kind != action.UnknownOutcome:
		typed = cause
	}
	f.describe(typed)
	if f.Kind == action.UnknownOutcome {
		f.Call = w.doubtful
	}
	if w.suspended {
		return Outcome{Status: Suspended, Error: f}
	}
	return Outcome{Status: Failed, Error: f, Final: w.halted != nil}
}

func (f *Failure) describe(err *action.Error) {
	f.Kind, f.Message, f.Hint = err.Kind, err.Message, err.Hint
	f.Status, f.Code, f.Action = err.Status, err.Code, err.Action
	f.Retryable = err.Kind.Retryable()
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
