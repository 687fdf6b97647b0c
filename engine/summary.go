package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What follows is what every journal does alike.

// Follow refuses events that do not continue a run after its event last.
func Follow(run string, last int, events []Event) error {
	for i, e := range events {
		switch {
		case e.Run != run:
			return fmt.Errorf("the event %d is of the run %q, and cannot be recorded for %q", e.Sequence, e.Run, run)
		case e.Sequence != last+1+i:
			return ErrSequence
		}
	}
	return nil
}

// Starts reports whether events make a run of a concurrency group busy.
func Starts(events []Event) bool {
	return slices.ContainsFunc(events, func(e Event) bool { return e.Kind == RunStarted })
}

var _ Observer = (*RunSummary)(nil)

// Observe takes the next event of the run. The status is then that of a run whose
// owner lives; see SetLive.
func (s *RunSummary) Observe(e Event) {
	if s.Events++; s.Events == 1 {
		s.BegunAt = e.Time.UTC()
	}
	if e.Started != nil {
		s.Simulated = e.Started.Target.Simulator != ""
	}
	switch e.Kind {
	case RunQueued:
		s.Status, s.EndedAt = Queued, time.Time{}
	case RunResumed:
		if s.Status != Queued { // it goes on waiting
			s.Status, s.EndedAt = Running, time.Time{}
		}
	case RunStarted, RunRetried:
		s.Status, s.EndedAt = Running, time.Time{}
	case RunSuspended:
		s.Status, s.EndedAt = NeedsAttention, time.Time{}
	case RunSkipped:
		s.Status, s.EndedAt = Skipped, e.Time.UTC()
	case RunFinished:
		s.Status, s.EndedAt = e.Status, e.Time.UTC()
	}
}

// SetLive says whether the owner lives. A run that is under way without one is
// interrupted.
func (s *RunSummary) SetLive(live bool) {
	s.Live = live
	if !live && s.UnderWay() {
		s.Status = Interrupted
	}
}

// UnderWay reports whether the run has begun and has neither ended nor stopped to
// wait for a person.
func (s *RunSummary) UnderWay() bool { return s.Status == Running || s.Status == Queued }

// Matches reports whether the query chooses a run; its limit is the caller's.
func (q RunQuery) Matches(s RunSummary) bool {
	return strings.HasPrefix(s.Run, q.Run) &&
		(q.Workflow == "" || q.Workflow == s.Workflow) &&
		(q.Trigger == "" || q.Trigger == s.Trigger) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, s.Status)) &&
		!s.BegunAt.Before(q.Since)
}
