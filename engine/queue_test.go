package engine_test

import (
	"context"
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
