package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// The header of the file says which program it belongs to, and which layout it has.
const (
	applicationID = 0x70646677 // "pdfw"
	// fileVersion is the version in the header. Layouts 3 and 4 only add columns and tables
	// to layout 2, which a program that knows layout 2 ignores, so the header still says 2.
	fileVersion = 2
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
`, applicationID, fileVersion)

// An addition is a part of the layout that older files do not have. Open adds it.
type addition struct {
	table, column string // a file that has this column has the addition
	text          string
}

// additions are in the order in which they are added. A new file gets all of them.
var additions = []addition{
	{"schedules", "watermark", schedulesTable},
	{"cancels", "actor_crc", cancelsActor},
	{"schedules", "spec_crc", schedulesSpec},
	{"runs", "finish_crc", runsFinish},
	{"names", "crc", namesTable},
}

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

// runsFinish is new in layout 4: the place of a run in the order in which ends of runs were
// recorded, and 0 until the run has ended. finish_crc is the checksum of the id of the run and
// its place. The end of a run that an older program recorded has no place until a journal is
// opened, which finds it by the last index.
const runsFinish = `
ALTER TABLE runs ADD COLUMN finish INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN finish_crc INTEGER NOT NULL DEFAULT 0;
DROP INDEX IF EXISTS successes;
CREATE INDEX last_successes ON runs (workflow, finish) WHERE status = 'success';
CREATE INDEX finishes ON runs (finish) WHERE finish > 0;
CREATE INDEX unplaced_ends ON runs (ended) WHERE finish = 0 AND ended IS NOT NULL;
`

// namesTable is new in layout 4: the file that each workflow name belongs to.
const namesTable = `
CREATE TABLE names (
	workflow TEXT PRIMARY KEY,
	file     TEXT NOT NULL,
	crc      INTEGER NOT NULL
) WITHOUT ROWID;
`

var errNotOurs = errors.New("the file is a database of another program; use another folder")

// prepare brings the file to the current layout. It refuses a file of another program,
// and a newer layout.
func (j *Journal) prepare(ctx context.Context, conn *sql.Conn) error {
	found, err := checkLayout(ctx, conn)
	if err != nil {
		return err
	}
	if found != complete {
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

// A missing is what a file does not have, as SQL text that adds it.
type missing string

// complete is a file that has everything, and empty a file without tables.
const (
	complete missing = ""
	empty    missing = "all"
)

// checkLayout returns what the file does not have. The error says that the file belongs to
// another program or has a newer layout.
func checkLayout(ctx context.Context, conn *sql.Conn) (missing, error) {
	var application, version, tables int
	err := conn.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&application, &version, &tables)
	switch {
	case err != nil:
		return complete, err
	case application == applicationID && version >= 1 && version <= fileVersion:
		return notAdded(ctx, conn)
	case application == applicationID:
		return complete, fmt.Errorf("it has format %d, and this version reads formats up to %d: use the version that wrote it, or another folder", version, fileVersion)
	case application != 0 || version != 0 || tables > 0:
		return complete, errNotOurs
	}
	return empty, nil
}

// notAdded returns the additions that the file does not have.
func notAdded(ctx context.Context, conn *sql.Conn) (missing, error) {
	var texts string
	for _, a := range additions {
		var there bool
		err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = ?)", a.table, a.column).Scan(&there)
		if err != nil {
			return complete, err
		}
		if !there {
			texts += a.text
		}
	}
	return missing(texts), nil
}

// upgrade creates the tables, or what an older layout does not have. When several
// processes open such a file at the same time, one of them does it.
func (j *Journal) upgrade(ctx context.Context, conn *sql.Conn) error {
	lock := flock.New(filepath.Join(j.dir, "layout.lock"))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("%s cannot be locked: %w", lock.Path(), err)
	}
	defer lock.Close()
	found, err := checkLayout(ctx, conn)
	switch {
	case err != nil || found == complete:
		return err
	case found != empty:
		_, err = conn.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE;%sPRAGMA user_version = %d;COMMIT", found, fileVersion))
		return err
	}
	whole := layout
	for _, a := range additions {
		whole += a.text
	}
	// auto_vacuum can only be set before the first page is written, and journal_mode only
	// outside a transaction.
	for _, statement := range []string{
		"PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE;" + whole + "COMMIT",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
