// Package journal says how the histories of runs are stored.
//
// # The nouns
//
//   - A [Journal] stores histories. It consists of five small interfaces, one for each
//     job: [Appender], [Reader], [Canceller], [Schedules] and [Names] (journal.go).
//   - An owner is an open journal. It alone appends to the runs that it owns.
//   - An [Entry] is what a journal stores of a run besides its events, a [Summary] what a
//     list shows of it, and a [Query] selects runs. What a summary says follows from the
//     events (summary.go).
//   - A [ScheduleState] is the progress of a schedule, and its [Pause] (schedules.go).
//   - [Encode] and [Decode] are the stored form of an event (codec.go, decode.go).
//   - A [Memory] is a journal without a file (memory.go).
//
// # How to use it
//
// The engine stores a new run with Begin, appends the events that follow, and releases
// the run or closes the journal. Another process adopts the run when its owner is gone,
// reads its events and continues it.
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

// A Journal stores the histories of runs, so that another process can resume a run.
// Package sqlite has the durable journal. journaltest.TestJournal checks that an
// implementation does what the interfaces say.
//
// An open journal is an owner. It owns the runs that it starts, and the runs that it
// adopts from an owner that is gone. A journal is safe for concurrent use.
type Journal interface {
	Appender
	Reader
	Canceller
	Schedules
	Names
}

// An Appender adds to the histories of runs.
type Appender interface {
	// Begin stores a new run with its first events, numbered from 1, and makes this
	// journal its owner. The error is [ErrExists] when the id is in use, and a
	// [BusyError] when the events claim a group that is busy; see [Claims].
	Begin(ctx context.Context, entry Entry, events []run.Event) error
	// Append adds events to a run: all of them, durably, when it returns nil. Otherwise it
	// adds none, unless the disk failed: then the history has all of them or none. The
	// error is [ErrSequence] unless the first event has the number after the last stored
	// event, [ErrNotOwner] for a run of another owner, and a [BusyError] as for Begin.
	Append(ctx context.Context, id string, events []run.Event) error
	// Adopt makes this journal the owner of a run whose owner is gone. A run whose
	// owner lives is [ErrOwned]. Later appends of the old owner are refused. A run that
	// was running counts as interrupted until it is resumed.
	Adopt(ctx context.Context, id string) error
	// Release gives a run up, so that any process can adopt it.
	Release(ctx context.Context, id string) error
}

// A Reader reads runs.
type Reader interface {
	// Events returns the events of a run in order. The error is [ErrNoRun] when there
	// is no such run.
	Events(ctx context.Context, id string) ([]run.Event, error)
	// Sources returns the texts that a run was started from, the workflow first.
	Sources(ctx context.Context, id string) ([]workflow.Source, error)
	// Runs returns the runs that a query selects, the newest first.
	Runs(ctx context.Context, query Query) ([]Summary, error)
	// Previous returns the last successful run of a workflow in a realm
	// ([run.Target.Realm]); nil when there is none. The last run is the run whose end was
	// recorded last, whatever the clocks showed then.
	Previous(ctx context.Context, workflow, realm string) (*run.Previous, error)
}

// A Canceller passes requests to cancel runs between processes.
type Canceller interface {
	// RequestCancel asks the owner of a run to cancel it, for an actor who may be nil.
	// The request ends with the next run.resumed or run.retried. A second request
	// changes nothing.
	RequestCancel(ctx context.Context, id string, by *run.Actor) error
	// CancelRequested returns the request to cancel a run; nil when there is none.
	CancelRequested(ctx context.Context, id string) (*CancelRequest, error)
}

// A CancelRequest asks to cancel a run.
type CancelRequest struct {
	Actor *run.Actor // who asked; nil when unknown
}

// Schedules stores what is known of schedules besides their runs.
type Schedules interface {
	// Schedules returns the states of all schedules, by workflow and schedule.
	Schedules(ctx context.Context) ([]ScheduleState, error)
	// SaveSchedules stores the watermarks of schedules, all of them or none. Their
	// pauses stay as they are, since another process may be changing them.
	SaveSchedules(ctx context.Context, states []ScheduleState) error
	// PauseSchedule pauses a schedule, or ends its pause when pause is nil.
	PauseSchedule(ctx context.Context, workflow, schedule string, pause *Pause) error
}

// Names stores which file each workflow name belongs to, where several files have one name.
type Names interface {
	// Names returns the file of each name.
	Names(ctx context.Context) (map[string]string, error)
	// SaveNames stores the files of names, all of them or none. Other names stay as they are.
	SaveNames(ctx context.Context, files map[string]string) error
}

// An Entry is what a journal stores of a run besides its events.
type Entry struct {
	Run      string
	Workflow string
	Realm    string // of its target; see run.Target.Realm
	Trigger  string // the kind
	Sources  []workflow.Source
	// Group is the run's concurrency group; empty when any number of runs may run at a
	// time. Events that claim it (see [Claims]) are refused with a [BusyError] while
	// another run of the group with a living owner is running or was queued before. A
	// suspended or interrupted run is not running.
	Group string
}

// A Query selects runs. Zero fields select all.
type Query struct {
	Run      string // an id, or the first characters of one
	Workflow string
	Trigger  string // the kind of trigger, such as schedule
	Statuses []run.Status
	Since    time.Time // started then or later, by the clock of then
	After    string    // stored after the run with this id, whatever the clocks showed
	Limit    int
}

// A Summary is what a list of runs shows of a run.
type Summary struct {
	Run      string
	Workflow string
	Trigger  string
	Group    string
	Status   run.Status // Interrupted once its owner is gone, until it is resumed
	Live     bool       // its owner lives
	// Died says that its owner ended without giving it up: the process was killed, or the
	// machine stopped.
	Died      bool
	Events    int       // the number of events
	StartedAt time.Time // the time of its first event
	EndedAt   time.Time // zero until it has ended
	Simulated bool
}

// The errors of a journal that refuses a request. Nothing has changed then.
var (
	ErrExists   = errors.New("a run with this id exists already")
	ErrNoRun    = errors.New("there is no such run")
	ErrSequence = errors.New("another event has this number, or an event is missing before it")
	ErrNotOwner = errors.New("the run belongs to another process now")
	ErrOwned    = errors.New("the run belongs to a process that is running")
)

// A BusyError names the runs that keep another run of their group from running.
type BusyError struct {
	Group string
	Runs  []string // started or queued before, the oldest first
}

// Error names the runs.
func (e *BusyError) Error() string {
	return fmt.Sprintf("the concurrency group %q is busy with %s", e.Group, strings.Join(e.Runs, ", "))
}
