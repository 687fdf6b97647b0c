package runview

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// recordedView returns the view of a recorded run ten minutes after its start.
func recordedView(plan *workflow.Plan, r *madeRun, summary journal.Summary, width int) *View {
	summary.Run, summary.Workflow, summary.StartedAt, summary.Events = handRun, "onboard", handBegun, len(r.events)
	next := map[run.Status]string{
		run.Failed: "pdflow runs retry " + handRun, run.Interrupted: "pdflow runs resume " + handRun, run.NeedsAttention: "pdflow runs resume " + handRun,
	}[summary.Status]
	if r.events[0].Started.Inputs["token"] != nil {
		next += " -i token=..."
	}
	view := NewView(&summary, r.events, plan, next, console.Terminal{Live: true, Fixed: [2]int{width, 40}})
	view.now = handBegun.Add(10 * time.Minute)
	return view
}

// Some runs, each with something that the others do not have.

func failedRun(t *testing.T) (*workflow.Plan, *madeRun, journal.Summary) {
	final := planned(t, "clean", "", 0)
	final.Part = workflow.Finally
	plan := handPlan(planned(t, "lookup", "pagerduty.get_user_by_email", 0), planned(t, "create", "pagerduty.create_user", 2), planned(t, "after", "", 0), final)
	r := (&madeRun{}).started(action.Object{"email": "ann@example.com", "token": action.Secret{Name: "inputs.token"}, "lists": []any{"a", 1.0}}).
		begin(0, "lookup", 0, 1).call(ms, "lookup", 0, 1, 1, "pagerduty.get_user_by_email").returned(120*ms, "lookup", 0, 1, 1, nil).ended(ms, "lookup", 0, 1, nil).
		begin(0, "create", 0, 1).call(ms, "create", 0, 1, 1, "pagerduty.create_user").returned(200*ms, "create", 0, 1, 1, unavailable).ended(ms, "create", 0, 1, unavailable).
		begin(500*ms, "create", 0, 2).call(ms, "create", 0, 2, 1, "pagerduty.create_user").returned(100*ms, "create", 0, 2, 1, conflict).ended(ms, "create", 0, 2, conflict).
		begin(ms, "clean", 0, 1).ended(20*ms, "clean", 0, 1, nil).
		finished(0, run.Failed, conflict)
	return plan, r, journal.Summary{Status: run.Failed, EndedAt: r.at}
}

func interruptedRun(t *testing.T) (*workflow.Plan, *madeRun, journal.Summary) {
	unused := planned(t, "page", "", 0)
	unused.Part = workflow.OnFailure
	plan := handPlan(planned(t, "lookup", "pagerduty.get_user_by_email", 0), planned(t, "create", "pagerduty.create_user", 0), planned(t, "after", "", 0), unused)
	r := (&madeRun{}).started(nil).
		begin(0, "lookup", 0, 1).ended(2*time.Second, "lookup", 0, 1, nil).
		begin(0, "create", 0, 1).call(ms, "create", 0, 1, 1, "pagerduty.create_user").
		// Five minutes without a process, which the bars leave out.
		add(5*time.Minute, run.Event{Kind: run.EventResumed}).
		returned(time.Second, "create", 0, 1, 1, nil).ended(ms, "create", 0, 1, nil).
		begin(0, "after", 0, 1).call(ms, "after", 0, 1, 1, "time.sleep").
		returned(time.Second, "after", 0, 1, 1, nil).call(ms, "after", 0, 1, 2, "time.sleep")
	return plan, r, journal.Summary{Status: run.Interrupted}
}

func killedRun(t *testing.T) (*workflow.Plan, *madeRun, journal.Summary) {
	plan := handPlan(planned(t, "lookup", "pagerduty.get_user_by_email", 0), planned(t, "create", "pagerduty.create_user", 0), planned(t, "tell", "", 0))
	r := (&madeRun{}).started(action.Object{"email": "ann@example.com"}).
		begin(0, "lookup", 0, 1).call(ms, "lookup", 0, 1, 1, "pagerduty.get_user_by_email").returned(210*ms, "lookup", 0, 1, 1, nil).ended(ms, "lookup", 0, 1, nil).
		begin(0, "create", 0, 1).call(150*ms, "create", 0, 1, 1, "pagerduty.create_user")
	return plan, r, journal.Summary{Status: run.Interrupted}
}

