// Package telemetry shows what runs and schedules do to those who operate them: as
// metrics of Prometheus, and as lines of a log.
//
//   - [Metrics] has all numbers in a registry of its own; [Metrics.Handler] serves
//     them. [Metrics.Run] observes one run, [Metrics.Decided] hears what a scheduler
//     decided, and [Metrics.Load] says which workflows there are.
//   - [Log] writes lines with log/slog, as text or JSON as its handler does.
//     [Log.Run] observes one run.
//   - [SkipReason] is the one word, of a small set, for why something was skipped.
//
// # What never shows
//
// Inputs and outputs: no label and no line has one. The message of a failure shows in
// the log, as the engine has redacted it; it does not in metrics.
//
// # How many series there are
//
// Labels take their values from what is known beforehand: the loaded workflows, the
// actions that exist, and the engine's statuses, kinds and reasons. A run of a
// workflow that is not loaded (any more) counts as "other", and the series of
// a workflow go when it does.
package telemetry
