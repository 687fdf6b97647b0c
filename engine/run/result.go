package run

import (
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A Status is what became of a run or of a step. Steps are success, failure or
// skipped; an ended run is anything but running, queued or interrupted.
type Status string

// The statuses.
const (
	Success        Status = "success"
	Failed         Status = "failure"
	Skipped        Status = "skipped"
	Cancelled      Status = "cancelled"
	TimedOut       Status = "timed_out"
	NeedsAttention Status = "needs_attention" // it is unknown whether a call was done

	// Suspended is the outcome of an attempt that came upon a call that a person
	// must decide.
	Suspended Status = "suspended"

	// Of runs that have not ended, in lists.
	Queued      Status = "queued"
	Running     Status = "running"
	Interrupted Status = "interrupted" // its process is gone: it can be resumed
)

// Why a step was skipped.
const (
	SkippedByIf       = "if"       // its own condition
	SkippedByUpstream = "upstream" // a step that it needs did not succeed
)

// A Failure is an error as scripts, journals and people see it.
type Failure struct {
	Kind    action.Kind `json:"kind"`
	Message string      `json:"message"`
	Step    string      `json:"step,omitempty"`
	Item    int         `json:"item,omitempty"` // of a for_each, from 1
	// Call is the number of the event with which the call began whose outcome is
	// unknown.
	Call      int    `json:"call,omitempty"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Status    int    `json:"status,omitempty"` // HTTP's
	Code      int    `json:"code,omitempty"`   // PagerDuty's
	Action    string `json:"action,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Retryable bool   `json:"retryable,omitempty"`
}

// Error returns the message, led by the action where there is one.
func (f *Failure) Error() string {
	if f.Action != "" {
		return f.Action + ": " + f.Message
	}
	return f.Message
}

// asError is the failure as an action returned it.
func (f *Failure) ActionError() *action.Error {
	return &action.Error{Kind: f.Kind, Message: f.Message, Hint: f.Hint, Status: f.Status, Code: f.Code}
}

// object is the failure as scripts read it.
func (f *Failure) Object() any {
	if f == nil {
		return nil
	}
	o := action.Object{"kind": string(f.Kind), "message": f.Message, "retryable": f.Retryable}
	for name, text := range map[string]string{"step": f.Step, "action": f.Action, "hint": f.Hint, "file": f.File} {
		if text != "" {
			o[name] = text
		}
	}
	for name, number := range map[string]int{"status": f.Status, "code": f.Code, "item": f.Item, "line": f.Line} {
		if number != 0 {
			o[name] = float64(number)
		}
	}
	return o
}

// object is the previous run as scripts read it; on the first run it is empty.
func (p *Previous) Object() action.Object {
	if p == nil {
		return action.Object{"outputs": action.Object{}}
	}
	outputs := p.Outputs
	if outputs == nil {
		outputs = action.Object{}
	}
	return action.Object{"outputs": outputs, "status": string(p.Status), "ended_at": p.EndedAt.UTC().Format(time.RFC3339Nano)}
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
	// Items are the iterations of a for_each, in the order of its list.
	Items []ItemResult
	// Used is what the script of the last attempt used; nil for other steps.
	Used *Usage
}

// An ItemResult is what became of one iteration of a for_each.
type ItemResult struct {
	Status    Status // empty while it has not ended; skipped when it never began
	Attempts  int
	Outputs   any
	Error     *Failure
	StartedAt time.Time
	EndedAt   time.Time
	Used      *Usage // as in a StepResult
}

// object is the result as scripts read it, under steps.ID.
func (s *StepResult) Object() action.Object {
	o := action.Object{"status": string(s.Status), "outputs": s.Outputs}
	if s.Outputs == nil {
		o["outputs"] = action.Object{}
	}
	if s.Error != nil {
		o["error"] = s.Error.Object()
	}
	if s.SkippedBecause != "" {
		o["skipped_because"] = s.SkippedBecause
	}
	if s.Items != nil {
		items := make([]any, len(s.Items))
		for i, item := range s.Items {
			items[i] = action.Object{"status": string(item.Status), "error": item.Error.Object()}
		}
		o["items"] = items
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
	Steps     []StepResult // in the order of the plan
	// Suspended says that the run has not ended: it waits for a person to decide
	// the call that Error names.
	Suspended bool
}

// Describe sets the failure's kind and texts from the error of an action.
func (f *Failure) Describe(err *action.Error) {
	f.Kind, f.Message, f.Hint = err.Kind, err.Message, err.Hint
	f.Status, f.Code, f.Action = err.Status, err.Code, err.Action
	f.Retryable = err.Kind.Retryable()
}

// object is the run as scripts read it.
func (r Info) Object() action.Object {
	trigger := action.Object{"kind": r.Trigger.Kind}
	if at := r.Trigger.ScheduledAt; at != nil {
		trigger["scheduled_at"] = at.UTC().Format(time.RFC3339)
		trigger["schedule"] = r.Trigger.Schedule
	}
	return action.Object{
		"id": r.ID, "workflow": r.Workflow, "trigger": trigger, "started_at": r.StartedAt.UTC().Format(time.RFC3339Nano),
	}
}
