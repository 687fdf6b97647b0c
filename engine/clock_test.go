package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/times"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// TestT2PreviousInOrder: `previous` is the success that was recorded last, although a run
// succeeded while the clock was a year ahead.
func TestT2PreviousInOrder(t *testing.T) {
	h := newHarness()
	local, plan := h.compile(t, `inputs: {n: {type: integer, required: true}}
steps:
  - id: a
    lua: |
      return {before = (previous or {outputs = {}}).outputs.n}
outputs: {n: "${{ inputs.n }}", before: "${{ steps.a.outputs.before }}"}
`)
	now := clock.NewVirtual(startTime)
	local.Clock, local.Journal, local.Observers, local.NewID = now, journal.NewMemory(), nil, nil
	var before any
	for n, set := range []time.Duration{0, 365 * 24 * time.Hour, -365 * 24 * time.Hour, -2 * time.Hour, 5 * time.Minute} {
		now.Set(set)
		now.Advance(time.Minute)
		result, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"n": float64(n)}})
		if err != nil || result.Status != run.Success {
			t.Fatal(result, err)
		}
		if got := result.Outputs["before"]; got != before {
			t.Errorf("run %d: previous is run %v, want run %v", n, got, before)
		}
		before = result.Outputs["n"]
	}
}

// A clockTest is a run in one process, which dies, and is resumed in another process. Each
// process has its own clock.
type clockTest struct {
	t     *testing.T
	store *journal.Memory
	first *clock.Virtual // stands still once the run waits, until the end of the test
}

