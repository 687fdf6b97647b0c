package engine

import (
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A Status is what became of a run or of a step. Steps are success, failure or
// skipped; runs are anything but skipped.
type Status string

// The statuses.
const (
	Success        Status = "success"
	Failed         Status = "failure"
	Skipped        Status = "skipped"
	Cancelled      Status = "cancelled"
	TimedOut       Status = "timed_out"
	NeedsAttention Status = "needs_attention" // it is unknown whether a call was done
)

// Why a step was skipped.
const (
	SkippedByIf       = "if"       // its own condition
	SkippedByUpstream = "upstream" // a step that it needs did not succeed
)

// A Failure is an error as scripts, journals and people see it.
type Failure struct {
	Kind      action.Kind `json:"kind"`
	Message   string      `json:"message"`
	Step      string      `json:"step,omitempty"`
	File      string      `json:"file,omitempty"`
	Line      int         `json:"line,omitempty"`
	Status    int         `json:"status,omitempty"` // HTTP's
	Code      int         `json:"code,omitempty"`   // PagerDuty's
	Action    string      `json:"action,omitempty"`
	Hint      string      `json:"hint,omitempty"`
	Retryable bool        `json:"retryable,omitempty"`
}

// Error returns the message, led by the action where there is one.
func (f *Failure) Error() string {
	if f.Action != "" {
		return f.Action + ": " + f.Message
	}
	return f.Message
}

// object is the failure as scripts read it.
func (f *Failure) object() any {
	if f == nil {
		return nil
	}
	o := action.Object{"kind": string(f.Kind), "message": f.Message, "retryable": f.Retryable}
	for name, text := range map[string]string{"step": f.Step, "action": f.Action, "hint": f.Hint} {
		if text != "" {
			o[name] = text
		}
	}
	if f.Status != 0 {
		o["status"] = float64(f.Status)
	}
	if f.Code != 0 {
		o["code"] = float64(f.Code)
	}
	return o
}

// A StepResult is what became of a step.
type StepResult struct {
	ID             string
	Status         Status // empty while it has not ended
	SkippedBecause string
	Attempts       int
	Outputs        any
	Error          *Failure
	StartedAt      time.Time
	EndedAt        time.Time
}

// object is the result as scripts read it, under steps.ID.
func (s *StepResult) object() action.Object {
	o := action.Object{"status": string(s.Status), "outputs": s.Outputs}
	if s.Outputs == nil {
		o["outputs"] = action.Object{}
	}
	if s.Error != nil {
		o["error"] = s.Error.object()
	}
	if s.SkippedBecause != "" {
		o["skipped_because"] = s.SkippedBecause
	}
	return o
}

// A Result is what became of a run.
type Result struct {
	Run       string
	Workflow  string
	Status    Status
	Outputs   action.Object // only of a success
	Error     *Failure
	StartedAt time.Time
	Duration  time.Duration
	Steps     []StepResult // in the order of the file
}
