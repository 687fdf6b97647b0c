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

// contextEnded returns a context that ended with errGivenUp.
func contextEnded() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(background)
	cancel(errGivenUp)
	return ctx, func() { cancel(nil) }
}

// execute runs SQL statements in a database file.
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

// TestOpenRefuses: Open does not change a file that is not a journal of this version, and
// its error names the file.
func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T, file string)
		want    string
	}{
		"not a database": {func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte(strings.Repeat("not a database ", 400)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "it is not a journal"},
		"of another program": {func(t *testing.T, file string) { execute(t, file, "CREATE TABLE t (x)") }, "another program"},
		"of another program, without tables": {func(t *testing.T, file string) {
			execute(t, file, "PRAGMA application_id = 7; CREATE TABLE t (x); DROP TABLE t")
		}, "another program"},
		"a newer format": {func(t *testing.T, file string) {
			execute(t, file, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 99; CREATE TABLE t (x)", applicationID))
		}, "it has format 99, and this version reads formats up to 2"},
		"a folder in place of the file": {func(t *testing.T, file string) {
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "check the permissions"},
		"a file in place of the folder": {func(t *testing.T, file string) {
			dir := filepath.Dir(file)
			if err := errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, "cannot be created"},
		"a file in place of the folder of lock files": {func(t *testing.T, file string) {
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), "owners"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "the folder of lock files cannot be created"},
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
				t.Errorf("got the error %v, want %q and the name of the file in it", err, test.want)
			}
			after, _ := os.ReadFile(file)
			if len(before) > 0 && string(before) != string(after) {
				t.Error("the file was changed")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "owners", "*")); len(left) > 0 {
				t.Errorf("got the lock files %v, want none", left)
			}
		})
	}
}

// TestOpenReadOnly: Open refuses a folder that it cannot write to.
func TestOpenReadOnly(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("this user can write to every folder")
	}
	dir := t.TempDir()
	open(t, dir)
	if err := os.Chmod(filepath.Join(dir, "owners"), 0o500); err != nil {
		t.Fatal(err)
	}
	if j, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v and the error %v, want an error that names the folder", j, err)
	}
}

// TestPrivate: only the user who created the journal can read its files, while it is open
// and afterwards. Lock files are empty, and others may read them if the folder lets them.
func TestPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
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

// TestManyOpen: when many open a new journal at the same time, all of them can use it.
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
	mustBeUndamaged(t, j)
	if runs, err := j.Runs(background, journal.Query{}); err != nil || len(runs) != many {
		t.Errorf("got %d runs, %v, want %d", len(runs), err, many)
	}
}

// TestOddFolder: the path may contain characters that have a meaning in a database URI.
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

// TestClosed: every method of a closed journal returns ErrClosed, and Close may be called
// again.
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
	_, pruned := j.Prune(background, time.Unix(0, 0), 0)
	for name, err := range map[string]error{
		"Begin": j.Begin(background, s.entry, s.pieces[0]), "Append": j.Append(background, s.entry.Run, s.pieces[1]),
		"Adopt": j.Adopt(background, s.entry.Run), "Events": events, "Runs": runs, "Verify": verified, "Prune": pruned,
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: got the error %v, want %v", name, err, ErrClosed)
		}
	}
}

// TestCloseCommits: Close commits the changes that the writer has. Later changes are
// refused.
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

// TestBusy: when another process writes for longer than the patience, the write is an
// error, and the journal can be used afterwards.
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
		t.Errorf("got the error %v, want an error that names the file and the cause", err)
	}
	held <- struct{}{}
	if err := <-holding.result; err != nil {
		t.Error(err)
	}
	s.record(t, j)
}

// TestSettings: every connection has the settings that durability needs.
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
