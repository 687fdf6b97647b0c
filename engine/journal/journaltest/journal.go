// Package journaltest is the conformance suite for implementations of journal.Journal.
//
// An implementation calls [TestJournal] from its own test, with a function that opens an
// empty journal. The tests of one [Owner] are in journal.go, query.go and schedules.go,
// the tests of several owners in owners.go, and the tests of concurrent calls in race.go.
// random.go makes random histories and compares the journal with a model (model.go).
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An Owner is one process that has a journal open.
type Owner interface {
	journal.Journal
	// Close ends the owner, as the end of its process does.
	Close() error
	// Lose makes the owner count as gone, while its methods still work: like a process
	// that was stopped for a while and continues.
	Lose() error
}

// TestJournal checks that a journal does what [journal.Journal] says. It calls open once
// for each test. The function that open returns opens an empty journal at first, and
// another owner of the same journal with each later call. TestJournal closes the owners.
func TestJournal(t *testing.T, open func(t testing.TB) func() Owner) {
	for _, test := range []struct {
		name string
		do   func(*testing.T, func() Owner)
	}{
		{"Order", testOrder},
		{"Values", testValues},
		{"Refused", testRefused},
		{"Copies", testCopies},
		{"Sources", testSources},
		{"Lists", testLists},
		{"Summaries", testSummaries},
		{"Previous", testPrevious},
		{"Cancel", testCancel},
		{"Schedules", testSchedules},
		{"Names", testNames},
		{"Owners", testOwners},
		{"Stale", testStale},
		{"Groups", testGroups},
		{"GroupStates", testGroupStates},
		{"GroupReclaimed", testGroupReclaimed},
		{"Parallel", testParallel},
		{"SameNumber", testSameNumber},
		{"SameRun", testSameRun},
		{"SameGroup", testSameGroup},
		{"Adopters", testAdopters},
		{"Cancelled", testCancelled},
		{"Random", testRandom},
	} {
		t.Run(test.name, func(t *testing.T) {
			next := open(t)
			test.do(t, func() Owner {
				owner := next()
				t.Cleanup(func() {
					if err := owner.Close(); err != nil {
						t.Error(err)
					}
				})
				return owner
			})
		})
	}
}

var ctx = context.Background()

// instant returns a time on the day of these tests.
func instant(second int) time.Time {
	return time.Date(2026, 1, 31, 9, 0, 0, 123_456_789, time.UTC).Add(time.Duration(second) * time.Second)
}

// entry returns the entry of a run of workflow w.
func entry(id string) journal.Entry {
	return journal.Entry{Run: id, Workflow: "w", Realm: "here", Trigger: "manual", Sources: []workflow.Source{{Name: "w.yaml", Text: []byte("steps: []")}}}
}

// events returns events of a run with the given kinds, numbered from first.
func events(id string, first int, kinds ...run.EventKind) []run.Event {
	var list []run.Event
	for i, kind := range kinds {
		e := run.Event{Sequence: first + i, Time: instant(first + i), Kind: kind, Run: id}
		switch kind {
		case run.EventStarted, run.EventQueued, run.EventSkipped:
			e.Started = &run.Start{Workflow: "w", Source: "00"}
		case run.EventFinished:
			e.Status = run.Success
		case run.EventCallStarted, run.EventCallReturned:
			e.Step, e.Attempt, e.Call = "s", 1, &run.Call{Number: 1, Action: "host.act"}
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
		t.Fatalf("got the error %v, want the error %v", got, want)
	}
}

// same checks the stored events of a run.
func same(t *testing.T, j journal.Journal, id string, want []run.Event) {
	t.Helper()
	got, err := j.Events(ctx, id)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events of %s (-want +got):\n%s", id, diff)
	}
}

