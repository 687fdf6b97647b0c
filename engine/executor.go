package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// MaxStepOutputs bounds the outputs of one step, in bytes of JSON text.
const MaxStepOutputs = 256 << 10

// An Outcome is what became of an attempt.
type Outcome struct {
	Status  Status   `json:"status"`
	Outputs any      `json:"outputs,omitempty"`
	Error   *Failure `json:"error,omitempty"`
}

// valid refuses what cannot be the outcome of an attempt. A failure without an
// error would end its run as a success.
func (o *Outcome) valid() error {
	switch {
	case o == nil:
		return fmt.Errorf("%s has no outcome", AttemptFinished)
	case o.Status == Success, o.Status == Skipped, o.Status == Failed && o.Error != nil:
		return nil
	}
	return fmt.Errorf("%s has the outcome %q, which no attempt has", AttemptFinished, o.Status)
}

// A Recorder hears of the calls of an attempt. Begin returns before a call is
// made; its error keeps the call from being made. End has the result.
type Recorder interface {
	Begin(ctx context.Context, call Call) error
	End(call Call)
	Log(record action.LogRecord)
}

// An Executor does attempts of one run. It is safe for concurrent use.
type Executor struct {
	Plan        *workflow.Plan
	Interpreter Interpreter
	Clock       action.Clock
	Secrets     *Secrets
	Redactor    *action.Redactor
}

// Do makes an attempt: the condition, then the inputs and the action, or the
// script. It returns when that has ended or the context has.
func (x *Executor) Do(ctx context.Context, a Attempt, recorder Recorder) Outcome {
	work := newWork(x, a, recorder)
	ctx = action.WithScope(ctx, work.scope)
	work.evaluation = x.Interpreter.Open(ctx, work.environment())
	var outcome Outcome
	if a.Step == OutputsStep {
		outcome = work.outputs()
	} else {
		outcome = work.step(ctx, &x.Plan.Steps[a.Index])
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
		outputs, err = w.evaluation.Eval(s.Script)
	}
	if err == nil {
		err = checkOutputs(outputs)
	}
	if err != nil {
		return w.failed(ctx, err)
	}
	if outputs == nil {
		outputs = action.Object{}
	}
	return Outcome{Status: Success, Outputs: outputs}
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
			err = checkOutputs(v)
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
	f := &Failure{Step: w.attempt.Step, File: w.executor.Plan.Workflow.File}
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
	switch cause := stopCause(ctx); {
	case w.unknown != nil:
		typed = w.unknown
	case cause != nil && typed.Kind != action.UnknownOutcome:
		typed = cause
	}
	f.describe(typed)
	return Outcome{Status: Failed, Error: f}
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

// checkOutputs refuses what outputs cannot hold: secrets, and too much.
func checkOutputs(v any) error {
	size, err := sizeOf(v, "outputs")
	if err != nil {
		return err
	}
	if size > MaxStepOutputs {
		return action.Errorf(action.Limit, "the outputs have %d bytes, at most %d are kept; return what later steps need", size, MaxStepOutputs)
	}
	return nil
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
