package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	sqlite3 "modernc.org/sqlite/lib"
)

// A history is what was sent to a journal, by run, and how much of it was acknowledged.
type history struct {
	lock  sync.Mutex
	sent  map[string][]run.Event
	acked map[string]int // the number of events
}

func newHistory() *history {
	return &history{sent: map[string][]run.Event{}, acked: map[string]int{}}
}

// record sends a sample until a call fails.
func (h *history) record(j *Journal, s sample) error {
	for i, piece := range s.pieces {
		h.lock.Lock()
		h.sent[s.entry.Run] = append(h.sent[s.entry.Run], piece...)
		h.lock.Unlock()
		var err error
		if i == 0 {
			err = j.Begin(background, s.entry, piece)
		} else {
			err = j.Append(background, s.entry.Run, piece)
		}
		if err != nil {
			return err
		}
		h.lock.Lock()
		h.acked[s.entry.Run] += len(piece)
		h.lock.Unlock()
	}
	return nil
}

// check checks that a journal is undamaged, and that each of its runs is a prefix of what
// was sent that contains at least what was acknowledged.
func (h *history) check(t *testing.T, j *Journal) {
	t.Helper()
	mustBeUndamaged(t, j)
	for id, sent := range h.sent {
		got, err := j.Events(background, id)
		if errors.Is(err, journal.ErrNoRun) {
			err = nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < h.acked[id] || len(got) > len(sent) {
			t.Fatalf("%s: got %d events, want at least the %d that were acknowledged and at most the %d that were sent", id, len(got), h.acked[id], len(sent))
		}
		if diff := cmp.Diff(sent[:len(got)], append([]run.Event{}, got...)); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", id, diff)
		}
	}
}

// finish continues every run from its last event, and checks that all samples are then
// recorded in full.
func (h *history) finish(t *testing.T, j *Journal, samples []sample) {
	t.Helper()
	for _, s := range samples {
		got, err := j.Events(background, s.entry.Run)
		if errors.Is(err, journal.ErrNoRun) {
			s.record(t, j)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Adopt(background, s.entry.Run); err != nil {
			t.Fatal(err)
		}
		if err := j.Append(background, s.entry.Run, s.events()[len(got):]); err != nil {
			t.Fatalf("%s cannot be continued: %v", s.entry.Run, err)
		}
	}
	for _, s := range samples {
		got, err := j.Events(background, s.entry.Run)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.events(), got); diff != "" {
			t.Fatalf("%s at the end (-want +got):\n%s", s.entry.Run, diff)
		}
	}
}

func mustBeUndamaged(t testing.TB, j *Journal) {
	t.Helper()
	if damages, err := j.Verify(background); err != nil || len(damages) > 0 {
		t.Fatalf("got the damage %v, %v, want none", damages, err)
	}
}

// copyOf copies the database and its log to another folder. The copy is what a crash
// leaves.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{FileName, FileName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
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
	return to
}

func samples(n int) []sample {
	var list []sample
	for i := range n {
		list = append(list, oneStep(i, true))
	}
	return list
}

// faults are the ways in which a disk can fail.
var faults = map[string]struct {
	operation diskOperation
	fault     diskFault
	want      string // in the message
}{
	"full":                     {diskOperation{log: true, write: true}, diskFault{code: sqlite3.SQLITE_FULL}, "make room on its disk"},
	"full after a short write": {diskOperation{log: true, write: true}, diskFault{sqlite3.SQLITE_FULL, 1000}, "make room on its disk"},
	"write error":              {diskOperation{log: true, write: true}, diskFault{code: sqlite3.SQLITE_IOERR_WRITE}, "check its disk"},
	"flush error":              {diskOperation{log: true}, diskFault{code: sqlite3.SQLITE_IOERR_FSYNC}, "check its disk"},
}

// TestFaults lets a write or a flush fail, and all that follow. Acknowledged events must
// stay. Events that were not acknowledged are there as a whole or not at all. The error
// names the file and says what to do. Once the disk works again, the runs can be
// continued: in the same process, and in another one after a crash.
func TestFaults(t *testing.T) {
	useFaultyDisk(t)
	for name, test := range faults {
		t.Run(name, func(t *testing.T) {
			every := 3 // there are fewer flushes than writes
			if test.operation.write {
				every = 13
			}
			failed := 0
			for n := 1; faultAt(t, n, test.operation, test.fault, test.want); n += every {
				failed++
			}
			if failed < 5 {
				t.Errorf("only %d operations failed, want at least 5", failed)
			}
		})
	}
}

