package scheduler

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine"
)

const (
	// onTime is how late an instant may be judged without having been missed: a wake
	// that was late, or a tick that took long.
	onTime = 30 * time.Second
	// maxCaughtUp is how many missed instants catch_up: all runs.
	maxCaughtUp = 10
	// maxRecords is how many skipped instants get a record each; those before share
	// one, which says how many they were.
	maxRecords = 10
	// maxWindow bounds the default window of catch_up; half the period does too.
	maxWindow = time.Hour
)

// The reasons why an instant is skipped, as its record begins.
const (
	Down   = "down"   // nothing ran when it was due, and catch_up leaves it out
	Window = "window" // it is too long ago to be caught up
	Paused = "paused"
)

// decide judges the instants of an entry that are due, the oldest first.
func (e *entry) decide(now time.Time) []Decision {
	instants := e.instants(now)
	if len(instants) == 0 {
		return nil
	}
	decisions := make([]Decision, len(instants))
	for i, at := range instants {
		decisions[i] = Decision{Due: Due{engine.Occurrence{Workflow: e.Workflow, Schedule: e.Schedule, At: at}, e.Entry, now.Sub(at)}, Count: 1}
		decisions[i].Reason = e.reason(at, now)
	}
	e.catchUp(decisions)
	return condense(decisions)
}

// instants are those after the watermark up to now.
func (e *entry) instants(now time.Time) []time.Time {
	var all []time.Time
	for at := e.Spec.Next(e.watermark); !at.IsZero() && !at.After(now); at = e.Spec.Next(at) {
		all = append(all, at)
	}
	return all
}

// reason is why an instant does not run whatever the others are; empty when it may.
func (e *entry) reason(at, now time.Time) string {
	switch {
	case e.pause.Active(now):
		return Paused
	case now.Sub(at) <= onTime:
		return ""
	case e.CatchUp.Mode == "none":
		return Down
	case now.Sub(at) > e.window(at):
		return Window
	}
	return ""
}

// window is how late a missed instant may still run.
func (e *entry) window(at time.Time) time.Duration {
	if e.CatchUp.Window > 0 {
		return e.CatchUp.Window
	}
	if next := e.Spec.Next(at); !next.IsZero() {
		return min(maxWindow, next.Sub(at)/2)
	}
	return maxWindow
}

// catchUp leaves as many instants to run as the schedule catches up: the newest.
func (e *entry) catchUp(decisions []Decision) {
	most := 1
	if e.CatchUp.Mode == "all" {
		most = maxCaughtUp
	}
	for i := len(decisions) - 1; i >= 0; i-- {
		d := &decisions[i]
		switch {
		case d.Reason != "":
		case most > 0:
			most--
		default:
			d.Reason = Down
		}
	}
}

// condense lets old instants that are skipped share one record: after a month of
// downtime there may be thousands.
func condense(decisions []Decision) []Decision {
	skipped := 0
	for _, d := range decisions {
		if d.Reason == "" {
			break
		}
		skipped++
	}
	if skipped <= maxRecords {
		return decisions
	}
	share := &decisions[skipped-maxRecords] // stands for itself and all before
	share.Count = skipped - maxRecords + 1
	first := decisions[0].At
	share.Reason = fmt.Sprintf("%s: %d occurrences from %s to %s", share.Reason, share.Count, first.UTC().Format(time.RFC3339), share.At.UTC().Format(time.RFC3339))
	return decisions[skipped-maxRecords:]
}
