// Package sqlite stores the histories of runs in a SQLite database. It is the journal
// that outlives its process.
//
// # The nouns
//
//   - A [Journal] is an open database, which implements journal.Journal (journal.go).
//     Several processes may have it open.
//   - The layout is a version and the tables (layout.go). A file of another program, or
//     with a newer layout, is refused.
//   - An owner is a process that has the journal open. It keeps a lock file locked as
//     long as it lives, so others can see whether it does. Adopt passes a run from one
//     owner to another (owner.go).
//   - A run is a row of `runs`: its owner, its progress and a checksum (run.go). Every
//     write to a run is guarded by its owner, by its epoch, which counts its owners, and
//     by the number of its last event. An append of an old owner, or with a wrong
//     number, changes nothing.
//   - The place of a run is its number in the order in which ends of runs were recorded.
//     It decides which success is the last one, and what is old (run.go, prune.go).
//   - A record is the row of an event: in `calls` for a call of an attempt, else in
//     `events`. Both tables share the sequence numbers of the run. Every record has a
//     CRC-32C of its columns, which every read checks (record.go).
//   - Shared rows hold what many runs have in common: the name and realm of a workflow,
//     a plan with its files, and an origin, which is the part of run.started that many
//     runs share (shared.go).
//   - The writer is the goroutine that commits. Changes that wait at the same time, of
//     any runs, share a transaction and so one flush (writer.go).
//   - A [Damage] is a row that is not as it was recorded (verify.go).
//
// # The other files
//
// append.go adds runs and events, and refuses a run while its concurrency group is busy.
// read.go reads and lists runs, cancel.go stores requests to cancel, schedules.go stores
// the states of schedules, and names.go the file that each workflow name belongs to. verify.go finds damage, and prune.go deletes old runs.
// errors.go turns errors of SQLite into messages for people.
//
// # What is durable when
//
// The database is in WAL mode with synchronous=FULL. Once Begin or Append returns nil,
// the events survive a crash of the process and a loss of power. When the disk fails,
// either all events of the call are stored or none. The process that resumes the run
// reads which.
//
// docs/decisions/0006-sqlite.md says why this database, this driver and this layout.
package sqlite
