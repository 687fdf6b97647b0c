package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A brokenJournal fails, as on a full disk, once it has stored a number of events.
type brokenJournal struct {
	journal.Journal
	left int // events that it still stores
}

var errDiskFull = errors.New("the disk is full")

func (j *brokenJournal) Begin(ctx context.Context, entry journal.Entry, events []run.Event) error {
	if j.left -= len(events); j.left < 0 {
		return errDiskFull
	}
	return j.Journal.Begin(ctx, entry, events)
}

func (j *brokenJournal) Append(ctx context.Context, run string, events []run.Event) error {
	if j.left -= len(events); j.left < 0 {
		return errDiskFull
	}
	return j.Journal.Append(ctx, run, events)
}

// everyWrite is a workflow with a write of each effect.
const everyWrite = `
name: w
steps:
- id: one
  lua: |
    demo.read{}
    demo.page{text = "1"}
    demo.page{text = "2"}
- id: two
  lua: |
    demo.make{text = "m"}
    demo.post{text = "o"}
- id: three
  uses: demo.set
  with: {text: "s"}
`

// The journal fails after any number of events. Then the run stops before its next write,
// with the error of the journal. The resume continues the run, and no write that must not
// be repeated is repeated.
func TestJournalFails(t *testing.T) {
	whole := newHarness()
	service := newFakeService()
	whole.actions = service.actions()
	wantSuccess(t, whole.run(t, everyWrite))
	want := service.requests
	for n := range len(whole.events) + 1 {
		t.Run(fmt.Sprintf("after %d events", n), func(t *testing.T) {
			h, service := newHarness(), newFakeService()
			h.actions = service.actions()
			local, plan := h.compile(t, everyWrite)
			store := journal.NewMemory()
			local.Journal = &brokenJournal{store, n}
			result, err := local.Run(context.Background(), plan, engine.Request{})
			var failed *engine.JournalError
			if n == len(whole.events) {
				if err != nil || result.Status != run.Success {
					t.Fatalf("got %v, %v, want success", result, err)
				}
				return
			}
			if !errors.As(err, &failed) || !errors.Is(err, errDiskFull) {
				t.Fatalf("got %v, want the error of the journal", err)
			}
			local.Journal = store
			if _, err := store.Events(context.Background(), "R1"); errors.Is(err, journal.ErrNoRun) {
				if len(service.requests) > 0 {
					t.Fatalf("got the requests %v of a run that was never recorded", service.requests)
				}
				return
			}
			result, err = local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"})
			if err != nil {
				t.Fatal(err)
			}
			checkOnce(t, want, service.requests, result)
		})
	}
}

// checkOnce checks the requests of an interrupted and resumed run. Pages and repeatable
// calls may be sent several times with the same key. Reconciled and Once calls must be sent
// at most once. Only a Once call may have an unknown outcome.
func checkOnce(t *testing.T, want, requests []string, result *run.Result) {
	t.Helper()
	times := map[string]int{}
	var done []string
	for _, line := range requests {
		if line == "look m" || line == "read" {
			continue
		}
		if times[line]++; times[line] == 1 {
			done = append(done, line)
		}
	}
	switch result.Status {
	case run.Success:
		if diff := cmp.Diff(want[1:], done); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	case run.NeedsAttention:
		if last := done[len(done)-1]; last != "post o" || result.Error.Kind != action.UnknownOutcome {
			t.Errorf("got %v after %v, want an unknown outcome only of the post", result.Error, done)
		}
	default:
		t.Errorf("got %s, %v", result.Status, result.Error)
	}
	if times["make m"] > 1 || times["post o"] > 1 {
		t.Errorf("got %v, want make and post at most once", requests)
	}
}

