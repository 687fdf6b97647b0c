// Package telemetry reports to operators what runs and schedules do: as Prometheus
// metrics, and as log lines.
//
//   - [Metrics] has all metrics in a registry of its own. [Metrics.Handler] serves
//     them. [Metrics.Run] observes one run, [Metrics.Decided] counts the decisions of a
//     scheduler, and [Metrics.Load] sets which workflows exist.
//   - [Log] writes lines with log/slog, as text or JSON, depending on its handler.
//     [Log.Run] observes one run.
//   - [SkipReason] returns one of a few words that say why a run was skipped.
//
// # Privacy
//
// No label and no line contains an input or an output. The log shows the message of a
// failure, as redacted by the engine; metrics do not.
//
// # The number of series
//
// The values of labels are known beforehand: the loaded workflows, the actions, and
// the engine's statuses, kinds and reasons. A run of a workflow that is not loaded
// counts as "other". When a workflow is unloaded, its series are deleted.
package telemetry