func loopRun(t *testing.T) (*workflow.Plan, *madeRun, journal.Summary) {
	each := forEach(planned(t, "create", "pagerduty.create_user", 0), 1, false)
	plan := handPlan(each, forEach(planned(t, "tell", "", 0), 1, true))
	r := (&madeRun{}).started(nil).
		begin(0, "create", 0, 1).add(ms, run.Event{Kind: run.EventStepExpanded, Step: "create", Attempt: 1, Items: items(25)})
	for item := 1; item <= 25; item++ {
		var failure *run.Failure
		if item%2 == 0 {
			failure = conflict
		}
		r.begin(0, "create", item, 1).call(ms, "create", item, 1, 1, "pagerduty.create_user").returned(10*ms, "create", item, 1, 1, failure).ended(ms, "create", item, 1, failure)
	}
	r.finished(0, run.Failed, conflict)
	return plan, r, journal.Summary{Status: run.Failed, EndedAt: r.at}
}

func undecidedRun(t *testing.T) (*workflow.Plan, *madeRun, journal.Summary) {
	plan := handPlan(forEach(planned(t, "post", "http.post", 0), 3, true))
	unknown := &run.Failure{Kind: action.UnknownOutcome, Step: "post", Item: 2, Call: 7, Action: "http.post", Message: "it was sent, and no answer came"}
	r := (&madeRun{}).started(nil).
		begin(0, "post", 0, 1).add(0, run.Event{Kind: run.EventStepExpanded, Step: "post", Attempt: 1, Items: items(2)}).
		begin(0, "post", 1, 1).begin(0, "post", 2, 1).
		call(ms, "post", 1, 1, 1, "http.post").call(ms, "post", 2, 1, 1, "http.post").
		returned(40*ms, "post", 1, 1, 1, nil).ended(0, "post", 1, 1, nil).
		add(0, run.Event{Kind: run.EventAttemptSuspended, Step: "post", Item: 2, Attempt: 1, Outcome: &run.Outcome{Status: run.Suspended, Error: unknown}}).
		add(0, run.Event{Kind: run.EventSuspended, Error: unknown})
	return plan, r, journal.Summary{Status: run.NeedsAttention}
}

// TestRunView: the pages of some runs, in testdata/timeline.
func TestRunView(t *testing.T) {
	for _, test := range []struct {
		name  string
		run   func(*testing.T) (*workflow.Plan, *madeRun, journal.Summary)
		width int
	}{
		{"failed", failedRun, 100},
		{"failed_narrow", failedRun, 44},
		{"interrupted", interruptedRun, 100},
		{"killed", killedRun, 100},
		{"loop", loopRun, 90},
		{"undecided", undecidedRun, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, r, summary := test.run(t)
			golden(t, filepath.Join("testdata", "timeline", test.name+".txt"), recordedView(plan, r, summary, test.width).Text())
			if fold := newHistory(plan); foldAll(fold, r.events) == nil {
				t.Errorf("the fold refused an event: an engine would not make this run")
			}
		})
	}
}

func foldAll(h *history, events []run.Event) *run.State {
	for _, e := range events {
		h.add(e)
	}
	return h.fold
}

// TestRunViewWithoutPlan: a run is shown even if its sources do not compile.
func TestRunViewWithoutPlan(t *testing.T) {
	_, r, summary := loopRun(t)
	golden(t, filepath.Join("testdata", "timeline", "loop_without_plan.txt"), recordedView(nil, r, summary, 90).Text())
}

// TestRunViewFits: no line is longer than the page, however narrow it is.
func TestRunViewFits(t *testing.T) {
	for _, run := range []func(*testing.T) (*workflow.Plan, *madeRun, journal.Summary){failedRun, interruptedRun, loopRun} {
		for _, width := range []int{30, 40, 60, 80, 200} {
			plan, r, summary := run(t)
			view := recordedView(plan, r, summary, width)
			for _, line := range linesOf(view.timeline(width)) {
				if got := console.Columns(line); got >= width {
					t.Errorf("at %d columns: got a line of %d: %q", width, got, line)
				}
			}
		}
	}
}

var updateGolden = flag.Bool("update", false, "write the files in testdata anew")

// linesOf are the lines of a text, without what ends them.
func linesOf(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// golden compares a text with a file. With -update it writes the file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *updateGolden {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; run this test with -update (-want +got):\n%s", file, diff)
	}
}
