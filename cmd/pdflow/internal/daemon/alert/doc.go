// Package alert tells PagerDuty what is wrong with the daemon's workflows, so that
// nobody has to watch pdflow, and takes it back when it is over.
//
//   - A [Cause] is what can be wrong with a workflow. Each workflow and cause has one
//     incident at most: its key is always pdflow:WORKFLOW:CAUSE.
//   - [Alerts] hears what happens: a run ended ([Alerts.Ended]), an occurrence was
//     missed ([Alerts.Missed]), a file stopped loading or loads again
//     ([Alerts.Broken], [Alerts.Mended]), or was mended while no daemon looked
//     ([Alerts.OnlyBroken]). None of them waits for anything.
//   - An alert (store.go) is what is known of one key: whether it should be open, and
//     whether PagerDuty has accepted that. Only the newest wish is kept: what is
//     triggered and resolved before anything was sent is never sent.
//   - A [Sender] is PagerDuty's client. [Alerts.Run] (deliver.go) gives it what has not
//     been accepted, and again after a while what it refused, for as long as it takes.
//
// # What is handled
//
// A run that ended as failure or timed_out is handled when its workflow has an
// on_failure, at least one step of it succeeded and none failed: then the workflow
// said itself what there was to say, and a second page would be one too many. It
// neither triggers nor resolves. A run that waits for a person's decision, or ended
// as needs_attention, is never handled. The next run of the workflow that succeeds
// resolves what its runs and schedules had triggered.
//
// # What survives
//
// Which alerts are open, and which are not accepted yet, is in alerts.json in the
// data folder, written before anything is sent. A daemon that was killed resolves what
// the one before it had triggered. What happens between the end of a run and the write
// of the file, a moment later, is not in it when the process dies in between: the next
// daemon finds such runs in the journal ([Alerts.Recalled]).
//
// No alert holds an input, an output or a secret: only names, the run's id, and the
// kind and the redacted message of its failure.
package alert
