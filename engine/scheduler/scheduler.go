// Package scheduler starts one run for each scheduled time of a workflow, also when
// the process dies, the clock is set or the journal cannot be written for a while.
//
//	s := &scheduler.Scheduler{Journal: journal, Clock: clock, Start: start, Skip: skip}
//	err := s.Replace(ctx, entries) // the schedules of the files that are loaded
//	err = s.Run(ctx)
//
// # From a scheduled time to a run
//
// An [Entry] is a schedule of a workflow. Entries with the same cron text and zone are
// a group, which knows its next scheduled time. The groups are a heap, so a tick
// without work looks at one group only. When a scheduled time is due, every entry of
// its group gets a decision (decide.go): the time runs, or it is skipped for a reason.
// Both are written to the journal as a run with an id that is derived from the
// scheduled time ([run.Occurrence]). Then the watermark of the entry moves. So
// nothing is lost when the process dies in between, and nothing runs twice when a
// scheduled time is decided again: the journal refuses a second run with the same id.
// Several schedulers on one journal rely on this alone.
//
// # What else can happen
//
//   - The clock was set back by more than a minute: the times after the present are decided
//     again. Those that have a record, which is each time that ran, stay as they are.
//   - The clock was set forward, the machine slept, or no scheduler was running: missed
//     times are caught up as the schedule says (none, last, all) within its window. The
//     others are skipped.
//   - The journal cannot be written: the watermark stays, and the times are decided
//     again a moment later.
//   - A new schedule starts with the present: it has no missed times.
package scheduler

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"maps"
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
	// maxSleep bounds how long the loop waits: a timer does not count the time that the
	// machine sleeps, and the clock may be set.
	maxSleep = 30 * time.Second
	// retryAfter is the time until a decision that could not be written is tried again.
	retryAfter = time.Second
	// farAhead is how far in the future a watermark may be. When a clock was set back,
	// the schedule waits for this long at most. After that, the ids of runs keep a
	// scheduled time from running twice.
	farAhead = 24 * time.Hour
	// setBack is how far the clock may go back between two ticks before the schedules
	// begin again with the present. Corrections of seconds are usual.
	setBack = time.Minute
)

// An Entry is one schedule of a workflow.
type Entry struct {
	Workflow string
	Schedule string // its id in the workflow: [workflow.Schedule.Key]
	Spec     schedule.Schedule
	CatchUp  workflow.CatchUp
	Data     any // for Start and Skip, such as the plan and the inputs
}

// A Due is a scheduled time that is due.
type Due struct {
	run.Occurrence
	Entry Entry
	Late  time.Duration // how long ago it was due
	// Several says that other scheduled times of the schedule run together with this one.
	// They run one after the other, even if the workflow skips runs that overlap.
	Several bool
}

// A Decision says what happens to a scheduled time, for logs, metrics and alerts.
type Decision struct {
	Due
	Reason string // why it is skipped; empty when it runs
	Count  int    // how many scheduled times share the decision, at least 1
	Err    error  // why the decision could not be written; it is tried again
}

// A Scheduler starts the runs of schedules. Set its fields before the first use. Its
// methods are safe for concurrent use.
type Scheduler struct {
	Journal journal.Journal
	Clock   action.Clock // nil: the clock of the machine
	// Start starts the run of a scheduled time. It returns when the start is durable, or
	// an error; [journal.ErrExists] says that the run was started before. It is called from
	// several goroutines.
	Start func(context.Context, Due) error
	// Skip records that a scheduled time does not run.
	Skip func(ctx context.Context, due Due, reason string) error
	// Observe is called with every decision, from one goroutine. It may be nil.
	Observe func(Decision)
	// Ahead is called with a schedule whose watermark is so far in the future that the
	// clock must have been wrong. The schedule starts again with the present. It may be
	// nil.
	Ahead func(e Entry, watermark time.Time)

	woke    atomic.Pointer[time.Time]
	settled atomic.Pointer[time.Time] // the last tick after which everything due was written

	mu sync.Mutex
	loaded
	wanted *[]Entry      // what could not be loaded yet; nil when nothing waits
	wake   chan struct{} // closed when something changes; nil until the loop waits
}

// loaded are the entries of a scheduler.
type loaded struct {
	known  map[name]*entry
	groups map[string]*group
	heap   groupHeap
	behind []*entry // with due times that could not be written
}

type name struct{ workflow, schedule string }

// An entry is a loaded Entry with its state.
type entry struct {
	Entry
	watermark time.Time
	pause     *journal.Pause
	last      *Decision
}

func (e *entry) name() name { return name{e.Workflow, e.Schedule} }

// state returns what the journal keeps of the entry when its watermark moves.
func (e *entry) state() journal.ScheduleState {
	return journal.ScheduleState{Workflow: e.Workflow, Schedule: e.Schedule, Watermark: e.watermark, Spec: e.Spec.String()}
}

