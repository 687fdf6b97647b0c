package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// pause declares an action that sleeps a minute for each letter of its text.
func pause() *action.Action {
	return act("demo.pause", action.Reads, func(ctx context.Context, in textIn) error {
		return action.ScopeOf(ctx).Clock.Sleep(ctx, time.Duration(len(in.Text))*time.Minute)
	})
}

// runVirtually runs a workflow on a virtual clock and returns how long it took on it.
func runVirtually(t *testing.T, source string, store journal.Journal) (*run.Result, time.Duration) {
	t.Helper()
	failing := 0
	h := newHarness(pause(), act("demo.flaky", action.Reads, func(context.Context, textIn) error {
		if failing++; failing < 4 {
			return action.Errorf(action.Unavailable, "not yet")
		}
		return nil
	}))
	local, plan := h.compile(t, source)
	clock := clock.NewVirtual(startTime)
	local.Clock, local.Observers, local.Journal = clock, nil, store
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return result, clock.Now().Sub(startTime)
}

// On a virtual clock, sleeps, retries, parallel branches and items take exactly their time.
func TestVirtualTime(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		took   time.Duration
		status run.Status
		ends   []time.Duration // of the steps
	}{
		"a pause":             {"steps: [{id: a, uses: demo.pause, with: {text: aaa}}]", 3 * time.Minute, run.Success, []time.Duration{3 * time.Minute}},
		"one after the other": {"steps: [{id: a, uses: demo.pause, with: {text: a}}, {id: b, uses: demo.pause, with: {text: bb}}]", 3 * time.Minute, run.Success, []time.Duration{time.Minute, 3 * time.Minute}},
		"branches": {
			"steps: [{id: a, needs: [], uses: demo.pause, with: {text: aaaa}}, {id: b, needs: [], uses: demo.pause, with: {text: b}}, {id: c, needs: [b], uses: demo.pause, with: {text: cc}}]",
			4 * time.Minute, run.Success,
			[]time.Duration{4 * time.Minute, time.Minute, 3 * time.Minute},
		},
		"items":     {"steps: [{id: a, for_each: [a, aa, a, aa], max_parallel: 2, uses: demo.pause, with: {text: '${{ item }}'}}]", 4 * time.Minute, run.Success, []time.Duration{4 * time.Minute}},
		"retries":   {"steps: [{id: a, retry: {max_attempts: 5, delay: 10s, backoff: 2}, uses: demo.flaky}]", 50774 * time.Millisecond, run.Success, []time.Duration{50774 * time.Millisecond}},
		"a timeout": {"steps: [{id: a, timeout: 90s, uses: demo.pause, with: {text: aaaa}}]", 90 * time.Second, run.Failed, []time.Duration{90 * time.Second}},
		"a timeout of the run": {
			"timeout: 2m\nsteps: [{id: a, uses: demo.pause, with: {text: aaaa}}]\nfinally: [{id: f, uses: demo.pause, with: {text: ''}}]",
			2 * time.Minute, run.TimedOut,
			[]time.Duration{2 * time.Minute, 2 * time.Minute},
		},
	} {
		for _, recorded := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " journal=", recorded), func(t *testing.T) {
				for range 20 { // the order of the goroutines must not matter
					var store journal.Journal
					if recorded {
						store = journal.NewMemory()
					}
					result, took := runVirtually(t, test.source, store)
					if result.Status != test.status || took != test.took {
						t.Fatalf("got %s after %s, want %s after %s", result.Status, took, test.status, test.took)
					}
					var ends []time.Duration
					for _, s := range result.Steps {
						ends = append(ends, s.EndedAt.Sub(startTime))
					}
					if diff := cmp.Diff(test.ends, ends); diff != "" {
						t.Fatalf("ends of steps (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
}

// On a virtual clock, the runs of a concurrency group run one after the other.
func TestVirtualTimeOfGroup(t *testing.T) {
	h := newHarness(pause())
	local, plan := h.compile(t, "concurrency: {policy: queue}\nsteps: [{id: a, uses: demo.pause, with: {text: aa}}]")
	clock := clock.NewVirtual(startTime)
	local.Clock, local.Observers, local.Journal, local.NewID = clock, nil, journal.NewMemory(), nil
	ended := make(chan error)
	for range 3 {
		go func() {
			result, err := local.Run(context.Background(), plan, engine.Request{})
			if err == nil && result.Status != run.Success {
				err = fmt.Errorf("it ended as %s", result.Status)
			}
			ended <- err
		}()
	}
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if took := clock.Now().Sub(startTime); took < 6*time.Minute || took > 6*time.Minute+2*time.Second {
		t.Errorf("three runs of 2 minutes took %s", took)
	}
}
