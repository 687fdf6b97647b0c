// Package sqlite keeps runs in a SQLite database: the journal that outlives its
// process.
//
// # The nouns
//
//   - A [Journal] is an open database, engine.Journal in one file. It is also an
//     owner: it holds a lock file for as long as its process lives, and the runs
//     that it begins are its own (owner.go).
//   - A run is a row of `runs`, with its owner and the number of its last event.
//     Every write is guarded by both, in its transaction: what a stale owner
//     appends, or what does not follow, is refused (append.go).
//   - The events of a run are rows of `events`, and those of its calls rows of
//     `calls`; they share one numbering. Each has a CRC-32C over all that it says
//     (record.go), checked whenever it is read.
//   - What many runs have in common, the workflow and its texts, stands once in
//     `origins` and `sources`.
//   - The writer is the one goroutine that commits. It takes what waits, from
//     however many runs, into one transaction (writer.go).
//
// The database is in WAL mode with synchronous=FULL: what was committed survives
// a loss of power. docs/decisions/0006 says why this database, driver and layout.
package sqlite
