package lua

import (
	"context"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/syntax"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// This file is the border to package engine: no other file of the package uses it.

// An Interpreter compiles and runs chunks of Lua for one catalogue of actions.
// It is safe for concurrent use.
type Interpreter struct {
	catalog *action.Catalog
	library *library
}

var _ attempt.Interpreter = (*Interpreter)(nil)

// environment is what the chunks of one attempt see and may do.
type environment = attempt.Environment

// New returns an interpreter whose scripts can call the actions of a catalogue.
func New(catalog *action.Catalog) *Interpreter {
	limits.SetProcess()
	return &Interpreter{catalog: catalog, library: newLibrary(catalog)}
}

// Check compiles a chunk and reports what is wrong with it. The result is nil when
// the chunk cannot be compiled.
func (i *Interpreter) Check(source workflow.Chunk) (workflow.Program, []workflow.Finding) {
	c, findings := syntax.Check(source, &i.library.names)
	if c == nil {
		return nil, findings
	}
	return c, findings
}

// Open starts the evaluations of one attempt. The Lua state is made when the first
// chunk runs.
func (i *Interpreter) Open(ctx context.Context, env attempt.Environment) attempt.Evaluation {
	return &evaluation{interpreter: i, ctx: ctx, env: env}
}

// Used returns what the chunks have used so far: instructions, including the steps of
// library functions; the bytes of the text and tables that they made in all; and the
// time that they computed, without the time they waited in calls.
func (e *evaluation) Used() run.Usage {
	return run.Usage{
		Instructions: e.budget.Instructions(), Bytes: e.budget.Bytes(), Microseconds: int(e.budget.Computed().Microseconds()),
	}
}

// scriptError returns an error with its place in the source.
func scriptError(file string, line int, err *action.Error) error {
	return &attempt.ScriptError{File: file, Line: line, Err: err}
}
