package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrClosed is the error of a call on a closed journal.
var ErrClosed = errors.New("the journal is closed")

// A refusal is an error of the request, such as journal.ErrNoRun. The database works.
type refusal struct{ error }

// Unwrap returns the error of package journal.
func (r refusal) Unwrap() error { return r.error }

// explain adds the name of the file and what to try to an error of the database. It
// returns the error in a refusal as it is.
func (j *Journal) explain(err error) error {
	var refused refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused.error
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrClosed):
		return err
	}
	hint := ""
	var typed *sqlite.Error
	if errors.As(err, &typed) {
		hint = hints[typed.Code()&0xff]
	} else if Damaged(err) {
		hint = hints[sqlite3.SQLITE_CORRUPT]
	}
	return fmt.Errorf("%s: %w%s", j.file, err, hint)
}

// hints say what to try, by the primary result code of SQLite.
var hints = map[int]string{
	sqlite3.SQLITE_FULL:     "; make room on its disk: no recorded event is lost",
	sqlite3.SQLITE_IOERR:    "; check its disk: no recorded event is lost",
	sqlite3.SQLITE_READONLY: "; it cannot be written: check the permissions of the file and its folder",
	sqlite3.SQLITE_CANTOPEN: "; check the permissions of the file and its folder",
	sqlite3.SQLITE_PERM:     "; check the permissions of the file and its folder",
	sqlite3.SQLITE_NOTADB:   "; it is not a journal, or its header is damaged: use another folder, or restore a copy",
	sqlite3.SQLITE_CORRUPT:  "; it is damaged: undamaged runs can still be read, or restore a copy",
	sqlite3.SQLITE_BUSY:     "; another process has been writing to it for too long: try again when it has finished",
}

// Damaged reports whether an error says that the database is damaged.
func Damaged(err error) bool {
	var damage Damage
	return errors.As(err, &damage) || corrupt(err)
}

// corrupt reports whether SQLite found the file to be damaged.
func corrupt(err error) bool {
	var typed *sqlite.Error
	return errors.As(err, &typed) && (typed.Code()&0xff == sqlite3.SQLITE_CORRUPT || typed.Code()&0xff == sqlite3.SQLITE_NOTADB)
}
