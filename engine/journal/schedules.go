package journal

import (
	"time"

	"github.com/pdflow/pdflow/engine/run"
)

// A ScheduleState is what a journal stores of a schedule besides its runs.
type ScheduleState struct {
	Workflow string
	Schedule string
	// Watermark is the time up to which every scheduled time has a run, which may have
	// been skipped.
	Watermark time.Time
	// Spec is the cron text and the zone that the watermark belongs to; empty when an older
	// program saved the state.
	Spec string
	// Retired says that the schedule was taken out of its workflow: until it is back, it
	// has no scheduled times.
	Retired bool
	Pause   *Pause // nil when the schedule is not paused
}

// A Pause keeps a schedule from starting runs.
type Pause struct {
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
	Actor  *run.Actor `json:"actor,omitempty"` // who paused the schedule; nil when unknown
	Until  time.Time  `json:"until,omitzero"`  // zero until the pause is ended
}

// Active reports whether the pause applies at a time. A nil pause never does.
func (p *Pause) Active(at time.Time) bool {
	return p != nil && !at.Before(p.At) && (p.Until.IsZero() || at.Before(p.Until))
}

// clone returns a copy that shares nothing with s.
func (s ScheduleState) clone() ScheduleState {
	if s.Pause != nil {
		s.Pause = new(*s.Pause)
		if s.Pause.Actor != nil {
			s.Pause.Actor = new(*s.Pause.Actor)
		}
	}
	return s
}
