// Package scheduler begins the runs of schedules: each due instant once, whatever
// happens to the process, its clock or its disk.
//
//	s := &scheduler.Scheduler{Journal: journal, Clock: clock, Start: start, Skip: skip}
//	err := s.Replace(ctx, entries) // those of the files that are loaded
//	err = s.Run(ctx)
//
// # How an instant comes to be a run
//
// An [Entry] is a schedule of a workflow. Entries of one text and zone share a group,
// which knows its next instant; the groups are a heap, so that an idle tick looks at
// one of them only. When an instant is due, every entry of its group is judged
// (decide.go): it runs, or it is skipped for a reason. Both are written to the journal
// as a run whose id follows from the instant ([engine.Occurrence]), and only then does
// the entry's watermark move. So nothing is lost when the process dies in between, and
// nothing happens twice when the instant is judged again: the journal refuses a second
// run of one id. That alone is what several schedulers on one journal rely on.
//
// # What else can happen
//
//   - The clock went back: an instant at or before the watermark is never judged again.
//   - The clock went forward, the machine slept, or nothing ran: what was missed is
//     caught up as the schedule says (none, last, all), within its window, and the rest
//     is skipped.
//   - The journal cannot be written: the watermark stays, and the instants are judged
//     again a moment later.
//   - A schedule that is new begins with the present: it has no past.
package scheduler

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/schedule"
	"github.com/pdflow/pdflow/engine/workflow"
)

const (
	// maxSleep is how long the loop waits at most: timers do not count the time that a
	// machine sleeps, and clocks are set.
	maxSleep = 30 * time.Second
	// retryAfter is when what could not be written is tried again.
	retryAfter = time.Second
	// farAhead is how far in the future a watermark may be: a clock that was set back is
	// waited for as long. The ids of runs keep instants from running twice after that.
	farAhead = 24 * time.Hour
)

// An Entry is one schedule of a workflow.
type Entry struct {
	Workflow string
	Schedule string // its id in the workflow: [workflow.Schedule.Key]
	Spec     schedule.Schedule
	CatchUp  workflow.CatchUp
	Data     any // for Start and Skip, such as the plan and the inputs
}

// A Due is an instant that is due.
type Due struct {
	run.Occurrence
	Entry Entry
	Late  time.Duration // how long ago it was due
	// Several says that other instants of the schedule run with this one: they take
	// turns, also where the workflow skips a run that overlaps with another.
	Several bool
}

// A Decision is what became of an instant, for logs, metrics and alerts.
type Decision struct {
	Due
	Reason string // why it was skipped; empty when it runs
	Count  int    // how many instants it stands for, at least 1
	Err    error  // it could not be written, and is tried again
}

// A Scheduler begins runs. Its fields are set before it is used; its methods are safe
// for concurrent use.
type Scheduler struct {
	Journal journal.Journal
	Clock   action.Clock // nil is the machine's
	// Start begins the run of an instant and returns when that is durable, or why it
	// is not; [engine.ErrExists] says that it was begun before. It is called from
	// several goroutines.
	Start func(context.Context, Due) error
	// Skip records that an instant does not run.
	Skip func(ctx context.Context, due Due, reason string) error
	// Observe hears of every decision, from one goroutine; nil hears nothing.
	Observe func(Decision)
	// Ahead hears of a schedule whose watermark is so far in the future that only a wrong
	// clock can have left it there: it begins anew with the present. Nil hears nothing.
	Ahead func(e Entry, watermark time.Time)

	woke    atomic.Pointer[time.Time]
	settled atomic.Pointer[time.Time] // when the last look left nothing behind

	mu     sync.Mutex
	known  map[name]*entry
	groups map[string]*group
	heap   groupHeap
	behind []*entry // whose last instants could not be written
	wake   chan struct{}
}

type name struct{ workflow, schedule string }

// An entry is an Entry that is loaded.
type entry struct {
	Entry
	watermark time.Time
	pause     *journal.Pause
	last      *Decision
}

func (e *entry) name() name { return name{e.Workflow, e.Schedule} }

