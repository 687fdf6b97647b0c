package journaltest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// testOwners: only its owner appends to a run. Another can adopt the run after a release,
// or once the owner is gone.
func testOwners(t *testing.T, open func() Owner) {
	first, second, third := open(), open(), open()
	for _, id := range []string{"R1", "R2", "R3"} {
		must(t, first.Begin(ctx, entry(id), events(id, 1, run.EventStarted)))
	}
	mustBe(t, second.Append(ctx, "R1", events("R1", 2, run.EventLogged)), journal.ErrNotOwner)
	mustBe(t, second.Adopt(ctx, "R1"), journal.ErrOwned)
	mustBe(t, second.Release(ctx, "R1"), journal.ErrNotOwner)
	mustBe(t, second.Adopt(ctx, "R9"), journal.ErrNoRun)
	mustBe(t, second.Release(ctx, "R9"), journal.ErrNoRun)
	must(t, first.Adopt(ctx, "R1")) // it is the owner already

	must(t, first.Release(ctx, "R1"))
	mustBe(t, first.Release(ctx, "R1"), journal.ErrNotOwner)
	mustBe(t, first.Append(ctx, "R1", events("R1", 2, run.EventLogged)), journal.ErrNotOwner)
	must(t, second.Adopt(ctx, "R1"))
	must(t, second.Append(ctx, "R1", events("R1", 2, run.EventResumed)))
	mustBe(t, first.Append(ctx, "R1", events("R1", 3, run.EventLogged)), journal.ErrNotOwner)
	mustBe(t, third.Adopt(ctx, "R1"), journal.ErrOwned)
	must(t, second.Release(ctx, "R1"))
	must(t, first.Adopt(ctx, "R1")) // the first owner again
	must(t, first.Append(ctx, "R1", events("R1", 3, run.EventFinished)))
	must(t, first.Append(ctx, "R1", events("R1", 4, run.EventRetried))) // it is still the owner after the end

	must(t, first.Lose())
	must(t, third.Adopt(ctx, "R2"))
	mustBe(t, second.Adopt(ctx, "R2"), journal.ErrOwned)
	must(t, third.Append(ctx, "R2", events("R2", 2, run.EventResumed)))
	same(t, second, "R2", append(events("R2", 1, run.EventStarted), events("R2", 2, run.EventResumed)...))
}

// testStale: an owner that counted as gone cannot append to a run that another has adopted
// since. It can append to its other runs.
func testStale(t *testing.T, open func() Owner) {
	stale, next := open(), open()
	for _, id := range []string{"R1", "R2"} {
		must(t, stale.Begin(ctx, entry(id), events(id, 1, run.EventStarted)))
	}
	must(t, stale.Lose())
	must(t, next.Adopt(ctx, "R1"))
	mustBe(t, stale.Append(ctx, "R1", events("R1", 2, run.EventFinished)), journal.ErrNotOwner)
	must(t, next.Append(ctx, "R1", events("R1", 2, run.EventResumed)))
	mustBe(t, stale.Append(ctx, "R1", events("R1", 3, run.EventFinished)), journal.ErrNotOwner)
	mustBe(t, stale.Release(ctx, "R1"), journal.ErrNotOwner)
	mustBe(t, stale.Adopt(ctx, "R1"), journal.ErrOwned)
	same(t, stale, "R1", append(events("R1", 1, run.EventStarted), events("R1", 2, run.EventResumed)...))
	must(t, stale.Append(ctx, "R2", events("R2", 2, run.EventFinished)))
	must(t, next.Adopt(ctx, "R2")) // an ended run, to retry it
	must(t, next.Append(ctx, "R2", events("R2", 3, run.EventRetried)))
	mustBe(t, stale.Append(ctx, "R2", events("R2", 4, run.EventLogged)), journal.ErrNotOwner)
}

// begin stores a run of a group with events of the given kinds.
func begin(owner journal.Journal, id, group string, kinds ...run.EventKind) error {
	e := entry(id)
	e.Group = group
	return owner.Begin(ctx, e, events(id, 1, kinds...))
}

// mustBeBusy checks that an error is a BusyError with these runs.
func mustBeBusy(t *testing.T, err error, group string, runs ...string) {
	t.Helper()
	var busy *journal.BusyError
	if !errors.As(err, &busy) {
		t.Fatalf("got the error %v, want a BusyError with %v", err, runs)
	}
	if diff := cmp.Diff(&journal.BusyError{Group: group, Runs: runs}, busy); diff != "" {
		t.Fatalf("busy (-want +got):\n%s", diff)
	}
}

