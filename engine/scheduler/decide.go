package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/pdflow/pdflow/engine/run"
)

const (
	// maxJudged is how many missed times get a decision each: more than can be caught up
	// or get a record each.
	maxJudged = 4 * maxRecords
	// onTime is how late a decision may be for a time that was not missed: the loop may
	// wake late, or a tick may take long.
	onTime = 30 * time.Second
	// maxCaughtUp is how many missed times `catch_up: all` runs.
	maxCaughtUp = 10
	// maxRecords is how many skipped times get a record each. The times before them share
	// one record, which has their number.
	maxRecords = 10
	// maxWindow bounds the default window of `catch_up`, which is half the time to the
	// next scheduled time.
	maxWindow = time.Hour
)

// The reasons why a scheduled time is skipped. The record of the run begins with one.
const (
	Down   = "down"   // no scheduler was running, and catch_up does not run the time late
	Window = "window" // the time is too long ago to be caught up
	Paused = "paused" // the schedule was paused
)

// decide returns a decision for each scheduled time of an entry that is due, the oldest
// first.
func (e *entry) decide(now time.Time) []Decision {
	times, left, first := e.dueTimes(now)
	if len(times) == 0 {
		return nil
	}
	decisions := make([]Decision, len(times))
	for i, at := range times {
		decisions[i] = Decision{Due: Due{Occurrence: run.Occurrence{Workflow: e.Workflow, Schedule: e.Schedule, At: at}, Entry: e.Entry, Late: now.Sub(at)}, Count: 1}
		decisions[i].Reason = e.reason(at, now)
	}
	if left > 0 { // the first decision includes all times before it
		decisions[0].Count += left
		decisions[0].Reason = cmp.Or(decisions[0].Reason, Down)
	}
	e.catchUp(decisions)
	return condense(decisions, first)
}

// dueTimes returns the scheduled times after the watermark up to now: the newest of
// them, the number of those left out, and the first of all. After years of downtime
// there may be millions.
func (e *entry) dueTimes(now time.Time) (newest []time.Time, left int, first time.Time) {
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

// reason returns why a scheduled time does not run, without regard to the others. It
// returns "" when the time may run.
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

// window returns how late a missed time may still run.
func (e *entry) window(at time.Time) time.Duration {
	if e.CatchUp.Window > 0 {
		return e.CatchUp.Window
	}
	if next := e.Spec.Next(at); !next.IsZero() {
		return min(maxWindow, next.Sub(at)/2)
	}
	return maxWindow
}

// catchUp keeps the newest times that the schedule catches up, and skips the others.
// When it keeps several, each waits for the times before it.
func (e *entry) catchUp(decisions []Decision) {
	most, runs := 1, 0
	if e.CatchUp.Mode == "all" {
		most = maxCaughtUp
	}
	for i := range slices.Backward(decisions) {
		switch d := &decisions[i]; {
		case d.Reason != "":
		case runs < most:
			runs++
		default:
			d.Reason = Down
		}
	}
	for i := range decisions {
		decisions[i].Several = runs > 1 && decisions[i].Reason == ""
	}
}

// condense makes old skipped times share one record: after a month of downtime there
// may be thousands.
func condense(decisions []Decision, first time.Time) []Decision {
	skipped, times := 0, 0
	for _, d := range decisions {
		if d.Reason == "" {
			break
		}
		skipped++
		times += d.Count
	}
	if times <= maxRecords {
		return decisions
	}
	kept := min(skipped, maxRecords)
	share := &decisions[skipped-kept] // includes all times before
	share.Count = times - kept + 1
	share.Reason = fmt.Sprintf("%s: %d occurrences from %s to %s", share.Reason, share.Count, first.UTC().Format(time.RFC3339), share.At.UTC().Format(time.RFC3339))
	return decisions[skipped-kept:]
}
