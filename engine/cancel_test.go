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

// A waiting action says that it is under way, and waits until its context ends or
// the test answers.
type waiting struct {
	entered chan struct{}
	answer  chan error
}

func newWaiting() *waiting {
	return &waiting{entered: make(chan struct{}, 10), answer: make(chan error, 10)}
}

func (w *waiting) action(effect action.Effect) *action.Action {
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

// during runs a workflow and calls f once its action is under way.
func during(t *testing.T, h *host, w *waiting, source string, f func(cancel context.CancelFunc)) *run.Result {
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

// stubborn catches every error and goes on.
const stubborn = `
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
	h, w := newHost(), newWaiting()
	h.actions = append(h.actions, w.action(action.Reads))
	got := during(t, h, w, stubborn, func(context.CancelFunc) { h.clock.advance(30 * time.Second) })
	mustFail(t, got, run.Failed, action.Timeout)
	want := "the step took longer than its timeout of 30s"
	if got.Error.Message != want || got.Error.Step != "s" || got.Error.Hint == "" {
		t.Errorf("got %+v, want %q of the step s, with a hint", got.Error, want)
	}
	if got.Steps[1].Status != run.Skipped {
		t.Errorf("got %s, want what follows to be skipped", got.Steps[1].Status)
	}
	if n := len(h.calls(run.EventCallStarted)); n != 1 {
		t.Errorf("got %d calls, want none after the time was over", n)
	}
}

// TestStepTimeoutAtTheEnd: a script that only catches the last error and returns
// has not succeeded either.
func TestStepTimeoutAtTheEnd(t *testing.T) {
	for range 50 { // it must not depend on which goroutine is first
		h, w := newHost(), newWaiting()
		h.actions = append(h.actions, w.action(action.Reads))
		source := "steps:\n- timeout: 30s\n  lua: |\n    return (pcall(demo.wait, {}))\n"
		got := during(t, h, w, source, func(context.CancelFunc) { h.clock.advance(30 * time.Second) })
		mustFail(t, got, run.Failed, action.Timeout)
	}
}

// TestCallTimeoutCanBeCaught: that a call ran out of its own time is an ordinary
// error.
func TestCallTimeoutCanBeCaught(t *testing.T) {
	h, w := newHost(), newWaiting()
	h.actions = append(h.actions, w.action(action.Reads))
	w.answer <- action.Errorf(action.Timeout, "no answer in 2s")
	w.answer <- nil
	mustSucceed(t, during(t, h, w, stubborn, func(context.CancelFunc) {}))
}

func TestRunTimeout(t *testing.T) {
	h, w := newHost(), newWaiting()
	h.actions = append(h.actions, w.action(action.Reads))
	got := during(t, h, w, "timeout: 10s\n"+stubborn, func(context.CancelFunc) { h.clock.advance(10 * time.Second) })
	mustFail(t, got, run.TimedOut, action.Timeout)
	if want := "the run took longer than its timeout of 10s"; got.Error.Message != want {
		t.Errorf("got %q, want %q", got.Error.Message, want)
	}
	if message := got.Steps[0].Error.Message; strings.Contains(message, "cancelled") {
		t.Errorf("got %q for the step, but nobody cancelled it", message)
	}
	if got.Duration != 10*time.Second {
		t.Errorf("got a duration of %s, want 10s", got.Duration)
	}
}

// TestCancelEndsReadsAtOnce: nobody needs to wait for what changes nothing.
func TestCancelEndsReadsAtOnce(t *testing.T) {
	h, w := newHost(), newWaiting()
	h.actions = append(h.actions, w.action(action.Reads))
	got := during(t, h, w, stubborn, func(cancel context.CancelFunc) { cancel() })
	mustFail(t, got, run.Cancelled, action.Cancelled)
	if n := len(h.calls(run.EventCallStarted)); n != 1 {
		t.Errorf("got %d calls, want none after the cancellation", n)
	}
}

// TestCancelGivesWritesTime: a write that answers within its grace is recorded
// as done, and not as unknown.
func TestCancelGivesWritesTime(t *testing.T) {
	h, w := newHost(), newWaiting()
	h.actions = append(h.actions, w.action(action.Once))
	got := during(t, h, w, stubborn, func(cancel context.CancelFunc) {
		cancel()
		h.clock.await(10 * time.Second)
		h.clock.advance(9 * time.Second)
		w.answer <- nil
	})
	mustFail(t, got, run.Cancelled, action.Cancelled)
	returned := h.calls(run.EventCallReturned)
	if len(returned) != 1 || returned[0].Error != nil {
		t.Errorf("got %+v recorded, want one call that was done", returned)
	}
	// What is left is the timeout of the step or none, but no timer of the grace.
	for _, left := range h.clock.pending() {
		if left < 10*time.Second {
			t.Errorf("got a timer that ends in %s, want that of the grace to be gone", left)
		}
	}
}

// TestCancelEndsWritesInTheEnd: after ten seconds it is cut off, and then it is
// unknown whether it was done. That outranks the cancellation, and a script
// cannot hide it, since it is stopped.
func TestCancelEndsWritesInTheEnd(t *testing.T) {
	h, w := newHost(), newWaiting()
	h.actions = append(h.actions, w.action(action.Once))
	got := during(t, h, w, stubborn, func(cancel context.CancelFunc) {
		cancel()
		h.clock.await(10 * time.Second)
		h.clock.advance(10 * time.Second)
	})
	mustFail(t, got, run.NeedsAttention, action.UnknownOutcome)
}

// TestStepTimeoutKeepsTheUnknown: so does the timeout of a step.
func TestStepTimeoutKeepsTheUnknown(t *testing.T) {
	for _, source := range []string{stubborn, "steps:\n- timeout: 30s\n  uses: demo.wait\n"} {
		h, w := newHost(), newWaiting()
		h.actions = append(h.actions, w.action(action.Once))
		got := during(t, h, w, source, func(context.CancelFunc) { h.clock.advance(30 * time.Second) })
		mustFail(t, got, run.NeedsAttention, action.UnknownOutcome)
		if got.Error.Action != "demo.wait" {
			t.Errorf("got %+v, want the call to be named", got.Error)
		}
	}
}

// TestCancelBeforeTheStart: a context that has ended makes no call.
func TestCancelBeforeTheStart(t *testing.T) {
	h := newHost(act("demo.note", action.Keyed, func(context.Context, textIn) error { return nil }))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	source := "steps:\n- lua: |\n    for i = 1, 100000 do end\n    return 1\n" + strings.Repeat("- uses: demo.note\n", 100)
	got := h.runWith(t, ctx, source, nil)
	if got.Status != run.Cancelled {
		t.Errorf("got %s, want cancelled", got.Status)
	}
	if n := len(h.calls(run.EventCallStarted)); n == 100 {
		t.Error("every call was made although the run was cancelled at once")
	}
}

// TestTimersEnd: a run leaves no timer behind.
func TestTimersEnd(t *testing.T) {
	h := newHost(act("demo.note", action.Once, func(context.Context, textIn) error { return nil }))
	mustSucceed(t, h.run(t, "steps:\n- uses: demo.note\n- lua: |\n    demo.note{}\n"))
	if diff := cmp.Diff([]time.Duration(nil), h.clock.pending()); diff != "" {
		t.Errorf("timers (-want +got):\n%s", diff)
	}
}

// TestTimeoutOfAWrite: what an action says when the time of its step is over does
// not decide whether it was done. A write that may have been is not tried again.
func TestTimeoutOfAWrite(t *testing.T) {
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
			h := newHost(act("demo.wait", effect, func(ctx context.Context, _ textIn) error {
				sent++
				entered <- struct{}{}
				<-ctx.Done()
				return context.Cause(ctx) // which says nothing of the call
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

// TestStoppedCall: a call that was under way when the time of its attempt was over
// is recorded as that. Should the process end right then, the replay makes it
// again instead of failing with what it was told when it was stopped.
func TestStoppedCall(t *testing.T) {
	w := newWaiting()
	h := newHost(w.action(action.Keyed))
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
	cut := h.events[:4]
	if last := cut[3]; last.Kind != run.EventCallReturned || !last.Call.Stopped {
		t.Fatalf("got %+v, want a call that was stopped", last)
	}
	local.Journal = journal.NewMemory()
	if err := local.Journal.Begin(context.Background(), journal.Entry{Run: "R1"}, cut); err != nil {
		t.Fatal(err)
	}
	w.answer <- nil
	result, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"})
	if err != nil {
		t.Fatal(err)
	}
	mustSucceed(t, result)
}
