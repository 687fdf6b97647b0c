package journal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/run"
)

// Follow returns an error unless the events continue a run whose last event has the
// sequence number last.
func Follow(id string, last int, events []run.Event) error {
	for i, e := range events {
		switch {
		case e.Run != id:
			return fmt.Errorf("event %d belongs to run %q and cannot be recorded for run %q", e.Sequence, e.Run, id)
		case e.Sequence != last+1+i:
			return ErrSequence
		}
	}
	return nil
}

// Claims reports whether events make a run that is not queued run, so that it needs its
// concurrency group. A run that is resumed only to be cancelled does not wait for it.
func Claims(events []run.Event) bool {
	claims := false
	for _, e := range events {
		switch e.Kind {
		case run.EventStarted, run.EventResumed, run.EventRetried:
			claims = true
		case run.EventCancelled:
			return false
		}
	}
	return claims
}

var _ run.Observer = (*Summary)(nil)

// Observe updates the summary with the next event of the run, as if the owner lives; see
// [Summary.SetLive].
func (s *Summary) Observe(e run.Event) {
	if s.Events++; s.Events == 1 {
		s.StartedAt = e.Time.UTC()
	}
	if e.Started != nil {
		s.Simulated = e.Started.Target.Simulation != ""
	}
	switch e.Kind {
	case run.EventQueued:
		s.Status, s.EndedAt = run.Queued, time.Time{}
	case run.EventResumed:
		if s.Status != run.Queued { // a queued run continues to wait
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

// Adopted records that another process took the run over and has not resumed it yet.
func (s *Summary) Adopted() {
	if s.Status == run.Running {
		s.Status = run.Interrupted
	}
}

// SetLive sets whether the owner lives. A running or queued run without a living owner
// is interrupted. owned is false when its last owner gave it up.
func (s *Summary) SetLive(live, owned bool) {
	s.Live, s.Died = live, owned && !live && s.EndedAt.IsZero() && s.Status != run.NeedsAttention
	if !live && s.Active() {
		s.Status = run.Interrupted
	}
}

// Active reports whether the run is running or queued.
func (s *Summary) Active() bool { return s.Status == run.Running || s.Status == run.Queued }

// Matches reports whether the query selects a run. It ignores After and Limit.
func (q Query) Matches(s Summary) bool {
	return strings.HasPrefix(s.Run, q.Run) &&
		(q.Workflow == "" || q.Workflow == s.Workflow) &&
		(q.Trigger == "" || q.Trigger == s.Trigger) &&
		(len(q.Statuses) == 0 || slices.Contains(q.Statuses, s.Status)) &&
		!s.StartedAt.Before(q.Since)
}
