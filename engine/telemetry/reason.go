package telemetry

import "strings"

// The words for why a run or an occurrence was skipped.
const (
	Overlap   = "overlap"    // a run of its concurrency group is under way
	QueueFull = "queue_full" // as many as may wait already do
	Down      = "down"       // nothing ran when it was due
	Window    = "window"     // it is too long ago to be caught up
	Paused    = "paused"     // its schedule is paused
	CannotRun = "cannot_run" // something that it needs is missing
)

// words are all of them.
var words = []string{Overlap, QueueFull, Down, Window, Paused, CannotRun}

// reasons are how the texts of run.skipped begin, without the "skipped: " before them.
var reasons = []struct{ beginning, word string }{
	{"down", Down},
	{"window", Window},
	{"paused", Paused},
	{"overlap", Overlap},
	{"queue_full", QueueFull},
	{"it cannot run", CannotRun},
}

// SkipReason returns the word for the reason of a run.skipped, or of a scheduler's
// decision. What the engine says of a busy group is overlap or queue_full.
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

// schedulers reports whether a scheduler decided so, which [Metrics.Decided] hears
// with the number of instants; the event of such a record is not counted again.
func schedulers(reason string) bool { return reason == Down || reason == Window || reason == Paused }
