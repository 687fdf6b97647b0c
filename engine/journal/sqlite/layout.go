package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// What the header of the file says: whose it is, and in which layout.
const (
	applicationID = 0x70646677 // "pdfw"
	layoutVersion = 3
)

// layout makes the tables. Times are nanoseconds since 1970 in UTC; a check is a
// CRC-32C over everything else that the row says, a digest a SHA-256 of it.
var layout = fmt.Sprintf(`
PRAGMA application_id = %d;
PRAGMA user_version = %d;
CREATE TABLE workflows (
	number INTEGER PRIMARY KEY,
	name   TEXT NOT NULL,
	realm  TEXT NOT NULL,
	digest BLOB NOT NULL UNIQUE
);
CREATE TABLE sources (
	digest BLOB PRIMARY KEY,
	text   BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE plans (
	number INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE      -- of the names and texts of its files, in order
);
CREATE TABLE files (
	plan     INTEGER NOT NULL REFERENCES plans,
	position INTEGER NOT NULL,
	name     TEXT NOT NULL,
	source   BLOB NOT NULL REFERENCES sources,
	PRIMARY KEY (plan, position)
) WITHOUT ROWID;
CREATE TABLE origins (
	number INTEGER PRIMARY KEY,
	digest BLOB NOT NULL UNIQUE,
	body   BLOB NOT NULL             -- a run.started without what only its run has
);
CREATE TABLE runs (
	number    INTEGER PRIMARY KEY,   -- in the order in which they began
	id        TEXT NOT NULL UNIQUE,
	workflow  INTEGER NOT NULL REFERENCES workflows,
	plan      INTEGER NOT NULL REFERENCES plans,
	cause     TEXT NOT NULL,         -- the kind of its trigger
	team      TEXT NOT NULL,         -- its concurrency group; '' when it has none
	owner     TEXT NOT NULL,         -- '' when it was released
	epoch     INTEGER NOT NULL,      -- how many owners it had
	last      INTEGER NOT NULL,      -- the number of its last event
	status    TEXT NOT NULL,
	simulated INTEGER NOT NULL,
	begun     INTEGER NOT NULL,
	ended     INTEGER,               -- NULL while it has not
	crc       INTEGER NOT NULL
);
CREATE INDEX open_teams ON runs (team) WHERE team <> '' AND ended IS NULL;
CREATE INDEX successes ON runs (workflow, ended) WHERE status = 'success';
CREATE TABLE events (
	run      INTEGER NOT NULL REFERENCES runs,
	sequence INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	kind     TEXT NOT NULL,
	step     TEXT NOT NULL,
	item     INTEGER NOT NULL,
	attempt  INTEGER NOT NULL,
	origin   INTEGER REFERENCES origins, -- of run.queued, run.skipped and run.started
	body     BLOB NOT NULL,              -- the rest of the event as JSON text; '' when there is none
	crc      INTEGER NOT NULL,
	PRIMARY KEY (run, sequence)
) WITHOUT ROWID;
CREATE INDEX event_origins ON events (origin) WHERE origin IS NOT NULL;
CREATE TABLE calls (
	run      INTEGER NOT NULL REFERENCES runs,
	sequence INTEGER NOT NULL,
	time     INTEGER NOT NULL,
	kind     TEXT NOT NULL,
	step     TEXT NOT NULL,
	item     INTEGER NOT NULL,
	attempt  INTEGER NOT NULL,
	number   INTEGER NOT NULL,           -- of the call in its attempt
	body     BLOB NOT NULL,
	crc      INTEGER NOT NULL,
	PRIMARY KEY (run, sequence)
) WITHOUT ROWID;
CREATE TABLE cancels (                 -- runs that somebody wants cancelled
	run INTEGER PRIMARY KEY REFERENCES runs,
	crc INTEGER NOT NULL               -- of the id of the run and the actor
);
`, applicationID, layoutVersion) + schedulesTable + cancelsActor

// schedulesTable came with the second layout.
const schedulesTable = `
CREATE TABLE schedules (
	workflow  TEXT NOT NULL,
	schedule  TEXT NOT NULL,
	watermark INTEGER NOT NULL,
	pause     BLOB NOT NULL,             -- JSON text; '' when it is not paused
	crc       INTEGER NOT NULL,
	PRIMARY KEY (workflow, schedule)
) WITHOUT ROWID;
`

// cancelsActor came with the third layout: who asked, as JSON text; ” when unknown.
const cancelsActor = `ALTER TABLE cancels ADD COLUMN actor TEXT NOT NULL DEFAULT '';
`

var errNotOurs = errors.New("it is a database of another program; use another folder")

// prepare makes the tables of an empty file, and refuses a file that is not ours
// or that a newer pdflow made.
func (j *Journal) prepare(ctx context.Context, conn *sql.Conn) error {
	version, err := checkLayout(ctx, conn)
	if err != nil {
		return err
	}
	if version < layoutVersion {
		err = j.lay(ctx, conn)
	}
	if err != nil {
		return err
	}
	// It is that already, unless somebody changed it.
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("its file system cannot share the memory that processes need to use it together (the journal mode is %s); use a folder on a local disk", mode)
	}
	return nil
}

// checkLayout returns the layout of the file: 0 when it has no tables yet. An error
// says that its tables are not those of this program.
func checkLayout(ctx context.Context, conn *sql.Conn) (version int, err error) {
	var application, tables int
	err = conn.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&application, &version, &tables)
	switch {
	case err != nil:
		return 0, err
	case application == applicationID && version >= 1 && version <= layoutVersion:
		return version, nil
	case application == applicationID:
		return 0, fmt.Errorf("it has the format %d, and this pdflow knows the format %d: use the pdflow that made it, or another folder", version, layoutVersion)
	case application != 0 || version != 0 || tables > 0:
		return 0, errNotOurs
	}
	return 0, nil
}

// lay makes the tables, or those that an older layout has not. Of several processes
// that find the file so at the same time one does.
func (j *Journal) lay(ctx context.Context, conn *sql.Conn) error {
	lock := flock.New(filepath.Join(j.dir, "layout.lock"))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("%s cannot be locked: %w", lock.Path(), err)
	}
	defer lock.Close()
	version, err := checkLayout(ctx, conn)
	switch {
	case err != nil || version == layoutVersion:
		return err
	case version >= 1:
		added := cancelsActor
		if version == 1 {
			added = schedulesTable + added
		}
		_, err = conn.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE;%sPRAGMA user_version = %d;COMMIT", added, layoutVersion))
		return err
	}
	// The first has to come before the first page, the second before a transaction.
	for _, statement := range []string{
		"PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE;" + layout + "COMMIT",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