// Replace makes the given entries those that are loaded. Entries that were there keep
// their state; what the others missed while nothing ran is caught up by the next
// [Scheduler.Tick].
func (s *Scheduler) Replace(ctx context.Context, entries []Entry) error {
	states, err := s.states(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if work := s.due(now); len(work) > 0 {
		s.settle(ctx, work, now) // what is due is due as it was
	}
	old := s.known
	s.known, s.groups, s.heap, s.behind = make(map[name]*entry, len(entries)), map[string]*group{}, nil, nil
	var fresh []journal.ScheduleState
	for _, given := range entries {
		e := &entry{Entry: given}
		if s.known[e.name()] != nil {
			return fmt.Errorf("two schedules of the workflow %s are called %q", e.Workflow, e.Schedule)
		}
		state, known := states[e.name()]
		e.watermark, e.pause = state.Watermark, state.Pause
		if !known || e.watermark.IsZero() {
			e.watermark = now
			fresh = append(fresh, journal.ScheduleState{Workflow: e.Workflow, Schedule: e.Schedule, Watermark: now})
		}
		switch before := old[e.name()]; {
		case before != nil && before.Spec.String() != e.Spec.String():
			e.last, e.watermark = before.last, later(e.watermark, now) // the new times have no past
			fresh = append(fresh, journal.ScheduleState{Workflow: e.Workflow, Schedule: e.Schedule, Watermark: e.watermark})
		case before != nil:
			e.last, e.watermark = before.last, later(e.watermark, before.watermark)
		case e.watermark.Sub(now) > farAhead:
			if s.Ahead != nil {
				s.Ahead(e.Entry, e.watermark)
			}
			e.watermark = now
			fresh = append(fresh, journal.ScheduleState{Workflow: e.Workflow, Schedule: e.Schedule, Watermark: now})
		}
		s.known[e.name()] = e
		s.join(e, now)
	}
	heap.Init(&s.heap)
	s.wakeUp()
	return s.Journal.SaveSchedules(ctx, fresh)
}

// join puts an entry into the group of its text. What it missed before now is judged
// by itself: its group goes on from now.
func (s *Scheduler) join(e *entry, now time.Time) {
	if next := e.Spec.Next(e.watermark); !next.IsZero() && !next.After(now) {
		s.behind = append(s.behind, e)
	}
	key := e.Spec.String()
	g := s.groups[key]
	if g == nil {
		g = &group{spec: e.Spec, next: e.Spec.Next(now)}
		s.groups[key] = g
		s.heap = append(s.heap, g)
	}
	g.entries = append(g.entries, e)
}

// states reads the states of schedules from the journal.
func (s *Scheduler) states(ctx context.Context) (map[name]journal.ScheduleState, error) {
	list, err := s.Journal.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	states := make(map[name]journal.ScheduleState, len(list))
	for _, state := range list {
		states[name{state.Workflow, state.Schedule}] = state
	}
	return states, nil
}

// Run begins runs until the context ends.
func (s *Scheduler) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		next := s.Tick(ctx)
		if err := s.sleep(ctx, next); err != nil {
			return nil
		}
	}
	return nil
}

// sleep waits until a time, until something changes, or for maxSleep.
func (s *Scheduler) sleep(ctx context.Context, until time.Time) error {
	s.mu.Lock()
	changed := s.changed()
	wait := maxSleep
	if d := until.Sub(s.now()); !until.IsZero() && d < wait {
		wait = max(d, 0)
	}
	s.mu.Unlock()
	due := make(chan struct{})
	stop := s.clock().AfterFunc(wait, func() { close(due) })
	defer stop()
	select {
	case <-due:
		return nil
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// changed returns a channel that is closed when something changes.
func (s *Scheduler) changed() chan struct{} {
	if s.wake == nil {
		s.wake = make(chan struct{})
	}
	return s.wake
}

func (s *Scheduler) wakeUp() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// Tick judges what is due and returns when the next instant is; the zero time when
// there is none. Run calls it; a program with a loop of its own may.
func (s *Scheduler) Tick(ctx context.Context) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.woke.Store(&now)
	if work := s.due(now); len(work) > 0 {
		s.settle(ctx, work, now)
	}
	if len(s.behind) == 0 {
		s.settled.Store(&now)
	}
	if len(s.heap) > 0 {
		next = s.heap[0].next
	}
	if again := now.Add(retryAfter); len(s.behind) > 0 && (next.IsZero() || again.Before(next)) {
		next = again
	}
	return next
}

// Watermark returns up to when everything that was due is recorded. It stands still
// while the journal takes nothing, and is the zero time before the first look.
func (s *Scheduler) Watermark() time.Time {
	return timeOf(&s.settled)
}

// timeOf reads a time without the lock, which is held as long as the journal takes: who
// watches the loop must not hang with it.
func timeOf(at *atomic.Pointer[time.Time]) time.Time {
	if t := at.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// LastWake returns when the loop last looked: what a watcher of it watches.
func (s *Scheduler) LastWake() time.Time {
	return timeOf(&s.woke)
}

// due returns the entries with instants that are due, each once.
func (s *Scheduler) due(now time.Time) []*entry {
	work := s.behind
	s.behind = nil
	for len(s.heap) > 0 && !s.heap[0].next.IsZero() && !s.heap[0].next.After(now) {
		g := s.heap[0]
		work = append(work, g.entries...)
		g.next = g.spec.Next(now)
		heap.Fix(&s.heap, 0)
	}
	sortEntries(work)
	return slices.Compact(work)
}

func sortEntries(entries []*entry) {
	slices.SortStableFunc(entries, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Schedule, b.Schedule))
	})
}

func (s *Scheduler) clock() action.Clock {
	if s.Clock == nil {
		return clock.System{}
	}
	return s.Clock
}

func (s *Scheduler) now() time.Time { return s.clock().Now() }

// A group is the entries of one text and zone.
type group struct {
	spec    schedule.Schedule
	next    time.Time // zero: there is none
	entries []*entry
}

// A groupHeap has the group with the earliest instant first.
type groupHeap []*group

var _ heap.Interface = (*groupHeap)(nil)

// Len is how many groups there are.
func (h groupHeap) Len() int { return len(h) }

// Less compares instants; none comes last.
func (h groupHeap) Less(i, j int) bool {
	if h[i].next.IsZero() || h[j].next.IsZero() {
		return !h[i].next.IsZero()
	}
	return h[i].next.Before(h[j].next)
}

// Swap exchanges two groups.
func (h groupHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push adds a group.
func (h *groupHeap) Push(g any) { *h = append(*h, g.(*group)) }

// Pop removes the last group.
func (h *groupHeap) Pop() any {
	old := *h
	g := old[len(old)-1]
	*h = old[:len(old)-1]
	return g
}
