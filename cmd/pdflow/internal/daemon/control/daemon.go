package control

import (
	"context"
	"time"
)

// A Daemon answers requests. An error of type [*Error] is a mistake in the request. Any other error is a
// failure of the daemon.
type Daemon interface {
	Status(context.Context) (Status, error)
	// Start starts a run of a loaded workflow and returns its id when the start is recorded.
	Start(context.Context, StartRequest) (run string, err error)
	// Cancel asks a run to stop and does not wait for it.
	Cancel(ctx context.Context, run string) error
	// Resume resumes a run and returns when that is recorded.
	Resume(ctx context.Context, run string, request ResumeRequest) error
	PauseSchedule(context.Context, PauseRequest) error
	ResumeSchedule(context.Context, ScheduleName) error
	// Reload reads the workflow files again.
	Reload(context.Context) (Reloaded, error)
}

// A Status is the state of the daemon.
type Status struct {
	PID       int              `json:"pid"`
	Version   string           `json:"version"`
	StartedAt time.Time        `json:"started_at"`
	Stopping  bool             `json:"stopping,omitempty"`
	LastWake  time.Time        `json:"last_wake,omitzero"` // of the scheduler
	Workflows []WorkflowStatus `json:"workflows"`
	Runs      []string         `json:"runs"` // the ids of the running runs
}

// A WorkflowStatus is a loaded workflow, or a file that cannot be loaded.
type WorkflowStatus struct {
	Name      string           `json:"name"`
	File      string           `json:"file"`
	Problem   string           `json:"problem,omitempty"` // why the newest version is not loaded
	Schedules []ScheduleStatus `json:"schedules,omitempty"`
}

// A ScheduleStatus is the state of a schedule.
type ScheduleStatus struct {
	Schedule  string       `json:"schedule"`
	Cron      string       `json:"cron"`
	Timezone  string       `json:"timezone"`
	Next      time.Time    `json:"next,omitzero"`
	Watermark time.Time    `json:"watermark,omitzero"`
	Pause     *PauseStatus `json:"pause,omitempty"`
}

// A PauseStatus is an active pause.
type PauseStatus struct {
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"` // zero: until it is resumed
}

// A StartRequest asks for a run.
type StartRequest struct {
	Workflow string         `json:"workflow"`
	Inputs   map[string]any `json:"inputs,omitempty"`
	// Schedule is the schedule whose inputs the run gets; empty: none.
	Schedule string `json:"schedule,omitempty"`
}

// A ResumeRequest says how a run is resumed.
type ResumeRequest struct {
	// Retry runs the failed steps of a run that has ended again.
	Retry     bool       `json:"retry,omitempty"`
	Decisions []Decision `json:"decisions,omitempty"`
}

// A Decision is a person's decision about a call whose outcome is unknown.
type Decision struct {
	Call     int    `json:"call"`     // the sequence number of its call.started event
	Decision string `json:"decision"` // done, repeat or fail
}

// A ScheduleName names a schedule of a workflow; without Schedule, all schedules of it.
type ScheduleName struct {
	Workflow string `json:"workflow"`
	Schedule string `json:"schedule,omitempty"`
}

// A PauseRequest asks for a pause.
type PauseRequest struct {
	ScheduleName
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Reloaded has the files that have changed.
type Reloaded struct {
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
	Broken  []string `json:"broken,omitempty"`
	Mended  []string `json:"mended,omitempty"`
}
