package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
)

var errGivenUp = errors.New("given up")

// contextEnded returns a context that has ended.
func contextEnded() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(background)
	cancel(errGivenUp)
	return ctx, func() { cancel(nil) }
}

// execute does something to a database file that is no journal.
func execute(t testing.TB, file, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

// TestOpenRefuses: a file that is no journal of this version is not touched, and
// the error names it.
func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T, file string)
		want    string
	}{
		"no database": {func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "it is no journal"},
		"another program's": {func(t *testing.T, file string) { execute(t, file, "CREATE TABLE t (x)") }, "another program"},
		"another program's, without tables": {func(t *testing.T, file string) {
			execute(t, file, "PRAGMA application_id = 7; CREATE TABLE t (x); DROP TABLE t")
		}, "another program"},
		"a newer format": {func(t *testing.T, file string) {
			execute(t, file, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 99; CREATE TABLE t (x)", applicationID))
		}, "it has the format 99, and this pdflow knows the format 3"},
		"a folder": {func(t *testing.T, file string) {
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "look at the rights"},
		"a file as the folder": {func(t *testing.T, file string) {
			dir := filepath.Dir(file)
			if err := errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, "cannot be made"},
		"no folder for locks": {func(t *testing.T, file string) {
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), "owners"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "the folder of lock files cannot be made"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, FileName)
			test.prepare(t, file)
			before, _ := os.ReadFile(file)
			j, err := Open(Config{Dir: dir})
			if err == nil {
				j.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got the error %v, want one with %q that names the file", err, test.want)
			}
			after, _ := os.ReadFile(file)
			if len(before) > 0 && string(before) != string(after) {
				t.Error("the file was changed")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "owners", "*")); len(left) > 0 {
				t.Errorf("got %v, want no lock file to be left", left)
			}
		})
	}
}

// TestOpenReadOnly: a folder that cannot be written is refused.
func TestOpenReadOnly(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("this user may write everything")
	}
	dir := t.TempDir()
	open(t, dir)
	if err := os.Chmod(filepath.Join(dir, "owners"), 0o500); err != nil {
		t.Fatal(err)
	}
	if j, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v and the error %v, want one that names the folder", j, err)
	}
}

// TestPrivate: what the journal makes is for its owner alone, while it is open and
// afterwards; others may look at a lock, which holds nothing, once the folder lets them
// come that far.
func TestPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are no bits there")
	}
	dir := filepath.Join(t.TempDir(), "a", "data")
	j := open(t, dir)
	recorded(t, j, samples(3))
	for _, when := range []string{"open", "closed"} {
		files := 0
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			allowed := fs.FileMode(0o700)
			if err == nil && strings.HasSuffix(path, lockSuffix) && info.Size() == 0 {
				allowed |= lockMode
			}
			if err == nil && info.Mode().Perm()&^allowed != 0 {
				t.Errorf("%s: %s has the mode %s", when, path, info.Mode())
			}
			if !entry.IsDir() {
				files++
			}
			return err
		})
		want := map[string]int{"open": 5, "closed": 2}[when] // the database, its log, its shared memory, two locks
		if err != nil || files != want {
			t.Errorf("%s: got %d files, %v, want %d", when, files, err, want)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestManyOpen: many make the journal at the same time, and all can use it.
func TestManyOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	const many = 12
	together(many, many, func(n int) {
		j, err := Open(Config{Dir: dir})
		if err != nil {
			t.Error(err)
			return
		}
		defer j.Close()
		if err := newHistory().record(j, oneStep(n, true)); err != nil {
			t.Error(err)
		}
	})
	j := open(t, dir)
	mustBeWhole(t, j)
	if runs, err := j.Runs(background, journal.Query{}); err != nil || len(runs) != many {
		t.Errorf("got %d runs, %v, want %d", len(runs), err, many)
	}
}

// TestOddFolder: a path may hold what means something in the name of a database.
func TestOddFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%20#c")
	if runtime.GOOS != "windows" {
		dir += "?mode=memory"
	}
	recorded(t, open(t, dir), samples(1))
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		t.Error(err)
	}
}

// TestClosed: a journal that is closed says so, and may be closed again.
func TestClosed(t *testing.T) {
	j := open(t, t.TempDir())
	s := oneStep(1, false)
	s.record(t, j)
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	_, events := j.Events(background, s.entry.Run)
	_, runs := j.Runs(background, journal.Query{})
	_, verified := j.Verify(background)
	_, pruned := j.Prune(background, time.Unix(0, 0))
	for name, err := range map[string]error{
		"Begin": j.Begin(background, s.entry, s.pieces[0]), "Append": j.Append(background, s.entry.Run, s.pieces[1]),
		"Adopt": j.Adopt(background, s.entry.Run), "Events": events, "Runs": runs, "Verify": verified, "Prune": pruned,
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: got the error %v, want %v", name, err, ErrClosed)
		}
	}
}

// TestCloseCommits: what was handed over before the end is recorded, and what was
// not is refused.
func TestCloseCommits(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	h, list := newHistory(), samples(60)
	closed := make(chan error, 1)
	together(20, len(list), func(n int) {
		if n == 30 {
			go func() { closed <- j.Close() }()
		}
		if err := h.record(j, list[n]); err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	h.check(t, open(t, dir))
}

// TestBusy: another process that writes for too long is an error, and no more than
// that.
func TestBusy(t *testing.T) {
	dir := t.TempDir()
	holder := open(t, dir)
	j, err := Open(Config{Dir: dir, Patience: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s := oneStep(1, false)
	held := make(chan struct{})
	holding := &change{result: make(chan error, 1), do: func(context.Context, *session) error {
		held <- struct{}{}
		<-held
		return nil
	}}
	holder.writer.changes <- holding
	<-held
	err = j.Begin(background, s.entry, s.pieces[0])
	if err == nil || !strings.Contains(err.Error(), "another process") || !strings.Contains(err.Error(), FileName) {
		t.Errorf("got the error %v, want one that names the file and the cause", err)
	}
	held <- struct{}{}
	if err := <-holding.result; err != nil {
		t.Error(err)
	}
	s.record(t, j)
}

// TestSettings: every connection has what durability needs.
func TestSettings(t *testing.T) {
	j := open(t, t.TempDir())
	recorded(t, j, samples(1))
	check := func(name string, row func(string) *sql.Row, pragma, want string) {
		t.Helper()
		var got string
		if err := row("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %s %q, %v, want %q", name, pragma, got, err, want)
		}
	}
	writer := func(query string) *sql.Row { return j.writer.session.conn.QueryRowContext(background, query) }
	reader := func(query string) *sql.Row { return j.read.QueryRow(query) }
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "auto_vacuum": "2", "busy_timeout": "30000"} {
		check("writer", writer, pragma, want)
	}
	check("reader", reader, "query_only", "1")
	check("reader", reader, "busy_timeout", "30000")
}
