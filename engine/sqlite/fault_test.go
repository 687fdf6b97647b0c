package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// logged are events of a run that only logs.
func logged(run string, first, n int) []engine.Event {
	var list []engine.Event
	for i := range n {
		e := engine.Event{Sequence: first + i, Time: time.Unix(int64(first+i), 0).UTC(), Kind: engine.Logged, Run: run}
		if e.Sequence == 1 {
			e.Kind, e.Started = engine.RunStarted, &engine.RunStart{Workflow: "w", Inputs: action.Object{"run": run}}
		} else {
			e.Log = &action.LogRecord{Level: "info", Message: fmt.Sprintf("%s %d", run, e.Sequence)}
		}
		list = append(list, e)
	}
	return list
}

// fill records runs in single events, and returns what it recorded.
func fill(t testing.TB, j *Journal, runs, each int) map[string][]engine.Event {
	t.Helper()
	all := map[string][]engine.Event{}
	for n := range runs {
		run := fmt.Sprintf("R%d", n)
		events := logged(run, 1, each)
		entry := engine.Entry{Run: run, Workflow: "w", Realm: "r", Trigger: "manual", Sources: []workflow.Source{{Name: "w.yaml", Text: []byte("steps: []")}}}
		if err := j.Begin(context.Background(), entry, events[:1]); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < each; i++ {
			if err := j.Append(context.Background(), run, events[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		all[run] = events
	}
	return all
}

// copyFiles copies the database and what stands beside it, as a crash leaves it.
func copyFiles(t testing.TB, from, to string) {
	t.Helper()
	for _, name := range []string{FileName, FileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTornTail cuts the log of the database anywhere, as a loss of power does:
// what is left is the beginning of the history, whole, and goes on.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	defer j.Close()
	all := fill(t, j, 5, 20)
	log, err := os.ReadFile(filepath.Join(dir, FileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	cuts := 50
	if testing.Short() {
		cuts = 10
	}
	for range cuts {
		cut := random.IntN(len(log) + 1)
		torn := t.TempDir()
		copyFiles(t, dir, torn)
		if err := os.Truncate(filepath.Join(torn, FileName+"-wal"), int64(cut)); err != nil {
			t.Fatal(err)
		}
		checkPrefix(t, torn, cut, all)
	}
}

func checkPrefix(t *testing.T, dir string, cut int, all map[string][]engine.Event) {
	t.Helper()
	j := open(t, dir)
	defer j.Close()
	if damage, err := j.Verify(context.Background()); err != nil || len(damage) > 0 {
		t.Errorf("cut at %d: got %v, %v, want no damage", cut, damage, err)
	}
	runs, err := j.Runs(context.Background(), engine.RunQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		events, err := j.Events(context.Background(), run.Run)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[run.Run][:len(events)], events); diff != "" {
			t.Errorf("cut at %d: %s (-want +got):\n%s", cut, run.Run, diff)
		}
		if err := j.Adopt(context.Background(), run.Run); err != nil {
			t.Error(err)
		}
		if err := j.Append(context.Background(), run.Run, logged(run.Run, len(events)+1, 1)); err != nil {
			t.Errorf("cut at %d: %s cannot go on: %v", cut, run.Run, err)
		}
	}
}

// TestFlippedBits changes single bits of the file: what is read then is an error,
// or what was recorded; never anything else.
func TestFlippedBits(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	all := fill(t, j, 5, 20)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	found, flips := 0, 150
	if testing.Short() {
		flips = 30
	}
	for range flips {
		at, bit := random.IntN(len(whole)), random.IntN(8)
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1 << bit
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, FileName), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		found += readDamaged(t, folder, fmt.Sprintf("bit %d of byte %d", bit, at), all)
	}
	if found == 0 {
		t.Errorf("no damage was found in %d damaged files", flips)
	}
}

// readDamaged returns 1 when it was found that the file is damaged.
func readDamaged(t *testing.T, dir, where string, all map[string][]engine.Event) int {
	t.Helper()
	j, err := Open(Config{Dir: dir})
	if err != nil {
		return 1
	}
	defer j.Close()
	found := 0
	if damage, err := j.Verify(context.Background()); err != nil || len(damage) > 0 {
		found = 1
	}
	for run, want := range all {
		got, err := j.Events(context.Background(), run)
		if err == nil && !cmp.Equal(want, got) {
			t.Errorf("%s: %s reads as something else:\n%s", where, run, cmp.Diff(want, got))
		}
		if err != nil && !strings.Contains(err.Error(), FileName) && !errors.Is(err, engine.ErrNoRun) {
			t.Errorf("%s: %v does not name the file", where, err)
		}
	}
	return found
}

// TestFullDisk: what does not fit any more is refused whole, what was recorded
// stays, and it goes on once there is room.
func TestFullDisk(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	all := fill(t, j, 2, 20)
	limit := func(pages int) {
		t.Helper()
		err := j.writer.write(context.Background(), func(ctx context.Context, c *connection) error {
			var now int
			return c.conn.QueryRowContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&now)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite makes it as many as there are
	large := logged("R0", 21, 1)
	large[0].Log.Message = strings.Repeat("x", 100_000)
	err := j.Append(context.Background(), "R0", large)
	if err == nil || !strings.Contains(err.Error(), "make room on its disk") || !strings.Contains(err.Error(), FileName) {
		t.Fatalf("got %v, want an error that names the file and what to do", err)
	}
	for run, want := range all {
		if got, err := j.Events(context.Background(), run); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%s: got %v, %v, want it as it was", run, got, err)
		}
	}
	limit(100_000)
	if err := j.Append(context.Background(), "R0", large); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
}

// TestGroupIsUndone: an error of the database undoes the whole transaction, and
// everybody in it hears of that.
func TestGroupIsUndone(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	fill(t, j, 1, 1)
	broken := errors.New("the disk broke")
	first := &write{result: make(chan error, 1), do: func(ctx context.Context, c *connection) error {
		_, err := c.exec(ctx, "UPDATE runs SET state = 'changed'")
		return err
	}}
	refused := &write{result: make(chan error, 1), do: func(ctx context.Context, c *connection) error {
		if _, err := c.exec(ctx, "UPDATE runs SET pool = 'changed'"); err != nil {
			return err
		}
		return engine.ErrSequence
	}}
	last := &write{result: make(chan error, 1), do: func(context.Context, *connection) error { return broken }}
	done := make(chan []error)
	hold := &write{result: make(chan error, 1), do: func(context.Context, *connection) error {
		j.writer.writes <- first
		j.writer.writes <- refused
		j.writer.writes <- last
		return nil
	}}
	go func() {
		j.writer.writes <- hold
		done <- []error{<-hold.result, <-first.result, <-refused.result, <-last.result}
	}()
	got := <-done
	if got[0] != nil || !errors.Is(got[1], broken) || !errors.Is(got[2], broken) || !errors.Is(got[3], broken) {
		t.Errorf("got %v, want all but the first write to hear of the error", got)
	}
	var state string
	var pool sql.NullString
	if err := j.db.QueryRow("SELECT state, pool FROM runs").Scan(&state, &pool); err != nil || state != "running" || pool.Valid {
		t.Errorf("got %q, %v, %v, want nothing to have changed", state, pool, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T, file string)
		want    string
	}{
		"no database":       {func(t *testing.T, file string) { write0(t, file, bytes.Repeat([]byte("not a database "), 500)) }, "damaged or no journal"},
		"another program's": {func(t *testing.T, file string) { execute(t, file, "CREATE TABLE t (x)") }, "another program"},
		"a newer format": {func(t *testing.T, file string) {
			execute(t, file, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 99; CREATE TABLE t (x)", applicationID))
		}, "has the format 99"},
		"a folder": {func(t *testing.T, file string) { must0(t, os.Mkdir(file, 0o700)) }, "cannot be opened for writing"},
		"a file as a folder": {func(t *testing.T, file string) {
			dir := filepath.Dir(file)
			must0(t, os.Remove(dir))
			write0(t, dir, nil)
		}, "cannot be made"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			must0(t, os.Mkdir(dir, 0o700))
			test.prepare(t, filepath.Join(dir, FileName))
			j, err := Open(Config{Dir: dir})
			if err == nil {
				j.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want an error with %q that names the file", err, test.want)
			}
		})
	}
}

func must0(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write0(t *testing.T, file string, content []byte) {
	t.Helper()
	must0(t, os.WriteFile(file, content, 0o600))
}

func execute(t *testing.T, file, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must0(t, err)
	defer db.Close()
	_, err = db.Exec(statements)
	must0(t, err)
}

// TestNobodyElseReads: the files are for their owner alone.
func TestNobodyElseReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	j := open(t, dir)
	defer j.Close()
	fill(t, j, 1, 5)
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %s", path, info.Mode())
		}
		return err
	})
	must0(t, err)
}

// TestPrune deletes what ended long ago, and nothing that is still needed.
func TestPrune(t *testing.T) {
	j := open(t, t.TempDir())
	defer j.Close()
	begin := func(run, source string, day int, kinds ...engine.EventKind) {
		var events []engine.Event
		for i, kind := range kinds {
			e := engine.Event{Sequence: i + 1, Run: run, Kind: kind, Time: time.Date(2026, 1, day, 0, 0, i, 0, time.UTC)}
			if kind == engine.RunStarted {
				e.Started = &engine.RunStart{}
			}
			if kind == engine.RunFinished {
				e.Status = engine.Success
				if strings.HasPrefix(run, "failed") {
					e.Status = engine.Failed
				}
			}
			events = append(events, e)
		}
		must0(t, j.Begin(context.Background(), engine.Entry{Run: run, Workflow: "w", Sources: []workflow.Source{{Name: "w", Text: []byte(source)}}}, events))
	}
	begin("old", "1", 1, engine.RunStarted, engine.RunFinished)
	begin("failed", "2", 2, engine.RunStarted, engine.RunFinished)
	begin("open", "3", 2, engine.RunStarted)
	begin("held", "3", 2, engine.RunStarted, engine.AttemptStarted, engine.RunSuspended)
	begin("last", "4", 3, engine.RunStarted, engine.RunFinished)
	begin("failed late", "5", 20, engine.RunStarted, engine.RunFinished)
	result, err := j.Prune(context.Background(), time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC))
	if err != nil || result.Runs != 2 {
		t.Fatalf("got %+v, %v, want two runs deleted", result, err)
	}
	runs, err := j.Runs(context.Background(), engine.RunQuery{})
	must0(t, err)
	var left []string
	for _, run := range runs {
		left = append(left, run.Run)
	}
	if diff := cmp.Diff([]string{"failed late", "last", "held", "open"}, left); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	var sources, records int
	must0(t, j.db.QueryRow("SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM events)").Scan(&sources, &records))
	if sources != 3 || records != 8 {
		t.Errorf("got %d sources and %d events, want those of the runs that are left", sources, records)
	}
	if damage, err := j.Verify(context.Background()); err != nil || len(damage) > 0 {
		t.Errorf("got %v, %v, want no damage", damage, err)
	}
}
