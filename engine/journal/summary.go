package journal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/run"
)

// What follows is what every journal does alike.

// Follow refuses events that do not continue a run after its event last.
func Follow(run string, last int, events []run.Event) error {
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
func Starts(events []run.Event) bool {
	return slices.ContainsFunc(events, func(e run.Event) bool { return e.Kind == run.EventStarted })
}

var _ run.Observer = (*Summary)(nil)

// Observe takes the next event of the run. The status is then that of a run whose
// owner lives; see SetLive.
func (s *Summary) Observe(e run.Event) {
	if s.Events++; s.Events == 1 {
		s.BegunAt = e.Time.UTC()
	}
	if e.Started != nil {
		s.Simulated = e.Started.Target.Simulator != ""
	}
	switch e.Kind {
	case run.EventQueued:
		s.Status, s.EndedAt = run.Queued, time.Time{}
	case run.EventResumed:
		if s.Status != run.Queued { // it goes on waiting
			s.Status, s.EndedAt = run.Running, time.Time{}
		}
	case run.EventStarted, run.EventRetried:
		s.Status, s.EndedAt = run.Running, time.Time{}
	case run.EventSuspended:
		s.Status, s.EndedAt = run.NeedsAttention, time.Time{}
	case run.EventSkipped:
		s.Status, s.EndedAt = run.Skipped, e.Time.UTC()
	case run.EventFinished:
		s.Status, s.EndedAt = e.Status, e.Time.UTC()
	}
}

// SetLive says whether the owner lives. A run that is under way without one is
// interrupted.
func (s *Summary) SetLive(live bool) {
	s.Live = live
	if !live && s.UnderWay() {
		s.Status = run.Interrupted
	}
}

// UnderWay reports whether the run has begun and has neither ended nor stopped to
// wait for a person.
func (s *Summary) UnderWay() bool { return s.Status == run.Running || s.Status == run.Queued }

// Matches reports whether the query chooses a run; its limit is the caller's.
func (q Query) Matches(s Summary) bool {
	return strings.HasPrefix(s.Run, q.Run) &&
		(q.Workflow == "" || q.Workflow == s.Workflow) &&
		(q.Trigger == "" || q.Trigger == s.Trigger) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, s.Status)) &&
		!s.BegunAt.Before(q.Since)
}
