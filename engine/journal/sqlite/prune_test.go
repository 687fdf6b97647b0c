package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

// TestPrune: Prune deletes the runs that ended longer ago than an age, and what only they used. It
// keeps unfinished runs and the last success of each workflow.
func TestPrune(t *testing.T) {
	j := open(t, t.TempDir())
	begin := func(id, name, source string, on int, kinds ...run.EventKind) {
		t.Helper()
		entry := journal.Entry{Run: id, Workflow: name, Realm: "here", Sources: []workflow.Source{{Name: name + ".yaml", Text: []byte(source)}}}
		var events []run.Event
		for i, kind := range kinds {
			e := run.Event{Sequence: i + 1, Run: id, Kind: kind, Time: day(on)}
			switch kind {
			case run.EventStarted, run.EventSkipped:
				e.Started = &run.Start{Workflow: name, Source: source}
			case run.EventFinished:
				e.Status = run.Success
				if strings.HasPrefix(id, "failed") {
					e.Status = run.Failed
				}
			}
			events = append(events, e)
		}
		if err := j.Begin(background, entry, events); err != nil {
			t.Fatal(err)
		}
	}
	ended := []run.EventKind{run.EventStarted, run.EventFinished}
	begin("old", "w", "1", 1, ended...)
	begin("failed", "w", "2", 2, ended...)
	begin("skipped", "w", "2", 2, run.EventSkipped)
	begin("open", "w", "3", 2, run.EventStarted)
	begin("held", "w", "3", 2, run.EventStarted, run.EventSuspended)
	begin("retried", "w", "3", 2, run.EventStarted, run.EventFinished, run.EventRetried)
	begin("last", "w", "4", 3, ended...)
	begin("only", "v", "6", 3, ended...)
	begin("failed only", "u", "7", 3, ended...)
	begin("failed late", "w", "5", 20, ended...)
	if err := j.RequestCancel(background, "failed", nil); err != nil {
		t.Fatal(err)
	}
	got, err := j.Prune(background, day(30), 20*24*time.Hour)
	if err != nil || got.Runs != 4 {
		t.Fatalf("got %+v, %v, want 4 runs deleted", got, err)
	}
	runs, err := j.Runs(background, journal.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, summary := range runs {
		left = append(left, summary.Run)
	}
	if diff := cmp.Diff([]string{"failed late", "only", "last", "retried", "held", "open"}, left); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	for table, want := range map[string]int{"events": 12, "cancels": 0, "sources": 4, "files": 4, "plans": 4, "origins": 4, "workflows": 2} {
		var count int
		if err := j.read.QueryRow("SELECT count(*) FROM " + table).Scan(&count); err != nil || count != want {
			t.Errorf("got %d %s, %v, want %d", count, table, err, want)
		}
	}
	mustBeUndamaged(t, j)
	if previous, err := j.Previous(background, "v", "here"); err != nil || previous == nil {
		t.Errorf("got %v, %v, want the last success", previous, err)
	}
	if again, err := j.Prune(background, day(30), 20*24*time.Hour); err != nil || again != (PruneResult{}) {
		t.Errorf("got %+v, %v, want nothing more to delete", again, err)
	}
}

// TestPruneShrinks: Prune makes the file smaller while another owner writes, which loses
// nothing.
func TestPruneShrinks(t *testing.T) {
	dir := t.TempDir()
	j, other := open(t, dir), open(t, dir)
	const runs = 700
	together(20, runs-1, func(n int) { oneStep(n, true).record(t, j) })
	oneStep(runs-1, true).record(t, j)
	writing := make(chan error, 1)
	h := newHistory()
	go func() {
		var err error
		for n := runs; n < runs+50 && err == nil; n++ {
			err = h.record(other, oneStep(n, true))
		}
		writing <- err
	}()
	cut := oneStep(runs-1, true).events()
	result, err := j.Prune(background, cut[len(cut)-1].Time, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-writing; err != nil {
		t.Fatal(err)
	}
	if result.Runs != runs-1 || result.Bytes < 300_000 {
		t.Errorf("got %+v, want %d runs and at least 300,000 bytes", result, runs-1)
	}
	h.check(t, j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil || info.Size() > 300_000 {
		t.Errorf("got a file of %d bytes, %v, want at most 300,000 for 51 runs", info.Size(), err)
	}
}

// TestPruneLocks: Prune removes the lock files of owners that are gone, and keeps the lock
// files of living owners.
func TestPruneLocks(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir)
	open(t, dir)
	for n := range 3 {
		if err := os.WriteFile(filepath.Join(dir, "owners", fmt.Sprintf("GONE%d.lock", n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Prune(background, day(1), 0); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "owners", "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("got the lock files %v, %v, want the files of the two owners", left, err)
	}
}

// TestBytesPerRun: a run of one step takes at most 1,024 bytes of the disk, and at most
// 2,048 bytes with a call.
func TestBytesPerRun(t *testing.T) {
	runs := 10_000
	if testing.Short() {
		runs = 2_000
	}
	plain, call := bytesPerRun(t, runs, false), bytesPerRun(t, runs, true)
	t.Logf("%.0f bytes a run of one step, %.0f with a call", plain, call)
	if plain > 1024 {
		t.Errorf("got %.0f bytes a run, want at most 1024", plain)
	}
	if call > 2*1024 {
		t.Errorf("got %.0f bytes a run with a call, want at most 2048", call)
	}
}
