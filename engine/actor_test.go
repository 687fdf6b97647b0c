package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

var (
	ann   = run.Actor{Kind: run.ActorUser, Name: "ann@host"}
	bob   = run.Actor{Kind: run.ActorToken, Name: "bob"}
	carol = run.Actor{Kind: run.ActorSocket, Name: "1000"}
)

// actors returns the actor of each event that has one, by kind of event.
func actors(t *testing.T, store journal.Journal, id string) map[run.EventKind]string {
	t.Helper()
	events, err := store.Events(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	found := map[run.EventKind]string{}
	for _, e := range events {
		if e.Actor != nil {
			found[e.Kind] = e.Actor.String()
		}
	}
	return found
}

// Every event that a person or a trigger causes has its actor, and no other event has one.
// Ann starts each run. What Bob and Carol do later is recorded with their names.
func TestActorIsRecorded(t *testing.T) {
	type scene struct {
		*harness
		local   *engine.Local
		plan    *workflow.Plan
		store   *journal.Memory
		service *fakeService
	}
	start := func(t *testing.T, s *scene, ctx context.Context, store journal.Journal) {
		t.Helper()
		s.local.Journal = store
		if _, err := s.local.Run(ctx, s.plan, engine.Request{Actor: ann}); err != nil && !errors.Is(err, errDiskFull) {
			t.Fatal(err)
		}
		s.local.Journal = s.store
	}
	resume := func(t *testing.T, s *scene, r engine.Resumption) {
		t.Helper()
		r.Run = "R1"
		if _, err := s.local.Resume(context.Background(), s.plan, r); err != nil {
			t.Fatal(err)
		}
	}
	interrupt := func(t *testing.T, s *scene) { // during the page
		t.Helper()
		start(t, s, context.Background(), &brokenJournal{s.store, 3})
	}
	occupyGroup := func(t *testing.T, s *scene) {
		t.Helper()
		beginOther(t, s.store)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	const page = "name: w\nsteps: [{id: one, uses: demo.page, with: {text: p}}]"
	for name, test := range map[string]struct {
		source string
		act    func(*testing.T, *scene)
		want   map[run.EventKind]string
	}{
		"started": {page, func(t *testing.T, s *scene) {
			start(t, s, context.Background(), s.store)
		}, map[run.EventKind]string{run.EventStarted: "user:ann@host"}},
		"queued, and cancelled by its context": {"concurrency: {policy: queue}\n" + page, func(t *testing.T, s *scene) {
			occupyGroup(t, s)
			start(t, s, cancelled, s.store)
		}, map[run.EventKind]string{run.EventQueued: "user:ann@host", run.EventCancelled: "user:ann@host"}},
		"skipped": {"concurrency: {policy: skip}\n" + page, func(t *testing.T, s *scene) {
			occupyGroup(t, s)
			start(t, s, context.Background(), s.store)
		}, map[run.EventKind]string{run.EventSkipped: "user:ann@host"}},
		"resumed": {page, func(t *testing.T, s *scene) {
			interrupt(t, s)
			resume(t, s, engine.Resumption{Actor: bob})
		}, map[run.EventKind]string{run.EventStarted: "user:ann@host", run.EventResumed: "token:bob"}},
		"resumed to be cancelled": {page, func(t *testing.T, s *scene) {
			interrupt(t, s)
			resume(t, s, engine.Resumption{Actor: bob, Cancel: true})
		}, map[run.EventKind]string{run.EventStarted: "user:ann@host", run.EventResumed: "token:bob", run.EventCancelled: "token:bob"}},
		"decided": {page, func(t *testing.T, s *scene) {
			interrupt(t, s)
			s.clock.advance(16 * time.Minute)
			resume(t, s, engine.Resumption{Actor: bob})
			resume(t, s, engine.Resumption{Actor: carol, Decisions: decide(3, run.CallDone)})
		}, map[run.EventKind]string{run.EventStarted: "user:ann@host", run.EventCallDecided: "socket:1000", run.EventResumed: "socket:1000"}},
		"retried": {page, func(t *testing.T, s *scene) {
			s.service.refuses["p"] = action.Errorf(action.NotFound, "it broke")
			start(t, s, context.Background(), s.store)
			resume(t, s, engine.Resumption{Actor: bob, Retry: true})
		}, map[run.EventKind]string{run.EventStarted: "user:ann@host", run.EventRetried: "token:bob"}},
		"started without an actor": {page, func(t *testing.T, s *scene) {
			s.local.Journal = s.store
			if _, err := s.local.Run(context.Background(), s.plan, engine.Request{}); err != nil {
				t.Fatal(err)
			}
		}, map[run.EventKind]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{harness: newHarness(), store: journal.NewMemory(), service: newFakeService()}
			s.harness.actions = s.service.actions()
			s.local, s.plan = s.compile(t, test.source)
			test.act(t, s)
			if diff := cmp.Diff(test.want, actors(t, s.store, "R1")); diff != "" {
				t.Errorf("actors (-want +got):\n%s", diff)
			}
		})
	}
}

// A running run that is cancelled records who cancelled it: the actor of the request in the
// journal, or the actor of the run when its context ends. (enginetest.TestRuns tests Host.)
func TestActorOfCancellation(t *testing.T) {
	for name, test := range map[string]struct {
		cancel func(*testing.T, *harness, *journal.Memory, context.CancelFunc)
		want   string
	}{
		"the context ends": {func(_ *testing.T, _ *harness, _ *journal.Memory, cancel context.CancelFunc) { cancel() }, "user:ann@host"},
		"a request in the journal": {func(t *testing.T, h *harness, store *journal.Memory, _ context.CancelFunc) {
			if err := store.RequestCancel(context.Background(), "R1", &bob); err != nil {
				t.Error(err)
			}
			h.clock.await(time.Second)
			h.clock.advance(time.Second)
		}, "token:bob"},
	} {
		t.Run(name, func(t *testing.T) {
			h, w := newHarness(), newBlocking()
			h.actions = append(h.actions, w.action(action.Reads))
			local, plan := h.compile(t, "name: w\nsteps: [{id: s, uses: demo.wait}]")
			store := journal.NewMemory()
			local.Journal = store
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			go func() {
				<-w.entered
				test.cancel(t, h, store, cancel)
			}()
			if _, err := local.Run(ctx, plan, engine.Request{Actor: ann}); err != nil {
				t.Fatal(err)
			}
			want := map[run.EventKind]string{run.EventStarted: "user:ann@host", run.EventCancelled: test.want}
			if diff := cmp.Diff(want, actors(t, store, "R1")); diff != "" {
				t.Errorf("actors (-want +got):\n%s", diff)
			}
		})
	}
}

// The actor of the run of a scheduled time is the schedule, even if the request names
// another actor.
func TestActorOfOccurrence(t *testing.T) {
	h := newHarness(newFakeService().actions()...)
	local, plan := h.compile(t, "name: w\nsteps: [{id: a, uses: demo.set}]")
	store := journal.NewMemory()
	local.Journal = store
	runs := run.Occurrence{Workflow: "w", Schedule: "nightly", At: startTime}
	if _, err := local.Run(context.Background(), plan, engine.Request{Actor: ann, Occurrence: &runs}); err != nil {
		t.Fatal(err)
	}
	skipped := run.Occurrence{Workflow: "w", Schedule: "nightly", At: startTime.Add(time.Hour)}
	if err := local.Skip(context.Background(), plan, skipped, run.Target{}, "skipped: paused"); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]map[run.EventKind]string{
		runs.RunID():    {run.EventStarted: "schedule:nightly"},
		skipped.RunID(): {run.EventSkipped: "schedule:nightly"},
	} {
		if diff := cmp.Diff(want, actors(t, store, id)); diff != "" {
			t.Errorf("actors (-want +got):\n%s", diff)
		}
	}
}