// testGroups: one run of a group runs at a time. Queued runs start in the order in which
// they were queued. Runs of owners that are gone do not block the group.
func testGroups(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	start := func(id string, next int) error {
		return j.Append(ctx, id, events(id, next, run.EventStarted))
	}
	must(t, begin(gone, "R0", "g", run.EventStarted))
	mustBeBusy(t, begin(j, "R1", "g", run.EventStarted), "g", "R0")
	_, err := j.Events(ctx, "R1")
	mustBe(t, err, journal.ErrNoRun)
	must(t, gone.Lose())
	must(t, begin(j, "R1", "g", run.EventStarted))
	must(t, begin(j, "S1", "other", run.EventStarted))
	must(t, begin(j, "S2", "", run.EventStarted))
	must(t, begin(j, "S3", "", run.EventStarted))
	must(t, begin(j, "R2", "g", run.EventQueued))
	must(t, begin(j, "R3", "g", run.EventQueued))
	mustBeBusy(t, start("R2", 2), "g", "R1")
	mustBeBusy(t, start("R3", 2), "g", "R1", "R2")
	mustBeBusy(t, begin(j, "R4", "g", run.EventStarted), "g", "R1", "R2", "R3")
	must(t, begin(j, "R4", "g", run.EventSkipped))
	must(t, j.Append(ctx, "R1", events("R1", 2, run.EventSuspended)))
	mustBeBusy(t, start("R3", 2), "g", "R2")
	must(t, start("R2", 2))
	mustBeBusy(t, start("R3", 2), "g", "R2")
	must(t, j.Append(ctx, "R2", events("R2", 3, run.EventFinished)))
	must(t, start("R3", 2))
	same(t, j, "R3", append(events("R3", 1, run.EventQueued), events("R3", 2, run.EventStarted)...))
}

// testGroupReclaimed: a run that is resumed or retried needs its group again, unless it is
// resumed to be cancelled. Until it is resumed, an adopted run does not block its group.
func testGroupReclaimed(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	must(t, begin(gone, "R1", "g", run.EventStarted))
	must(t, begin(gone, "R2", "h", run.EventStarted))
	must(t, gone.Lose())
	must(t, begin(j, "R3", "h", run.EventStarted, run.EventSuspended))
	must(t, begin(j, "R4", "g", run.EventStarted))
	must(t, j.Adopt(ctx, "R1"))
	must(t, j.Adopt(ctx, "R2"))
	mustBeBusy(t, j.Append(ctx, "R1", events("R1", 2, run.EventResumed)), "g", "R4")
	must(t, j.Append(ctx, "R3", events("R3", 3, run.EventCallDecided, run.EventResumed)))
	mustBeBusy(t, j.Append(ctx, "R2", events("R2", 2, run.EventResumed)), "h", "R3")
	must(t, j.Append(ctx, "R2", events("R2", 2, run.EventResumed, run.EventCancelled)))
	must(t, j.Append(ctx, "R4", events("R4", 2, run.EventFinished)))
	must(t, j.Append(ctx, "R1", events("R1", 2, run.EventResumed)))
	mustBeBusy(t, j.Append(ctx, "R4", events("R4", 3, run.EventRetried)), "g", "R1")
}

// testGroupStates: which states of a run block another run of the group.
func testGroupStates(t *testing.T, open func() Owner) {
	for i, test := range []struct {
		name  string
		kinds []run.EventKind
		lost  bool
		busy  bool
	}{
		{"started", []run.EventKind{run.EventStarted}, false, true},
		{"queued", []run.EventKind{run.EventQueued}, false, true},
		{"queued and started", []run.EventKind{run.EventQueued, run.EventStarted}, false, true},
		{"running an attempt", []run.EventKind{run.EventStarted, run.EventAttemptStarted, run.EventCallStarted}, false, true},
		{"cancelled but not ended", []run.EventKind{run.EventStarted, run.EventCancelled}, false, true},
		{"ended", []run.EventKind{run.EventStarted, run.EventFinished}, false, false},
		{"skipped", []run.EventKind{run.EventSkipped}, false, false},
		{"suspended", []run.EventKind{run.EventStarted, run.EventSuspended}, false, false},
		{"decided", []run.EventKind{run.EventStarted, run.EventSuspended, run.EventCallDecided}, false, false},
		{"resumed", []run.EventKind{run.EventStarted, run.EventSuspended, run.EventResumed}, false, true},
		{"retried", []run.EventKind{run.EventStarted, run.EventFinished, run.EventRetried}, false, true},
		{"started by an owner that is gone", []run.EventKind{run.EventStarted}, true, false},
		{"queued by an owner that is gone", []run.EventKind{run.EventQueued}, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			j, other := open(), open()
			group, first, second := test.name, string(rune('A'+i))+"1", string(rune('A'+i))+"2"
			must(t, begin(other, first, group, test.kinds...))
			if test.lost {
				must(t, other.Lose())
			}
			err := begin(j, second, group, run.EventStarted)
			if !test.busy {
				must(t, err)
				return
			}
			mustBeBusy(t, err, group, first)
			must(t, begin(j, second, group, run.EventQueued))
			mustBeBusy(t, j.Append(ctx, second, events(second, 2, run.EventLogged, run.EventStarted)), group, first)
			must(t, other.Release(ctx, first)) // then no living owner has it
			must(t, j.Append(ctx, second, events(second, 2, run.EventStarted)))
		})
	}
}
