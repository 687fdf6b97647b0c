package run

import (
	"fmt"
	"maps"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A Status is how a run, a step or an attempt ended, or where it is. A step ends as
// success, failure or skipped. A run ends as anything except suspended, queued, running
// or interrupted.
type Status string

// The statuses.
const (
	Success        Status = "success"
	Failed         Status = "failure"
	Skipped        Status = "skipped"
	Cancelled      Status = "cancelled"
	TimedOut       Status = "timed_out"
	NeedsAttention Status = "needs_attention" // a person must decide, or it is unknown whether a call was done

	// Suspended is only the outcome of an attempt that waits for a decision.
	Suspended Status = "suspended"

	// These are the statuses of runs that have not ended, in lists.
	Queued      Status = "queued"
	Running     Status = "running"
	Interrupted Status = "interrupted" // its process died; it can be resumed
)

// Why a step was skipped.
const (
	SkippedByIf       = "if"       // its own condition
	SkippedByUpstream = "upstream" // a step that it needs did not succeed
)

// An Outcome is how an attempt ended, or that it is suspended.
type Outcome struct {
	Status  Status   `json:"status"`
	Outputs any      `json:"outputs,omitempty"`
	Size    int      `json:"size,omitempty"` // of the outputs, in bytes of JSON text
	Error   *Failure `json:"error,omitempty"`
	Final   bool     `json:"final,omitempty"` // no other attempt may follow
	// Refused is the first failure of a call that was not permitted. A run with one is never
	// a success, also if the script caught it.
	Refused *Failure `json:"refused,omitempty"`
	Used    *Usage   `json:"used,omitempty"` // by the step's script
	// Suspension is what a suspended attempt waits for.
	Suspension *Suspension `json:"suspension,omitempty"`
}

// valid returns an error unless the outcome fits an event of kind k. A failed outcome
// must have an error, since a run without an error ends as a success.
func (o *Outcome) valid(k EventKind) error {
	switch {
	case o == nil:
		return fmt.Errorf("%s has no outcome", k)
	case k == EventAttemptSuspended && o.Status == Suspended && o.Error != nil:
		return nil
	case k == EventAttemptFinished && (o.Status == Success || o.Status == Skipped || o.Status == Failed && o.Error != nil):
		return nil
	}
	return fmt.Errorf("outcome %q is not valid for %s", o.Status, k)
}

// suspension returns what the attempt waits for. In old histories, suspensions have no
// reason, and the error names the call.
func (o *Outcome) suspension() Suspension {
	if o.Suspension != nil {
		return *o.Suspension
	}
	return Suspension{Reason: CallUnknown, Call: o.Error.Call}
}

// A Usage is how much of its limits the script of an attempt has used.
type Usage struct {
	Instructions int `json:"instructions"`
	Bytes        int `json:"bytes"`        // of all text and tables that it made, including freed ones
	Microseconds int `json:"microseconds"` // of computing, without the time spent in calls
}

// A Failure is an error as scripts, journals and people see it.
type Failure struct {
	Kind    action.Kind `json:"kind"`
	Message string      `json:"message"`
	Step    string      `json:"step,omitempty"`
	Item    int         `json:"item,omitempty"` // of a for_each, from 1
	// Call is the sequence number of the call.started event of the call whose outcome is
	// unknown.
	Call      int           `json:"call,omitempty"`
	File      string        `json:"file,omitempty"`
	Line      int           `json:"line,omitempty"`
	Status    int           `json:"status,omitempty"` // of the HTTP response
	Code      int           `json:"code,omitempty"`   // the service's own error code
	Action    string        `json:"action,omitempty"`
	Hint      string        `json:"hint,omitempty"`
	Retryable bool          `json:"retryable,omitempty"`
	Details   action.Object `json:"details,omitempty"` // further fields for scripts
	Final     bool          `json:"final,omitempty"`   // no script can catch it; see [action.Error]
}

// Error returns the message, with the name of the action before it if there is one.
func (f *Failure) Error() string {
	if f.Action != "" {
		return f.Action + ": " + f.Message
	}
	return f.Message
}

// ActionError returns the failure as the error that an action returns.
func (f *Failure) ActionError() *action.Error {
	return &action.Error{Kind: f.Kind, Message: f.Message, Hint: f.Hint, Status: f.Status, Code: f.Code, Details: f.Details, Final: f.Final}
}

// Object returns the failure as scripts read it; nil without a failure.
func (f *Failure) Object() any {
	if f == nil {
		return nil
	}
	o := action.Object{}
	maps.Copy(o, f.Details)
	maps.Copy(o, action.Object{"kind": string(f.Kind), "message": f.Message, "retryable": f.Retryable})
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

// Object returns the previous run as scripts read it. In a first run, it has only empty
// outputs.
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

// A StepResult is what is known of a step.
type StepResult struct {
	ID             string
	Status         Status // empty while it has not ended
	SkippedBecause string
	Attempts       int
	Outputs        any
	Error          *Failure
	StartedAt      time.Time
	EndedAt        time.Time
	// Items are the items of a for_each, in the order of its list.
	Items []ItemResult
	// Used is what the script of the last attempt used; nil for other steps.
	Used *Usage
}

// An ItemResult is what is known of one item of a for_each.
type ItemResult struct {
	Status    Status // empty while it has not ended; skipped when it never started
	Attempts  int
	Outputs   any
	Error     *Failure
	StartedAt time.Time
	EndedAt   time.Time
	Used      *Usage // as in a StepResult
}

// Object returns the result as scripts read it under steps.ID.
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

// A Result is what is known of a run.
type Result struct {
	Run       string
	Workflow  string
	Status    Status
	Outputs   action.Object // only of a success
	Error     *Failure
	StartedAt time.Time
	Duration  time.Duration
	Steps     []StepResult // in the order of the plan
	// Suspended says that the run has not ended: it waits for a decision about what Error
	// describes.
	Suspended bool
}

// Describe sets the failure's kind and texts from the error of an action.
func (f *Failure) Describe(err *action.Error) {
	f.Kind, f.Message, f.Hint = err.Kind, err.Message, err.Hint
	f.Status, f.Code, f.Action = err.Status, err.Code, err.Action
	f.Retryable, f.Final, f.Details = err.Kind.Retryable(), err.Final, err.Details
}

// Object returns the run as scripts read it.
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
