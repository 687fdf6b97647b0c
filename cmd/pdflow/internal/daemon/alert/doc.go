// Package alert opens a PagerDuty incident when something is wrong with a workflow of
// the daemon, and resolves the incident when it is over.
//
//   - A [Cause] is what can be wrong with a workflow. Each workflow and cause has at
//     most one incident, with the key pdflow:WORKFLOW:CAUSE. Each broken file has one of
//     its own, with the key pdflow:WORKFLOW:broken_file:FILE.
//   - [Alerts] receives what happens: a run ended ([Alerts.Ended]), a scheduled time was
//     missed ([Alerts.Missed]), a file stopped loading or loads again
//     ([Alerts.Broken], [Alerts.Mended]), or loads again since the last daemon
//     ([Alerts.OnlyBroken]). None of these methods waits.
//   - An alert (store.go) is the state of one key: whether its incident should be open,
//     and whether PagerDuty has accepted that. Only the newest wish is kept: an alert
//     that is resolved before it was sent is never sent.
//   - A [Sender] is the client of PagerDuty. [Alerts.Run] (deliver.go) sends the alerts
//     that PagerDuty has not accepted. It repeats a failed one, with longer and longer
//     pauses, until PagerDuty accepts it.
//
// # Handled failures
//
// A run that ended as failure or timed_out is handled if its workflow has an
// on_failure, at least one of its steps succeeded and none failed: the workflow has
// then reported the failure itself. A handled run neither triggers nor resolves an
// alert. A run that waits for a decision, or that ended as needs_attention, is never
// handled. The next run of the workflow that succeeds resolves the alerts of its runs
// and schedules.
//
// # Restarts
//
// The file alerts.json in the data folder has the open alerts and the alerts that are
// not accepted yet. It is written before anything is sent. So a daemon resolves the
// alerts of the daemon before it, even if that one was killed. If a daemon is killed
// after the end of a run and before it writes the file, the next daemon finds the run in
// the journal ([Alerts.Recalled]).
//
// No alert contains an input, an output or a secret. It contains names, the id of the
// run, and the kind and the redacted message of its failure.
package alert
