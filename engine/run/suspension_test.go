package run_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// suspended returns the outcome of an attempt that waits for a decision.
func suspended(why run.Suspension) run.Outcome {
	return run.Outcome{Status: run.Suspended, Error: &run.Failure{Kind: action.UnknownOutcome}, Suspension: &why}
}

// A suspended attempt continues with its decision, whether the decision comes while other
// branches run or after the run was suspended. A state that is folded again from the
// history has the decision too.
func TestDecisionContinuesAttempt(t *testing.T) {
	for name, test := range map[string]struct {
		waits    run.Suspension
		decision run.Decision
	}{
		"approval":  {run.Suspension{Reason: run.Approval}, run.Decision{Reason: run.Approval, Approved: true}},
		"denial":    {run.Suspension{Reason: run.Approval}, run.Decision{Reason: run.Approval}},
		"child run": {run.Suspension{Reason: run.ChildRun, Run: "R2"}, run.Decision{Reason: run.ChildRun, Result: &run.Outcome{Status: run.Success}}},
	} {
		for when, early := range map[string]bool{"while b runs": true, "after the run was suspended": false} {
			t.Run(name+" "+when, func(t *testing.T) {
				p := plan(0, step("a"), step("b"))
				f := newFold(t, p, map[string]run.Outcome{"a": suspended(test.waits)})
				f.begin()
				a, b := f.todo[0], f.todo[1]
				f.todo = nil
				f.make(a)
				decided := run.Event{Kind: run.EventAttemptDecided, Step: "a", Attempt: 1, Decision: &test.decision}
				if early {
					f.apply(decided)
				} else {
					f.make(b)
					f.apply(run.Event{Kind: run.EventSuspended, Error: f.suspend.Error})
					f.suspend = nil
					f.apply(decided)
					if len(f.todo) != 0 {
						t.Fatalf("got %+v started before the resume", f.todo)
					}
					f.apply(run.Event{Kind: run.EventResumed})
				}
				if len(f.todo) != 1 {
					t.Fatalf("got %d attempts, want a to continue", len(f.todo))
				}
				continued := f.todo[0]
				if diff := cmp.Diff(&test.decision, continued.Decision); diff != "" || !continued.Replay || continued.Number != 1 {
					t.Errorf("got attempt %+v (-want +got decision):\n%s", continued, diff)
				}
				again := foldAgain(t, f)
				if diff := cmp.Diff(&test.decision, again.Decision); diff != "" {
					t.Errorf("folded again (-want +got decision):\n%s", diff)
				}
			})
		}
	}
}

// foldAgain folds the events so far into a new state, as after a crash. It returns the
// pending attempt of step a.
func foldAgain(t *testing.T, f *fold) run.Attempt {
	t.Helper()
	state := run.New(plan(0, step("a"), step("b")))
	for _, e := range f.events {
		if _, err := state.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range state.Pending() {
		if start, ok := c.(run.StartAttempt); ok && start.Attempt.Step == "a" {
			return start.Attempt
		}
	}
	t.Fatal("no attempt of a is pending")
	return run.Attempt{}
}

// A decision is refused when no attempt waits for it.
func TestDecisionIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		event run.Event
		want  string
	}{
		"another reason":  {run.Event{Step: "a", Attempt: 1, Decision: &run.Decision{Reason: run.ChildRun}}, `waits for a decision of reason "approval"`},
		"no decision":     {run.Event{Step: "a", Attempt: 1}, `waits for a decision of reason "approval"`},
		"another attempt": {run.Event{Step: "a", Attempt: 2, Decision: &run.Decision{Reason: run.Approval}}, "is not suspended"},
		"a running step":  {run.Event{Step: "b", Attempt: 1, Decision: &run.Decision{Reason: run.Approval}}, "is not suspended"},
		"an unknown step": {run.Event{Step: "z", Attempt: 1, Decision: &run.Decision{Reason: run.Approval}}, `no step "z"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFold(t, plan(0, step("a"), step("b")), map[string]run.Outcome{"a": suspended(run.Suspension{Reason: run.Approval})})
			f.begin()
			f.make(f.todo[0])
			test.event.Kind, test.event.Sequence, test.event.Run = run.EventAttemptDecided, len(f.events)+1, "R"
			mustRefuse(t, f.state, test.event, test.want)
		})
	}
}

// No timeout counts the time for which a run is suspended.
func TestSuspendedTimeIsNotInTimeout(t *testing.T) {
	state := run.New(chain(0, "a")) // its timeout is an hour
	at := func(d time.Duration) time.Time { return startOfTime.Add(d) }
	why := suspended(run.Suspension{Reason: run.Approval})
	for i, e := range []run.Event{
		{Kind: run.EventStarted, Time: at(0), Started: &run.Start{}},
		{Kind: run.EventAttemptStarted, Time: at(0), Step: "a", Attempt: 1},
		{Kind: run.EventAttemptSuspended, Time: at(5 * time.Minute), Step: "a", Attempt: 1, Outcome: &why},
		{Kind: run.EventSuspended, Time: at(5 * time.Minute), Error: why.Error},
		{Kind: run.EventAttemptDecided, Time: at(47 * time.Hour), Step: "a", Attempt: 1, Decision: &run.Decision{Reason: run.Approval}},
		{Kind: run.EventResumed, Time: at(48 * time.Hour)},
	} {
		e.Sequence, e.Run = i+1, "R1"
		if _, err := state.Apply(e); err != nil {
			t.Fatal(err)
		}
		if e.Kind == run.EventSuspended && !state.Deadline().IsZero() {
			t.Errorf("a suspended run has the deadline %s", state.Deadline())
		}
	}
	if got, want := state.Deadline(), at(48*time.Hour+55*time.Minute); !got.Equal(want) {
		t.Errorf("the deadline is %s, want %s", got, want)
	}
}
