package runview

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// handRun is the id of the runs that tests make by hand, and handBegun is when they start.
const handRun = "01M838X2C49BQ51PYP0AY6GBY9"

var handBegun = time.Date(2026, 3, 29, 9, 0, 0, 0, time.UTC)

// A madeRun is a run whose events a test makes by hand. Each event is some time after the one before.
type madeRun struct {
	events []run.Event
	at     time.Time
}

func (r *madeRun) add(after time.Duration, e run.Event) *madeRun {
	if len(r.events) == 0 {
		r.at = handBegun
	}
	r.at = r.at.Add(after)
	e.Sequence, e.Run, e.Time = len(r.events)+1, handRun, r.at
	r.events = append(r.events, e)
	return r
}

func (r *madeRun) started(inputs action.Object) *madeRun {
	return r.add(0, run.Event{Kind: run.EventStarted, Started: &run.Start{
		Workflow: "onboard", Inputs: inputs, Trigger: run.Trigger{Kind: "manual"},
		Target: run.Target{Connection: "default", APIURL: "https://api.pagerduty.com", EventsURL: "https://events.pagerduty.com"},
	}})
}

func (r *madeRun) begin(after time.Duration, step string, item, attempt int) *madeRun {
	return r.add(after, run.Event{Kind: run.EventAttemptStarted, Step: step, Item: item, Attempt: attempt})
}

func (r *madeRun) call(after time.Duration, step string, item, attempt, number int, name string) *madeRun {
	return r.add(after, run.Event{Kind: run.EventCallStarted, Step: step, Item: item, Attempt: attempt, Call: &run.Call{Number: number, Action: name}})
}

func (r *madeRun) returned(after time.Duration, step string, item, attempt, number int, failure *run.Failure) *madeRun {
	return r.add(after, run.Event{Kind: run.EventCallReturned, Step: step, Item: item, Attempt: attempt, Call: &run.Call{Number: number, Error: failure}})
}

func (r *madeRun) ended(after time.Duration, step string, item, attempt int, failure *run.Failure) *madeRun {
	outcome := &run.Outcome{Status: run.Success, Outputs: action.Object{}}
	if failure != nil {
		outcome = &run.Outcome{Status: run.Failed, Error: failure}
	}
	return r.add(after, run.Event{Kind: run.EventAttemptFinished, Step: step, Item: item, Attempt: attempt, Outcome: outcome})
}

func (r *madeRun) finished(after time.Duration, status run.Status, failure *run.Failure) *madeRun {
	return r.add(after, run.Event{Kind: run.EventFinished, Status: status, Error: failure})
}

const ms = time.Millisecond

// handPlan returns a plan of steps without scripts, which is enough to show runs.
func handPlan(steps ...workflow.PlanStep) *workflow.Plan {
	for i := range steps {
		if i > 0 && steps[i].Part == workflow.Main {
			steps[i].Needs = []int{i - 1}
		}
	}
	return &workflow.Plan{Workflow: &workflow.Workflow{Name: "onboard", Timeout: time.Hour, Inputs: &action.Schema{}}, Steps: steps}
}

// planned returns a step that calls an action, or a script if the name is empty.
func planned(t *testing.T, id, name string, retries int) workflow.PlanStep {
	t.Helper()
	step := workflow.PlanStep{ID: id, MaxParallel: 1, Retry: workflow.Retry{MaxAttempts: 1 + retries, Delay: time.Second, Backoff: 1}}
	if name == "" {
		return step
	}
	catalog, err := action.NewCatalog(builtins.Actions(builtins.Config{})...)
	if err != nil {
		t.Fatal(err)
	}
	a, ok := catalog.Lookup(name)
	if !ok {
		t.Fatalf("there is no action %s", name)
	}
	step.Action = a
	return step
}

func forEach(step workflow.PlanStep, parallel int, failFast bool) workflow.PlanStep {
	step.ForEach, step.MaxParallel, step.FailFast = &workflow.Template{}, parallel, failFast
	return step
}

var (
	unavailable = &run.Failure{Kind: action.Unavailable, Step: "create", Action: "pagerduty.create_user", Message: "PagerDuty answered 503", Retryable: true}
	conflict    = &run.Failure{Kind: action.Conflict, Step: "create", Action: "pagerduty.create_user", Message: "the address is taken", File: "onboard.yaml", Line: 14, Hint: "look the user up first"}
)

func items(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = fmt.Sprint(i + 1)
	}
	return list
}

