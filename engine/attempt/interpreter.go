package attempt

import (
	"context"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An Interpreter is the language of scripts and expressions. Package engine/lua implements
// it.
type Interpreter interface {
	workflow.Checker
	// Open starts the evaluations of one attempt. They share nothing with other attempts.
	Open(ctx context.Context, env Environment) Evaluation
}

// An Environment is what the programs of one attempt see and may do.
type Environment struct {
	// Data returns the value of a name that programs may read, such as inputs or steps. It
	// is called only for names that a program uses.
	Data func(name string) (value any, ok bool)
	// Modules are the programs that a script can load with require, by name.
	Modules map[string]workflow.Program
	Limits  workflow.Limits
	// Room is the memory that the process has for its scripts together; nil: the limits of
	// each script are the only ones.
	Room  Room
	Clock action.Clock
	// Random returns the next number of the attempt's random stream.
	Random func() uint64
	// Call makes a call. The context is the context given to Open.
	Call func(ctx context.Context, a *action.Action, input action.Object) (action.Object, error)
}

// A Room is the memory that the process has for its scripts together, as one attempt
// sees it.
type Room interface {
	// Hold tells how many bytes the attempt may hold from now on. It waits until the
	// process has room for them, or the attempt ends, and reports whether there is room.
	// With try it does not wait. It always has room for fewer bytes than before.
	Hold(bytes int64, try bool) bool
}

// An Evaluation evaluates the programs of one attempt, one after the other. It is not safe
// for concurrent use.
type Evaluation interface {
	// Eval returns the value of a program. An error is an [action.Error], wrapped in a
	// [ScriptError] if its place in the source is known.
	Eval(workflow.Program) (any, error)
	// EvalAny is Eval for the input of a lenient action. A part of the value that is not
	// data, such as a function, becomes a note in its place. Text need not be UTF-8.
	EvalAny(workflow.Program) (any, error)
	// Used returns what the programs have used so far.
	Used() run.Usage
}

// A ScriptError is an error with its place in the source. Line is 0 when unknown.
type ScriptError struct {
	File string
	Line int
	Err  *action.Error
}

// Error returns the message of the error.
func (e *ScriptError) Error() string { return e.Err.Error() }

// Unwrap returns the error itself.
func (e *ScriptError) Unwrap() error { return e.Err }
