package engine

import (
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A Command is what an event newly enables: Start, Cancel or Finish.
type Command interface{ command() }

// Start asks for an attempt to be made.
type Start struct{ Attempt Attempt }

// Cancel asks for an attempt under way to be stopped.
type Cancel struct{ Step string }

// Finish says that the run has come to its end; a run.finished event with these
// values is to follow.
type Finish struct {
	Status  Status
	Outputs action.Object
	Error   *Failure
}

func (Start) command()  {}
func (Cancel) command() {}
func (Finish) command() {}

// An Attempt is one try of a step, with all that it needs to know.
type Attempt struct {
	Step   string // the step's id, or OutputsStep
	Index  int    // of the step in the plan; -1 for the outputs
	Number int    // from 1
	Run    RunInfo
	Inputs action.Object
	// Steps are the results that the step reads, by id.
	Steps map[string]StepResult
}

// A RunInfo is what scripts read as `run`.
type RunInfo struct {
	ID        string
	Workflow  string
	StartedAt time.Time
	Trigger   Trigger
}
