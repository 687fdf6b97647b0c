package journal

import (
	"time"

	"github.com/pdflow/pdflow/engine/run"
)

// A ScheduleState is what is known of a schedule beside its runs.
type ScheduleState struct {
	Workflow string
	Schedule string
	// Watermark is the last instant up to which every occurrence is a run, or a run
	// that was skipped.
	Watermark time.Time
	Pause     *Pause // nil: it is not paused
}

// A Pause keeps a schedule from beginning runs.
type Pause struct {
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
	Actor  *run.Actor `json:"actor,omitempty"` // who paused it; nil when unknown
	Until  time.Time  `json:"until,omitzero"`  // zero: until somebody resumes it
}

// Active reports whether the pause holds at a time.
func (p *Pause) Active(at time.Time) bool {
	return p != nil && !at.Before(p.At) && (p.Until.IsZero() || at.Before(p.Until))
}

// clone shares nothing with the state.
func (s ScheduleState) clone() ScheduleState {
	if s.Pause != nil {
		pause := *s.Pause
		s.Pause = &pause
	}
	return s
}
