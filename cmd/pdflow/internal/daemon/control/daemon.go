package control

import (
	"context"
	"time"
)

// Daemon has the requests that a daemon answers. An error of type [*Error] says what the
// caller can do about it. Any other error is a failure of the daemon.
type Daemon interface {
	Status(context.Context) (Status, error)
	// Start starts a run of a loaded workflow. It returns the id as soon as the run is in
	// the journal.
	Start(context.Context, StartRequest) (run string, err error)
	// Cancel requests the cancellation of a run. It returns before the run has ended.
	Cancel(ctx context.Context, run string) error
	// Resume resumes or retries a run. It returns as soon as that is in the journal.
	Resume(ctx context.Context, run string, request ResumeRequest) error
	PauseSchedule(context.Context, PauseRequest) error
	ResumeSchedule(context.Context, ScheduleName) error
	// Reload reads the workflow files again, now.
	Reload(context.Context) (Reloaded, error)
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
	// NotResumed are ids of interrupted runs that a person must resume, since processes died
	// while they worked on them.
	NotResumed []string `json:"not_resumed,omitempty"`
	// LeftOut are the files of served folders that are no workflows, with the reason.
	LeftOut map[string]string `json:"left_out,omitempty"`
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

// Reloaded is what reading the files again has changed, each by file name.
type Reloaded struct {
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
	Broken  []string `json:"broken,omitempty"`
	Mended  []string `json:"mended,omitempty"`
}
