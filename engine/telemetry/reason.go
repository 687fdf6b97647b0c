package telemetry

import "strings"

// The reasons why a run or a scheduled time was skipped.
const (
	Overlap   = "overlap"    // another run of its concurrency group is running
	QueueFull = "queue_full" // the queue of its concurrency group is full
	Down      = "down"       // no daemon was running when it was due
	Window    = "window"     // it was due too long ago to be caught up
	Paused    = "paused"     // its schedule is paused
	CannotRun = "cannot_run" // the run needs something that is missing
)

// skipReasons are all reasons.
var skipReasons = []string{Overlap, QueueFull, Down, Window, Paused, CannotRun}

// SkipReason returns the reason of a run.skipped event or of a scheduler's decision, from
// its text. The engine's texts about a busy concurrency group mean overlap or queue_full.
func SkipReason(text string) string {
	text = strings.TrimPrefix(text, "skipped: ")
	for _, reason := range skipReasons {
		if strings.HasPrefix(text, reason) {
			return reason
		}
	}
	switch {
	case strings.HasPrefix(text, "it cannot run"):
		return CannotRun
	case strings.Contains(text, " runs wait already"):
		return QueueFull
	}
	return Overlap
}

// bySchedule reports whether a scheduler skips for the reason. [Metrics.Decided] has then
// counted the scheduled times, so the event is not counted again.
func bySchedule(reason string) bool { return reason == Down || reason == Window || reason == Paused }
