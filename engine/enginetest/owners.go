package enginetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
)

// testOwners: a run belongs to its owner while that lives, or until it gives it
// up.
func testOwners(t *testing.T, open func() Owner) {
	first, second, third := open(), open(), open()
	for _, run := range []string{"R1", "R2", "R3"} {
		must(t, first.Begin(ctx, entry(run), events(run, 1, engine.RunStarted)))
	}
	mustBe(t, second.Append(ctx, "R1", events("R1", 2, engine.Logged)), engine.ErrNotOwner)
	mustBe(t, second.Adopt(ctx, "R1"), engine.ErrOwned)
	mustBe(t, second.Release(ctx, "R1"), engine.ErrNotOwner)
	mustBe(t, second.Adopt(ctx, "R9"), engine.ErrNoRun)
	mustBe(t, second.Release(ctx, "R9"), engine.ErrNoRun)
	must(t, first.Adopt(ctx, "R1")) // its own already

	must(t, first.Release(ctx, "R1"))
	mustBe(t, first.Release(ctx, "R1"), engine.ErrNotOwner)
	mustBe(t, first.Append(ctx, "R1", events("R1", 2, engine.Logged)), engine.ErrNotOwner)
	must(t, second.Adopt(ctx, "R1"))
	must(t, second.Append(ctx, "R1", events("R1", 2, engine.RunResumed)))
	mustBe(t, first.Append(ctx, "R1", events("R1", 3, engine.Logged)), engine.ErrNotOwner)
	mustBe(t, third.Adopt(ctx, "R1"), engine.ErrOwned)
	must(t, second.Release(ctx, "R1"))
	must(t, first.Adopt(ctx, "R1")) // back again
	must(t, first.Append(ctx, "R1", events("R1", 3, engine.RunFinished)))
	must(t, first.Append(ctx, "R1", events("R1", 4, engine.RunRetried))) // it is the owner after the end, too

	must(t, first.Lose())
	must(t, third.Adopt(ctx, "R2"))
	mustBe(t, second.Adopt(ctx, "R2"), engine.ErrOwned)
	must(t, third.Append(ctx, "R2", events("R2", 2, engine.RunResumed)))
	same(t, second, "R2", append(events("R2", 1, engine.RunStarted), events("R2", 2, engine.RunResumed)...))
}

// testStale: an owner that was taken for gone and wakes up cannot write to what
// others adopted, and can to the rest.
func testStale(t *testing.T, open func() Owner) {
	stale, next := open(), open()
	for _, run := range []string{"R1", "R2"} {
		must(t, stale.Begin(ctx, entry(run), events(run, 1, engine.RunStarted)))
	}
	must(t, stale.Lose())
	must(t, next.Adopt(ctx, "R1"))
	mustBe(t, stale.Append(ctx, "R1", events("R1", 2, engine.RunFinished)), engine.ErrNotOwner)
	must(t, next.Append(ctx, "R1", events("R1", 2, engine.RunResumed)))
	mustBe(t, stale.Append(ctx, "R1", events("R1", 3, engine.RunFinished)), engine.ErrNotOwner)
	mustBe(t, stale.Release(ctx, "R1"), engine.ErrNotOwner)
	mustBe(t, stale.Adopt(ctx, "R1"), engine.ErrOwned)
	same(t, stale, "R1", append(events("R1", 1, engine.RunStarted), events("R1", 2, engine.RunResumed)...))
	must(t, stale.Append(ctx, "R2", events("R2", 2, engine.RunFinished)))
	must(t, next.Adopt(ctx, "R2")) // an ended run, to retry it
	must(t, next.Append(ctx, "R2", events("R2", 3, engine.RunRetried)))
	mustBe(t, stale.Append(ctx, "R2", events("R2", 4, engine.Logged)), engine.ErrNotOwner)
}

func begin(owner engine.Journal, run, group string, kinds ...engine.EventKind) error {
	e := entry(run)
	e.Group = group
	return owner.Begin(ctx, e, events(run, 1, kinds...))
}

// mustBeBusy holds an error against the runs that it must name.
func mustBeBusy(t *testing.T, err error, group string, runs ...string) {
	t.Helper()
	var busy *engine.BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("got the error %v, want it to be busy with %v", err, runs)
	}
	if diff := cmp.Diff(&engine.BusyError{Group: group, Runs: runs}, busy); diff != "" {
		t.Fatalf("busy (-want +got):\n%s", diff)
	}
}

