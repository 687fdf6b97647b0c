package attempt

import (
	"context"
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// step evaluates the condition of a step, and then its action or its script.
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
		size, err = checkOutputs(outputs, int(e.executor.Ceilings.Within(s.Limits).Output))
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
		items, ok = []any{}, true // an empty table of a script may mean an empty list
	}
	if !ok {
		return e.failed(ctx, action.Errorf(action.InvalidInput, "for_each needs a list, got %s", describeType(v)))
	}
	return run.Outcome{Status: run.Success, Outputs: items}
}

// describeType names the type of a value that is not a list.
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

// script evaluates the defaults of the workflow and then a script. The defaults cannot be
// evaluated later, while the script is running.
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

// uses evaluates the inputs of a `uses:` step and calls its action.
func (e *execution) uses(ctx context.Context, s *workflow.PlanStep) (any, error) {
	input := make(action.Object, len(s.With))
	for i := range s.With {
		v, err := e.with(ctx, s.Action, &s.With[i])
		if err != nil {
			return nil, err
		}
		if v != nil {
			input[s.With[i].Name] = v
		}
	}
	return e.call(ctx, s.Action, input)
}

// with evaluates one input. For a lenient action, an expression that fails becomes a note, as
// long as the attempt may go on; an input that identifies something is then absent.
func (e *execution) with(ctx context.Context, a *action.Action, input *workflow.NamedTemplate) (any, error) {
	if !a.Lenient {
		return input.Value.Evaluate(e.evaluation.Eval)
	}
	v, failed := input.Value.EvaluateAny(e.evaluation.EvalAny)
	switch {
	case failed == nil:
		return v, nil
	case ctx.Err() != nil || e.halted != nil:
		return nil, failed
	}
	e.recorder.Log(action.LogRecord{Level: "warn", Message: fmt.Sprintf("%s: the expression failed: %v", input.Name, failed)})
	if f, ok := a.In.Field(input.Name); ok && (f.Exact || f.Type.Credential) {
		return nil, nil
	}
	return v, nil
}

// outputs evaluates the outputs of the workflow.
func (e *execution) outputs() run.Outcome {
	values, total := action.Object{}, 0
	for i := range e.executor.Plan.Outputs {
		output := &e.executor.Plan.Outputs[i]
		v, err := output.Value.Evaluate(e.evaluation.Eval)
		if err == nil {
			var size int
			size, err = checkOutputs(v, workflow.DefaultOutput)
			if total += size; err == nil && total > run.MaxOutputs {
				err = action.Errorf(action.Limit, "the outputs of the run have more than %s together, its limit", phrase.Bytes(run.MaxOutputs))
			}
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

// failure returns an error of this attempt with its place.
func (e *execution) failure(err error) *run.Failure {
	f := &run.Failure{Step: e.attempt.Step, Item: e.attempt.Item, File: e.executor.Plan.Workflow.File}
	if e.attempt.Index >= 0 {
		f.Line = e.executor.Plan.Steps[e.attempt.Index].Position.Line
	}
	var located *ScriptError
	if errors.As(err, &located) {
		f.File = located.File
		if located.Line > 0 {
			f.Line = located.Line
		}
	}
	f.Describe(action.AsError(err))
	return f
}

// failed returns the outcome of an attempt that ended with an error.
func (e *execution) failed(ctx context.Context, err error) run.Outcome {
	f, typed := e.failure(err), action.AsError(err)
	// The cause of a stop replaces the error that it led to. An unknown outcome must never
	// be hidden.
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

// stopCause returns the cause with which the engine ended the context; nil if it did not.
func stopCause(ctx context.Context) *action.Error {
	var cause *action.Error
	if ctx.Err() != nil && errors.As(context.Cause(ctx), &cause) {
		return cause
	}
	return nil
}

// checkOutputs returns the size of outputs in bytes. Outputs that contain a secret, or
// have more than the most bytes, are an error.
func checkOutputs(v any, most int) (int, error) {
	size, err := sizeOf(v, "outputs")
	if err == nil && size > most {
		err = &action.Error{
			Kind: action.Limit, Message: fmt.Sprintf("the outputs have %d bytes, more than their limit of %s", size, phrase.Bytes(int64(most))),
			Hint: "return only what later steps need, or raise `limits: {output: ...}`",
		}
	}
	return size, err
}

// Size estimates the size of a value in bytes of JSON text.
func Size(v any) int {
	size, _ := sizeOf(v, "")
	return size
}

// sizeOf estimates the size of a value in bytes of JSON text. path names the value in
// errors.
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
		for _, name := range phrase.Names(v) {
			n, err := sizeOf(v[name], path+"."+name)
			if err != nil {
				return 0, err
			}
			size += n + len(name) + 4
		}
	}
	return size, nil
}
