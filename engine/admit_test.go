package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
)

// TestWaitingForRoomIsInNoTimeout: a run that waits longer than its timeout until there is
// room still has all of its time.
func TestWaitingForRoomIsInNoTimeout(t *testing.T) {
	h := newHost(pause())
	local, plan := h.compile(t, "timeout: 10m\nsteps: [{id: a, uses: demo.pause, with: {text: aa}}]")
	clock := engine.NewVirtualClock(startOfTime)
	local.Clock, local.Observers, local.NewID = clock, nil, nil
	local.Admit = func(ctx context.Context, _ string) error { return clock.Skip(ctx, time.Hour) }
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	mustSucceed(t, result)
}
