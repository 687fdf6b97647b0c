package control

import (
	"context"
	"net/http"
	"time"
)

// Daemon has the requests that a daemon answers. An error of type [*Error] says what the
// caller can do about it. Any other error is a failure of the daemon.
type Daemon interface {
	Status(context.Context) (Status, error)
	// Start starts a run of a loaded workflow. It returns the id as soon as the run is in
	// the journal.
	Start(context.Context, StartRequest) (run string, err error)
	// Resume resumes or retries a run. It returns as soon as that is in the journal.
	Resume(ctx context.Context, run string, request ResumeRequest) error
	PauseSchedule(context.Context, PauseRequest) error
	ResumeSchedule(context.Context, ScheduleName) error
}

// Status is the status of a daemon.
type Status struct {
	PID       int              `json:"pid"`
	Version   string           `json:"version"`
	StartedAt time.Time        `json:"started_at"`
	Stopping  bool             `json:"stopping,omitempty"`
	LastWake  time.Time        `json:"last_wake,omitzero"` // when the scheduler last looked at what is due
	Workflows []WorkflowStatus `json:"workflows"`
	Runs      []string         `json:"runs"` // ids of the running runs
}

// WorkflowStatus is a loaded workflow, or a file that cannot be loaded.
type WorkflowStatus struct {
	Name      string           `json:"name"`
	File      string           `json:"file"`
	Problem   string           `json:"problem,omitempty"` // why the newest version is not loaded
	Schedules []ScheduleStatus `json:"schedules,omitempty"`
}

// ScheduleStatus is the status of a schedule.
type ScheduleStatus struct {
	Schedule  string       `json:"schedule"`
	Cron      string       `json:"cron"`
	Timezone  string       `json:"timezone"`
	Next      time.Time    `json:"next,omitzero"`
	Watermark time.Time    `json:"watermark,omitzero"`
	Pause     *PauseStatus `json:"pause,omitempty"`
}

// PauseStatus is the pause of a schedule.
type PauseStatus struct {
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"` // zero: until the schedule is resumed
}

// StartRequest is a request to start a run.
type StartRequest struct {
	Workflow string         `json:"workflow"`
	Inputs   map[string]any `json:"inputs,omitempty"`
	// Schedule gives the run the inputs of one of the workflow's schedules.
	Schedule string `json:"schedule,omitempty"`
}

// ResumeRequest is a request to resume or retry a run.
type ResumeRequest struct {
	// Retry retries the failed steps of a run that has ended.
	Retry     bool       `json:"retry,omitempty"`
	Decisions []Decision `json:"decisions,omitempty"`
}

// Decision is the decision of a person about a call whose outcome is unknown.
type Decision struct {
	Call     int    `json:"call"`     // sequence number of its call.started event
	Decision string `json:"decision"` // done, repeat or fail
}

// ScheduleName names a schedule of a workflow. An empty Schedule means all of them.
type ScheduleName struct {
	Workflow string `json:"workflow"`
	Schedule string `json:"schedule,omitempty"`
}

// PauseRequest is a request to pause schedules.
type PauseRequest struct {
	ScheduleName
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Code classifies an error for programs.
type Code string

// The codes.
const (
	NotFound   Code = "not_found"  // the run, workflow or schedule does not exist
	Invalid    Code = "invalid"    // the request cannot be fulfilled
	Conflict   Code = "conflict"   // the present state does not allow the request
	Stopping   Code = "stopping"   // the daemon is stopping
	TooLarge   Code = "too_large"  // the request is too large
	Internal   Code = "internal"   // the daemon failed
	Unexpected Code = "unexpected" // the answer is not from a daemon of this version
	TimedOut   Code = "timed_out"  // there was no answer in time
	Forbidden  Code = "forbidden"  // the socket belongs to another user
	NoDaemon   Code = "no_daemon"  // no daemon is running
)

// Error is the error of a request. The daemon sends it to the client as JSON.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	cause error
}

// ErrNoDaemon says that no daemon serves the data folder. Compare it with errors.Is.
var ErrNoDaemon = &Error{Code: NoDaemon, Message: "no daemon serves this data folder"}

// Error returns the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}

// Unwrap returns the cause. It is not sent to the client.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is find [ErrNoDaemon] in the errors of a client, whose messages name the
// folder.
func (e *Error) Is(target error) bool { return target == ErrNoDaemon && e.Code == NoDaemon }

// statuses are the HTTP statuses of the codes that a server sends.
var statuses = map[Code]int{
	NotFound: http.StatusNotFound, Invalid: http.StatusUnprocessableEntity, Conflict: http.StatusConflict,
	Stopping: http.StatusServiceUnavailable, TooLarge: http.StatusRequestEntityTooLarge,
	TimedOut: http.StatusGatewayTimeout,
}

func (e *Error) status() int {
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}
