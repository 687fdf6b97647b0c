package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// The second run of a concurrency group is skipped, waits, or cancels the first, as the
// policy of the workflow says.
func TestConcurrencyGroup(t *testing.T) {
	const source = `
name: w
inputs: {who: {type: string, default: a}}
concurrency: {group: "${{ inputs.who }}", policy: %s}
steps:
- {id: s, uses: demo.wait}
`
	tests := map[string]struct {
		first, second run.Status
		events        string // of the second run
	}{
		"skip":   {run.Success, run.Skipped, "run.skipped"},
		"queue":  {run.Success, run.Success, "run.queued run.started attempt.started call.started call.returned attempt.finished run.finished"},
		"cancel": {run.Cancelled, run.Success, "run.queued run.started attempt.started call.started call.returned attempt.finished run.finished"},
		"allow":  {run.Success, run.Success, "run.started attempt.started call.started call.returned attempt.finished run.finished"},
	}
	for policy, test := range tests {
		t.Run(policy, func(t *testing.T) {
			store, w := journal.NewMemory(), newBlocking()
			clock := newClock()
			start := func(id string) (*harness, chan *run.Result) {
				h := newHarness(w.action(action.Reads))
				h.id, h.clock = id, clock
				local, plan := h.compile(t, fmt.Sprintf(source, policy))
				local.Journal = store
				ended := make(chan *run.Result, 1)
				go func() {
					result, err := local.Run(context.Background(), plan, engine.Request{})
					if err != nil {
						t.Error(err)
					}
					ended <- result
				}()
				return h, ended
			}
			_, first := start("R1")
			<-w.entered
			second, ended := start("R2")
			switch policy {
			case "queue", "cancel":
				passTime(clock, second, policy == "cancel", func() { w.answer <- nil })
				<-w.entered
				w.answer <- nil
			case "allow":
				<-w.entered
				w.answer <- nil
				w.answer <- nil
			case "skip":
				result := <-ended
				ended <- result
				w.answer <- nil
			}
			if got := <-first; got.Status != test.first {
				t.Errorf("got %s, want the first %s", got.Status, test.first)
			}
			if got := <-ended; got.Status != test.second {
				t.Errorf("got %s, %v, want the second %s", got.Status, got.Error, test.second)
			}
			var kinds []string
			for _, e := range second.events {
				kinds = append(kinds, string(e.Kind))
			}
			if events := strings.Join(kinds, " "); events != test.events {
				t.Errorf("got the events %q of the second run, want %q", events, test.events)
			}
		})
	}
}

// TestX6SimulatedRunsHoldNoGroup: a real run neither waits for a simulated run nor is skipped
// or cancelled because of one, nor the other way around.
func TestX6SimulatedRunsHoldNoGroup(t *testing.T) {
	for _, policy := range []string{"skip", "queue", "cancel"} {
		for _, simulatedFirst := range []bool{true, false} {
			store, w := journal.NewMemory(), newBlocking()
			ended := make(chan *run.Result, 2)
			start := func(id string, simulated bool) {
				h := newHarness(w.action(action.Reads))
				h.id = id
				local, plan := h.compile(t, "name: w\nconcurrency: {policy: "+policy+"}\nsteps:\n- {id: s, uses: demo.wait}\n")
				local.Journal = store
				request := engine.Request{}
				if simulated {
					request.Target.Simulation = "S"
				}
				go func() {
					result, err := local.Run(context.Background(), plan, request)
					if err != nil {
						t.Error(err)
					}
					ended <- result
				}()
				<-w.entered // both are in their step at a time
			}
			start("R1", simulatedFirst)
			start("R2", !simulatedFirst)
			for range 2 {
				w.answer <- nil
			}
			for range 2 {
				if got := <-ended; got.Status != run.Success {
					t.Errorf("%s, simulated first %v: got %s, want success of both", policy, simulatedFirst, got.Status)
				}
			}
		}
	}
}

