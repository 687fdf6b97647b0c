package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Command is what an event newly enables: Start, Wait, Cancel, Suspend or
// Finish.
type Command interface{ command() }

// Start asks for an attempt to be made.
type StartAttempt struct{ Attempt Attempt }

// Wait asks for an attempt to be made once a time has come: it is a retry.
type WaitAttempt struct {
	Attempt Attempt
	Until   time.Time
}

// Cancel asks for an attempt to be stopped, should it be under way. One that was
// waited for is not made.
type CancelAttempt struct {
	Step  string
	Item  int
	Cause error // why, for the attempt's context
}

// Suspend says that every attempt that is left waits for a decision. A run.suspended
// event follows.
type Suspend struct{ Error *Failure }

// Finish says that the run has come to its end; a run.finished event with these
// values is to follow.
type Finish struct {
	Status  Status
	Outputs action.Object
	Error   *Failure
}

func (StartAttempt) command()  {}
func (WaitAttempt) command()   {}
func (CancelAttempt) command() {}
func (Suspend) command()       {}
func (Finish) command()        {}

// An Attempt is one try of a step, or of one item of a for_each, with all that it
// needs to know.
type Attempt struct {
	Step   string // the step's id, or OutputsStep
	Index  int    // of the step in the plan; -1 for the outputs
	Number int    // from 1
	// Item is which item of a for_each it is, from 1, and Value the item itself.
	// The attempt 0 of such a step evaluates its list.
	Item  int
	Value any
	// Replay says that the attempt was started before, by a process that was stopped or
	// until it was suspended. What it recorded is not done again.
	Replay bool
	// Decision is the answer to what the attempt waited for; nil unless it was suspended
	// for another reason than a call. The answer about a call is in the attempt's history.
	Decision *Decision
	Run      Info
	Inputs   action.Object
	// Steps are the results that the step reads, by id.
	Steps map[string]StepResult
	// Failure is what on_failure and finally read as `failure`.
	Failure  *Failure
	Previous *Previous
}

// A RunInfo is what scripts read as `run`.
type Info struct {
	ID        string
	Workflow  string
	StartedAt time.Time
	Trigger   Trigger
}

// The causes that end attempts before their time.
var (
	ErrCancelled error = &action.Error{Kind: action.Cancelled, Message: "the run was cancelled"}
	ErrTimedOut  error = &action.Error{Kind: action.Cancelled, Message: "the run took longer than its timeout"}
)

// errPartTimedOut ends the attempts of on_failure or finally.
func errPartTimedOut(p workflow.Part) error {
	return &action.Error{
		Kind: action.Timeout, Message: fmt.Sprintf("`%s` took longer than it may", p),
		Hint: fmt.Sprintf("`finally` has %s of its own, `on_failure` at least that", CleanupTime),
	}
}
