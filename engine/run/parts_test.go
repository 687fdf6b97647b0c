package run_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// forEach returns the step with a for_each.
func forEach(s workflow.PlanStep, parallel int) workflow.PlanStep {
	s.ForEach, s.MaxParallel, s.FailFast = &workflow.Template{}, parallel, true
	return s
}

// part returns the step as a step of another part.
func part(p workflow.Part, s workflow.PlanStep) workflow.PlanStep {
	s.Part, s.Needs = p, nil
	return s
}

// retried returns the step with a retry policy.
func retried(attempts int, s workflow.PlanStep) workflow.PlanStep {
	s.Retry = workflow.Retry{MaxAttempts: attempts, Delay: time.Second, Backoff: 2, MaxDelay: 3 * time.Second}
	return s
}

// allParts returns a plan with every part, and with a for_each whose items are retried.
func allParts() *workflow.Plan {
	return plan(1,
		retried(3, forEach(step("each"), 2)), step("main", 0), step("last", 1),
		part(workflow.OnFailure, forEach(step("told"), 1)), part(workflow.OnFailure, step("page")),
		part(workflow.Finally, step("clean")), part(workflow.Finally, step("leave")),
	)
}

// order returns the attempts that were made, in their order.
func (f *fold) order() string {
	var list []string
	for _, e := range f.events {
		if e.Kind != run.EventAttemptStarted {
			continue
		}
		text := e.Step
		if e.Item > 0 {
			text += fmt.Sprintf("#%d", e.Item)
		}
		if e.Attempt > 1 {
			text += fmt.Sprintf("@%d", e.Attempt)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// The parts of a run follow each other, depending on how the steps end.
func TestParts(t *testing.T) {
	steps := func(more ...workflow.PlanStep) *workflow.Plan {
		return plan(1, append([]workflow.PlanStep{step("a"), step("b", 0)}, more...)...)
	}
	page, log := part(workflow.OnFailure, step("page")), part(workflow.OnFailure, step("log"))
	clean, leave := part(workflow.Finally, step("clean")), part(workflow.Finally, step("leave"))
	tests := map[string]struct {
		plan     *workflow.Plan
		outcomes map[string]run.Outcome
		order    string
		status   run.Status
		kind     action.Kind
	}{
		"after a success, finally and then the outputs": {
			steps(page, clean, leave), nil, "a b clean leave (outputs)", run.Success, "",
		},
		"after a failure, on_failure and then finally": {
			steps(page, log, clean),
			map[string]run.Outcome{"a": failed(action.NotFound)},
			"a page log clean", run.Failed, action.NotFound,
		},
		"a failure in on_failure stops nothing": {
			steps(page, log, clean),
			map[string]run.Outcome{"a": failed(action.NotFound), "page": failed(action.Script)},
			"a page log clean", run.Failed, action.NotFound,
		},
		"a failure in finally fails the run and stops nothing": {
			steps(page, clean, leave),
			map[string]run.Outcome{"clean": failed(action.Script)},
			"a b clean leave", run.Failed, action.Script,
		},
		"after an unknown outcome, on_failure, and the run needs attention": {
			steps(page, clean),
			map[string]run.Outcome{"a": failed(action.UnknownOutcome)},
			"a page clean", run.NeedsAttention, action.UnknownOutcome,
		},
		"an unknown outcome in finally needs attention": {
			steps(clean),
			map[string]run.Outcome{"a": failed(action.Script), "clean": failed(action.UnknownOutcome)},
			"a clean", run.NeedsAttention, action.UnknownOutcome,
		},
		"after a failure of the outputs, no on_failure": {
			steps(page, clean),
			map[string]run.Outcome{run.OutputsStep: failed(action.Script)},
			"a b clean (outputs)", run.Failed, action.Script,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFold(t, test.plan, test.outcomes)
			got := f.play()
			if f.order() != test.order {
				t.Errorf("got the attempts %q, want %q", f.order(), test.order)
			}
			var kind action.Kind
			if got.Error != nil {
				kind = got.Error.Kind
			}
			if got.Status != test.status || kind != test.kind {
				t.Errorf("got %s, %q, want %s, %q", got.Status, kind, test.status, test.kind)
			}
		})
	}
}

// The steps of on_failure and finally get the first failure; no other step does.
func TestFailureOfAttempts(t *testing.T) {
	f := newFold(t, allParts(), map[string]run.Outcome{"main": failed(action.NotFound), "page": failed(action.Script)})
	f.lists = map[string][]any{"each": {}, "told": {}}
	failures := map[string]action.Kind{}
	f.begin()
	for len(f.todo) > 0 {
		next := f.todo[0]
		f.todo = f.todo[1:]
		if next.Failure != nil {
			failures[next.Step] = next.Failure.Kind
		}
		f.make(next)
	}
	want := map[string]action.Kind{"told": action.NotFound, "page": action.NotFound, "clean": action.NotFound, "leave": action.NotFound}
	if diff := cmp.Diff(want, failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

// A cancelled run still runs finally, but not on_failure. A run that timed out runs both,
// each with a timeout of its own.
func TestPartsAfterCancelAndTimeout(t *testing.T) {
	tests := map[string]struct {
		at    string // the step during which the event comes
		event run.EventKind
		order string
		want  run.Status
	}{
		"cancelled in the steps":  {"main", run.EventCancelled, "each main clean leave", run.Cancelled},
		"timed out in the steps":  {"main", run.EventTimedOut, "each main told page clean leave", run.TimedOut},
		"cancelled in on_failure": {"page", run.EventCancelled, "each main told page clean leave", run.Cancelled},
		"timed out in on_failure": {"told", run.EventTimedOut, "each main told clean leave", run.Failed},
		"cancelled in finally":    {"clean", run.EventCancelled, "each main told page clean leave", run.Cancelled},
		"timed out in finally":    {"clean", run.EventTimedOut, "each main told page clean", run.Failed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFold(t, allParts(), map[string]run.Outcome{"main": failed(action.NotFound)})
			f.lists = map[string][]any{"each": {}, "told": {}}
			f.begin()
			for len(f.todo) > 0 {
				next := f.todo[0]
				f.todo = f.todo[1:]
				if next.Step != test.at {
					f.make(next)
					continue
				}
				f.apply(run.Event{Kind: run.EventAttemptStarted, Step: next.Step, Attempt: next.Number})
				f.apply(run.Event{Kind: test.event})
				next.Replay = true
				f.outcomes[next.Step] = failed(action.Cancelled)
				delete(f.lists, next.Step)
				f.make(next)
			}
			f.finishRun()
			if got := f.state.Result().Status; got != test.want || f.order() != test.order {
				t.Errorf("got %s after %q, want %s after %q", got, f.order(), test.want, test.order)
			}
		})
	}
}

// The time in which no process executed the run does not count against its timeout.
func TestDeadlineAfterResume(t *testing.T) {
	p := plan(1, step("a"), part(workflow.OnFailure, step("page")), part(workflow.Finally, step("clean")))
	p.Workflow.Timeout = 100 * time.Second
	f := newFold(t, p, map[string]run.Outcome{"a": failed(action.Script)})
	left := func() time.Duration {
		if f.state.Deadline().IsZero() {
			return 0
		}
		return f.state.Deadline().Sub(startOfTime)
	}
	f.begin() // each event is a second after the one before
	if got := left(); got != 101*time.Second {
		t.Errorf("got a deadline after %s, want 101s", got)
	}
	f.events = append(f.events, make([]run.Event, 1000)...) // a thousand seconds pass
	e := run.Event{Kind: run.EventResumed, Sequence: 2, Run: "R", Time: f.now()}
	commands, err := f.state.Apply(e)
	if err != nil || len(commands) != 1 {
		t.Fatalf("got %v, %v, want the attempt again", commands, err)
	}
	if got := left(); got != 1101*time.Second {
		t.Errorf("got a deadline after %s, want 100s after the run was resumed", got)
	}
}

// on_failure and finally have timeouts of their own.
func TestDeadlineOfCleanup(t *testing.T) {
	p := plan(1, step("a"), part(workflow.OnFailure, step("page")), part(workflow.Finally, step("clean")))
	p.Workflow.Timeout = 10 * time.Second
	f := newFold(t, p, map[string]run.Outcome{"a": failed(action.Script)})
	var deadlines []time.Duration
	f.begin()
	for len(f.todo) > 0 {
		next := f.todo[0]
		f.todo = f.todo[1:]
		deadlines = append(deadlines, f.state.Deadline().Sub(f.now()))
		f.make(next)
	}
	want := []time.Duration{10 * time.Second, time.Minute, time.Minute}
	if diff := cmp.Diff(want, deadlines); diff != "" {
		t.Errorf("time left (-want +got):\n%s", diff)
	}
}
