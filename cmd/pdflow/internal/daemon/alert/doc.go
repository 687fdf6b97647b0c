// Package alert opens incidents in PagerDuty about the workflows of the daemon, and resolves them when
// the problem is over.
//
//   - A [Cause] is what can be wrong with a workflow. Each workflow and cause has one
//     incident at most: its key is always pdflow:WORKFLOW:CAUSE.
//   - [Alerts] has a method for everything that can happen: a run ended ([Alerts.Ended]), no run
//     started at a scheduled time ([Alerts.Missed]), a file stopped loading or loads again
//     ([Alerts.Broken], [Alerts.Mended]), or was fixed while no daemon was running
//     ([Alerts.OnlyBroken]). None of these methods waits.
//   - An alert (store.go) is the state of one key: whether its incident should be open (the wish), and
//     whether PagerDuty has accepted that. Only the newest wish is kept. An alert that is triggered and
//     resolved before it was sent is never sent.
//   - A [Sender] is the client of PagerDuty. [Alerts.Run] (deliver.go) sends every wish until PagerDuty
//     accepts it.
//
// # What is handled
//
// A run that ended as failure or timed_out is handled if its workflow has an on_failure, at least one
// step of it succeeded and none failed. Then the workflow has already reported its failure, so the run
// neither triggers nor resolves an alert. A run that waits for a decision, or ended as needs_attention,
// is never handled. The next successful run of the workflow resolves the alerts of its runs and
// schedules.
//
// # What survives
//
// The file alerts.json in the data folder has the open alerts and the alerts that are not accepted yet.
// It is written before anything is sent, so the next daemon can resolve the alerts of a daemon that was
// killed. If the process dies between the end of a run and the write of the file, the alert is missing;
// the next daemon finds such runs in the journal ([Alerts.Recalled]).
//
// No alert contains an input, an output or a secret: only names, the id of the run, and the kind and the
// redacted message of its failure.
package alert
