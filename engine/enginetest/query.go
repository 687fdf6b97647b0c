package enginetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
)

// testLists: runs are found by what they are and how they stand.
func testLists(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	begin := func(owner Owner, run, name string, second int, kinds ...engine.EventKind) {
		e := entry(run)
		e.Workflow = name
		if run == "A2" || run == "B3" {
			e.Trigger = "schedule"
		}
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
	begin(gone, "B7", "b", 90, engine.RunStarted, engine.RunSuspended)
	begin(j, "B8", "b", 100, engine.RunQueued, engine.RunResumed)
	must(t, gone.Lose())
	for name, test := range map[string]struct {
		query engine.RunQuery
		want  string
	}{
		"all": {engine.RunQuery{}, "B8 queued, B7 needs_attention, B6 running, B5 interrupted, B4 queued, B3 skipped, " +
			"B2 needs_attention, B1 success, A2 interrupted, A1 running, "},
		"limit":       {engine.RunQuery{Limit: 2}, "B8 queued, B7 needs_attention, "},
		"workflow":    {engine.RunQuery{Workflow: "a"}, "A2 interrupted, A1 running, "},
		"prefix":      {engine.RunQuery{Run: "A"}, "A2 interrupted, A1 running, "},
		"id":          {engine.RunQuery{Run: "B3"}, "B3 skipped, "},
		"longer":      {engine.RunQuery{Run: "B33"}, ""},
		"no pattern":  {engine.RunQuery{Run: "%"}, ""},
		"no workflow": {engine.RunQuery{Workflow: "c"}, ""},
		"status":      {engine.RunQuery{Statuses: []engine.Status{engine.Interrupted, engine.Success}, Limit: 2}, "B5 interrupted, B1 success, "},
		"trigger":     {engine.RunQuery{Trigger: "schedule"}, "B3 skipped, A2 interrupted, "},
		"since":       {engine.RunQuery{Since: instant(70)}, "B8 queued, B7 needs_attention, B6 running, B5 interrupted, "},
		"everything":  {engine.RunQuery{Run: "B", Workflow: "b", Since: instant(31), Statuses: []engine.Status{engine.Queued}, Limit: 1}, "B8 queued, "},
	} {
		runs, err := j.Runs(ctx, test.query)
		must(t, err)
		got := ""
		for _, run := range runs {
			got += fmt.Sprintf("%s %s, ", run.Run, run.Status)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// testSummaries: what a list shows of a run.
func testSummaries(t *testing.T, open func() Owner) {
	j, gone := open(), open()
	simulated := events("R2", 1, engine.RunStarted, engine.RunFinished, engine.RunRetried)
	simulated[0].Started.Target.Simulator = "S"
	e := entry("R2")
	e.Group, e.Trigger = "g", "schedule"
	must(t, j.Begin(ctx, entry("R1"), events("R1", 1, engine.RunStarted, engine.CallStarted, engine.CallReturned, engine.RunFinished)))
	must(t, gone.Begin(ctx, e, simulated))
	must(t, gone.Lose())
	got, err := j.Runs(ctx, engine.RunQuery{})
	must(t, err)
	want := []engine.RunSummary{
		{Run: "R2", Workflow: "w", Trigger: "schedule", Group: "g", Status: engine.Interrupted, Events: 3, BegunAt: instant(1), Simulated: true},
		{Run: "R1", Workflow: "w", Trigger: "manual", Status: engine.Success, Live: true, Events: 4, BegunAt: instant(1), EndedAt: instant(4)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summaries (-want +got):\n%s", diff)
	}
}

// testPrevious: the last success of a workflow in its realm, by its end.
func testPrevious(t *testing.T, open func() Owner) {
	j := open()
	end := func(run, name, realm string, status engine.Status, second int, more ...engine.EventKind) {
		e := entry(run)
		e.Workflow, e.Realm = name, realm
		list := append(events(run, 1, engine.RunStarted, engine.RunFinished), events(run, 3, more...)...)
		list[1].Time, list[1].Status, list[1].Outputs = instant(second), status, action.Object{"run": run}
		must(t, j.Begin(ctx, e, list))
	}
	end("R1", "w", "here", engine.Success, 10)
	end("R2", "w", "here", engine.Success, 30, engine.Logged, engine.CallStarted)
	end("R3", "w", "here", engine.Success, 20)
	end("R4", "w", "here", engine.Failed, 40)
	end("R5", "w", "there", engine.Success, 50)
	end("R6", "v", "here", engine.Success, 60)
	end("R7", "w", "here", engine.Success, 70, engine.RunRetried)
	end("R8", "w", "here", engine.Success, 30)
	for _, test := range []struct {
		workflow, realm string
		want            *engine.Previous
	}{
		{"w", "here", &engine.Previous{Outputs: action.Object{"run": "R8"}, Status: engine.Success, EndedAt: instant(30)}},
		{"w", "there", &engine.Previous{Outputs: action.Object{"run": "R5"}, Status: engine.Success, EndedAt: instant(50)}},
		{"v", "here", &engine.Previous{Outputs: action.Object{"run": "R6"}, Status: engine.Success, EndedAt: instant(60)}},
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

// testCancel: a request stays until the run goes on.
func testCancel(t *testing.T, open func() Owner) {
	owner, other := open(), open()
	for _, run := range []string{"R1", "R2"} {
		must(t, owner.Begin(ctx, entry(run), events(run, 1, engine.RunStarted)))
	}
	asked := func(j engine.Journal, run string, want bool) {
		t.Helper()
		if got, err := j.CancelRequested(ctx, run); got != want || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	asked(owner, "R1", false)
	must(t, other.RequestCancel(ctx, "R1"))
	must(t, other.RequestCancel(ctx, "R1"))
	asked(owner, "R1", true)
	asked(other, "R1", true)
	asked(owner, "R2", false)
	must(t, owner.Append(ctx, "R1", events("R1", 2, engine.RunCancelled, engine.RunFinished)))
	asked(owner, "R1", true)
	must(t, owner.Append(ctx, "R1", events("R1", 4, engine.RunRetried)))
	asked(owner, "R1", false)
	must(t, owner.RequestCancel(ctx, "R1"))
	must(t, owner.Append(ctx, "R1", events("R1", 5, engine.RunSuspended)))
	asked(other, "R1", true)
	must(t, owner.Append(ctx, "R1", events("R1", 6, engine.CallDecided, engine.RunResumed)))
	asked(other, "R1", false)
	mustBe(t, other.RequestCancel(ctx, "R9"), engine.ErrNoRun)
	_, err := owner.CancelRequested(ctx, "R9")
	mustBe(t, err, engine.ErrNoRun)
}