// testOrder: the sequence numbers of a run have no gaps and no duplicates. A refused call
// changes nothing.
func testOrder(t *testing.T, open func() Owner) {
	j := open()
	first := events("R1", 1, run.EventStarted, run.EventAttemptStarted)
	must(t, j.Begin(ctx, entry("R1"), first))
	mustBe(t, j.Begin(ctx, entry("R1"), events("R1", 1, run.EventStarted)), journal.ErrExists)
	mustBe(t, j.Begin(ctx, entry("R2"), events("R2", 2, run.EventStarted)), journal.ErrSequence)
	mustBe(t, j.Begin(ctx, entry("R2"), nil), journal.ErrSequence)
	more := events("R1", 3, run.EventCallStarted, run.EventLogged, run.EventCallReturned)
	must(t, j.Append(ctx, "R1", more))
	must(t, j.Append(ctx, "R1", nil))
	mustBe(t, j.Append(ctx, "R1", more), journal.ErrSequence)
	mustBe(t, j.Append(ctx, "R1", events("R1", 7, run.EventFinished)), journal.ErrSequence)
	gap := events("R1", 6, run.EventLogged, run.EventLogged)
	gap[1].Sequence = 8
	mustBe(t, j.Append(ctx, "R1", gap), journal.ErrSequence)
	mustBe(t, j.Append(ctx, "R9", events("R9", 1, run.EventStarted)), journal.ErrNoRun)
	if err := j.Append(ctx, "R1", events("R2", 6, run.EventLogged)); err == nil {
		t.Error("an event of another run was recorded")
	}
	same(t, j, "R1", append(first, more...))
	_, err := j.Events(ctx, "R2")
	mustBe(t, err, journal.ErrNoRun)
}

