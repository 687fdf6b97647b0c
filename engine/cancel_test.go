package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A blocking action reports that it is running, and waits until its context ends or the test
// answers.
type blocking struct {
	entered chan struct{}
	answer  chan error
}

func newBlocking() *blocking {
	return &blocking{entered: make(chan struct{}, 10), answer: make(chan error, 10)}
}

func (w *blocking) action(effect action.Effect) *action.Action {
	return act("demo.wait", effect, func(ctx context.Context, _ textIn) error {
		w.entered <- struct{}{}
		select {
		case err := <-w.answer:
			return err
		case <-ctx.Done():
			return &action.Error{Kind: action.Timeout, Message: "cut off", Ambiguous: effect.Writes(), Err: context.Cause(ctx)}
		}
	})
}

// whileCalling runs a workflow and calls f once its action is running.
func whileCalling(t *testing.T, h *harness, w *blocking, source string, f func(cancel context.CancelFunc)) *run.Result {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-w.entered
		f(cancel)
	}()
	result := h.runWith(t, ctx, source, nil)
	<-done
	return result
}

// catchesErrors is a workflow whose script catches every error and continues.
const catchesErrors = `
steps:
- id: s
  timeout: 30s
  lua: |
    while true do
      local ok, err = pcall(demo.wait, {})
      if ok then return 'done' end
    end
- id: after
  lua: |
    return 1
`

// TestStepTimeout: the time of a step ends its script, whatever that catches.
func TestStepTimeout(t *testing.T) {
	h, w := newHarness(), newBlocking()
	h.actions = append(h.actions, w.action(action.Reads))
	got := whileCalling(t, h, w, catchesErrors, func(context.CancelFunc) { h.clock.advance(30 * time.Second) })
	wantFailure(t, got, run.Failed, action.Timeout)
	want := "the step took longer than its timeout of 30s"
	if got.Error.Message != want || got.Error.Step != "s" || got.Error.Hint == "" {
		t.Errorf("got %+v, want %q of the step s, with a hint", got.Error, want)
	}
	if got.Steps[1].Status != run.Skipped {
		t.Errorf("got %s, want the next step skipped", got.Steps[1].Status)
	}
	if n := len(h.calls(run.EventCallStarted)); n != 1 {
		t.Errorf("got %d calls, want none after the timeout", n)
	}
}

// A step that timed out fails, even if its script catches the error and returns.
func TestStepTimeoutIsNotCaught(t *testing.T) {
	for range 50 { // the order of the goroutines must not matter
		h, w := newHarness(), newBlocking()
		h.actions = append(h.actions, w.action(action.Reads))
		source := "steps:\n- timeout: 30s\n  lua: |\n    return (pcall(demo.wait, {}))\n"
		got := whileCalling(t, h, w, source, func(context.CancelFunc) { h.clock.advance(30 * time.Second) })
		wantFailure(t, got, run.Failed, action.Timeout)
	}
}

// A script can catch the timeout of a single call.
func TestCallTimeoutCanBeCaught(t *testing.T) {
	h, w := newHarness(), newBlocking()
	h.actions = append(h.actions, w.action(action.Reads))
	w.answer <- action.Errorf(action.Timeout, "no answer in 2s")
	w.answer <- nil
	wantSuccess(t, whileCalling(t, h, w, catchesErrors, func(context.CancelFunc) {}))
}

// A run that takes longer than its timeout ends as timed_out.
func TestRunTimeout(t *testing.T) {
	h, w := newHarness(), newBlocking()
	h.actions = append(h.actions, w.action(action.Reads))
	got := whileCalling(t, h, w, "timeout: 10s\n"+catchesErrors, func(context.CancelFunc) { h.clock.advance(10 * time.Second) })
	wantFailure(t, got, run.TimedOut, action.Timeout)
	if want := "the run took longer than its timeout of 10s"; got.Error.Message != want {
		t.Errorf("got %q, want %q", got.Error.Message, want)
	}
	if message := got.Steps[0].Error.Message; strings.Contains(message, "cancelled") {
		t.Errorf("got %q for the step of a run that was not cancelled", message)
	}
	if got.Duration != 10*time.Second {
		t.Errorf("got a duration of %s, want 10s", got.Duration)
	}
}

// A cancellation ends a read at once.
func TestCancelEndsReadsAtOnce(t *testing.T) {
	h, w := newHarness(), newBlocking()
	h.actions = append(h.actions, w.action(action.Reads))
	got := whileCalling(t, h, w, catchesErrors, func(cancel context.CancelFunc) { cancel() })
	wantFailure(t, got, run.Cancelled, action.Cancelled)
	if n := len(h.calls(run.EventCallStarted)); n != 1 {
		t.Errorf("got %d calls, want none after the cancellation", n)
	}
}

// A write that is running when the run is cancelled has ten seconds to end. If it ends in time,
// its result is recorded.
func TestCancelLetsWritesEnd(t *testing.T) {
	h, w := newHarness(), newBlocking()
	h.actions = append(h.actions, w.action(action.Once))
	got := whileCalling(t, h, w, catchesErrors, func(cancel context.CancelFunc) {
		cancel()
		h.clock.await(10 * time.Second)
		h.clock.advance(9 * time.Second)
		w.answer <- nil
	})
	wantFailure(t, got, run.Cancelled, action.Cancelled)
	returned := h.calls(run.EventCallReturned)
	if len(returned) != 1 || returned[0].Error != nil {
		t.Errorf("got %+v recorded, want one successful call", returned)
	}
	// Only the timeout of the step may be left.
	for _, left := range h.clock.pending() {
		if left < 10*time.Second {
			t.Errorf("got a timer of %s, want the timer of the write stopped", left)
		}
	}
}

