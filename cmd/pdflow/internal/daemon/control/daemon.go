package control

import (
	"context"
	"time"
)

// A Daemon is what can be asked for. Its errors are of type [*Error] where the one
// who asks can do something about them; any other is a failure of the daemon.
type Daemon interface {
	Status(context.Context) (Status, error)
	// Start begins a run of a workflow that is loaded and returns its id as soon as it
	// is in the journal.
	Start(context.Context, StartRequest) (run string, err error)
	// Cancel asks a run to stop; it returns before it has.
	Cancel(ctx context.Context, run string) error
	// Resume goes on with a run; it returns as soon as that is in the journal.
	Resume(ctx context.Context, run string, request ResumeRequest) error
	PauseSchedule(context.Context, PauseRequest) error
	ResumeSchedule(context.Context, ScheduleName) error
	// Reload reads the workflow files again, now.
	Reload(context.Context) (Reloaded, error)
}

// A Status is how the daemon does.
type Status struct {
	PID       int              `json:"pid"`
	Version   string           `json:"version"`
	StartedAt time.Time        `json:"started_at"`
	Stopping  bool             `json:"stopping,omitempty"`
	LastWake  time.Time        `json:"last_wake,omitzero"` // of the scheduler
	Workflows []WorkflowStatus `json:"workflows"`
	Runs      []string         `json:"runs"` // under way, by id
}

// A WorkflowStatus is a workflow that is loaded, or a file that is not.
type WorkflowStatus struct {
	Name      string           `json:"name"`
	File      string           `json:"file"`
	Problem   string           `json:"problem,omitempty"` // why the newest version is not loaded
	Schedules []ScheduleStatus `json:"schedules,omitempty"`
}

// A ScheduleStatus is what is known of a schedule.
type ScheduleStatus struct {
	Schedule  string       `json:"schedule"`
	Cron      string       `json:"cron"`
	Timezone  string       `json:"timezone"`
	Next      time.Time    `json:"next,omitzero"`
	Watermark time.Time    `json:"watermark,omitzero"`
	Pause     *PauseStatus `json:"pause,omitempty"`
}

// A PauseStatus is a pause that holds.
type PauseStatus struct {
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"` // zero: until somebody resumes it
}

// A StartRequest asks for a run.
type StartRequest struct {
	Workflow string         `json:"workflow"`
	Inputs   map[string]any `json:"inputs,omitempty"`
	// Schedule gives the run the inputs of one of the workflow's schedules.
	Schedule string `json:"schedule,omitempty"`
}

// A ResumeRequest says how a run is gone on with.
type ResumeRequest struct {
	// Retry goes on from the failed steps of a run that has ended.
	Retry     bool       `json:"retry,omitempty"`
	Decisions []Decision `json:"decisions,omitempty"`
}

// A Decision is what a person says of a call whose outcome is unknown.
type Decision struct {
	Call     int    `json:"call"`     // the number of the event with which it began
	Decision string `json:"decision"` // done, repeat or fail
}

// A ScheduleName names a schedule of a workflow; without Schedule, all of them.
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

// Reloaded is what reading the files again has changed, each by file name.
type Reloaded struct {
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
	Broken  []string `json:"broken,omitempty"`
	Mended  []string `json:"mended,omitempty"`
}
