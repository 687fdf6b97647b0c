// Package enginetest holds implementations of the engine's interfaces to what
// these promise.
//
// [TestJournal] is for journals: an implementation calls it from its own test
// with a function that makes an empty one.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An Owner is one process that has a journal open.
type Owner interface {
	engine.Journal
	// Close ends the owner, as the end of its process does.
	Close() error
}

// TestJournal holds a journal to the words of [engine.Journal]. Open returns a
// function that opens an empty journal, and each time it is called again another
// owner of the same one.
func TestJournal(t *testing.T, open func(t testing.TB) func() Owner) {
	tests := map[string]func(*testing.T, func() Owner){
		"Order": testOrder, "Values": testValues, "Sources": testSources, "Owners": testOwners, "Lists": testLists,
		"Previous": testPrevious, "Cancel": testCancel, "Groups": testGroups, "Parallel": testParallel,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

var ctx = context.Background()

// instant is a time in the virtual day of these tests.
func instant(second int) time.Time {
	return time.Date(2026, 1, 31, 9, 0, 0, 123_456_789, time.UTC).Add(time.Duration(second) * time.Second)
}

func entry(run string) engine.Entry {
	return engine.Entry{Run: run, Workflow: "w", Realm: "here", Trigger: "manual", Sources: []workflow.Source{{Name: "w.yaml", Text: []byte("steps: []")}}}
}

// events are events of a run of the kinds given, numbered from first on.
func events(run string, first int, kinds ...engine.EventKind) []engine.Event {
	var list []engine.Event
	for i, kind := range kinds {
		e := engine.Event{Sequence: first + i, Time: instant(first + i), Kind: kind, Run: run}
		switch kind {
		case engine.RunStarted, engine.RunQueued, engine.RunSkipped:
			e.Started = &engine.RunStart{Workflow: "w"}
		case engine.RunFinished:
			e.Status = engine.Success
		case engine.CallStarted, engine.CallReturned:
			e.Call = &engine.Call{Number: 1, Action: "host.act"}
		}
		list = append(list, e)
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// same compares what was recorded with what is read.
func same(t *testing.T, j engine.Journal, run string, want []engine.Event) {
	t.Helper()
	got, err := j.Events(ctx, run)
	must(t, err)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("events of %s (-want +got):\n%s", run, diff)
	}
}

// testOrder: events have their numbers, each once and without gaps; what is
// refused changes nothing.
func testOrder(t *testing.T, open func() Owner) {
	j := open()
	defer j.Close()
	first := events("R1", 1, engine.RunStarted, engine.AttemptStarted)
	must(t, j.Begin(ctx, entry("R1"), first))
	mustBe(t, j.Begin(ctx, entry("R1"), first), engine.ErrExists)
	mustBe(t, j.Begin(ctx, entry("R2"), events("R2", 2, engine.RunStarted)), engine.ErrSequence)
	more := events("R1", 3, engine.CallStarted, engine.Logged, engine.CallReturned)
	must(t, j.Append(ctx, "R1", more))
	mustBe(t, j.Append(ctx, "R1", more), engine.ErrSequence)
	mustBe(t, j.Append(ctx, "R1", events("R1", 7, engine.RunFinished)), engine.ErrSequence)
	gap := events("R1", 6, engine.Logged, engine.Logged)
	gap[1].Sequence = 8
	mustBe(t, j.Append(ctx, "R1", gap), engine.ErrSequence)
	mustBe(t, j.Append(ctx, "R9", events("R9", 1, engine.RunStarted)), engine.ErrNoRun)
	same(t, j, "R1", append(first, more...))
	_, err := j.Events(ctx, "R2")
	mustBe(t, err, engine.ErrNoRun)
}

// testValues: everything that an event can hold comes back as it was.
func testValues(t *testing.T, open func() Owner) {
	j := open()
	defer j.Close()
	at := instant(7)
	values := action.Object{
		"none": nil, "yes": true, "number": 0.1, "large": 1e300, "text": "ü \x00 \u2028 <&> \"", "list": []any{nil, "a", []any{}, action.Object{}},
		"object": action.Object{"$secret": "looks like one", "deep": action.Object{"n": -0.0}},
	}
	failure := &engine.Failure{Kind: action.NotFound, Message: "m", Step: "s", Item: 2, Call: 3, File: "f", Line: 4, Status: 404, Code: 2100, Action: "a", Hint: "h", Retryable: true}
	list := []engine.Event{
		{Kind: engine.RunStarted, Started: &engine.RunStart{
			Workflow: "w", Source: "abc", Trigger: engine.Trigger{Kind: "schedule", ScheduledAt: &at}, Previous: &engine.Previous{Outputs: values, Status: engine.Success, EndedAt: at},
			Inputs: action.Object{"token": action.Secret{Name: "inputs.token"}, "plain": values},
			Target: engine.Target{Simulator: "S", Connection: "c", Region: "eu", APIURL: "u", EventsURL: "v", Keys: map[string]string{"api": "0f"}},
		}},
		{Kind: engine.StepExpanded, Step: "s", Attempt: 1, Items: []any{nil, 1.0, "x", values}},
		{Kind: engine.StepExpanded, Step: "empty", Attempt: 1, Items: []any{}},
		{Kind: engine.AttemptFinished, Step: "s", Item: 3, Attempt: 2, Outcome: &engine.Outcome{Status: engine.Failed, Outputs: values, Size: 5, Error: failure, Final: true}},
		{Kind: engine.CallStarted, Step: "s", Attempt: 1, Call: &engine.Call{Number: 1, Action: "a", Effect: "once", Input: values, Digest: "d", Key: "k", Before: []byte(`{"a":[1]}`)}},
		{Kind: engine.CallReturned, Step: "s", Attempt: 1, Call: &engine.Call{Number: 1, Action: "a", Again: true, Output: values, Error: failure}},
		{Kind: engine.CallDecided, Step: "s", Attempt: 1, Call: &engine.Call{Number: 5, Decision: engine.CallRepeat}},
		{Kind: engine.Logged, Step: "s", Attempt: 1, Log: &action.LogRecord{Level: "warn", Message: "m", Fields: values}},
		{Kind: engine.AttemptSuspended, Step: "s", Attempt: 1, Outcome: &engine.Outcome{Status: engine.Suspended, Error: failure}},
		{Kind: engine.RunSuspended, Error: failure},
		{Kind: engine.RunResumed},
		{Kind: engine.RunCancelled},
		{Kind: engine.RunTimedOut},
		{Kind: engine.RunFinished, Status: engine.Success, Outputs: values, Error: failure},
		{Kind: engine.RunRetried},
	}
	for i := range list {
		list[i].Sequence, list[i].Time, list[i].Run = i+1, instant(i), "R1"
	}
	must(t, j.Begin(ctx, entry("R1"), list))
	same(t, j, "R1", list)
}

// testSources: a run has the texts that it was made from, in their order.
func testSources(t *testing.T, open func() Owner) {
	j := open()
	defer j.Close()
	for _, run := range []string{"R1", "R2"} {
		e := entry(run)
		e.Sources = append(e.Sources, workflow.Source{Name: "lib/" + run + ".lua", Text: []byte("return '" + run + "'")}, workflow.Source{Name: "empty.lua", Text: []byte{}})
		must(t, j.Begin(ctx, e, events(run, 1, engine.RunStarted)))
		got, err := j.Sources(ctx, run)
		must(t, err)
		if diff := cmp.Diff(e.Sources, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("sources of %s (-want +got):\n%s", run, diff)
		}
	}
	_, err := j.Sources(ctx, "R9")
	mustBe(t, err, engine.ErrNoRun)
}

// testOwners: a run belongs to its owner while that lives, or until it gives it
// up; a stale owner is refused.
func testOwners(t *testing.T, open func() Owner) {
	first, second, third := open(), open(), open()
	defer second.Close()
	defer third.Close()
	must(t, first.Begin(ctx, entry("R1"), events("R1", 1, engine.RunStarted)))
	must(t, first.Begin(ctx, entry("R2"), events("R2", 1, engine.RunStarted)))
	mustBe(t, second.Append(ctx, "R1", events("R1", 2, engine.Logged)), engine.ErrNotOwner)
	mustBe(t, second.Adopt(ctx, "R1"), engine.ErrOwned)
	mustBe(t, second.Release(ctx, "R1"), engine.ErrNotOwner)
	mustBe(t, second.Adopt(ctx, "R9"), engine.ErrNoRun)
	must(t, first.Adopt(ctx, "R1")) // its own already

	must(t, first.Release(ctx, "R1"))
	mustBe(t, first.Append(ctx, "R1", events("R1", 2, engine.Logged)), engine.ErrNotOwner)
	must(t, second.Adopt(ctx, "R1"))
	must(t, second.Append(ctx, "R1", events("R1", 2, engine.RunResumed)))
	mustBe(t, first.Append(ctx, "R1", events("R1", 3, engine.Logged)), engine.ErrNotOwner)
	mustBe(t, third.Adopt(ctx, "R1"), engine.ErrOwned)

	must(t, first.Close())
	must(t, third.Adopt(ctx, "R2"))
	mustBe(t, second.Adopt(ctx, "R2"), engine.ErrOwned)
	must(t, third.Append(ctx, "R2", events("R2", 2, engine.RunResumed)))
	same(t, second, "R2", append(events("R2", 1, engine.RunStarted), events("R2", 2, engine.RunResumed)...))
}

// testLists: runs are found by what they are and how they stand.
func testLists(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	defer j.Close()
	begin := func(owner Owner, run, name string, second int, kinds ...engine.EventKind) {
		e := entry(run)
		e.Workflow = name
		list := events(run, 1, kinds...)
		for i := range list {
			list[i].Time = instant(second + i)
		}
		must(t, owner.Begin(ctx, e, list))
	}
	begin(j, "A1", "a", 10, engine.RunStarted)
	begin(gone, "A2", "a", 20, engine.RunStarted)
	begin(j, "B1", "b", 30, engine.RunStarted, engine.RunFinished)
	begin(j, "B2", "b", 40, engine.RunStarted, engine.AttemptStarted, engine.RunSuspended)
	begin(j, "B3", "b", 50, engine.RunSkipped)
	begin(j, "B4", "b", 60, engine.RunQueued)
	begin(gone, "B5", "b", 70, engine.RunQueued)
	begin(j, "B6", "b", 80, engine.RunStarted, engine.RunFinished, engine.RunRetried)
	must(t, gone.Close())
	queries := map[string]struct {
		query engine.RunQuery
		want  string
	}{
		"all":      {engine.RunQuery{}, "B6 running, B5 interrupted, B4 queued, B3 skipped, B2 needs_attention, B1 success, A2 interrupted, A1 running, "},
		"limit":    {engine.RunQuery{Limit: 2}, "B6 running, B5 interrupted, "},
		"workflow": {engine.RunQuery{Workflow: "a"}, "A2 interrupted, A1 running, "},
		"prefix":   {engine.RunQuery{Run: "A"}, "A2 interrupted, A1 running, "},
		"id":       {engine.RunQuery{Run: "B3"}, "B3 skipped, "},
		"no id":    {engine.RunQuery{Run: "%"}, ""},
		"status":   {engine.RunQuery{Statuses: []engine.Status{engine.Interrupted, engine.Success}, Limit: 2}, "B5 interrupted, B1 success, "},
		"since":    {engine.RunQuery{Since: instant(60)}, "B6 running, B5 interrupted, B4 queued, "},
	}
	for name, q := range queries {
		runs, err := j.Runs(ctx, q.query)
		must(t, err)
		got := ""
		for _, run := range runs {
			got += fmt.Sprintf("%s %s, ", run.Run, run.Status)
		}
		if got != q.want {
			t.Errorf("%s: got %q, want %q", name, got, q.want)
		}
	}
	runs, err := j.Runs(ctx, engine.RunQuery{Run: "B1"})
	must(t, err)
	want := []engine.RunSummary{{Run: "B1", Workflow: "b", Trigger: "manual", Status: engine.Success, Live: true, Events: 2, BegunAt: instant(30), EndedAt: instant(31)}}
	if diff := cmp.Diff(want, runs); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

// testPrevious: the last success of a workflow in its realm, by its end.
func testPrevious(t *testing.T, open func() Owner) {
	j := open()
	defer j.Close()
	end := func(run, name, realm string, status engine.Status, second int) {
		e := entry(run)
		e.Workflow, e.Realm = name, realm
		list := events(run, 1, engine.RunStarted, engine.RunFinished)
		list[1].Time, list[1].Status, list[1].Outputs = instant(second), status, action.Object{"run": run}
		must(t, j.Begin(ctx, e, list))
	}
	end("R1", "w", "here", engine.Success, 10)
	end("R2", "w", "here", engine.Success, 30)
	end("R3", "w", "here", engine.Success, 20)
	end("R4", "w", "here", engine.Failed, 40)
	end("R5", "w", "there", engine.Success, 50)
	end("R6", "v", "here", engine.Success, 60)
	got, err := j.Previous(ctx, "w", "here")
	must(t, err)
	want := &engine.Previous{Outputs: action.Object{"run": "R2"}, Status: engine.Success, EndedAt: instant(30)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("previous (-want +got):\n%s", diff)
	}
	if got, err := j.Previous(ctx, "u", "here"); got != nil || err != nil {
		t.Errorf("got %v, %v, want nothing", got, err)
	}
}

// testCancel: a request stays until the run goes on.
func testCancel(t *testing.T, open func() Owner) {
	owner, other := open(), open()
	defer owner.Close()
	defer other.Close()
	must(t, owner.Begin(ctx, entry("R1"), events("R1", 1, engine.RunStarted)))
	asked := func(want bool) {
		t.Helper()
		if got, err := owner.CancelRequested(ctx, "R1"); got != want || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	asked(false)
	must(t, other.RequestCancel(ctx, "R1"))
	asked(true)
	must(t, owner.Append(ctx, "R1", events("R1", 2, engine.RunCancelled, engine.RunFinished)))
	asked(true)
	must(t, owner.Append(ctx, "R1", events("R1", 4, engine.RunRetried)))
	asked(false)
	mustBe(t, other.RequestCancel(ctx, "R9"), engine.ErrNoRun)
	_, err := owner.CancelRequested(ctx, "R9")
	mustBe(t, err, engine.ErrNoRun)
}

// testGroups: of a group one run goes on at a time, in the order in which they
// were queued; those of owners that are gone are in nobody's way.
func testGroups(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	defer j.Close()
	begin := func(owner Owner, run, group string, kind engine.EventKind) error {
		e := entry(run)
		e.Group = group
		return owner.Begin(ctx, e, events(run, 1, kind))
	}
	busy := func(err error, runs ...string) {
		t.Helper()
		var typed *engine.BusyError
		if !errors.As(err, &typed) || cmp.Diff(runs, typed.Runs) != "" {
			t.Fatalf("got %v, want it to be busy with %v", err, runs)
		}
	}
	start := func(run string) error { return j.Append(ctx, run, events(run, 2, engine.RunStarted)) }
	must(t, begin(gone, "R0", "g", engine.RunStarted))
	busy(begin(j, "R1", "g", engine.RunStarted), "R0")
	_, err := j.Events(ctx, "R1")
	mustBe(t, err, engine.ErrNoRun)
	must(t, gone.Close())
	must(t, begin(j, "R1", "g", engine.RunStarted))
	must(t, begin(j, "S1", "other", engine.RunStarted))
	must(t, begin(j, "S2", "", engine.RunStarted))
	must(t, begin(j, "R2", "g", engine.RunQueued))
	must(t, begin(j, "R3", "g", engine.RunQueued))
	busy(start("R2"), "R1")
	busy(start("R3"), "R1", "R2")
	busy(begin(j, "R4", "g", engine.RunStarted), "R1", "R2", "R3")
	must(t, begin(j, "R4", "g", engine.RunSkipped))
	must(t, j.Append(ctx, "R1", events("R1", 2, engine.RunSuspended)))
	busy(start("R3"), "R2")
	must(t, start("R2"))
	busy(start("R3"), "R2")
	must(t, j.Append(ctx, "R2", events("R2", 3, engine.RunFinished)))
	must(t, start("R3"))
	same(t, j, "R3", append(events("R3", 1, engine.RunQueued), events("R3", 2, engine.RunStarted)...))
}

// testParallel: runs of several owners are written at the same time, each in its
// own order.
func testParallel(t *testing.T, open func() Owner) {
	owners := []Owner{open(), open()}
	const runs, each = 8, 20
	var all sync.WaitGroup
	for n := range runs {
		all.Add(1)
		go func() {
			defer all.Done()
			run, j := fmt.Sprintf("R%d", n), owners[n%len(owners)]
			if err := j.Begin(ctx, entry(run), events(run, 1, engine.RunStarted)); err != nil {
				t.Error(err)
			}
			for i := range each {
				if err := j.Append(ctx, run, events(run, i+2, engine.Logged)); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	for n := range runs {
		got, err := owners[0].Events(ctx, fmt.Sprintf("R%d", n))
		if err != nil || len(got) != each+1 {
			t.Errorf("got %d events, %v, want %d", len(got), err, each+1)
		}
	}
	for _, j := range owners {
		must(t, j.Close())
	}
}
