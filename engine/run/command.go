package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Command is what an event newly enables: a [StartAttempt], [WaitAttempt],
// [CancelAttempt], [Suspend] or [Finish]. An event answers each of them.
type Command interface{ command() }

// StartAttempt asks to execute an attempt. The answer is attempt.started, unless the
// attempt is a replay, and then an event that ends the attempt.
type StartAttempt struct{ Attempt Attempt }

// WaitAttempt asks to execute an attempt, which is a retry, at a time.
type WaitAttempt struct {
	Attempt Attempt
	Until   time.Time
}

// CancelAttempt asks to stop an attempt that is running, and not to start an attempt that
// waits for its time. Only a running attempt is answered: it ends as any other.
type CancelAttempt struct {
	Step  string
	Item  int
	Cause error // why, for the attempt's context
}

// Suspend says that every attempt that is left waits for a decision. The answer is
// run.suspended with its error.
type Suspend struct{ Error *Failure }

// Finish says that nothing is left to do. The answer is run.finished with its values.
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

// An Attempt is one try of a task, with everything that executing it needs.
type Attempt struct {
	Step   string // the step's id, or OutputsStep
	Index  int    // of the step in the plan; -1 for the outputs
	Number int    // from 1
	// Item is the number of the item of a for_each, from 1, and Value is the item. Item is
	// 0 for the attempt that evaluates the list, and for a step without for_each.
	Item  int
	Value any
	// Replay says that the attempt was started before and then interrupted or suspended.
	// The calls that it recorded are not made again.
	Replay bool
	// Decision is the answer to what a suspended attempt waited for; nil if it was not
	// suspended. A decision about a call is not here but in the recorded calls.
	Decision *Decision
	Run      Info
	Inputs   action.Object
	// Steps are the results that the step reads, by id.
	Steps map[string]StepResult
	// Failure is what on_failure and finally read as `failure`.
	Failure  *Failure
	Previous *Previous
}

// An Info is what scripts read as `run`.
type Info struct {
	ID        string
	Workflow  string
	StartedAt time.Time
	Trigger   Trigger
}

// The causes with which attempts are cancelled.
var (
	ErrCancelled error = &action.Error{Kind: action.Cancelled, Message: "the run was cancelled"}
	ErrTimedOut  error = &action.Error{Kind: action.Cancelled, Message: "the run took longer than its timeout"}
)

// errPartTimedOut returns the cause with which attempts of on_failure or finally are
// cancelled.
func errPartTimedOut(p workflow.Part) error {
	return &action.Error{
		Kind: action.Timeout, Message: fmt.Sprintf("`%s` took longer than its timeout", p),
		Hint: fmt.Sprintf("the timeout of `finally` is %[1]s; `on_failure` has what is left of the timeout of the run, but at least %[1]s", CleanupTime),
	}
}
