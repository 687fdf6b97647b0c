package scheduler

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/run"
)

const (
	// maxJudged is how many instants are judged one by one: more than are caught up or
	// get a record each.
	maxJudged = 4 * maxRecords
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
	instants, left, first := e.instants(now)
	if len(instants) == 0 {
		return nil
	}
	decisions := make([]Decision, len(instants))
	for i, at := range instants {
		decisions[i] = Decision{Due: Due{Occurrence: run.Occurrence{Workflow: e.Workflow, Schedule: e.Schedule, At: at}, Entry: e.Entry, Late: now.Sub(at)}, Count: 1}
		decisions[i].Reason = e.reason(at, now)
	}
	if left > 0 { // the first stands for all before it
		decisions[0].Count += left
		decisions[0].Reason = cmp.Or(decisions[0].Reason, Down)
	}
	e.catchUp(decisions)
	return condense(decisions, first)
}

// instants are those after the watermark up to now: the newest of them, how many there
// are before those, and the first of all. After years there may be millions.
func (e *entry) instants(now time.Time) (newest []time.Time, left int, first time.Time) {
	for at := e.Spec.Next(e.watermark); !at.IsZero() && !at.After(now); at = e.Spec.Next(at) {
		if first.IsZero() {
			first = at
		}
		if newest = append(newest, at); len(newest) == 2*maxJudged {
			left += copy(newest, newest[maxJudged:])
			newest = newest[:maxJudged]
		}
	}
	if more := len(newest) - maxJudged; more > 0 {
		left, newest = left+more, newest[more:]
	}
	return newest, left, first
}

// reason is why an instant does not run whatever the others are; empty when it may.
func (e *entry) reason(at, now time.Time) string {
	switch {
	case e.pause.Active(at):
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

// catchUp leaves as many instants to run as the schedule catches up: the newest. When
// they are several, each waits for those before it.
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
	var runs []*Decision
	for i := range decisions {
		if decisions[i].Reason == "" {
			runs = append(runs, &decisions[i])
		}
	}
	for _, d := range runs {
		d.Several = len(runs) > 1
	}
}

// condense lets old instants that are skipped share one record: after a month of
// downtime there may be thousands.
func condense(decisions []Decision, first time.Time) []Decision {
	skipped, instants := 0, 0
	for _, d := range decisions {
		if d.Reason == "" {
			break
		}
		skipped++
		instants += d.Count
	}
	if instants <= maxRecords {
		return decisions
	}
	kept := min(skipped, maxRecords)
	share := &decisions[skipped-kept] // stands for itself and all before
	share.Count = instants - kept + 1
	share.Reason = fmt.Sprintf("%s: %d occurrences from %s to %s", share.Reason, share.Count, first.UTC().Format(time.RFC3339), share.At.UTC().Format(time.RFC3339))
	return decisions[skipped-kept:]
}
