package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/run"
)

// A run that waits for a slot for longer than its timeout does not time out.
func TestWaitForSlotIsNotInTimeout(t *testing.T) {
	h := newHarness(pause())
	local, plan := h.compile(t, "timeout: 10m\nsteps: [{id: a, uses: demo.pause, with: {text: aa}}]")
	clock := clock.NewVirtual(startTime)
	local.Clock, local.Observers, local.NewID = clock, nil, nil
	local.Admit = func(ctx context.Context, _ string) (bool, error) { return true, clock.Skip(ctx, time.Hour) }
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, result)
}

// Only a run that had to wait for a slot records that it was admitted.
func TestAdmittedIsRecordedAfterWait(t *testing.T) {
	for _, waited := range []bool{true, false} {
		h := newHarness(pause())
		local, plan := h.compile(t, "steps: [{id: a, uses: demo.pause, with: {text: aa}}]")
		clock := clock.NewVirtual(startTime)
		local.Clock = clock
		local.Admit = func(context.Context, string) (bool, error) { return waited, nil }
		if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
			t.Fatal(err)
		}
		recorded := slices.ContainsFunc(h.events, func(e run.Event) bool { return e.Kind == run.EventAdmitted })
		if recorded != waited {
			t.Errorf("waited %t: run.admitted recorded %t", waited, recorded)
		}
	}
}
