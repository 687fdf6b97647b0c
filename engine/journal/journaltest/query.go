package journaltest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// testLists: a query selects runs by id, workflow, trigger, status and time.
func testLists(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	begin := func(owner Owner, id, name string, second int, kinds ...run.EventKind) {
		e := entry(id)
		e.Workflow = name
		if id == "A2" || id == "B3" {
			e.Trigger = "schedule"
		}
		list := events(id, 1, kinds...)
		for i := range list {
			list[i].Time = instant(second + i)
		}
		must(t, owner.Begin(ctx, e, list))
	}
	begin(j, "A1", "a", 10, run.EventStarted)
	begin(gone, "A2", "a", 20, run.EventStarted)
	begin(j, "B1", "b", 30, run.EventStarted, run.EventFinished)
	begin(j, "B2", "b", 40, run.EventStarted, run.EventAttemptStarted, run.EventSuspended)
	begin(j, "B3", "b", 50, run.EventSkipped)
	begin(j, "B4", "b", 60, run.EventQueued)
	begin(gone, "B5", "b", 70, run.EventQueued)
	begin(j, "B6", "b", 80, run.EventStarted, run.EventFinished, run.EventRetried)
	begin(gone, "B7", "b", 90, run.EventStarted, run.EventSuspended)
	begin(j, "B8", "b", 100, run.EventQueued, run.EventResumed)
	must(t, gone.Lose())
	for name, test := range map[string]struct {
		query journal.Query
		want  string
	}{
		"all": {journal.Query{}, "B8 queued, B7 needs_attention, B6 running, B5 interrupted, B4 queued, B3 skipped, " +
			"B2 needs_attention, B1 success, A2 interrupted, A1 running, "},
		"limit":              {journal.Query{Limit: 2}, "B8 queued, B7 needs_attention, "},
		"workflow":           {journal.Query{Workflow: "a"}, "A2 interrupted, A1 running, "},
		"prefix":             {journal.Query{Run: "A"}, "A2 interrupted, A1 running, "},
		"id":                 {journal.Query{Run: "B3"}, "B3 skipped, "},
		"longer than any id": {journal.Query{Run: "B33"}, ""},
		"a pattern of SQL":   {journal.Query{Run: "%"}, ""},
		"unknown workflow":   {journal.Query{Workflow: "c"}, ""},
		"status":             {journal.Query{Statuses: []run.Status{run.Interrupted, run.Success}, Limit: 2}, "B5 interrupted, B1 success, "},
		"trigger":            {journal.Query{Trigger: "schedule"}, "B3 skipped, A2 interrupted, "},
		"since":              {journal.Query{Since: instant(70)}, "B8 queued, B7 needs_attention, B6 running, B5 interrupted, "},
		"after":              {journal.Query{After: "B5"}, "B8 queued, B7 needs_attention, B6 running, "},
		"after the last":     {journal.Query{After: "B8"}, ""},
		"after one unknown":  {journal.Query{After: "C", Limit: 1}, "B8 queued, "},
		"after, of a status": {journal.Query{After: "A2", Statuses: []run.Status{run.Success}}, "B1 success, "},
		"all conditions":     {journal.Query{Run: "B", Workflow: "b", Since: instant(31), Statuses: []run.Status{run.Queued}, Limit: 1}, "B8 queued, "},
	} {
		runs, err := j.Runs(ctx, test.query)
		must(t, err)
		got := ""
		for _, summary := range runs {
			got += fmt.Sprintf("%s %s, ", summary.Run, summary.Status)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// testSummaries: a list shows what the entry and the events of a run say.
func testSummaries(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	simulated := events("R2", 1, run.EventStarted, run.EventFinished, run.EventRetried)
	simulated[0].Started.Target.Simulation = "S"
	e := entry("R2")
	e.Group, e.Trigger = "g", "schedule"
	must(t, j.Begin(ctx, entry("R1"), events("R1", 1, run.EventStarted, run.EventCallStarted, run.EventCallReturned, run.EventFinished)))
	must(t, gone.Begin(ctx, e, simulated))
	must(t, gone.Lose())
	got, err := j.Runs(ctx, journal.Query{})
	must(t, err)
	want := []journal.Summary{
		{Run: "R2", Workflow: "w", Trigger: "schedule", Group: "g", Status: run.Interrupted, Died: true, Events: 3, StartedAt: instant(1), Simulated: true},
		{Run: "R1", Workflow: "w", Trigger: "manual", Status: run.Success, Live: true, Events: 4, StartedAt: instant(1), EndedAt: instant(4)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summaries (-want +got):\n%s", diff)
	}
}

// testPrevious: Previous returns the success of a workflow and realm whose end was recorded
// last, whatever its time says: the clock may have been a year ahead. An event after the end
// changes nothing.
func testPrevious(t *testing.T, open func() Owner) {
	j := open()
	end := func(id, name, realm string, status run.Status, second int, more ...run.EventKind) {
		e := entry(id)
		e.Workflow, e.Realm = name, realm
		list := append(events(id, 1, run.EventStarted, run.EventFinished), events(id, 3, more...)...)
		list[1].Time, list[1].Status, list[1].Outputs = instant(second), status, action.Object{"run": id}
		must(t, j.Begin(ctx, e, list))
	}
	end("R1", "w", "here", run.Success, 10)
	end("R2", "w", "here", run.Success, 30, run.EventLogged, run.EventCallStarted)
	end("R3", "w", "here", run.Success, 20)
	end("R4", "w", "here", run.Failed, 40)
	end("R5", "w", "there", run.Success, 50)
	end("R6", "v", "here", run.Success, 60)
	end("R7", "w", "here", run.Success, 70, run.EventRetried)
	end("R8", "w", "here", run.Success, 30)
	end("R9", "x", "here", run.Success, 365*24*3600)
	end("R10", "x", "here", run.Success, 20)
	must(t, j.Append(ctx, "R9", events("R9", 3, run.EventCallDecided)))
	end("R11", "y", "here", run.Failed, 365*24*3600)
	end("R12", "y", "here", run.Success, 20)
	must(t, j.Append(ctx, "R11", events("R11", 3, run.EventRetried)))
	list := events("R11", 4, run.EventFinished)
	list[0].Time, list[0].Status, list[0].Outputs = instant(10), run.Success, action.Object{"run": "R11"}
	must(t, j.Append(ctx, "R11", list))
	for _, test := range []struct {
		workflow, realm string
		want            *run.Previous
	}{
		{"w", "here", &run.Previous{Outputs: action.Object{"run": "R8"}, Status: run.Success, EndedAt: instant(30)}},
		{"w", "there", &run.Previous{Outputs: action.Object{"run": "R5"}, Status: run.Success, EndedAt: instant(50)}},
		{"v", "here", &run.Previous{Outputs: action.Object{"run": "R6"}, Status: run.Success, EndedAt: instant(60)}},
		{"x", "here", &run.Previous{Outputs: action.Object{"run": "R10"}, Status: run.Success, EndedAt: instant(20)}},
		{"y", "here", &run.Previous{Outputs: action.Object{"run": "R11"}, Status: run.Success, EndedAt: instant(10)}},
		{"v", "there", nil},
		{"u", "here", nil},
	} {
		got, err := j.Previous(ctx, test.workflow, test.realm)
		must(t, err)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("previous of %s %s (-want +got):\n%s", test.workflow, test.realm, diff)
		}
	}
}

// testCancel: a request to cancel stays until the run is resumed or retried. The first
// request counts.
func testCancel(t *testing.T, open func() Owner) {
	owner, other := open(), open()
	for _, id := range []string{"R1", "R2"} {
		must(t, owner.Begin(ctx, entry(id), events(id, 1, run.EventStarted)))
	}
	asked := func(j journal.Journal, id string, want bool) {
		t.Helper()
		if got, err := j.CancelRequested(ctx, id); (got != nil) != want || err != nil {
			t.Errorf("got the request %v, %v, want a request: %v", got, err, want)
		}
	}
	ann, bob := &run.Actor{Kind: run.ActorUser, Name: "ann@host"}, &run.Actor{Kind: run.ActorSocket, Name: "bob"}
	asked(owner, "R1", false)
	must(t, other.RequestCancel(ctx, "R1", ann))
	must(t, other.RequestCancel(ctx, "R1", bob))
	asked(owner, "R1", true)
	if got, err := owner.CancelRequested(ctx, "R1"); err != nil || !cmp.Equal(got, &journal.CancelRequest{Actor: ann}) {
		t.Errorf("got %+v, %v, want the first request with its actor", got, err)
	}
	asked(other, "R1", true)
	asked(owner, "R2", false)
	must(t, owner.Append(ctx, "R1", events("R1", 2, run.EventCancelled, run.EventFinished)))
	asked(owner, "R1", true)
	must(t, owner.Append(ctx, "R1", events("R1", 4, run.EventRetried)))
	asked(owner, "R1", false)
	must(t, owner.RequestCancel(ctx, "R1", nil))
	must(t, owner.Append(ctx, "R1", events("R1", 5, run.EventSuspended)))
	asked(other, "R1", true)
	must(t, owner.Append(ctx, "R1", events("R1", 6, run.EventCallDecided, run.EventResumed)))
	asked(other, "R1", false)
	mustBe(t, other.RequestCancel(ctx, "R9", ann), journal.ErrNoRun)
	_, err := owner.CancelRequested(ctx, "R9")
	mustBe(t, err, journal.ErrNoRun)
}