// TestHistory: what a history says after each event of a run.
func TestHistory(t *testing.T) {
	plan := handPlan(planned(t, "create", "pagerduty.create_user", 1), forEach(planned(t, "each", "", 0), 2, true), planned(t, "after", "", 0))
	r := (&madeRun{}).started(nil).
		begin(0, "create", 0, 1).ended(10*ms, "create", 0, 1, unavailable).
		begin(500*ms, "create", 0, 2).ended(10*ms, "create", 0, 2, nil).
		begin(0, "each", 0, 1).add(0, run.Event{Kind: run.EventStepExpanded, Step: "each", Attempt: 1, Items: items(3)}).
		begin(0, "each", 1, 1).begin(0, "each", 2, 1).
		ended(ms, "each", 2, 1, conflict).ended(ms, "each", 1, 1, nil).
		finished(0, run.Failed, conflict).
		add(time.Hour, run.Event{Kind: run.EventRetried}).
		begin(0, "each", 2, 2).ended(ms, "each", 2, 2, nil).
		begin(0, "each", 3, 1).ended(ms, "each", 3, 1, nil).
		begin(0, "after", 0, 1).ended(ms, "after", 0, 1, nil).
		finished(0, run.Success, nil)
	h := newHistory(plan)
	var got []string
	for _, e := range r.events {
		h.add(e)
		line := fmt.Sprintf("%-16s", e.Kind)
		for _, step := range h.steps {
			line += fmt.Sprintf(" %s=%s", step.id, step.status())
			if step.expanded {
				line += fmt.Sprintf("(%s, %d active)", step.counts(), step.active)
			}
		}
		got = append(got, line)
	}
	want := strings.Split(strings.TrimSpace(`
run.started      create= each= after=
attempt.started  create=running each= after=
attempt.finished create=queued each= after=
attempt.started  create=running each= after=
attempt.finished create=success each= after=
attempt.started  create=success each=running after=
step.expanded    create=success each=running(0/3 done, 0 active) after=
attempt.started  create=success each=running(0/3 done, 1 active) after=
attempt.started  create=success each=running(0/3 done, 2 active) after=
attempt.finished create=success each=running(1/3 done, 1 failed, 1 active) after=
attempt.finished create=success each=failure(2/3 done, 1 failed, 0 active) after=
run.finished     create=success each=failure(2/3 done, 1 failed, 0 active) after=
run.retried      create=success each=running(1/3 done, 0 active) after=
attempt.started  create=success each=running(1/3 done, 1 active) after=
attempt.finished create=success each=running(2/3 done, 0 active) after=
attempt.started  create=success each=running(2/3 done, 1 active) after=
attempt.finished create=success each=success(3/3 done, 0 active) after=
attempt.started  create=success each=success(3/3 done, 0 active) after=running
attempt.finished create=success each=success(3/3 done, 0 active) after=success
run.finished     create=success each=success(3/3 done, 0 active) after=success
`), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the history differs (-want +got):\n%s", diff)
	}
	if h.fold == nil {
		t.Errorf("the fold refused an event: an engine would not make this run")
	}
}

// TestAdmittedIsNotShown: the event that a run waited for a slot changes neither the page nor the progress.
func TestAdmittedIsNotShown(t *testing.T) {
	shown := func(kind ...run.EventKind) string {
		plan := handPlan(planned(t, "create", "pagerduty.create_user", 0))
		r := (&madeRun{}).started(nil)
		for _, k := range kind {
			r.add(0, run.Event{Kind: k})
		}
		r.begin(time.Minute, "create", 0, 1).ended(time.Second, "create", 0, 1, nil).finished(0, run.Success, nil)
		view, s := watching(plan, 120, 0)
		observe(view, r.events)
		if view.history.fold == nil {
			t.Error("the fold refused an event: an engine would not make this run")
		}
		return recordedView(plan, r, journal.Summary{Status: run.Success, EndedAt: r.at}, 100).Text() + s.String()
	}
	if diff := cmp.Diff(shown(), shown(run.EventAdmitted)); diff != "" {
		t.Errorf("run.admitted changes what is shown (-without +with):\n%s", diff)
	}
}

// TestDecidedAttempt: the progress of a run that waited for an approval begins with the header, and then
// has the step, which runs again.
func TestDecidedAttempt(t *testing.T) {
	plan := handPlan(planned(t, "create", "pagerduty.create_user", 0))
	why := &run.Failure{Kind: action.UnknownOutcome, Step: "create", Message: "it waits for an approval"}
	waits := &run.Outcome{Status: run.Suspended, Error: why, Suspension: &run.Suspension{Reason: run.Approval}}
	r := (&madeRun{}).started(nil).begin(0, "create", 0, 1).
		add(ms, run.Event{Kind: run.EventAttemptSuspended, Step: "create", Attempt: 1, Outcome: waits}).
		add(0, run.Event{Kind: run.EventSuspended, Error: why})
	before := len(r.events)
	r.add(time.Hour, run.Event{Kind: run.EventAttemptDecided, Step: "create", Attempt: 1, Decision: &run.Decision{Reason: run.Approval, Approved: true}}).
		add(0, run.Event{Kind: run.EventResumed}).ended(time.Second, "create", 0, 1, nil).finished(0, run.Success, nil)
	view, s := watching(plan, 120, 0, r.events[:before]...)
	observe(view, r.events[before:])
	want := "onboard · run " + handRun + " · resumed\n  ✓ create  pagerduty.create_user"
	if got := s.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", got, want)
	}
	if view.history.fold == nil {
		t.Error("the fold refused an event: an engine would not make this run")
	}
}
