package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
)

// FileName is the name of the database file in its folder.
const FileName = "journal.db"

// A Config says where a journal is. Only Dir is required.
type Config struct {
	// Dir is the folder of the database. Open creates it when it does not exist. Only
	// the user who created it can read its files.
	Dir string
	// Patience is how long a write waits while other processes write; zero means 30
	// seconds. SQLite has no queue: a waiting process polls the lock, and a process that
	// writes without a pause often takes it first.
	Patience time.Duration

	vfs string // for tests: the name of a file system that fails
}

// A Journal is an open journal. It is safe for concurrent use.
type Journal struct {
	dir    string
	file   string
	write  *sql.DB
	read   *sql.DB
	owner  *owner
	writer *writer
	close  func() error // shut, once
}

var _ journal.Journal = (*Journal)(nil)

// Open opens the journal of a folder. It creates the journal when there is none. Its
// errors name the file and say what to try.
func Open(c Config) (*Journal, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, file: filepath.Join(dir, FileName)}
	if err := j.create(); err != nil {
		return nil, fmt.Errorf("%s cannot be created: %w; check the permissions of the folder", j.file, err)
	}
	if j.owner, err = newOwner(dir); err != nil {
		return nil, err
	}
	if err := j.open(c); err != nil {
		return nil, errors.Join(j.explain(err), j.shut())
	}
	j.close = sync.OnceValue(j.shut)
	return j, nil
}

// create makes an empty file that only this user can read. SQLite gives the mode of this
// file to its log. An existing file is not opened: closing it would free the locks that
// another journal of this process has on it.
func (j *Journal) create() error {
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(j.file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// open connects to the file and starts the writer.
func (j *Journal) open(c Config) error {
	ctx := context.Background()
	var err error
	if j.write, err = sql.Open("sqlite", j.source(c, "synchronous(FULL)", "journal_size_limit(4194304)")); err != nil {
		return err
	}
	if j.read, err = sql.Open("sqlite", j.source(c, "query_only(1)")); err != nil {
		return err
	}
	j.read.SetMaxOpenConns(4)
	session, err := newSession(ctx, j.write)
	if err != nil {
		return err
	}
	session.owner = j.owner.name
	if err := j.prepare(ctx, session.conn); err != nil {
		return errors.Join(err, session.close())
	}
	session.placeOlder(ctx)
	j.writer = &writer{
		session: session, explain: j.explain,
		changes: make(chan *change), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	go j.writer.run()
	return nil
}

// source returns the name of the database for SQLite: its path, and the settings of
// every connection.
func (j *Journal) source(c Config, pragmas ...string) string {
	patience := c.Patience
	if patience == 0 {
		patience = 30 * time.Second
	}
	first := []string{fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()), "cell_size_check(1)", "trusted_schema(0)"}
	settings := url.Values{"_pragma": append(first, pragmas...)}
	if c.vfs != "" {
		settings.Set("vfs", c.vfs)
	}
	path := filepath.ToSlash(j.file)
	if !strings.HasPrefix(path, "/") { // such as C:/data
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String()
}

// Close commits the changes that the writer has accepted, and ends this owner. Others
// can then adopt its runs.
func (j *Journal) Close() error { return j.close() }

func (j *Journal) shut() error {
	var failed error
	if j.writer != nil {
		close(j.writer.closing)
		<-j.writer.ended
		j.writer.session.giveUp()
		failed = j.writer.session.close()
	}
	for _, db := range []*sql.DB{j.read, j.write} {
		if db != nil {
			failed = errors.Join(failed, db.Close())
		}
	}
	return errors.Join(j.explain(failed), j.owner.close())
}
