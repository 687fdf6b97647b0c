package engine_test

import (
	"context"
	"testing"
	"time"

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
