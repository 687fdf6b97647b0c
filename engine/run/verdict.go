package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A verdict is what decides the status of a run: its failures, and why it ends early.
type verdict struct {
	timeout time.Duration
	ending  Status   // why the run ends early: cancelled or timed_out; else empty
	failure *Failure // the first, except that an unknown outcome replaces any other
	cleanup *Failure // the first in on_failure or finally
}

// note keeps a failure as the failure of the run, unless the run has one already. An
// unknown outcome replaces any other failure.
func (v *verdict) note(f *Failure, part workflow.Part) {
	if v.failure == nil || v.failure.Kind != action.UnknownOutcome && f.Kind == action.UnknownOutcome {
		v.failure = f
	}
	if part != workflow.Main && v.cleanup == nil && f.Kind != action.Cancelled {
		v.cleanup = f
	}
}

// reason returns what on_failure and finally read as `failure`; nil after a success.
func (v *verdict) reason() *Failure {
	if v.ending != "" && (v.failure == nil || v.failure.Kind != action.UnknownOutcome) {
		return v.endingFailure()
	}
	return v.failure
}

func (v *verdict) endingFailure() *Failure {
	if v.ending == TimedOut {
		return &Failure{
			Kind: action.Timeout, Message: fmt.Sprintf("the run took longer than its timeout of %s", v.timeout),
			Hint: "raise `timeout:` of the workflow if it needs more",
		}
	}
	return &Failure{Kind: action.Cancelled, Message: "the run was cancelled"}
}

// end returns the command that ends the run, with its status.
func (v *verdict) end(outputs any) Finish {
	switch {
	case v.failure != nil && v.failure.Kind == action.UnknownOutcome:
		return Finish{Status: NeedsAttention, Error: v.failure}
	case v.ending == Cancelled && v.cleanup != nil:
		return Finish{Status: Failed, Error: v.cleanup}
	case v.ending != "":
		return Finish{Status: v.ending, Error: v.endingFailure()}
	case v.failure != nil:
		return Finish{Status: Failed, Error: v.failure}
	}
	values, _ := outputs.(action.Object)
	return Finish{Status: Success, Outputs: values}
}
