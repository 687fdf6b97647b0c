package limits

import (
	"math"
	"testing"
)

// TestWatchdogStopsTheLargest: when the heap grows beyond the limit of two scripts, the
// script that has done more is stopped. A script is not stopped while it waits in a call,
// when it cannot hold that much, or when too little was allocated since it began.
func TestWatchdogStopsTheLargest(t *testing.T) {
	tests := map[string]struct {
		alive     int64 // after the collection
		allocated int64 // since the scripts began
		work      [2]int64
		mayHold   [2]int64
		waits     int // the script that waits in a call; -1: none
		wantFirst bool
		wantOther bool
	}{
		"within the limit":            {alive: 90, allocated: 500, work: [2]int64{2, 1}, waits: -1},
		"only garbage":                {alive: 10, allocated: 500, work: [2]int64{2, 1}, waits: -1},
		"beyond":                      {alive: 200, allocated: 500, work: [2]int64{2, 1}, waits: -1, wantFirst: true},
		"the other":                   {alive: 200, allocated: 500, work: [2]int64{1, 2}, waits: -1, wantOther: true},
		"one waits":                   {alive: 200, allocated: 500, work: [2]int64{2, 1}, waits: 0, wantOther: true},
		"one cannot":                  {alive: 200, allocated: 500, work: [2]int64{2, 1}, mayHold: [2]int64{99, 101}, waits: -1, wantOther: true},
		"neither can":                 {alive: 200, allocated: 500, work: [2]int64{2, 1}, mayHold: [2]int64{99, 99}, waits: -1},
		"too little since they began": {alive: 200, allocated: 99, work: [2]int64{2, 1}, waits: -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			heap := heapSize{allocated: 1000}
			w := &watchdog{measure: func() heapSize { return heap }, collect: func() { heap.live = test.alive }}
			scripts := [2]*Budget{{}, {}}
			for i, b := range scripts {
				b.limits.Memory = 100
				b.work.Store(test.work[i])
				b.mayHold.Store(math.MaxInt64)
				if test.mayHold[i] > 0 {
					b.mayHold.Store(test.mayHold[i])
				}
				b.waiting.Store(i == test.waits)
				w.running = append(w.running, b)
			}
			w.look()
			heap.objects, heap.allocated = 300, heap.allocated+test.allocated
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

// TestWatchdogSkipsNewScripts: a script that begins during a collection is not stopped for
// memory from before it.
func TestWatchdogSkipsNewScripts(t *testing.T) {
	heap := heapSize{live: 1000, objects: 1000, allocated: 5000}
	old, young := &Budget{}, &Budget{}
	w := &watchdog{measure: func() heapSize { return heap }, running: []*Budget{old}}
	w.collect = func() { w.running = []*Budget{young} }
	for _, b := range []*Budget{old, young} {
		b.limits.Memory = 100
		b.mayHold.Store(math.MaxInt64)
	}
	w.look()
	heap.objects, heap.allocated = 1200, 5200
	w.look()
	if young.signal.Load() == signalStop {
		t.Error("it was stopped")
	}
}

// TestWatchdogCollectsEarly: the garbage of a script whose single instructions may fill the
// heap is collected early, and stops no script.
func TestWatchdogCollectsEarly(t *testing.T) {
	for name, test := range map[string]struct {
		many, waits bool
		garbage     int64
		want        int
	}{
		"much":                    {many: true, garbage: 26, want: 1},
		"little":                  {many: true, garbage: 25},
		"of small instructions":   {garbage: 26},
		"of others, as it waits":  {many: true, waits: true, garbage: 26},
		"beyond the limit anyway": {garbage: 101, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			heap, swept := heapSize{objects: 1000, live: 1000, allocated: 5000}, 0
			b := &Budget{}
			b.limits.Memory = 100
			if b.mayHold.Store(150); test.many {
				b.mayHold.Store(noBound)
			}
			b.waiting.Store(test.waits)
			w := &watchdog{measure: func() heapSize { return heap }, running: []*Budget{b}}
			w.collect = func() { swept++; heap.objects = heap.live }
			w.look()
			heap.objects, heap.allocated = heap.objects+test.garbage, heap.allocated+test.garbage
			w.look()
			if swept != test.want || b.signal.Load() == signalStop {
				t.Errorf("got %d collections, stopped %v; want %d, not stopped", swept, b.signal.Load() == signalStop, test.want)
			}
		})
	}
}

// TestWatchdogIgnoresWaits: memory that is allocated while a script waits in a call does not
// count as the script's afterwards.
func TestWatchdogIgnoresWaits(t *testing.T) {
	heap := heapSize{}
	b := &Budget{}
	b.limits.Memory = 100
	b.mayHold.Store(math.MaxInt64)
	w := &watchdog{measure: func() heapSize { return heap }, collect: func() {}, running: []*Budget{b}}
	w.look()
	b.waiting.Store(true)
	w.look()
	heap = heapSize{objects: 1000, live: 1000, allocated: 1000}
	w.look()
	b.waiting.Store(false)
	w.look()
	if b.signal.Load() == signalStop {
		t.Error("it was stopped for what grew while it waited")
	}
	heap.objects, heap.live, heap.allocated = 1101, 1101, 1101
	w.look()
	if b.signal.Load() != signalStop {
		t.Error("it was not stopped for what grew since")
	}
}