// Replace loads the given entries instead of the loaded ones, as a whole or not at all:
// after an error the loaded entries stay as they are. When the journal was the reason, the
// next [Scheduler.Tick] tries again. Entries that were loaded before keep their state. The
// next Tick catches up what the others missed while no scheduler was running.
func (s *Scheduler) Replace(ctx context.Context, entries []Entry) error {
	names := make(map[name]bool, len(entries))
	for _, e := range entries {
		n := name{e.Workflow, e.Schedule}
		if names[n] {
			return fmt.Errorf("two schedules of the workflow %s are called %q", e.Workflow, e.Schedule)
		}
		names[n] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = &entries
	defer s.wakeUp()
	return s.replace(ctx)
}

// replace loads the wanted entries.
func (s *Scheduler) replace(ctx context.Context) error {
	states, err := s.states(ctx)
	if err != nil {
		return err
	}
	now := s.now()
	if work := s.due(now); len(work) > 0 {
		s.settle(ctx, work, now) // with the entries that were loaded when it became due
	}
	next := loaded{known: make(map[name]*entry, len(*s.wanted)), groups: map[string]*group{}}
	var fresh []journal.ScheduleState
	served := map[string]bool{} // workflows
	for _, given := range *s.wanted {
		e := &entry{Entry: given}
		served[e.Workflow] = true
		state, known := states[e.name()]
		if s.restore(e, state, known, now) {
			fresh = append(fresh, e.state())
		}
		next.join(e, now)
	}
	for n, state := range states {
		if next.known[n] == nil && !state.Retired && (s.known[n] != nil || served[n.workflow]) {
			state.Retired = true
			fresh = append(fresh, state)
		}
	}
	heap.Init(&next.heap)
	if err := s.Journal.SaveSchedules(ctx, fresh); err != nil {
		return err
	}
	s.loaded, s.wanted = next, nil
	return nil
}

// restore gives an entry its state: from the journal, and from the entry of its name that
// is loaded. It reports whether the state is to be saved.
//
// Only times that were scheduled can be missed. So an entry that is new, has other times
// than before, or was taken out and is back begins with the present. It is the same
// whether a scheduler was running at the change or not.
func (s *Scheduler) restore(e *entry, state journal.ScheduleState, known bool, now time.Time) (save bool) {
	e.watermark, e.pause = state.Watermark, state.Pause
	before, spec := s.known[e.name()], e.Spec.String()
	if before != nil {
		e.last, e.watermark = before.last, later(e.watermark, before.watermark)
	}
	fresh := !known || e.watermark.IsZero() || state.Retired || state.Spec != "" && state.Spec != spec
	if fresh {
		e.watermark = later(e.watermark, now)
	}
	ahead := before == nil && e.watermark.Sub(now) > farAhead
	if ahead {
		s.startAgain(e, now)
	}
	return fresh || ahead || state.Spec == "" // an older program saved no text
}

// startAgain lets an entry that has decided times in the future begin with the present: the
// clock was ahead. What ran meanwhile has a record with the id of its time, so it does not
// run again.
func (s *Scheduler) startAgain(e *entry, now time.Time) {
	if s.Ahead != nil {
		s.Ahead(e.Entry, e.watermark)
	}
	e.watermark = now
}

// join adds an entry, also to the group of its cron text and zone. The group starts with
// the present, so the entry alone catches up what it missed.
func (s *loaded) join(e *entry, now time.Time) {
	s.known[e.name()] = e
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

// states returns the states of all schedules in the journal.
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

// Run starts runs until the context ends. It returns nil.
func (s *Scheduler) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		s.sleep(ctx, s.Tick(ctx))
	}
	return nil
}

// sleep waits until a time, until something changes, for maxSleep, or until the context
// ends.
func (s *Scheduler) sleep(ctx context.Context, until time.Time) {
	s.mu.Lock()
	if s.wake == nil {
		s.wake = make(chan struct{})
	}
	changed := s.wake
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
	case <-changed:
	case <-ctx.Done():
	}
}

func (s *Scheduler) wakeUp() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// Tick decides what is due and returns the next scheduled time, or the zero time when
// there is none. Run calls it. A program with its own loop may call it instead.
func (s *Scheduler) Tick(ctx context.Context) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if last := s.LastWake(); last.Sub(now) > setBack {
		s.putRight(ctx, now)
	}
	s.woke.Store(&now)
	if s.wanted != nil {
		_ = s.replace(ctx) // the next tick tries again
	}
	if work := s.due(now); len(work) > 0 {
		s.settle(ctx, work, now)
	}
	if len(s.behind) == 0 && s.wanted == nil {
		s.settled.Store(&now)
	}
	if len(s.heap) > 0 {
		next = s.heap[0].next
	}
	if again := now.Add(retryAfter); (len(s.behind) > 0 || s.wanted != nil) && (next.IsZero() || again.Before(next)) {
		next = again
	}
	return next
}

// putRight makes up for a clock that was ahead and was put right.
func (s *Scheduler) putRight(ctx context.Context, now time.Time) {
	var moved []journal.ScheduleState
	for _, e := range s.sorted() {
		if e.watermark.After(now) {
			s.startAgain(e, now)
			moved = append(moved, e.state())
		}
	}
	for _, g := range s.groups {
		g.next = g.spec.Next(now)
	}
	heap.Init(&s.heap)
	// If this fails, the next scheduler that loads the entries does the same.
	_ = s.Journal.SaveSchedules(ctx, moved)
}

// Watermark returns the time up to which everything that was due is recorded. It does
// not move while the journal cannot be written, and is the zero time before the first
// tick.
func (s *Scheduler) Watermark() time.Time {
	return timeOf(&s.settled)
}

// timeOf reads a time without the lock. The lock is held while the journal is written,
// and a watchdog of the loop must not wait for that.
func timeOf(at *atomic.Pointer[time.Time]) time.Time {
	if t := at.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// LastWake returns the time of the last tick, for a watchdog of the loop.
func (s *Scheduler) LastWake() time.Time {
	return timeOf(&s.woke)
}

// due returns the entries with a scheduled time that is due, each once.
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

// sorted returns the entries by workflow and schedule.
func (s *loaded) sorted() []*entry {
	entries := slices.Collect(maps.Values(s.known))
	sortEntries(entries)
	return entries
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

// A groupHeap has the group with the earliest scheduled time first.
type groupHeap []*group

var _ heap.Interface = (*groupHeap)(nil)

// Len returns the number of groups.
func (h groupHeap) Len() int { return len(h) }

// Less compares the next scheduled times. A group without one comes last.
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