// testValues: every value that an event can hold comes back as it was.
func testValues(t *testing.T, open func() Owner) {
	j := open()
	at := instant(7)
	values := action.Object{
		"none": nil, "yes": true, "number": 0.1, "large": 1e300, "whole": float64(1 << 53), "text": "ü \x00 \u2028 <&> \" \x1a", "bytes": "\xff\xfe\x80",
		"list": []any{nil, "a", []any{}, action.Object{}}, "": "", "\xff": 1.0, "secret": action.Secret{Name: "TOKEN"},
		"object": action.Object{"$secret": "looks like one", "deep": action.Object{"$$secret": math.Copysign(0, -1)}}, "lookalike": action.Object{"$secret": "A"},
	}
	failure := &run.Failure{Kind: action.NotFound, Message: "m\xff", Step: "s", Item: 2, Call: 3, File: "f", Line: 4, Status: 404, Code: 2100, Action: "a", Hint: "h", Retryable: true}
	target := run.Target{Simulation: "S", Connection: "c", Region: "eu", APIURL: "u", EventsURL: "v", Keys: map[string]string{"api": "0f", "service": "f0"}}
	target.Others = []run.Target{{Connection: "d", Region: "us", APIURL: "w", EventsURL: "x", Keys: map[string]string{"api": "1f"}}, {}}
	actor := &run.Actor{Kind: run.ActorUser, Name: "ann\xff@host"}
	child := &run.Suspension{Reason: run.ChildRun, Run: "R0"}
	call := func(c run.Call) *run.Call { return &c }
	list := []run.Event{
		{Kind: run.EventQueued, Reason: "busy", Started: &run.Start{Workflow: "w", Source: "abc"}},
		{Kind: run.EventStarted, Actor: actor, Started: &run.Start{
			Workflow: "another", Source: "", Trigger: run.Trigger{Kind: "schedule", ScheduledAt: &at, Schedule: "nightly"}, Previous: &run.Previous{Outputs: values, Status: run.Success, EndedAt: at},
			Inputs: action.Object{"token": action.Secret{Name: "inputs.token"}, "plain": values}, Target: target,
		}},
		{Kind: run.EventStepExpanded, Step: "s", Attempt: 1, Items: []any{nil, 1.0, "x", values}},
		{Kind: run.EventStepExpanded, Step: "empty", Attempt: 1, Items: []any{}},
		{Kind: run.EventAttemptFinished, Step: "s", Item: 3, Attempt: 2, Outcome: &run.Outcome{Status: run.Failed, Outputs: values, Size: 5, Error: failure, Final: true, Used: &run.Usage{Instructions: 1, Bytes: 2, Microseconds: 3}}},
		{Kind: run.EventAttemptFinished, Step: "s\xff", Item: 4, Attempt: 2, Outcome: &run.Outcome{Status: run.Success, Outputs: action.Object{}}},
		{Kind: run.EventCallStarted, Step: "s", Attempt: 1, Call: call(run.Call{Number: 1, Action: "a", Effect: "once", Input: values, Digest: "d", Key: "k", Before: []byte(`{"a":[12345678901234567890]}`)})},
		{Kind: run.EventCallStarted, Step: "s", Item: 9, Attempt: 3, Call: call(run.Call{Number: 2, Action: "b", Input: action.Object{}})},
		{Kind: run.EventCallReturned, Step: "s", Attempt: 1, Call: call(run.Call{Number: 1, Action: "a", Again: true, Output: values, Error: failure, Stopped: true})},
		{Kind: run.EventCallDecided, Step: "s", Attempt: 1, Actor: actor, Call: call(run.Call{Number: 5, Decision: run.CallRepeat})},
		{Kind: run.EventLogged, Step: "s", Attempt: 1, Log: &action.LogRecord{Level: "warn", Message: "m", Fields: values}},
		{Kind: run.EventLogged, Step: "s", Attempt: 1, Log: &action.LogRecord{Fields: action.Object{}}},
		{Kind: run.EventAttemptSuspended, Step: "s", Attempt: 1, Outcome: &run.Outcome{Status: run.Suspended, Error: failure}},
		{Kind: run.EventAttemptSuspended, Step: "s", Attempt: 1, Outcome: &run.Outcome{Status: run.Suspended, Suspension: &run.Suspension{Reason: run.CallUnknown, Call: 7}}},
		{Kind: run.EventAttemptSuspended, Step: "t", Item: 2, Attempt: 1, Outcome: &run.Outcome{Status: run.Suspended, Suspension: child}},
		{Kind: run.EventSuspended, Error: failure},
		{Kind: run.EventAttemptDecided, Step: "s", Attempt: 1, Actor: actor, Decision: &run.Decision{Reason: run.Approval, Approved: true}},
		{Kind: run.EventAttemptDecided, Step: "s", Attempt: 1, Actor: actor, Decision: &run.Decision{Reason: run.CallUnknown, Call: 7, Outcome: run.CallFailed}},
		{Kind: run.EventAttemptDecided, Step: "t", Item: 2, Attempt: 1, Decision: &run.Decision{Reason: run.ChildRun, Result: &run.Outcome{Status: run.Success, Outputs: values}}},
		{Kind: run.EventResumed, Actor: &run.Actor{}},
		{Kind: run.EventAdmitted},
		{Kind: run.EventCancelled, Actor: &run.Actor{Kind: run.ActorSocket, Name: "uid 0"}},
		{Kind: run.EventTimedOut},
		{Kind: run.EventFinished, Status: run.Success, Outputs: values, Error: failure},
		{Kind: run.EventRetried},
		{Kind: run.EventFinished, Status: run.Success, Outputs: action.Object{}},
	}
	for i := range list {
		list[i].Sequence, list[i].Time, list[i].Run = i+1, instant(i), "R1"
	}
	list[3].Time = time.Time{}
	for i := range reflect.TypeFor[run.Event]().NumField() {
		if !slices.ContainsFunc(list, func(e run.Event) bool { return !reflect.ValueOf(e).Field(i).IsZero() }) {
			t.Errorf("no event of this test has the field %s", reflect.TypeFor[run.Event]().Field(i).Name)
		}
	}
	must(t, j.Begin(ctx, entry("R1"), list[:5]))
	must(t, j.Append(ctx, "R1", list[5:]))
	same(t, j, "R1", list)
}