// testGroups: of a group one run goes on at a time, in the order in which they
// were queued; those of owners that are gone are in nobody's way.
func testGroups(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	start := func(run string, next int) error {
		return j.Append(ctx, run, events(run, next, engine.RunStarted))
	}
	must(t, begin(gone, "R0", "g", engine.RunStarted))
	mustBeBusy(t, begin(j, "R1", "g", engine.RunStarted), "g", "R0")
	_, err := j.Events(ctx, "R1")
	mustBe(t, err, engine.ErrNoRun)
	must(t, gone.Lose())
	must(t, begin(j, "R1", "g", engine.RunStarted))
	must(t, begin(j, "S1", "other", engine.RunStarted))
	must(t, begin(j, "S2", "", engine.RunStarted))
	must(t, begin(j, "S3", "", engine.RunStarted))
	must(t, begin(j, "R2", "g", engine.RunQueued))
	must(t, begin(j, "R3", "g", engine.RunQueued))
	mustBeBusy(t, start("R2", 2), "g", "R1")
	mustBeBusy(t, start("R3", 2), "g", "R1", "R2")
	mustBeBusy(t, begin(j, "R4", "g", engine.RunStarted), "g", "R1", "R2", "R3")
	must(t, begin(j, "R4", "g", engine.RunSkipped))
	must(t, j.Append(ctx, "R1", events("R1", 2, engine.RunSuspended)))
	mustBeBusy(t, start("R3", 2), "g", "R2")
	must(t, start("R2", 2))
	mustBeBusy(t, start("R3", 2), "g", "R2")
	must(t, j.Append(ctx, "R2", events("R2", 3, engine.RunFinished)))
	must(t, start("R3", 2))
	same(t, j, "R3", append(events("R3", 1, engine.RunQueued), events("R3", 2, engine.RunStarted)...))
}

// testGroupStates: which states of a run are in the way of another.
func testGroupStates(t *testing.T, open func() Owner) {
	for i, test := range []struct {
		name  string
		kinds []engine.EventKind
		lost  bool
		busy  bool
	}{
		{"started", []engine.EventKind{engine.RunStarted}, false, true},
		{"queued", []engine.EventKind{engine.RunQueued}, false, true},
		{"queued and started", []engine.EventKind{engine.RunQueued, engine.RunStarted}, false, true},
		{"under way", []engine.EventKind{engine.RunStarted, engine.AttemptStarted, engine.CallStarted}, false, true},
		{"cancelled and not ended", []engine.EventKind{engine.RunStarted, engine.RunCancelled}, false, true},
		{"ended", []engine.EventKind{engine.RunStarted, engine.RunFinished}, false, false},
		{"skipped", []engine.EventKind{engine.RunSkipped}, false, false},
		{"suspended", []engine.EventKind{engine.RunStarted, engine.RunSuspended}, false, false},
		{"decided", []engine.EventKind{engine.RunStarted, engine.RunSuspended, engine.CallDecided}, false, false},
		{"resumed", []engine.EventKind{engine.RunStarted, engine.RunSuspended, engine.RunResumed}, false, true},
		{"retried", []engine.EventKind{engine.RunStarted, engine.RunFinished, engine.RunRetried}, false, true},
		{"started by one that is gone", []engine.EventKind{engine.RunStarted}, true, false},
		{"queued by one that is gone", []engine.EventKind{engine.RunQueued}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, other := open(), open()
			group, first, second := test.name, string(rune('A'+i))+"1", string(rune('A'+i))+"2"
			must(t, begin(other, first, group, test.kinds...))
			if test.lost {
				must(t, other.Lose())
			}
			err := begin(j, second, group, engine.RunStarted)
			if !test.busy {
				must(t, err)
				return
			}
			mustBeBusy(t, err, group, first)
			must(t, begin(j, second, group, engine.RunQueued))
			mustBeBusy(t, j.Append(ctx, second, events(second, 2, engine.Logged, engine.RunStarted)), group, first)
			must(t, other.Release(ctx, first)) // nobody lives who could go on with it
			must(t, j.Append(ctx, second, events(second, 2, engine.RunStarted)))
		})
	}
}
