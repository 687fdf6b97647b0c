package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// recorded records samples in a journal, and returns what it sent.
func recorded(t testing.TB, j *Journal, list []sample) *history {
	t.Helper()
	h := newHistory()
	for _, s := range list {
		if err := h.record(j, s); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// TestTornLog cuts the write-ahead log at random places, as a loss of power does. What is
// left must be an undamaged prefix of what was recorded, and the runs can be continued.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	j, list := open(t, dir), samples(12)
	h := recorded(t, j, list)
	h.acked = map[string]int{} // acknowledged events may be lost with the log
	info, err := os.Stat(filepath.Join(dir, FileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	kept := map[int]bool{}
	for range 50 {
		at := random.Int64N(info.Size() + 1)
		torn := copyOf(t, dir)
		if err := os.Truncate(filepath.Join(torn, FileName+"-wal"), at); err != nil {
			t.Fatal(err)
		}
		j, err := Open(Config{Dir: torn})
		if err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		kept[h.countInOrder(t, j, list)] = true
		h.check(t, j)
		h.finish(t, j, list)
		mustBeUndamaged(t, j)
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(kept) < 15 {
		t.Errorf("the cuts left only %d different histories, want at least 15", len(kept))
	}
}

// countInOrder counts the events of samples that were recorded one after the other. Once
// an event is missing, all later events must be missing.
func (h *history) countInOrder(t *testing.T, j *Journal, list []sample) (count int) {
	t.Helper()
	short := false
	for _, s := range list {
		got, err := j.Events(background, s.entry.Run)
		if err != nil && !errors.Is(err, journal.ErrNoRun) {
			t.Fatal(err)
		}
		if short && len(got) > 0 {
			t.Fatalf("run %s has events, but earlier events are missing", s.entry.Run)
		}
		count += len(got)
		short = len(got) < len(s.events())
	}
	return count
}

// TestFlippedBits changes single bits of the file. A read must return an error or what was
// recorded. If it returns anything else, Verify must report damage.
func TestFlippedBits(t *testing.T) {
	dir := t.TempDir()
	j, list := open(t, dir), samples(12)
	recorded(t, j, list)
	want := read(t, j, list)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	flips := 300
	if testing.Short() {
		flips = 60
	}
	random := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for range flips {
		at, bit := random.IntN(len(whole)), random.IntN(8)
		for whole[at] == 0 && random.IntN(20) > 0 { // most of a small file is empty
			at = random.IntN(len(whole))
		}
		folder := t.TempDir()
		whole[at] ^= 1 << bit
		if err := os.WriteFile(filepath.Join(folder, FileName), whole, 0o600); err != nil {
			t.Fatal(err)
		}
		whole[at] ^= 1 << bit
		if !readDamaged(t, folder, fmt.Sprintf("bit %d of byte %d", bit, at), list, want) {
			refused++
		}
	}
	if refused < flips/4 {
		t.Errorf("only %d of %d changes were found, want a quarter", refused, flips)
	}
}

// A reading is everything that a journal returns about samples.
type reading struct {
	Runs     []journal.Summary
	Events   map[string][]run.Event
	Sources  map[string]string
	Previous *run.Previous
	Errors   map[string]error
}

// read reads everything about samples.
func read(t testing.TB, j *Journal, list []sample) reading {
	t.Helper()
	r := reading{Events: map[string][]run.Event{}, Sources: map[string]string{}, Errors: map[string]error{}}
	note := func(what string, err error) {
		if err != nil {
			r.Errors[what] = err
		}
	}
	var err error
	r.Runs, err = j.Runs(background, journal.Query{})
	note("runs", err)
	for i := range r.Runs {
		r.Runs[i].Live = false // its owner differs
	}
	r.Previous, err = j.Previous(background, list[0].entry.Workflow, list[0].entry.Realm)
	note("previous", err)
	for _, s := range list {
		id := s.entry.Run
		r.Events[id], err = j.Events(background, id)
		note("events of "+id, err)
		sources, err := j.Sources(background, id)
		note("sources of "+id, err)
		r.Sources[id] = fmt.Sprint(sources)
		_, err = j.CancelRequested(background, id)
		note("cancellation of "+id, err)
	}
	return r
}

// readDamaged reads a file that may be damaged, and reports whether neither a read nor
// Verify found damage.
func readDamaged(t *testing.T, dir, where string, list []sample, want reading) (fine bool) {
	t.Helper()
	j, err := Open(Config{Dir: dir})
	if err != nil {
		if !strings.Contains(err.Error(), FileName) {
			t.Errorf("%s: the error %v does not name the file", where, err)
		}
		return false
	}
	defer j.Close()
	got := read(t, j, list)
	damages, err := j.Verify(background)
	found := err != nil || len(damages) > 0
	for id, events := range got.Events {
		if got.Errors["events of "+id] == nil && !cmp.Equal(want.Events[id], events) {
			t.Errorf("%s: %s has other events (-want +got):\n%s", where, id, cmp.Diff(want.Events[id], events))
		}
	}
	for what, err := range got.Errors {
		if !errors.Is(err, journal.ErrNoRun) && !strings.Contains(err.Error(), FileName) {
			t.Errorf("%s: %s: the error %v does not name the file", where, what, err)
		}
	}
	wrong := len(got.Errors) > 0
	got.Errors, want.Errors = nil, nil
	if !found && (wrong || !cmp.Equal(want, got)) {
		t.Errorf("%s: Verify reports no damage, but a read returns something else (-want +got):\n%s", where, cmp.Diff(want, got))
	}
	return !found && !wrong
}

// TestVerify changes rows. The read that needs the row must fail, and Verify must name the
// row.
func TestVerify(t *testing.T) {
	first := samples(1)[0].entry.Run
	tests := map[string]struct {
		change string
		want   string // of Verify
		read   string // of the reads that fail
	}{
		"a body":                  {"UPDATE events SET body = replace(body, 'false', 'true') WHERE run = 1 AND sequence = 5", "run " + first + ": event 5: it does not match its checksum", "events of " + first},
		"a time":                  {"UPDATE events SET time = time + 1 WHERE run = 1 AND sequence = 2", "event 2: it does not match", "events of " + first},
		"a kind":                  {"UPDATE events SET kind = 'attempt.suspended' WHERE run = 1 AND sequence = 2", "event 2: it does not match", "events of " + first},
		"a call":                  {"UPDATE calls SET number = 2 WHERE run = 1 AND sequence = 3", "event 3: it does not match", "events of " + first},
		"a missing event":         {"DELETE FROM calls WHERE run = 1 AND sequence = 3", "event 3: it is missing", "events of " + first},
		"a missing last event":    {"DELETE FROM events WHERE run = 1 AND sequence = 6", "event 6: it is missing", "events of " + first},
		"an event after the last": {"INSERT INTO events SELECT run, 7, time, kind, step, item, attempt, origin, body, crc FROM events WHERE run = 1 AND sequence = 6", "event 7: it does not match", "events of " + first},
		"a number used twice":     {"INSERT INTO calls SELECT run, 6, time, kind, step, item, attempt, number, body, crc FROM calls WHERE run = 1 AND sequence = 4", "event 6: ", "events of " + first},
		"an event of another run": {"UPDATE events SET run = 2, sequence = 7 WHERE run = 1 AND sequence = 6", "event 7: it does not match", "events of " + first},
		"an origin":               {"UPDATE origins SET body = replace(body, 'default', 'another')", "a row of origins does not match its digest", "events of " + first},
		"a missing origin":        {"DELETE FROM origins", "a row of events refers to a row of origins that is missing", "events of " + first},
		"a status":                {"UPDATE runs SET status = 'failure' WHERE number = 1", "run " + first + ": its row does not match its checksum", "runs"},
		"an owner":                {"UPDATE runs SET owner = 'X' WHERE number = 1", "its row does not match its checksum", "events of " + first},
		"an end":                  {"UPDATE runs SET ended = NULL WHERE number = 1", "its row does not match its checksum", "sources of " + first},
		"a source":                {"UPDATE sources SET text = 'x'", "is not the text that was recorded", "sources of " + first},
		"a missing source":        {"DELETE FROM sources", "a row of files refers to a row of sources that is missing", "sources of " + first},
		"a missing file":          {"DELETE FROM files", "its files are not the files that were recorded", "sources of " + first},
		"a missing plan":          {"DELETE FROM plans", "a row of runs refers to a row of plans that is missing", "sources of " + first},
		"the name of a workflow":  {"UPDATE workflows SET name = 'x'", "a row of workflows does not match its digest", "runs"},
		"a request to cancel":     {"INSERT INTO cancels VALUES (1, 0, '', 0)", "the request to cancel it does not match its checksum", "cancellation of " + first},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j, list := open(t, dir), samples(3)
			recorded(t, j, list)
			mustBeUndamaged(t, j)
			if _, err := j.write.Exec(test.change); err != nil {
				t.Fatal(err)
			}
			damages, err := j.Verify(background)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(fmt.Sprint(damages), test.want) {
				t.Errorf("got the damage %v, want %q in it", damages, test.want)
			}
			got := read(t, j, list)
			if err := got.Errors[test.read]; err == nil || !strings.Contains(err.Error(), "it is damaged") {
				t.Errorf("got the errors %v, want an error for the %s", got.Errors, test.read)
			}
			if name != "the name of a workflow" && name != "a source" {
				return
			}
			if events := got.Events[first]; len(events) != 6 {
				t.Errorf("got %d events, want the undamaged 6", len(events))
			}
		})
	}
}

// TestVerifyStops: Verify ends with its context.
func TestVerifyStops(t *testing.T) {
	j := open(t, t.TempDir())
	recorded(t, j, samples(3))
	ended, cancel := contextEnded()
	defer cancel()
	if damages, err := j.Verify(ended); !errors.Is(err, errGivenUp) || len(damages) > 0 {
		t.Errorf("got %v and the error %v, want only the error of the context", damages, err)
	}
}