// testRefused: events with a value outside the model are refused as a whole, and the run
// can be continued.
func testRefused(t *testing.T, open func() Owner) {
	j := open()
	bad := func(id string, first int) []run.Event {
		list := events(id, first, run.EventStarted, run.EventAttemptFinished)
		list[1].Outcome = &run.Outcome{Status: run.Success, Outputs: []any{math.NaN()}}
		return list
	}
	if err := j.Begin(ctx, entry("R1"), bad("R1", 1)); err == nil {
		t.Error("a value outside the model was recorded")
	}
	_, err := j.Events(ctx, "R1")
	mustBe(t, err, journal.ErrNoRun)
	first := events("R1", 1, run.EventStarted)
	must(t, j.Begin(ctx, entry("R1"), first))
	if err := j.Append(ctx, "R1", bad("R1", 2)); err == nil {
		t.Error("a value outside the model was recorded")
	}
	more := events("R1", 2, run.EventFinished)
	must(t, j.Append(ctx, "R1", more))
	same(t, j, "R1", append(first, more...))
}

// testCopies: a journal shares no memory with its caller. A change to what was given or
// returned does not change what is stored.
func testCopies(t *testing.T, open func() Owner) {
	j := open()
	given := func() (journal.Entry, []run.Event) {
		list := events("R1", 1, run.EventStarted, run.EventFinished)
		list[0].Started.Inputs = action.Object{"list": []any{"a"}}
		list[1].Outputs = action.Object{"list": []any{"b"}}
		return entry("R1"), list
	}
	spoil := func(list []run.Event) {
		list[0].Started.Inputs["list"].([]any)[0] = "spoilt"
		list[1].Outputs["list"].([]any)[0] = "spoilt"
		list[1].Outputs["more"] = true
	}
	entry, list := given()
	must(t, j.Begin(ctx, entry, list))
	entry.Sources[0].Text[0] = '!'
	spoil(list)
	for range 2 {
		_, want := given()
		same(t, j, "R1", want)
		read, err := j.Events(ctx, "R1")
		must(t, err)
		spoil(read)
		previous, err := j.Previous(ctx, "w", "here")
		must(t, err)
		if diff := cmp.Diff(want[1].Outputs, previous.Outputs); diff != "" {
			t.Errorf("previous (-want +got):\n%s", diff)
		}
		previous.Outputs["list"].([]any)[0] = "spoilt"
		sources, err := j.Sources(ctx, "R1")
		must(t, err)
		if got := string(sources[0].Text); got != "steps: []" {
			t.Errorf("got the source %q, want the text that was given", got)
		}
		sources[0].Text[0] = '!'
	}
}

// testSources: a run keeps the texts that it was started from, in their order.
func testSources(t *testing.T, open func() Owner) {
	j := open()
	for _, id := range []string{"R1", "R2", "R3", "R4"} {
		e := entry(id)
		switch id {
		case "R3": // the same texts under other names, and in another order
			e.Sources = []workflow.Source{{Name: "b", Text: []byte("return 'R1'")}, {Name: "a", Text: []byte("steps: []")}}
		case "R4":
			e.Sources = nil
		default:
			e.Sources = append(e.Sources, workflow.Source{Name: "lib/" + id + ".lua", Text: []byte("return 'R1'")}, workflow.Source{Name: "empty.lua", Text: []byte{}})
		}
		must(t, j.Begin(ctx, e, events(id, 1, run.EventStarted)))
		got, err := j.Sources(ctx, id)
		must(t, err)
		if diff := cmp.Diff(texts(e.Sources), texts(got)); diff != "" {
			t.Errorf("sources of %s (-want +got):\n%s", id, diff)
		}
	}
	_, err := j.Sources(ctx, "R9")
	mustBe(t, err, journal.ErrNoRun)
}

func texts(sources []workflow.Source) []string {
	var list []string
	for _, s := range sources {
		list = append(list, fmt.Sprintf("%s: %q", s.Name, s.Text))
	}
	return list
}
