package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Journal keeps runs: what happened in each, in order, so that another process
// can go on where one was stopped. Package engine/sqlite has the durable one,
// [NewMemory] makes one that is gone with the process, and
// engine/journaltest.TestJournal holds every implementation to these words.
//
// A journal that is open is an owner. The runs that it begins are its own, and
// those that it adopts from an owner that is gone. It is safe for concurrent use.
type Journal interface {
	// Begin enters a run with its first events, numbered from 1, and makes this
	// journal its owner. An id that is taken is [ErrExists]. See [Entry] about
	// groups.
	Begin(ctx context.Context, entry Entry, events []run.Event) error
	// Append adds events to a run. They are durable when it returns nil, all of
	// them or none. The first must have the number after the last recorded one,
	// else it is [ErrSequence]; a run of another owner is [ErrNotOwner].
	Append(ctx context.Context, run string, events []run.Event) error
	// Adopt makes this journal the owner of a run whose owner is gone; the run of
	// one that lives is [ErrOwned]. What the old owner appends after that is
	// refused, should it still live.
	Adopt(ctx context.Context, run string) error
	// Release gives a run up, so that any process can adopt it.
	Release(ctx context.Context, run string) error
	// Events returns the events of a run in order; an unknown run is
	// [ErrNoRun].
	Events(ctx context.Context, run string) ([]run.Event, error)
	// Sources returns the texts that a run was made from, the workflow first.
	Sources(ctx context.Context, run string) ([]workflow.Source, error)
	// Runs returns runs, the newest first.
	Runs(ctx context.Context, query Query) ([]Summary, error)
	// Previous returns the last successful run of a workflow in a realm
	// ([Target.Realm]), by its end; nil when there is none.
	Previous(ctx context.Context, workflow, realm string) (*run.Previous, error)
	// RequestCancel asks the owner of a run to cancel it. A run.resumed or
	// run.retried of the run ends the request.
	RequestCancel(ctx context.Context, run string) error
	// CancelRequested reports whether somebody asked for it.
	CancelRequested(ctx context.Context, run string) (bool, error)
	// Schedules returns what is known of schedules, by workflow and schedule.
	Schedules(ctx context.Context) ([]ScheduleState, error)
	// SaveSchedules keeps the watermarks of schedules, all of them or none. Their
	// pauses stay as they are: somebody else may be changing them.
	SaveSchedules(ctx context.Context, states []ScheduleState) error
	// PauseSchedule pauses a schedule, or ends its pause with nil.
	PauseSchedule(ctx context.Context, workflow, schedule string, pause *Pause) error
}

// An Entry is what a journal is told of a run when it begins.
type Entry struct {
	Run      string
	Workflow string
	Realm    string // of its target; see Target.Realm
	Trigger  string // the kind
	Sources  []workflow.Source
	// Group is the run's concurrency group; empty when any number may run at a
	// time. A run.started of a run with a group, in Begin or in Append, is refused
	// with a [BusyError] while another run of that group with a living owner has
	// started and not ended (a suspended one has ended in this sense), or was
	// queued before it.
	Group string
}

// A RunQuery chooses runs. Zero fields choose all.
type Query struct {
	Run      string // an id, or the beginning of one
	Workflow string
	Trigger  string // the kind of what began it, such as schedule
	Statuses []run.Status
	Since    time.Time // begun then or later
	Limit    int
}

// A RunSummary is what a list of runs shows of one.
type Summary struct {
	Run       string
	Workflow  string
	Trigger   string
	Group     string
	Status    run.Status // Interrupted when it has not ended and its owner is gone
	Live      bool       // its owner lives
	Events    int        // how many
	BegunAt   time.Time
	EndedAt   time.Time // zero while it has not ended
	Simulated bool
}

// What a journal refuses.
var (
	ErrExists   = errors.New("there is a run of this id already")
	ErrNoRun    = errors.New("there is no such run")
	ErrSequence = errors.New("another event has this number, or one is missing before it")
	ErrNotOwner = errors.New("the run belongs to another process now")
	ErrOwned    = errors.New("the run belongs to a process that lives")
)

// A BusyError says which runs keep another of their group from starting.
type BusyError struct {
	Group string
	Runs  []string // started or queued before, the oldest first
}

// Error names the runs.
func (e *BusyError) Error() string {
	return fmt.Sprintf("the concurrency group %q is busy with %s", e.Group, strings.Join(e.Runs, ", "))
}
