package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// pause waits in the clock of the run, for as many minutes as its text has letters.
func pause() *action.Action {
	return act("demo.pause", action.Reads, func(ctx context.Context, in textIn) error {
		return action.ScopeOf(ctx).Clock.Sleep(ctx, time.Duration(len(in.Text))*time.Minute)
	})
}

// runVirtually runs a workflow in virtual time and returns how long it took there.
func runVirtually(t *testing.T, source string, journal journal.Journal) (*run.Result, time.Duration) {
	t.Helper()
	failing := 0
	h := newHost(pause(), act("demo.flaky", action.Reads, func(context.Context, textIn) error {
		if failing++; failing < 4 {
			return action.Errorf(action.Unavailable, "not yet")
		}
		return nil
	}))
	local, plan := h.compile(t, source)
	clock := clock.NewVirtual(startOfTime)
	local.Clock, local.Observers, local.Journal = clock, nil, journal
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return result, clock.Now().Sub(startOfTime)
}

// TestVirtualTime: pauses, retries, parallel branches and items take their time, and
// no more.
func TestVirtualTime(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		took   time.Duration
		status run.Status
		ends   []time.Duration // of the steps
	}{
		"a pause":         {"steps: [{id: a, uses: demo.pause, with: {text: aaa}}]", 3 * time.Minute, run.Success, []time.Duration{3 * time.Minute}},
		"one after other": {"steps: [{id: a, uses: demo.pause, with: {text: a}}, {id: b, uses: demo.pause, with: {text: bb}}]", 3 * time.Minute, run.Success, []time.Duration{time.Minute, 3 * time.Minute}},
		"branches": {
			"steps: [{id: a, needs: [], uses: demo.pause, with: {text: aaaa}}, {id: b, needs: [], uses: demo.pause, with: {text: b}}, {id: c, needs: [b], uses: demo.pause, with: {text: cc}}]",
			4 * time.Minute, run.Success,
			[]time.Duration{4 * time.Minute, time.Minute, 3 * time.Minute},
		},
		"items":     {"steps: [{id: a, for_each: [a, aa, a, aa], max_parallel: 2, uses: demo.pause, with: {text: '${{ item }}'}}]", 4 * time.Minute, run.Success, []time.Duration{4 * time.Minute}},
		"retries":   {"steps: [{id: a, retry: {max_attempts: 5, delay: 10s, backoff: 2}, uses: demo.flaky}]", 50774 * time.Millisecond, run.Success, []time.Duration{50774 * time.Millisecond}},
		"a timeout": {"steps: [{id: a, timeout: 90s, uses: demo.pause, with: {text: aaaa}}]", 90 * time.Second, run.Failed, []time.Duration{90 * time.Second}},
		"that of the run": {
			"timeout: 2m\nsteps: [{id: a, uses: demo.pause, with: {text: aaaa}}]\nfinally: [{id: f, uses: demo.pause, with: {text: ''}}]",
			2 * time.Minute, run.TimedOut,
			[]time.Duration{2 * time.Minute, 2 * time.Minute},
		},
	} {
		for _, journal0 := range []journal.Journal{nil, journal.NewMemory()} {
			t.Run(fmt.Sprint(name, " journal=", journal0 != nil), func(t *testing.T) {
				for range 20 { // in which no order of goroutines may show
					if journal0 != nil {
						journal0 = journal.NewMemory()
					}
					result, took := runVirtually(t, test.source, journal0)
					if result.Status != test.status || took != test.took {
						t.Fatalf("got %s after %s, want %s after %s", result.Status, took, test.status, test.took)
					}
					var ends []time.Duration
					for _, s := range result.Steps {
						ends = append(ends, s.EndedAt.Sub(startOfTime))
					}
					if diff := cmp.Diff(test.ends, ends); diff != "" {
						t.Fatalf("ends of steps (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
}

// TestVirtualTimeOfGroups: a queued run waits for the other's end.
func TestVirtualTimeOfGroups(t *testing.T) {
	h := newHost(pause())
	local, plan := h.compile(t, "concurrency: {policy: queue}\nsteps: [{id: a, uses: demo.pause, with: {text: aa}}]")
	clock := clock.NewVirtual(startOfTime)
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
	if took := clock.Now().Sub(startOfTime); took < 6*time.Minute || took > 6*time.Minute+2*time.Second {
		t.Errorf("three runs of 2 minutes took %s", took)
	}
}

// late is a context that has ended, of which its Done channel tells too late: what
// the clock wakes then is decided by it alone.
type late struct {
	context.Context
	ended atomic.Bool
}

func (l *late) Err() error {
	if l.ended.Load() {
		return context.Canceled
	}
	return nil
}

// TestVirtualSleepCutOff: a sleeper that the clock wakes since its context has ended
// is told so, whatever it notices first.
func TestVirtualSleepCutOff(t *testing.T) {
	var slept error
	h := newHost(act("demo.cut", action.Reads, func(ctx context.Context, _ textIn) error {
		clock, cut := action.ScopeOf(ctx).Clock, &late{Context: context.Background()}
		clock.AfterFunc(time.Minute, func() { cut.ended.Store(true) })
		slept = clock.Sleep(cut, time.Hour)
		return nil
	}))
	local, plan := h.compile(t, "steps: [{id: a, uses: demo.cut, with: {text: a}}]")
	clock := clock.NewVirtual(startOfTime)
	local.Clock, local.Observers = clock, nil
	if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
		t.Fatal(err)
	}
	if took := clock.Now().Sub(startOfTime); !errors.Is(slept, context.Canceled) || took != time.Minute {
		t.Errorf("got %v after %s, want %v after 1m0s", slept, took, context.Canceled)
	}
}

func TestVirtualClockAlone(t *testing.T) {
	clock := clock.NewVirtual(startOfTime)
	clock.Advance(time.Hour)
	if err := clock.Skip(context.Background(), time.Minute); err != nil {
		t.Error(err)
	}
	if got := clock.Now().Sub(startOfTime); got != 61*time.Minute {
		t.Errorf("got %s, want 61m", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := clock.Sleep(ctx, time.Hour); err == nil {
		t.Error("got no error of a context that has ended")
	}
	stop := clock.AfterFunc(time.Hour, func() { t.Error("it was stopped") })
	if !stop() || stop() {
		t.Error("a timer is stopped in time once")
	}
}