// faultAt lets the n-th operation of a kind fail, and all later ones. It reports whether
// there was an n-th operation.
func faultAt(t *testing.T, n int, operation diskOperation, fault diskFault, want string) (failed bool) {
	t.Helper()
	dir := t.TempDir()
	j, err := Open(Config{Dir: dir, vfs: faultyVFS})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	failDisk(t, func(o diskOperation) *diskFault {
		if o == operation {
			n--
		}
		if o != operation || n > 0 {
			return nil
		}
		return &fault
	})
	h, list := newHistory(), samples(6)
	for _, s := range list {
		if err = h.record(j, s); err != nil {
			break
		}
	}
	if err == nil {
		failDisk(t, nil)
		return false
	}
	if !strings.Contains(err.Error(), FileName) || !strings.Contains(err.Error(), want) {
		t.Fatalf("got the error %v, want an error that names the file, with %q in it", err, want)
	}
	h.check(t, j)
	crashed := open(t, copyOf(t, dir))
	h.check(t, crashed)
	h.finish(t, crashed, list)
	failDisk(t, nil)
	h.finish(t, j, list)
	mustBeUndamaged(t, j)
	return true
}

// TestFaultInGroup: when a commit that many runs share fails, each of them gets an error,
// and each can be continued afterwards.
func TestFaultInGroup(t *testing.T) {
	useFaultyDisk(t)
	dir := t.TempDir()
	j, err := Open(Config{Dir: dir, vfs: faultyVFS})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	left := 25
	failDisk(t, func(o diskOperation) *diskFault {
		if o != (diskOperation{log: true}) {
			return nil
		}
		if left--; left > 0 {
			return nil
		}
		return &diskFault{code: sqlite3.SQLITE_IOERR_FSYNC}
	})
	h, list := newHistory(), samples(300)
	var lock sync.Mutex
	failures := 0
	together(30, len(list), func(n int) {
		if err := h.record(j, list[n]); err != nil {
			lock.Lock()
			failures++
			lock.Unlock()
		}
	})
	if failures < 30 {
		t.Errorf("got %d runs that failed, want all 30 that were running", failures)
	}
	h.check(t, j)
	h.check(t, open(t, copyOf(t, dir)))
	failDisk(t, nil)
	h.finish(t, j, list)
}

// TestCheckpointFault: when the log cannot be copied into the database, its content stays
// in the log, and no call fails.
func TestCheckpointFault(t *testing.T) {
	useFaultyDisk(t)
	for _, operation := range []diskOperation{{write: true}, {}} {
		dir := t.TempDir()
		j, err := Open(Config{Dir: dir, vfs: faultyVFS})
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		failDisk(t, func(o diskOperation) *diskFault {
			if o != operation {
				return nil
			}
			tried++
			return &diskFault{code: sqlite3.SQLITE_IOERR_WRITE}
		})
		h, list := newHistory(), samples(200)
		together(4, len(list), func(n int) {
			if err := h.record(j, list[n]); err != nil {
				t.Error(err)
			}
		})
		if tried == 0 {
			t.Errorf("SQLite never tried to copy the log")
		}
		h.check(t, j)
		h.check(t, open(t, copyOf(t, dir)))
		_ = j.Close() // it tries to copy the log, and fails
		failDisk(t, nil)
		h.check(t, open(t, dir))
	}
}

// TestFullFile: a change that does not fit into the file fails alone. The other changes of
// its group are committed.
func TestFullFile(t *testing.T) {
	j := open(t, t.TempDir())
	list := samples(3)
	for _, s := range list[:2] {
		if err := j.Begin(background, s.entry, s.pieces[0]); err != nil {
			t.Fatal(err)
		}
	}
	var pages int
	limit := func(pages int) {
		t.Helper()
		err := j.writer.write(background, func(ctx context.Context, s *session) error {
			return s.row(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, new(int))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.read.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit(pages + 2)
	large := list[0].pieces[1]
	large[0].Call.Input["description"] = strings.Repeat("x", 100_000)
	huge, small := appendChange(t, j, list[0].entry.Run, large), appendChange(t, j, list[1].entry.Run, list[1].pieces[1])
	j.inOneGroup(huge, small)
	if err := <-huge.result; err == nil || !strings.Contains(err.Error(), "make room on its disk") || !strings.Contains(err.Error(), FileName) {
		t.Errorf("got the error %v, want an error that names the file and says what to do", err)
	}
	if err := <-small.result; err != nil {
		t.Errorf("got the error %v for a change that fits", err)
	}
	limit(1 << 30)
	if err := j.Append(background, list[0].entry.Run, large); err != nil {
		t.Errorf("it still fails after the limit was raised: %v", err)
	}
	mustBeUndamaged(t, j)
}

// appendChange returns the change of an Append that the writer does not have yet.
func appendChange(t *testing.T, j *Journal, id string, events []run.Event) *change {
	t.Helper()
	c := &change{result: make(chan error, 1)}
	var err error
	if c.do, err = j.appending(id, events); err != nil {
		t.Fatal(err)
	}
	return c
}

// inOneGroup sends changes while the writer is busy, so that they share a transaction.
func (j *Journal) inOneGroup(changes ...*change) {
	busy := &change{result: make(chan error, 1)}
	var waiting sync.WaitGroup
	busy.do = func(context.Context, *session) error {
		for _, c := range changes {
			waiting.Add(1)
			go func() {
				waiting.Done()
				j.writer.changes <- c
			}()
		}
		waiting.Wait()
		return nil
	}
	j.writer.changes <- busy
	<-busy.result
}
