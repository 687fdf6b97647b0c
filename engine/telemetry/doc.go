// Package telemetry shows operators what runs and schedules do: as Prometheus metrics,
// and as lines of a log.
//
//   - [Metrics] has all numbers in a registry of its own, which [Metrics.Handler]
//     serves. [Metrics.Run] observes one run, [Metrics.Decided] counts a decision of a
//     scheduler, and [Metrics.Load] sets the loaded workflows.
//   - [Log] writes lines with log/slog, as text or as JSON. [Log.Run] observes one run.
//   - [SkipReason] returns the word, of a small set, for why a run was skipped.
//
// # What is never shown
//
// No label and no line contains inputs or outputs. The log has the message of a failure
// as the engine has redacted it; the metrics do not have it.
//
// # How many series there are
//
// The values of labels are known beforehand: the loaded workflows, the actions of the
// catalogue, and the statuses, kinds and reasons of the engine. A run of a workflow that
// is not loaded counts as "other". The series of a workflow are deleted when it is
// unloaded.
package telemetry
