package daemon

import (
	"testing"
)

// TestShares: a workflow whose runs hang has at most half of the slots, so the runs of others get one.
func TestShares(t *testing.T) {
	const slots = 5
	r := &runs{shared: &shared{stopping: make(chan struct{})}, slots: make(chan struct{}, slots), shares: shares{most: slots}}
	for range (slots + 1) / 2 {
		if waited, ok := r.takeSlot("hangs"); waited || !ok {
			t.Fatal("a run of the first workflow waits for a slot")
		}
	}
	for _, name := range []string{"pages", "checks"} {
		if waited, ok := r.takeSlot(name); waited || !ok {
			t.Fatalf("%s waits for a slot", name)
		}
	}
	close(r.stopping)
	if waited, ok := r.takeSlot("hangs"); !waited || ok {
		t.Error("a workflow has more than half of the slots")
	}
	if got := len(r.shares.of("hangs")); got != (slots+1)/2 {
		t.Errorf("a run that got no slot holds a part of the share: %d are held", got)
	}
}