// A resume is refused for another target or other keys than the run started with, and for a
// state of the run that does not allow it. Then nothing changes.
func TestResumeIsRefused(t *testing.T) {
	target := run.Target{Connection: "default", APIURL: "https://api.example.com", EventsURL: "https://events.example.com"}
	keys := map[string]string{"api_key": "secret-key-1"}
	other := target
	other.APIURL = "https://api.eu.example.com"
	simulated := run.Target{Simulation: "S1"}
	tests := map[string]struct {
		left       int // events before the journal fails; negative: the run ends
		target     run.Target
		resumption engine.Resumption
		want       string
	}{
		"another host":                 {3, target, engine.Resumption{Target: other, Keys: keys}, "cannot continue with"},
		"another key":                  {3, target, engine.Resumption{Target: target, Keys: map[string]string{"api_key": "secret-key-2"}}, "other keys"},
		"no key":                       {3, target, engine.Resumption{Target: target}, "other keys"},
		"a simulator":                  {3, target, engine.Resumption{Target: simulated, Keys: keys}, "was not simulated"},
		"another simulator":            {3, simulated, engine.Resumption{Target: run.Target{Simulation: "S2"}, Keys: keys}, "is gone"},
		"a run that has ended":         {-1, target, engine.Resumption{Target: target, Keys: keys}, "has ended as success"},
		"a retry of a success":         {-1, target, engine.Resumption{Target: target, Keys: keys, Retry: true}, "nothing to retry"},
		"a retry of an unfinished run": {3, target, engine.Resumption{Target: target, Keys: keys, Retry: true}, "resume it"},
		"an event that is not a call":  {3, target, engine.Resumption{Target: target, Keys: keys, Decisions: decide(2, run.CallDone)}, "not a call whose outcome is unknown"},
		"an invalid decision":          {3, target, engine.Resumption{Target: target, Keys: keys, Decisions: decide(2, "maybe")}, `not "maybe"`},
		"an input that is recorded":    {3, target, engine.Resumption{Target: target, Keys: keys, Inputs: action.Object{"n": 1.0}}, "only secret inputs"},
		"an unknown run":               {3, target, engine.Resumption{Run: "R9", Target: target, Keys: keys}, "no such run"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h, service := newHarness(), newFakeService()
			h.actions = service.actions()
			local, plan := h.compile(t, everyWrite)
			store := journal.NewMemory()
			local.Journal = store
			if test.left >= 0 {
				local.Journal = &brokenJournal{store, test.left}
			}
			_, _ = local.Run(context.Background(), plan, engine.Request{Target: test.target, Keys: keys})
			local.Journal = store
			before, _ := store.Events(context.Background(), "R1")
			if test.resumption.Run == "" {
				test.resumption.Run = "R1"
			}
			sent := len(service.requests)
			_, err := local.Resume(context.Background(), plan, test.resumption)
			if !engine.IsInputError(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			after, _ := store.Events(context.Background(), "R1")
			if len(after) != len(before) || len(service.requests) != sent {
				t.Errorf("got %d events and %v, want no change", len(after), service.requests[sent:])
			}
			for _, e := range after {
				if strings.Contains(fmt.Sprintf("%+v", e.Started), "secret-key") {
					t.Error("a key is in the journal")
				}
			}
		})
	}
}