// A write that does not end within ten seconds after the cancellation is stopped. Its outcome
// is unknown, so the run needs attention. The script cannot catch that.
func TestCancelStopsWritesAfterGrace(t *testing.T) {
	h, w := newHarness(), newBlocking()
	h.actions = append(h.actions, w.action(action.Once))
	got := whileCalling(t, h, w, catchesErrors, func(cancel context.CancelFunc) {
		cancel()
		h.clock.await(10 * time.Second)
		h.clock.advance(10 * time.Second)
	})
	wantFailure(t, got, run.NeedsAttention, action.UnknownOutcome)
}

// The outcome of a write that is running when its step times out is unknown.
func TestStepTimeoutOfWrite(t *testing.T) {
	for _, source := range []string{catchesErrors, "steps:\n- timeout: 30s\n  uses: demo.wait\n"} {
		h, w := newHarness(), newBlocking()
		h.actions = append(h.actions, w.action(action.Once))
		got := whileCalling(t, h, w, source, func(context.CancelFunc) { h.clock.advance(30 * time.Second) })
		wantFailure(t, got, run.NeedsAttention, action.UnknownOutcome)
		if got.Error.Action != "demo.wait" {
			t.Errorf("got %+v, want the name of the call", got.Error)
		}
	}
}

// A run whose context has ended before the start is cancelled.
func TestCancelBeforeStart(t *testing.T) {
	h := newHarness(act("demo.note", action.Keyed, func(context.Context, textIn) error { return nil }))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	source := "steps:\n- lua: |\n    for i = 1, 100000 do end\n    return 1\n" + strings.Repeat("- uses: demo.note\n", 100)
	got := h.runWith(t, ctx, source, nil)
	if got.Status != run.Cancelled {
		t.Errorf("got %s, want cancelled", got.Status)
	}
	if n := len(h.calls(run.EventCallStarted)); n == 100 {
		t.Error("every call was made although the run was cancelled before its start")
	}
}

// When a run has ended, no timer is left.
func TestTimersAreStopped(t *testing.T) {
	h := newHarness(act("demo.note", action.Once, func(context.Context, textIn) error { return nil }))
	wantSuccess(t, h.run(t, "steps:\n- uses: demo.note\n- lua: |\n    demo.note{}\n"))
	if diff := cmp.Diff([]time.Duration(nil), h.clock.pending()); diff != "" {
		t.Errorf("timers (-want +got):\n%s", diff)
	}
}

// A write that was stopped by the timeout of its step may have been done, whatever error the
// action returns. So a Once call is not retried.
func TestRetryAfterTimeoutOfWrite(t *testing.T) {
	tests := map[action.Effect]struct {
		sent int
		kind action.Kind
	}{
		action.Once:    {1, action.UnknownOutcome},
		action.Repeats: {2, action.Timeout},
		action.Keyed:   {2, action.Timeout},
	}
	for effect, test := range tests {
		t.Run(effect.String(), func(t *testing.T) {
			entered := make(chan struct{}, 10)
			sent := 0
			h := newHarness(act("demo.wait", effect, func(ctx context.Context, _ textIn) error {
				sent++
				entered <- struct{}{}
				<-ctx.Done()
				return context.Cause(ctx) // which does not say whether the call was done
			}))
			go func() {
				for n := range test.sent {
					<-entered
					h.clock.advance(30 * time.Second)
					if n+1 < test.sent {
						h.clock.await(time.Second) // the delay of the retry
						h.clock.advance(time.Second)
					}
				}
			}()
			got := h.run(t, "steps:\n- {id: s, uses: demo.wait, timeout: 30s, retry: {max_attempts: 2, delay: 1ms}}\n")
			if got.Error == nil || got.Error.Kind != test.kind || sent != test.sent {
				t.Errorf("got %v after it was sent %d times, want %s after %d", got.Error, sent, test.kind, test.sent)
			}
		})
	}
}

// A call that was stopped by the timeout of its step is recorded as stopped. When the process
// dies then, the replay makes the call again and does not return the recorded error.
func TestReplayOfStoppedCall(t *testing.T) {
	w := newBlocking()
	h := newHarness(w.action(action.Keyed))
	local, plan := h.compile(t, "name: w\nsteps:\n- {id: s, uses: demo.wait, timeout: 30s, retry: {max_attempts: 2, delay: 1ms}}\n")
	go func() {
		<-w.entered
		h.clock.advance(30 * time.Second)
		h.clock.await(time.Second) // the delay of the retry
		w.answer <- nil
		h.clock.advance(time.Second)
	}()
	if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
		t.Fatal(err)
	}
	survived := h.events[:4]
	if last := survived[3]; last.Kind != run.EventCallReturned || !last.Call.Stopped {
		t.Fatalf("got %+v, want a call that was stopped", last)
	}
	local.Journal = journal.NewMemory()
	if err := local.Journal.Begin(context.Background(), journal.Entry{Run: "R1"}, survived); err != nil {
		t.Fatal(err)
	}
	w.answer <- nil
	result, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, result)
}

// A run is cancelled when another process requests it in the journal.
func TestCancelRequest(t *testing.T) {
	h, w := newHarness(), newBlocking()
	h.actions = append(h.actions, w.action(action.Reads))
	local, plan := h.compile(t, "name: w\nsteps:\n- {id: s, uses: demo.wait}\n")
	store := journal.NewMemory()
	local.Journal = store
	go func() {
		<-w.entered
		if err := store.RequestCancel(context.Background(), "R1", nil); err != nil {
			t.Error(err)
		}
		h.clock.await(time.Second)
		h.clock.advance(time.Second)
	}()
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil || result.Status != run.Cancelled {
		t.Errorf("got %v, %v, want cancelled", result, err)
	}
}
