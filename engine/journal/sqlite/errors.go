package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrClosed says that the journal was closed before.
var ErrClosed = errors.New("the journal is closed")

// A refusal is an answer to what was asked, not a failure of the database.
type refusal struct{ error }

// Unwrap returns the answer.
func (r refusal) Unwrap() error { return r.error }

// explain names the file in an error of the database, and says what to try. A
// refusal is passed on as it is.
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
	var damage Damage
	switch {
	case errors.As(err, &typed):
		hint = hints[typed.Code()&0xff]
	case errors.As(err, &damage):
		hint = hints[sqlite3.SQLITE_CORRUPT]
	}
	return fmt.Errorf("%s: %w%s", j.file, err, hint)
}

// hints say what to try about the errors of SQLite that people meet.
var hints = map[int]string{
	sqlite3.SQLITE_FULL:     "; make room on its disk: nothing that was recorded is lost",
	sqlite3.SQLITE_IOERR:    "; look at its disk: nothing that was recorded is lost",
	sqlite3.SQLITE_READONLY: "; it cannot be written: look at the rights of the file and of its folder",
	sqlite3.SQLITE_CANTOPEN: "; look at the rights of the file and of its folder",
	sqlite3.SQLITE_PERM:     "; look at the rights of the file and of its folder",
	sqlite3.SQLITE_NOTADB:   "; it is no journal, or its beginning is damaged: use another folder, or restore a copy",
	sqlite3.SQLITE_CORRUPT:  "; it is damaged: `pdflow runs verify` says what, and a copy may be restored",
	sqlite3.SQLITE_BUSY:     "; another process has been writing to it for very long: try again when that is done",
}

// corrupt reports whether SQLite says that the file is damaged.
func corrupt(err error) bool {
	var typed *sqlite.Error
	return errors.As(err, &typed) && (typed.Code()&0xff == sqlite3.SQLITE_CORRUPT || typed.Code()&0xff == sqlite3.SQLITE_NOTADB)
}