// A run was interrupted during a page, and is resumed after resume_within. It is suspended
// before on_failure, and the decision says how it continues.
func TestSuspendedRun(t *testing.T) {
	const source = `
name: w
steps:
- id: one
  lua: |
    demo.page{text = "1"}
    return {done = true}
on_failure:
- {id: told, uses: demo.set, with: {text: told}}
finally:
- {id: clean, uses: demo.set, with: {text: clean}}
outputs: {done: "${{ steps.one.outputs.done }}"}
`
	tests := map[run.CallOutcome]struct {
		status   run.Status
		requests []string
	}{
		run.CallDone:   {run.Success, []string{"set clean"}},
		run.CallRepeat: {run.Success, []string{"page 1", "set clean"}},
		run.CallFailed: {run.NeedsAttention, []string{"set told", "set clean"}},
	}
	for decision, test := range tests {
		t.Run(string(decision), func(t *testing.T) {
			h, service := newHarness(), newFakeService()
			h.actions = service.actions()
			local, plan := h.compile(t, source)
			store := journal.NewMemory()
			local.Journal = &brokenJournal{store, 3} // up to call.started
			if _, err := local.Run(context.Background(), plan, engine.Request{}); err == nil {
				t.Fatal("the journal did not fail")
			}
			service.requests = nil
			h.clock.advance(16 * time.Minute)
			local.Journal = store
			suspended, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"})
			if err != nil || !suspended.Suspended || suspended.Status != run.NeedsAttention || suspended.Error.Call != 3 || len(service.requests) > 0 {
				t.Fatalf("got %+v, %v after %v, want it suspended at call 3", suspended, err, service.requests)
			}
			if _, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"}); err == nil || !strings.Contains(err.Error(), "a decision about call 3") {
				t.Errorf("got %v, want the question about call 3", err)
			}
			got, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1", Decisions: decide(3, decision)})
			if err != nil || got.Status != test.status {
				t.Fatalf("got %+v, %v, want %s", got, err, test.status)
			}
			if diff := cmp.Diff(test.requests, withoutKeys(service.requests)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// withoutKeys returns requests without their idempotency keys.
func withoutKeys(requests []string) []string {
	var list []string
	for _, line := range requests {
		words := strings.Fields(line)
		list = append(list, strings.Join(words[:min(2, len(words))], " "))
	}
	return list
}

// A retried run runs its failed steps again. Writes that were completed are not repeated.
func TestRetriedRun(t *testing.T) {
	h, service := newHarness(), newFakeService()
	h.actions = service.actions()
	local, plan := h.compile(t, `
name: w
steps:
- {id: first, uses: demo.set, with: {text: first}}
- id: second
  lua: |
    demo.page{text = "p"}
    demo.set{text = "breaks"}
- {id: third, uses: demo.set, with: {text: third}}
on_failure:
- {id: told, uses: demo.page, with: {text: told}}
`)
	local.Journal = journal.NewMemory()
	service.refuses["breaks"] = action.Errorf(action.NotFound, "it broke")
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil || result.Status != run.Failed {
		t.Fatalf("got %v, %v, want a failure", result, err)
	}
	delete(service.refuses, "breaks")
	result, err = local.Resume(context.Background(), plan, engine.Resumption{Run: "R1", Retry: true})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, result)
	want := []string{"set first", "page p", "set breaks", "page told", "set breaks", "set third"}
	if diff := cmp.Diff(want, withoutKeys(service.requests)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// An interrupted run has a suspended attempt. A resume with its decision continues the attempt
// once, next to the attempt that was running.
func TestDecisionOfInterruptedRun(t *testing.T) {
	h, service := newHarness(), newFakeService()
	h.actions = service.actions()
	local, plan := h.compile(t, `
name: w
steps:
- {id: a, needs: [], uses: demo.set, with: {text: a}}
- {id: b, needs: [], uses: demo.set, with: {text: b}}
`)
	store := journal.NewMemory()
	local.Journal = store
	waits := run.Outcome{Status: run.Suspended, Error: &run.Failure{Kind: action.UnknownOutcome}, Suspension: &run.Suspension{Reason: run.Approval}}
	history := []run.Event{
		{Kind: run.EventStarted, Started: &run.Start{Workflow: "w", Source: plan.Sources[0].Hash()}},
		{Kind: run.EventAttemptStarted, Step: "a", Attempt: 1},
		{Kind: run.EventAttemptStarted, Step: "b", Attempt: 1},
		{Kind: run.EventAttemptSuspended, Step: "a", Attempt: 1, Outcome: &waits},
	}
	for i := range history {
		history[i].Sequence, history[i].Run, history[i].Time = i+1, "R1", startTime
	}
	if err := store.Begin(context.Background(), journal.Entry{Run: "R1", Workflow: "w"}, history); err != nil {
		t.Fatal(err)
	}
	result, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1", Decisions: []run.Decision{{Reason: run.Approval, Approved: true}}})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, result)
	sent := withoutKeys(service.requests)
	slices.Sort(sent)
	if diff := cmp.Diff([]string{"set a", "set b"}, sent); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// An interrupted run that is resumed only to be cancelled does not send the write again
// that has no result, and needs attention.
func TestCancelOfInterruptedRunSendsNothing(t *testing.T) {
	for range 200 { // the order of the goroutines must not matter
		h, service := newHarness(), newFakeService()
		h.actions = service.actions()
		local, plan := h.compile(t, "name: w\nsteps:\n- {uses: demo.set, with: {text: s}}\n")
		store := journal.NewMemory()
		local.Journal = &brokenJournal{store, 3} // up to call.started
		if _, err := local.Run(context.Background(), plan, engine.Request{}); err == nil {
			t.Fatal("the journal did not fail")
		}
		local.Journal, service.requests = store, nil
		got, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1", Cancel: true})
		if err != nil || got.Status != run.NeedsAttention || len(service.requests) > 0 {
			t.Fatalf("got %+v, %v after %v, want a run that needs attention and sent nothing", got, err, service.requests)
		}
	}
}
