package lua

import (
	"context"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
)

// An Interpreter compiles and runs chunks of Lua for one catalogue of actions.
// It is safe for concurrent use.
type Interpreter struct {
	catalog  *action.Catalog
	library  *library
	watchdog *watchdog
}

var _ attempt.Interpreter = (*Interpreter)(nil)

// New returns an interpreter whose scripts can call the actions of a catalogue.
func New(catalog *action.Catalog) *Interpreter {
	setProcessLimits()
	return &Interpreter{catalog: catalog, library: newLibrary(catalog), watchdog: &processWatchdog}
}

// Open starts the evaluations of one attempt. The Lua state is made when the
// first program runs.
func (i *Interpreter) Open(ctx context.Context, env attempt.Environment) attempt.Evaluation {
	return &evaluation{interpreter: i, ctx: ctx, env: env}
}