// dies runs a workflow until its history has an event of a kind. Then the process dies.
func (c *clockTest) dies(h *harness, source string, at run.EventKind, before func(*clock.Virtual)) {
	c.t.Helper()
	local, plan := h.compile(c.t, source)
	c.store, c.first = journal.NewMemory(), clock.NewVirtual(startTime)
	local.Clock, local.Journal, local.Observers = c.first, c.store, nil
	c.first.Begin()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = local.Run(context.Background(), plan, engine.Request{}) // it is refused as soon as another process owns the run
	}()
	c.t.Cleanup(func() {
		c.first.End(1)
		<-ended
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		events, _ := c.store.Events(context.Background(), "R1")
		if n := len(events); n > 0 && events[n-1].Kind == at {
			break
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("no %s in %v", at, events)
		}
	}
	if before != nil {
		before(c.first)
	}
	if err := c.store.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// resumed resumes the run in a process whose clock shows a time after the clock of the first
// process, and returns its result, and how long the process worked on it.
func (c *clockTest) resumed(h *harness, source string, after time.Duration) (*run.Result, time.Duration) {
	c.t.Helper()
	local, plan := h.compile(c.t, source)
	second := clock.NewVirtual(c.first.Now().Add(after))
	local.Clock, local.Journal, local.Observers = second, c.store.Another(), nil
	result, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"})
	if err != nil {
		c.t.Fatal(err)
	}
	_, took := second.Read()
	return result, took
}

// TestT7WaitsAfterTheClockWentBack: a run that waits is killed, the clock is set, and the run
// is resumed. It never waits longer than the whole wait, and ends as it would with a right
// clock. A clock that went forward ends the wait, because the time may really have passed.
func TestT7WaitsAfterTheClockWentBack(t *testing.T) {
	sleeping := append(times.Actions(), act("demo.read", action.Reads, func(context.Context, textIn) error { return nil }))
	for name, test := range map[string]struct {
		source string
		dies   run.EventKind
		whole  time.Duration
	}{
		"a sleep":            {"steps: [{id: a, timeout: 1m, uses: time.sleep, with: {duration: 50s}}]", run.EventCallStarted, 50 * time.Second},
		"a long sleep":       {"timeout: 3h\nsteps: [{id: a, timeout: 2h30m, uses: time.sleep, with: {duration: 2h}}]", run.EventCallStarted, 2 * time.Hour},
		"an item":            {"steps: [{id: a, timeout: 1m, for_each: [1], uses: time.sleep, with: {duration: 50s}}]", run.EventCallStarted, 50 * time.Second},
		"a retry":            {"steps: [{id: a, retry: {max_attempts: 2, delay: 20s}, uses: demo.flaky, with: {text: x}}]", run.EventAttemptFinished, 20 * time.Second},
		"a retry of an item": {"steps: [{id: a, for_each: [1], retry: {max_attempts: 2, delay: 20s}, uses: demo.flaky, with: {text: x}}]", run.EventAttemptFinished, 20 * time.Second},
		"in on_failure":      {"steps: [{id: a, uses: demo.fail, with: {text: x}}]\non_failure: [{id: b, timeout: 1m, uses: time.sleep, with: {duration: 50s}}]", run.EventCallStarted, 50 * time.Second},
	} {
		for _, set := range []time.Duration{-time.Second, -5 * time.Minute, -2 * time.Hour, -365 * 24 * time.Hour, 0, 5 * time.Minute, 365 * 24 * time.Hour} {
			t.Run(fmt.Sprintf("%s, %s", name, set), func(t *testing.T) {
				failed := false
				h := newHarness(append(slices.Clone(sleeping), act("demo.flaky", action.Reads, func(context.Context, textIn) error {
					if !failed {
						failed = true
						return action.Errorf(action.Unavailable, "not yet")
					}
					return nil
				}), act("demo.fail", action.Reads, func(context.Context, textIn) error { return action.Errorf(action.NotFound, "no") }))...)
				c := &clockTest{t: t}
				c.dies(h, test.source, test.dies, nil)
				result, took := c.resumed(h, test.source, set)
				want := run.Success
				if name == "in on_failure" {
					want = run.Failed // of the step before it
					if s := result.Steps[1]; s.Status != run.Success {
						t.Errorf("on_failure ended as %s: %v", s.Status, s.Error)
					}
				}
				if result.Status != want {
					t.Errorf("got %s, %v, want %s", result.Status, result.Error, want)
				}
				if took > test.whole {
					t.Errorf("it waited %s, and the whole wait is %s", took, test.whole)
				}
				if set <= -5*time.Minute && took < test.whole/100 {
					t.Errorf("it waited %s of %s, although no time has passed", took, test.whole)
				}
				if result.Duration < 0 {
					t.Errorf("it took %s", result.Duration)
				}
			})
		}
	}
}

// TestT7SetWhileItRuns: a clock that is set while a process works on a run ends none of its
// waits and timeouts earlier or later, in this process or in the one that resumes the run.
func TestT7SetWhileItRuns(t *testing.T) {
	const source = "timeout: 1h\nsteps: [{id: a, timeout: 50m, uses: time.sleep, with: {duration: 5m}}, {id: b, timeout: 50m, uses: time.sleep, with: {duration: 5m}}]"
	for _, set := range []time.Duration{-2 * time.Hour, -365 * 24 * time.Hour, 5 * time.Minute, 2 * time.Hour, 365 * 24 * time.Hour} {
		t.Run(set.String(), func(t *testing.T) {
			c := &clockTest{t: t}
			c.dies(newHarness(times.Actions()...), source, run.EventCallStarted, func(now *clock.Virtual) { now.Set(set) })
			result, took := c.resumed(newHarness(times.Actions()...), source, 0)
			if result.Status != run.Success || took > 10*time.Minute {
				t.Errorf("got %s, %v after %s", result.Status, result.Error, took)
			}

			h := newHarness(append(times.Actions(), act("demo.set", action.Reads, func(ctx context.Context, _ textIn) error {
				action.ScopeOf(ctx).Clock.(*clock.Virtual).Set(set)
				return nil
			}))...)
			local, plan := h.compile(t, "timeout: 1h\nsteps: [{id: a, uses: demo.set, with: {text: x}}, {id: b, timeout: 50m, uses: time.sleep, with: {duration: 40m}}, {id: c, timeout: 50m, uses: time.sleep, with: {duration: 40m}}]")
			now := clock.NewVirtual(startTime)
			local.Clock, local.Journal = now, journal.NewMemory()
			result, err := local.Run(context.Background(), plan, engine.Request{})
			_, passed := now.Read()
			if err != nil || result.Status != run.TimedOut || passed != time.Hour || result.Duration != time.Hour {
				t.Errorf("got %s after %s (%s by its events), %v, want a timeout after an hour", result.Status, passed, result.Duration, err)
			}
			for i := 1; i < len(h.events); i++ {
				if h.events[i].Time.Before(h.events[i-1].Time) {
					t.Errorf("event %d is earlier than the event before", i+1)
				}
			}
		})
	}
}
