package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pdflow/pdflow/engine"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// FileName is the name of the database in its folder.
const FileName = "journal.db"

// The format of the file: who made it, and in which layout.
const (
	applicationID = 0x70646c77 // "pdlw"
	version       = 1
)

// A Config says where a journal is. Only Dir is needed.
type Config struct {
	// Dir is the folder of the database. It is made when it is not there.
	Dir string
}

// A Journal is an open journal. It is safe for concurrent use.
type Journal struct {
	file   string
	db     *sql.DB
	owner  *owner
	writer *writer
}

var _ engine.Journal = (*Journal)(nil)

// Open opens the journal of a folder, and makes it when there is none. Its errors
// name the file and say what to try.
func Open(c Config) (*Journal, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be made: %w", c.Dir, err)
	}
	j := &Journal{file: filepath.Join(c.Dir, FileName)}
	if err := j.create(); err != nil {
		return nil, err
	}
	var err error
	if j.db, err = sql.Open("sqlite", j.source()); err != nil {
		return nil, j.explain(err)
	}
	if err = j.prepare(context.Background()); err == nil {
		j.owner, err = newOwner(c.Dir)
	}
	if err == nil {
		j.writer, err = newWriter(j)
	}
	if err != nil {
		return nil, errors.Join(err, j.db.Close(), j.owner.close())
	}
	return j, nil
}

// create makes an empty file that nobody else may read: SQLite gives its mode to
// the files beside it.
func (j *Journal) create() error {
	f, err := os.OpenFile(j.file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%s cannot be opened for writing: %w", j.file, err)
	}
	return f.Close()
}

// source is the file with the settings of every connection. A writer that finds
// another one waits for it, since processes share the file.
func (j *Journal) source() string {
	settings := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(4194304)",
	}, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(j.file), RawQuery: settings.Encode()}).String()
}

// prepare makes the tables of an empty file, and refuses a file that is not ours
// or newer.
func (j *Journal) prepare(ctx context.Context) error {
	var application, found int
	if err := j.db.QueryRowContext(ctx, "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)").Scan(&application, &found); err != nil {
		return j.explain(err)
	}
	switch {
	case application == applicationID && found == version:
		return nil
	case application == applicationID:
		return fmt.Errorf("%s has the format %d, this pdflow knows %d: use the pdflow that made it, or another folder", j.file, found, version)
	}
	return j.explain(j.makeTables(ctx))
}

func (j *Journal) makeTables(ctx context.Context) error {
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var tables, application int
	if err := tx.QueryRowContext(ctx, "SELECT count(*), (SELECT application_id FROM pragma_application_id) FROM sqlite_master").Scan(&tables, &application); err != nil {
		return err
	}
	if tables > 0 && application != applicationID {
		return errNotOurs
	}
	if tables == 0 { // else another process was first
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
	}
	return tx.Commit()
}

var errNotOurs = errors.New("it is a database of another program")

// The layout. Times are nanoseconds since 1970 in UTC.
var schema = fmt.Sprintf(`
PRAGMA application_id = %d;
PRAGMA user_version = %d;
CREATE TABLE owners (
	owner INTEGER PRIMARY KEY,
	name  TEXT NOT NULL UNIQUE            -- of its lock file; never used again, so it is the epoch too
);
CREATE TABLE sources (
	hash TEXT PRIMARY KEY,                -- SHA-256
	text BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE origins (
	origin   INTEGER PRIMARY KEY,
	workflow TEXT NOT NULL,
	realm    TEXT NOT NULL,
	cause    TEXT NOT NULL,               -- the kind of trigger
	files    TEXT NOT NULL,               -- [[name, hash of its text], ...]
	UNIQUE (workflow, realm, cause, files)
);
CREATE TABLE runs (
	run       INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	origin    INTEGER NOT NULL REFERENCES origins,
	pool      TEXT,                       -- its concurrency group
	owner     INTEGER,                    -- null when it was given up
	sequence  INTEGER NOT NULL,           -- of its last event
	state     TEXT NOT NULL,              -- queued, running, or how it ended
	cancel    INTEGER NOT NULL DEFAULT 0, -- somebody asked for it
	begun     INTEGER NOT NULL,
	ended     INTEGER                     -- null while it can go on by itself
);
CREATE INDEX runs_by_begin ON runs (begun);
CREATE INDEX runs_of_pools ON runs (pool) WHERE pool IS NOT NULL AND ended IS NULL;
CREATE INDEX runs_by_origin ON runs (origin, ended) WHERE state = 'success';
CREATE TABLE events (
	run      INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	sequence INTEGER NOT NULL,
	kind     INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	data     BLOB NOT NULL,
	crc      INTEGER NOT NULL,
	PRIMARY KEY (run, sequence)
) WITHOUT ROWID;
CREATE TABLE calls (
	run      INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	sequence INTEGER NOT NULL,
	kind     INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	data     BLOB NOT NULL,
	crc      INTEGER NOT NULL,
	PRIMARY KEY (run, sequence)
) WITHOUT ROWID;
`, applicationID, version)

// Close commits what waits, and gives the runs of this journal up.
func (j *Journal) Close() error {
	j.writer.close()
	return errors.Join(j.explain(j.db.Close()), j.owner.close())
}

// explain names the file in an error of the database, and says what to try.
func (j *Journal) explain(err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	var typed *sqlite.Error
	if errors.As(err, &typed) {
		hint = hints[typed.Code()&0xff]
	}
	if errors.Is(err, errNotOurs) {
		hint = "; use another folder"
	}
	return fmt.Errorf("%s: %w%s", j.file, err, hint)
}

// hints say what to try about the errors of SQLite that people meet.
var hints = map[int]string{
	sqlite3.SQLITE_FULL:     "; make room on its disk: nothing that was recorded is lost",
	sqlite3.SQLITE_READONLY: "; it may not be written: look at the rights of the file and its folder",
	sqlite3.SQLITE_CANTOPEN: "; look at the rights of the file and its folder",
	sqlite3.SQLITE_PERM:     "; look at the rights of the file and its folder",
	sqlite3.SQLITE_NOTADB:   "; it is damaged or no journal: use another folder, or a copy of it",
	sqlite3.SQLITE_CORRUPT:  "; it is damaged: `pdflow runs verify` says where",
	sqlite3.SQLITE_IOERR:    "; look at its disk: nothing that was recorded is lost",
	sqlite3.SQLITE_BUSY:     "; another process writes to it for very long",
}
