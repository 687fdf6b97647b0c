package telemetry

import "strings"

// The words for why a run or a scheduled time was skipped.
const (
	Overlap   = "overlap"    // a run of the concurrency group is running
	QueueFull = "queue_full" // the queue of the concurrency group is full
	Down      = "down"       // no scheduler was running when it was due
	Window    = "window"     // it is too long ago to be caught up
	Paused    = "paused"     // the schedule is paused
	CannotRun = "cannot_run" // something that the workflow needs is missing
)

// words are all words for reasons.
var words = []string{Overlap, QueueFull, Down, Window, Paused, CannotRun}

// reasons map the beginning of the reason of a run.skipped event, without "skipped: ",
// to its word.
var reasons = []struct{ beginning, word string }{
	{"down", Down},
	{"window", Window},
	{"paused", Paused},
	{"overlap", Overlap},
	{"queue_full", QueueFull},
	{"it cannot run", CannotRun},
}

// SkipReason returns the word for the reason of a run.skipped event or of a decision of
// the scheduler. Every other text is about a busy concurrency group: overlap or
// queue_full.
func SkipReason(text string) string {
	text = strings.TrimPrefix(text, "skipped: ")
	for _, r := range reasons {
		if strings.HasPrefix(text, r.beginning) {
			return r.word
		}
	}
	if strings.Contains(text, " runs wait already") {
		return QueueFull
	}
	return Overlap
}

// schedulers reports whether the reason comes from a scheduler. [Metrics.Decided] counts
// such skips, so the event of the run is not counted again.
func schedulers(reason string) bool { return reason == Down || reason == Window || reason == Paused }
