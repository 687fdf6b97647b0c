package lua

import "testing"

// TestWatchdogStopsTheGreediest: of two scripts that run while the heap grows
// beyond the limit, the one that did most is stopped, and one that waits is not.
func TestWatchdogStopsTheGreediest(t *testing.T) {
	tests := map[string]struct {
		alive     int64 // after the collection
		weights   [2]int64
		waits     int // the script that waits in a call; -1: none
		wantFirst bool
		wantOther bool
	}{
		"within the limit": {alive: 90, weights: [2]int64{2, 1}, waits: -1},
		"only garbage":     {alive: 10, weights: [2]int64{2, 1}, waits: -1},
		"beyond":           {alive: 200, weights: [2]int64{2, 1}, waits: -1, wantFirst: true},
		"the other":        {alive: 200, weights: [2]int64{1, 2}, waits: -1, wantOther: true},
		"one waits":        {alive: 200, weights: [2]int64{2, 1}, waits: 0, wantOther: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			heap := heapSize{}
			w := &watchdog{measure: func() heapSize { return heap }, collect: func() { heap.live = test.alive }}
			scripts := [2]*budget{{}, {}}
			for i, b := range scripts {
				b.limits.memory = 100
				b.weight.Store(test.weights[i])
				b.waiting.Store(i == test.waits)
				w.running = append(w.running, b)
			}
			w.look()
			heap.objects = 300
			w.look()
			if got := scripts[0].signal.Load() == signalStop; got != test.wantFirst {
				t.Errorf("the first: got stopped %v, want %v", got, test.wantFirst)
			}
			if got := scripts[1].signal.Load() == signalStop; got != test.wantOther {
				t.Errorf("the other: got stopped %v, want %v", got, test.wantOther)
			}
		})
	}
}
