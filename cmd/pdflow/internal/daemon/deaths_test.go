package daemon

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// dies goes on with a copy of the data, as it is when the process dies: the lock of its owner
// is free, and nothing was given up.
func (w *servedWorld) dies() {
	w.t.Helper()
	left := w.t.TempDir()
	if err := os.CopyFS(left, os.DirFS(w.data)); err != nil {
		w.t.Fatal(err)
	}
	w.data = left
}

// TestA9CrashLoop: a run whose process died five times, with no new event in between, waits
// for a person. A daemon that is stopped does not count, and neither do deaths before the
// run got further.
func TestA9CrashLoop(t *testing.T) {
	w := newServedWorld(t, 0, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	const sleeping = "name: sleeping\ntimeout: 100h\nschedule: \"0 0 1 1 *\"\nsteps:\n- uses: time.sleep\n  timeout: 10h\n  with: {duration: 1h}\n- uses: time.sleep\n  timeout: 10h\n  with: {duration: 1h}\n"
	if err := os.WriteFile(filepath.Join(w.folder, "sleeping.yaml"), []byte(sleeping), 0o600); err != nil {
		t.Fatal(err)
	}
	first, _ := w.daemon()
	// Time stands still while a daemon is served here: this counts as work.
	w.clock.Begin()
	plan := first.files.library.Snapshot().Plans()[0]
	request, err := first.target.Request(plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := first.runs.start(plan, request)
	if err != nil {
		t.Fatal(err)
	}
	settle := func(d *Daemon, events int) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; {
			found, err := d.journal.Get(context.Background(), id)
			if err == nil && len(found.Events) >= events {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the run has %d events, want %d; %v", len(found.Events), events, err)
			}
		}
	}
	serve := func() (*Daemon, func(), bool) {
		t.Helper()
		d, gone := w.daemon()
		if err := d.begin(context.Background()); err != nil {
			t.Fatal(err)
		}
		return d, gone, slices.Contains(d.runs.claimed.list(), id)
	}
	settle(first, 3) // it sleeps
	w.dies()
	events := 3
	for death := 1; death < maxDeaths; death++ {
		d, _, resumed := serve()
		if !resumed {
			t.Fatalf("not resumed after %d deaths", death)
		}
		events++
		settle(d, events)
		if death == 2 { // a stop is no death
			if err := d.journal.Close(); err != nil {
				t.Fatal(err)
			}
			d, _, resumed = serve()
			if !resumed {
				t.Fatal("not resumed after a stop")
			}
			events++
			settle(d, events)
		}
		w.dies()
	}
	d, gone, resumed := serve()
	status, err := controlled{d}.Status(context.Background())
	if resumed || err != nil || !slices.Equal(status.NotResumed, []string{id}) {
		t.Fatalf("after %d deaths: resumed %v, status %v, %v", maxDeaths, resumed, status.NotResumed, err)
	}
	if !strings.Contains(w.log.String(), "5 processes died while they worked on it, and it got no further") || !strings.Contains(w.log.String(), "pdflow runs resume "+id) {
		t.Errorf("got the log\n%s", w.log)
	}
	found, err := d.journal.Get(context.Background(), id)
	if err != nil || found.Status != run.Interrupted {
		t.Fatalf("got %v, %v", found.Status, err)
	}
	started := make(chan error, 2)
	d.runs.resume(found, resumption{actor: run.Actor{Kind: run.ActorUser, Name: "ann"}, started: func(err error) { started <- err }})
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if status, _ := (controlled{d}).Status(context.Background()); len(status.NotResumed) > 0 {
		t.Errorf("got %v, want that a person has resumed it", status.NotResumed)
	}
	settle(d, events+1)
	w.dies()
	_, _, resumed = serve()
	if !resumed {
		t.Error("not resumed after one death since a person resumed it")
	}
	list, err := d.journal.List(context.Background(), journal.Query{Run: id})
	if err != nil || len(list) != 1 {
		t.Error(list, err)
	}
	gone()
}