// passTime moves the clock until a queued run has started. It moves only while that run
// waits, so that no timeout fires. Without a cancellation, it releases the first run after
// three moves.
func passTime(clock *manualClock, h *harness, cancels bool, release func()) {
	waits := 250 * time.Millisecond // the interval in which a queued run checks its group
	for passes := 0; !clock.awaitOr(waits, h.hasStarted); passes++ {
		if passes == 3 && !cancels {
			release()
		}
		clock.advance(waits)
	}
}

// beginOther starts the run R0 of the concurrency group of the workflow w in another process.
// The returned function ends it.
func beginOther(t *testing.T, store *journal.Memory) (end func()) {
	t.Helper()
	other := store.Another()
	start := run.Event{Sequence: 1, Run: "R0", Kind: run.EventStarted, Started: &run.Start{Workflow: "w"}}
	if err := other.Begin(context.Background(), journal.Entry{Run: "R0", Workflow: "w", Group: "w"}, []run.Event{start}); err != nil {
		t.Fatal(err)
	}
	return func() {
		end := run.Event{Sequence: 2, Run: "R0", Kind: run.EventFinished, Status: run.Success}
		if err := other.Append(context.Background(), "R0", []run.Event{end}); err != nil {
			t.Error(err)
		}
	}
}

// A run was interrupted or suspended, and another run of its concurrency group has started
// since. A resume waits until the group is free. When the context ends first, the run is not
// resumed, and a later resume continues it. A cancellation does not wait.
func TestResumeWaitsForGroup(t *testing.T) {
	const source = "name: w\nconcurrency: {policy: queue}\nsteps: [{id: one, uses: demo.page, with: {text: p}}]"
	type resumed struct {
		result *run.Result
		err    error
	}
	for name, test := range map[string]struct {
		suspended bool
		decisions []run.Decision
		requests  int // of the finished run
	}{
		"interrupted": {false, nil, 1},
		"suspended":   {true, decide(3, run.CallDone), 0},
	} {
		// setUp returns a run that is interrupted during its page, or suspended after it.
		setUp := func(t *testing.T) (*harness, *fakeService, *journal.Memory, func(context.Context, engine.Resumption) resumed) {
			h, service, store := newHarness(), newFakeService(), journal.NewMemory()
			h.actions = service.actions()
			local, plan := h.compile(t, source)
			local.Journal = &brokenJournal{store, 3}
			if _, err := local.Run(context.Background(), plan, engine.Request{}); err == nil {
				t.Fatal("the journal did not fail")
			}
			_ = store.Close() // the process dies
			service.requests = nil
			store = store.Another()
			local.Journal = store
			resume := func(ctx context.Context, r engine.Resumption) resumed {
				r.Run = "R1"
				local.GiveUp = h.giveUp
				result, err := local.Resume(ctx, plan, r)
				return resumed{result, err}
			}
			if test.suspended {
				h.clock.advance(16 * time.Minute)
				if got := resume(context.Background(), engine.Resumption{}); got.err != nil || !got.result.Suspended {
					t.Fatalf("got %+v, want the run suspended", got)
				}
			}
			return h, service, store, resume
		}
		count := func(t *testing.T, store *journal.Memory, kind run.EventKind) int {
			t.Helper()
			events, err := store.Events(context.Background(), "R1")
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, e := range events {
				if e.Kind == kind {
					n++
				}
			}
			return n
		}
		t.Run(name+": the group becomes free", func(t *testing.T) {
			h, service, store, resume := setUp(t)
			before := count(t, store, run.EventResumed)
			end := beginOther(t, store)
			started, ended := make(chan struct{}), make(chan resumed, 1)
			go func() {
				ended <- resume(context.Background(), engine.Resumption{Decisions: test.decisions, Started: func() { close(started) }})
			}()
			<-started // it counts as started while it waits
			for range 3 {
				h.clock.await(250 * time.Millisecond)
				h.clock.advance(250 * time.Millisecond)
			}
			h.clock.await(250 * time.Millisecond)
			if got := count(t, store, run.EventResumed); got != before {
				t.Errorf("got %d resumes while the group was busy, want %d", got, before)
			}
			end()
			h.clock.advance(250 * time.Millisecond)
			got := <-ended
			if got.err != nil || got.result.Status != run.Success {
				t.Fatalf("got %+v, want success", got)
			}
			if len(service.requests) != test.requests || count(t, store, run.EventResumed) != before+1 {
				t.Errorf("got the requests %v and %d resumes, want %d and %d", service.requests, count(t, store, run.EventResumed), test.requests, before+1)
			}
		})
		t.Run(name+": a cancellation ends the wait", func(t *testing.T) {
			h, service, store, resume := setUp(t)
			beginOther(t, store)
			bob := &run.Actor{Kind: run.ActorUser, Name: "bob@host"}
			ended := make(chan resumed, 1)
			go func() { ended <- resume(context.Background(), engine.Resumption{Decisions: test.decisions}) }()
			h.clock.await(250 * time.Millisecond)
			if err := store.RequestCancel(context.Background(), "R1", bob); err != nil {
				t.Fatal(err)
			}
			h.clock.advance(250 * time.Millisecond)
			got := <-ended
			if got.err != nil || got.result.Status == run.Success || len(service.requests) != 0 || count(t, store, run.EventCancelled) != 1 {
				t.Errorf("got %+v after %v, want a cancelled run that sent nothing", got, service.requests)
			}
		})
		t.Run(name+": it is told to give up", func(t *testing.T) {
			h, _, store, resume := setUp(t)
			beginOther(t, store)
			giveUp := make(chan struct{})
			h.giveUp = giveUp
			ended := make(chan resumed, 1)
			go func() { ended <- resume(context.Background(), engine.Resumption{Decisions: test.decisions}) }()
			h.clock.await(250 * time.Millisecond)
			close(giveUp)
			h.clock.advance(250 * time.Millisecond)
			var waited *engine.WaitedError
			if got := <-ended; !errors.As(got.err, &waited) {
				t.Errorf("got %+v, want that it waited", got)
			}
		})
		t.Run(name+": the context ends first", func(t *testing.T) {
			h, service, store, resume := setUp(t)
			before := count(t, store, run.EventResumed)
			end := beginOther(t, store)
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				h.clock.await(250 * time.Millisecond)
				cancel()
			}()
			got := resume(ctx, engine.Resumption{Decisions: test.decisions})
			var waited *engine.WaitedError
			if !errors.As(got.err, &waited) || !strings.Contains(got.err.Error(), `the run R1 was not resumed: the concurrency group "w" is busy with R0`) {
				t.Errorf("got %v, want the busy group", got.err)
			}
			if count(t, store, run.EventResumed) != before || len(service.requests) != 0 {
				t.Errorf("got %d resumes and the requests %v, want no change", count(t, store, run.EventResumed), service.requests)
			}
			end()
			// The decisions are recorded, so the run needs none now.
			if got := resume(context.Background(), engine.Resumption{}); got.err != nil || got.result.Status != run.Success {
				t.Errorf("got %+v, want success", got)
			}
			if len(service.requests) != test.requests {
				t.Errorf("got the requests %v, want %d", service.requests, test.requests)
			}
		})
		t.Run(name+": a cancellation does not wait", func(t *testing.T) {
			_, service, store, resume := setUp(t)
			beginOther(t, store)
			got := resume(context.Background(), engine.Resumption{Cancel: true})
			if got.err != nil || got.result.Status != run.NeedsAttention || len(service.requests) != 0 {
				t.Errorf("got %+v after %v, want the unknown outcome of the page", got, service.requests)
			}
			if count(t, store, run.EventCancelled) != 1 {
				t.Error("the cancellation is not recorded")
			}
		})
	}
}
