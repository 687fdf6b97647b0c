package attempt

import (
	"context"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An Interpreter is the language of scripts and expressions. Package engine/lua
// has ours.
type Interpreter interface {
	workflow.Checker
	// Open starts the evaluations of one attempt, apart from every other's.
	Open(ctx context.Context, env Environment) Evaluation
}

// An Environment is what the programs of one attempt see and may do.
type Environment struct {
	// Data returns the value of a name that programs may read: inputs, steps,
	// run, secrets. It is asked only for what a program refers to.
	Data func(name string) (value any, ok bool)
	// Modules are the programs that require finds, by name.
	Modules map[string]workflow.Program
	Limits  workflow.Limits
	Clock   action.Clock
	// Random is the attempt's own stream of numbers.
	Random func() uint64
	// Call makes a call; the context is that given to Open.
	Call func(ctx context.Context, a *action.Action, input action.Object) (action.Object, error)
}

// An Evaluation runs programs, one after the other. It belongs to one goroutine.
type Evaluation interface {
	// Eval returns the value of a program. Its errors are [action.Error]s wrapped
	// in a [ScriptError] where the place in the source is known.
	Eval(workflow.Program) (any, error)
	// Used returns what the programs have used so far.
	Used() run.Usage
}

// A ScriptError is an error with its place in the source.
type ScriptError struct {
	File string
	Line int
	Err  *action.Error
}

// Error returns the message of the error.
func (e *ScriptError) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *ScriptError) Unwrap() error { return e.Err }
