// Package sqlite keeps runs in a SQLite database: the journal that outlives its
// process.
//
// # The nouns
//
//   - A [Journal] is an open database, engine.Journal in one file (journal.go).
//     Several processes may have it open.
//   - The layout is a version, tables and what makes them (layout.go). A file of
//     another program, or of a newer pdflow, is refused.
//   - An owner is a process that has the journal open. It holds a lock file for as
//     long as it lives: that is how others know (owner.go).
//   - A run is a row of `runs`: whose it is, how far it came, and a checksum
//     (run.go). Every write to a run is guarded by its owner, by its epoch, which
//     counts the owners that it had, and by the number of its last event: what a
//     stale owner appends, or what does not follow, changes nothing.
//   - A record is a row of `events`, or of `calls` when it is about a call of an
//     attempt. They share one numbering. Each has a CRC-32C over all that it says,
//     which every read checks (record.go).
//   - What many runs have in common stands once: the name and realm of their
//     workflow, the plan with its files, and the origin, which is what their
//     run.started has in common (shared.go).
//   - The writer is the goroutine that commits. What waits at the same time, of
//     however many runs, shares a transaction, and so one flush (writer.go).
//
// # Who does what
//
// append.go adds runs and events, adopt.go passes runs from one owner to another,
// group.go knows which runs are in the way of another; read.go reads a run and
// list.go finds runs; verify.go looks for damage and prune.go deletes what is old.
// fault.go turns errors of SQLite into sentences.
//
// # What is durable when
//
// The database is in WAL mode with synchronous=FULL: what Begin or Append returned
// nil for survives a crash of the process and a loss of power. What they returned
// an error of the disk for is either there as a whole or not at all, and whoever
// goes on with the run reads which.
//
// docs/decisions/0006-sqlite.md says why this database, driver and layout.
package sqlite
