package run_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// The items of a for_each run in the order of its list, and their outputs are a list.
func TestItems(t *testing.T) {
	each := func(parallel int, failFast bool) *workflow.Plan {
		p := plan(0, forEach(step("each"), parallel), step("after", 0))
		p.Steps[0].FailFast = failFast
		return p
	}
	list := []any{"x", "y", "z"}
	tests := map[string]struct {
		plan     *workflow.Plan
		list     []any
		outcomes map[string]run.Outcome
		order    string
		steps    []string
		outputs  []any
	}{
		"one at a time": {
			each(1, true), list,
			map[string]run.Outcome{"each#2": ok("two")},
			"each each#1 each#2 each#3 after",
			[]string{"each success", "after success"},
			[]any{action.Object{"from": "each"}, "two", action.Object{"from": "each"}},
		},
		"an empty list": {each(1, true), nil, nil, "each after", []string{"each success", "after success"}, []any{}},
		"a skipped item has no output": {
			each(3, true), list,
			map[string]run.Outcome{"each#1": {Status: run.Skipped}, "each#2": ok(1.0), "each#3": ok(2.0)},
			"each each#1 each#2 each#3 after",
			[]string{"each success", "after success"},
			[]any{nil, 1.0, 2.0},
		},
		"after a failed item no further item starts": {
			each(1, true), list,
			map[string]run.Outcome{"each#1": ok(1.0), "each#2": failed(action.NotFound)},
			"each each#1 each#2",
			[]string{"each failure", "after skipped by upstream"},
			[]any{1.0, nil, nil},
		},
		"without fail_fast every item runs": {
			each(2, false), list,
			map[string]run.Outcome{"each#1": failed(action.NotFound), "each#2": ok(2.0), "each#3": ok(3.0)},
			"each each#1 each#2 each#3",
			[]string{"each failure", "after skipped by upstream"},
			[]any{nil, 2.0, 3.0},
		},
		"a list that cannot be evaluated": {
			each(1, true), list,
			map[string]run.Outcome{"each#0": failed(action.Script)},
			"each",
			[]string{"each failure", "after skipped by upstream"},
			nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFold(t, test.plan, test.outcomes)
			f.lists = map[string][]any{"each": test.list}
			got := f.play()
			if f.order() != test.order {
				t.Errorf("got the attempts %q, want %q", f.order(), test.order)
			}
			if diff := cmp.Diff(test.steps, statuses(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			outputs, _ := got.Steps[0].Outputs.([]any)
			if diff := cmp.Diff(test.outputs, outputs); diff != "" {
				t.Errorf("outputs (-want +got):\n%s", diff)
			}
		})
	}
}

// At most max_parallel items run at a time. When one ends, the next item of the list
// starts.
func TestMaxParallel(t *testing.T) {
	f := newFold(t, plan(0, forEach(step("each"), 3)), nil)
	f.lists = map[string][]any{"each": make([]any, 10)}
	f.begin()
	f.make(f.todo[0])
	f.todo = f.todo[1:]
	for done := 0; done < 10; done++ {
		if want := min(3, 10-done); len(f.todo) != want {
			t.Fatalf("got %d items running after %d ended, want %d", len(f.todo), done, want)
		}
		last := f.todo[len(f.todo)-1] // the newest ends first
		f.todo = f.todo[:len(f.todo)-1]
		if last.Value != nil || last.Item != min(done+3, 10) && done < 8 {
			t.Fatalf("got item %d, want %d", last.Item, done+3)
		}
		f.make(last)
	}
	f.finishRun()
}

// A failed step is retried as its policy says.
func TestRetries(t *testing.T) {
	unavailable := failed(action.Unavailable)
	tests := map[string]struct {
		step     workflow.PlanStep
		outcomes map[string]run.Outcome
		order    string
		status   run.Status
	}{
		"until it succeeds":       {retried(3, step("a")), map[string]run.Outcome{"a@1": unavailable, "a@2": unavailable}, "a a@2 a@3", run.Success},
		"up to max_attempts":      {retried(3, step("a")), map[string]run.Outcome{"a": unavailable}, "a a@2 a@3", run.Failed},
		"not an error that lasts": {retried(3, step("a")), map[string]run.Outcome{"a": failed(action.NotFound)}, "a", run.Failed},
		"not an unknown outcome":  {retried(3, step("a")), map[string]run.Outcome{"a": failed(action.UnknownOutcome)}, "a", run.NeedsAttention},
		"not a final failure": {
			retried(3, step("a")),
			map[string]run.Outcome{"a": {Status: run.Failed, Final: true, Error: &run.Failure{Kind: action.Unavailable}}},
			"a", run.Failed,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFold(t, plan(0, test.step), test.outcomes)
			got := f.play()
			if f.order() != test.order || got.Status != test.status {
				t.Errorf("got %s after %q, want %s after %q", got.Status, f.order(), test.status, test.order)
			}
		})
	}
}

