package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// The header of the file says which program it belongs to, and which layout it has.
const (
	applicationID = 0x70646677 // "pdfw"
	// layoutVersion is the newest layout. Layouts 3 and 4 have more columns than layout 2,
	// which a program that knows layout 2 ignores, so the header of the file still says 2.
	layoutVersion = 4
	fileVersion   = 2
)

// layout creates the tables. Times are nanoseconds since 1970 in UTC. A crc is the
// CRC-32C of the other columns of the row, a digest their SHA-256.
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
	digest BLOB NOT NULL UNIQUE      -- of the names and digests of its files, in order
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
	body   BLOB NOT NULL             -- the part of run.started that runs share, as JSON text
);
CREATE TABLE runs (
	number    INTEGER PRIMARY KEY,   -- in the order in which runs were stored
	id        TEXT NOT NULL UNIQUE,
	workflow  INTEGER NOT NULL REFERENCES workflows,
	plan      INTEGER NOT NULL REFERENCES plans,
	cause     TEXT NOT NULL,         -- the kind of the trigger
	team      TEXT NOT NULL,         -- the concurrency group; '' without one
	owner     TEXT NOT NULL,         -- the name of its lock file; '' after a release
	epoch     INTEGER NOT NULL,      -- the number of owners so far
	last      INTEGER NOT NULL,      -- the sequence number of the last event
	status    TEXT NOT NULL,
	simulated INTEGER NOT NULL,
	begun     INTEGER NOT NULL,      -- the time of the first event
	ended     INTEGER,               -- NULL until the run has ended
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
	body     BLOB NOT NULL,              -- the rest of the event as JSON text; '' when nothing is left
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
	number   INTEGER NOT NULL,           -- of the call within its attempt, from 1
	body     BLOB NOT NULL,
	crc      INTEGER NOT NULL,
	PRIMARY KEY (run, sequence)
) WITHOUT ROWID;
CREATE TABLE cancels (                 -- requests to cancel runs
	run INTEGER PRIMARY KEY REFERENCES runs,
	crc INTEGER NOT NULL               -- of the run's id
);
`, applicationID, fileVersion) + schedulesTable + cancelsActor + schedulesSpec

// schedulesTable is new in layout 2.
const schedulesTable = `
CREATE TABLE schedules (
	workflow  TEXT NOT NULL,
	schedule  TEXT NOT NULL,
	watermark INTEGER NOT NULL,
	pause     BLOB NOT NULL,             -- JSON text; '' when the schedule is not paused
	crc       INTEGER NOT NULL,
	PRIMARY KEY (workflow, schedule)
) WITHOUT ROWID;
`

// cancelsActor is new in layout 3: the actor who made the request, as JSON text, which is
// empty when unknown; and the checksum of the id of the run and the actor.
const cancelsActor = `
ALTER TABLE cancels ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE cancels ADD COLUMN actor_crc INTEGER NOT NULL DEFAULT 0;
`

// schedulesSpec is new in layout 4: the cron text and the zone of a schedule, whether the
// schedule was retired, and the checksum of its name and both. A program that knows only
// layout 3 sets them to their defaults when it saves a schedule.
const schedulesSpec = `
ALTER TABLE schedules ADD COLUMN spec TEXT NOT NULL DEFAULT '';
ALTER TABLE schedules ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;
ALTER TABLE schedules ADD COLUMN spec_crc INTEGER NOT NULL DEFAULT 0;
`

var errNotOurs = errors.New("the file is a database of another program; use another folder")

// prepare brings the file to the current layout. It refuses a file of another program,
// and a newer layout.
func (j *Journal) prepare(ctx context.Context, conn *sql.Conn) error {
	version, err := checkLayout(ctx, conn)
	if err != nil {
		return err
	}
	if version < layoutVersion {
		err = j.upgrade(ctx, conn)
	}
	if err != nil {
		return err
	}
	// It is WAL already, unless another program changed it.
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("its file system cannot share memory between processes, which WAL mode needs (the journal mode is %s); use a folder on a local disk", mode)
	}
	return nil
}

// checkLayout returns the layout of the file; 0 when it has no tables yet. The error says
// that the file belongs to another program or has a newer layout.
func checkLayout(ctx context.Context, conn *sql.Conn) (version int, err error) {
	var application, tables, actors, specs int
	err = conn.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema),
		(SELECT count(*) FROM pragma_table_info('cancels') WHERE name = 'actor_crc'),
		(SELECT count(*) FROM pragma_table_info('schedules') WHERE name = 'spec_crc')
		FROM pragma_application_id, pragma_user_version`).Scan(&application, &version, &tables, &actors, &specs)
	switch {
	case err != nil:
		return 0, err
	case application == applicationID && version >= 1 && version <= fileVersion:
		return version + actors + specs, nil
	case application == applicationID:
		return 0, fmt.Errorf("it has format %d, and this version reads formats up to %d: use the version that wrote it, or another folder", version, fileVersion)
	case application != 0 || version != 0 || tables > 0:
		return 0, errNotOurs
	}
	return 0, nil
}

// upgrade creates the tables, or what an older layout does not have. When several
// processes open such a file at the same time, one of them does it.
func (j *Journal) upgrade(ctx context.Context, conn *sql.Conn) error {
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
		// What each layout adds to the one before, from layout 2 on.
		added := strings.Join([]string{schedulesTable, cancelsActor, schedulesSpec}[version-1:], "")
		_, err = conn.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE;%sPRAGMA user_version = %d;COMMIT", added, fileVersion))
		return err
	}
	// auto_vacuum can only be set before the first page is written, and journal_mode only
	// outside a transaction.
	for _, statement := range []string{
		"PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE;" + layout + "COMMIT",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
