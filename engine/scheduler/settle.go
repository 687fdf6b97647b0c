package scheduler

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/schedule"
)

// maxStarts bounds how many runs are started at a time. Their starts share commits of
// the journal.
const maxStarts = 256

// settle decides the due times of entries, writes the decisions, and then moves the
// watermarks. A time whose decision could not be written is decided again.
func (s *Scheduler) settle(ctx context.Context, work []*entry, now time.Time) {
	if !s.refresh(ctx, work) {
		s.behind = work
		return
	}
	all := make([][]Decision, len(work))
	slots := make(chan struct{}, maxStarts)
	var writing sync.WaitGroup
	for i, e := range work {
		all[i] = e.decide(now)
		slots <- struct{}{}
		writing.Go(func() {
			defer func() { <-slots }()
			s.write(ctx, all[i])
		})
	}
	writing.Wait()
	var moved []journal.ScheduleState
	for i, e := range work {
		if !s.note(e, all[i]) {
			s.behind = append(s.behind, e)
		}
		moved = append(moved, e.state())
	}
	// If this fails, the times are decided again after a restart, and their runs exist
	// already.
	_ = s.Journal.SaveSchedules(ctx, moved)
}

// refresh reads the pauses, which another process may have changed.
func (s *Scheduler) refresh(ctx context.Context, work []*entry) bool {
	states, err := s.states(ctx)
	if err != nil {
		return false
	}
	for _, e := range work {
		e.pause = states[e.name()].Pause
	}
	return true
}

// write starts or skips the due times of one entry, in their order. It stops at the
// first decision that cannot be written.
func (s *Scheduler) write(ctx context.Context, decisions []Decision) {
	for i := range decisions {
		d := &decisions[i]
		if d.Reason == "" {
			d.Err = s.Start(ctx, d.Due)
		} else {
			d.Err = s.Skip(ctx, d.Due, d.Reason)
		}
		if errors.Is(d.Err, journal.ErrExists) {
			d.Err = nil
		}
		if d.Err != nil {
			return
		}
	}
}

// note moves the watermark past the decisions that were written, and reports whether
// all of them were.
func (s *Scheduler) note(e *entry, decisions []Decision) bool {
	for i := range decisions {
		d := &decisions[i]
		if s.Observe != nil {
			s.Observe(*d)
		}
		if e.last = d; d.Err != nil {
			return false
		}
		e.watermark = d.At
	}
	return true
}

// A Status is the state of a schedule.
type Status struct {
	Workflow  string
	Schedule  string
	Spec      schedule.Schedule
	Next      time.Time // zero when there is none
	Watermark time.Time
	Pause     *journal.Pause
	Last      *Decision // nil when no time was due yet
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Status returns the state of every schedule, sorted by workflow and schedule.
func (s *Scheduler) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := s.sorted()
	list := make([]Status, len(entries))
	for i, e := range entries {
		list[i] = Status{e.Workflow, e.Schedule, e.Spec, e.Spec.Next(later(s.now(), e.watermark)), e.watermark, e.pause, e.last}
	}
	return list
}