// The delay before a retry is random, grows up to its maximum, and is the same in every
// fold of a run.
func TestRetryDelays(t *testing.T) {
	waits := func() []time.Duration {
		f := newFold(t, plan(0, retried(6, step("a"))), map[string]run.Outcome{"a": failed(action.Unavailable)})
		f.play()
		return f.waits
	}
	first := waits()
	if diff := cmp.Diff(first, waits()); diff != "" {
		t.Errorf("the delays of two folds of the same run differ (-first +second):\n%s", diff)
	}
	seen := map[time.Duration]bool{}
	for i, wait := range first {
		if most := min(time.Second<<i, 3*time.Second); wait < 0 || wait > most {
			t.Errorf("got a wait of %s before attempt %d, want at most %s", wait, i+2, most)
		}
		seen[wait] = true
	}
	if len(first) != 5 || len(seen) != 5 {
		t.Errorf("got the waits %v, want five that differ", first)
	}
}

// A suspended attempt does not stop other branches. When only suspended attempts are
// left, the run is suspended. The resume replays the suspended attempt.
func TestRunIsSuspended(t *testing.T) {
	waits := run.Outcome{Status: run.Suspended, Error: &run.Failure{Kind: action.UnknownOutcome, Call: 7}}
	p := plan(0, step("a"), step("b"), step("c", 1), step("d", 0), part(workflow.OnFailure, step("page")), part(workflow.Finally, step("clean")))
	f := newFold(t, p, map[string]run.Outcome{"a": waits})
	got := f.play()
	if f.order() != "a b c" || got.Status != run.NeedsAttention || !got.Suspended || got.Error.Call != 7 {
		t.Fatalf("got %+v after %q, want the run suspended at call 7", got, f.order())
	}
	if f.state.Pending() != nil {
		t.Errorf("got %v pending while suspended", f.state.Pending())
	}
	f.suspend, f.outcomes = nil, nil
	f.apply(run.Event{Kind: run.EventCallDecided, Step: "a", Attempt: 1, Call: &run.Call{Number: 7, Decision: run.CallDone}})
	f.apply(run.Event{Kind: run.EventResumed})
	if len(f.todo) != 1 || !f.todo[0].Replay || f.todo[0].Number != 1 {
		t.Fatalf("got %+v, want the first attempt of a as a replay", f.todo)
	}
	if got := f.play(); got.Status != run.Success || f.order() != "a b c d clean" {
		t.Errorf("got %s after %q, want success", got.Status, f.order())
	}
}

// A cancelled run does not wait for a decision, whether its attempt was suspended before
// the cancellation or would be suspended after it.
func TestCancelEndsSuspension(t *testing.T) {
	waits := run.Outcome{Status: run.Suspended, Error: &run.Failure{Kind: action.UnknownOutcome, Call: 7}}
	for name, resumed := range map[string]bool{"suspended before": false, "suspended after": true} {
		t.Run(name, func(t *testing.T) {
			p := plan(0, step("a"), step("b"), part(workflow.Finally, step("clean")))
			f := newFold(t, p, map[string]run.Outcome{"a": waits})
			f.begin()
			f.make(f.todo[0])
			b := f.todo[1]
			f.todo = nil
			if resumed {
				f.make(b)
				f.apply(run.Event{Kind: run.EventSuspended, Error: f.suspend.Error})
				f.suspend = nil
				f.apply(run.Event{Kind: run.EventResumed})
			}
			f.apply(run.Event{Kind: run.EventCancelled})
			if !resumed {
				f.make(b)
			}
			got := f.play()
			if got.Suspended || got.Status != run.NeedsAttention || !strings.HasSuffix(f.order(), "clean") {
				t.Errorf("got %+v after %q, want needs_attention after finally", got, f.order())
			}
		})
	}
}

// A retried run runs its failed steps and items again, and keeps the results of those
// that succeeded.
func TestRetriedRun(t *testing.T) {
	f := newFold(t, allParts(), map[string]run.Outcome{"each#2": failed(action.NotFound)})
	f.lists = map[string][]any{"each": {"x", "y", "z"}, "told": {1.0}}
	if got := f.play(); got.Status != run.Failed {
		t.Fatalf("got %s, want failure", got.Status)
	}
	before := f.order()
	f.outcomes = nil
	f.finish = nil
	f.apply(run.Event{Kind: run.EventRetried})
	got := f.play()
	if want := before + " each#2@2 main last clean@2 leave@2 (outputs)"; f.order() != want || got.Status != run.Success {
		t.Errorf("got %s after\n%s, want success after\n%s", got.Status, f.order(), want)
	}
	if got.Error != nil || len(got.Steps[0].Items) != 3 || got.Steps[0].Items[1].Attempts != 2 {
		t.Errorf("got %+v, want two attempts of the second item", got)
	}
}

// A successful run cannot be retried.
func TestRetryOfSuccess(t *testing.T) {
	f := newFold(t, chain(0, "a"), nil)
	f.play()
	mustRefuse(t, f.state, run.Event{Kind: run.EventRetried, Sequence: len(f.events) + 1, Run: "R"}, "nothing to retry")
}
