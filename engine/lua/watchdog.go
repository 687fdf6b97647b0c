package lua

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"time"
)

const (
	// watchEvery is how often the heap is measured while scripts run. A script
	// can fill a megabyte or two in that time.
	watchEvery = 2 * time.Millisecond
	// bytesPerInstruction is about what one instruction can keep: a new entry in a
	// table, with its share of the growth. It weighs scripts against each other.
	bytesPerInstruction = 128
	// mostPerInstruction is more than any instruction keeps, but those that
	// [program.many] tells of: a function with 200 values from around it is 14 KB,
	// and takes four.
	mostPerInstruction = 4 << 10
	// mostPerByte is more than a byte of text, or of a table that was charged as such,
	// takes with what is around it.
	mostPerByte = 4
)

// A watchdog bounds the memory of scripts where nothing is charged for it: tables
// and closures grow by single instructions. It measures the heap of the process
// while scripts run, since there is no other measure. When the heap has grown by
// more than the limit of a script since it began, the garbage is collected, and
// what still is too much ends the script that did most.
//
// The heap is that of the whole process, and no script may end for what others
// do. So one is not meant that waits in a call, since what grows then is not its
// own; that began when the heap was as large already; or that cannot have taken
// as much, by the instructions and the text that it was charged for.
//
// It also has every script look at its clock, so that a single slow instruction
// cannot stretch the time limit. There is one goroutine for all scripts; it ends
// when none runs.
type watchdog struct {
	mutex   sync.Mutex
	running []*budget
	alive   bool // the goroutine runs

	// gate is held while the garbage is collected: scripts that look at their budget
	// wait there, so that none fills the heap meanwhile.
	gate sync.RWMutex

	measure func() heapSize // nil: the process's own
	collect func()          // nil: runtime.GC
	ticks   func() (ticks <-chan time.Time, stop func())
}

// processWatchdog is the watchdog of all interpreters: they share one heap.
var processWatchdog watchdog

// A heapSize tells what is on the heap: all objects, and those that were alive at
// the end of the last collection; and how much was ever allocated.
type heapSize struct{ objects, live, allocated int64 }

// enter has a script watched until it leaves.
func (w *watchdog) enter(b *budget) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.running = append(w.running, b)
	if !w.alive {
		w.alive = true
		go w.watch()
	}
}

// leave ends the watching of a script.
func (w *watchdog) leave(b *budget) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if at := slices.Index(w.running, b); at >= 0 {
		w.running = slices.Delete(w.running, at, at+1)
	}
}

// pass waits until no garbage is collected.
func (w *watchdog) pass() {
	w.gate.RLock()
	defer w.gate.RUnlock()
}

func (w *watchdog) watch() {
	ticks, stop := w.clock()
	defer stop()
	for range ticks {
		if !w.look() {
			return
		}
	}
}

// clock returns the channel that says when to look.
func (w *watchdog) clock() (<-chan time.Time, func()) {
	if w.ticks != nil {
		return w.ticks()
	}
	ticker := time.NewTicker(watchEvery)
	return ticker.C, ticker.Stop
}

// look measures the heap once. It reports whether there is still something to
// watch.
func (w *watchdog) look() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.running) == 0 {
		w.alive = false
		return false
	}
	heap := w.size()
	for _, b := range w.running {
		w.begin(b, heap)
		b.watched.wait(b.waiting.Load(), heap)
		b.signal.CompareAndSwap(signalNone, signalLook)
	}
	if w.suspect(heap.objects, heap.allocated) == nil && !w.littered(heap) {
		return true
	}
	w.sweep()
	heap = w.size()
	if found := w.suspect(heap.live, heap.allocated); found != nil {
		found.signal.Store(signalStop)
	}
	return true
}

// watched is what the watchdog knows of a script.
type watched struct {
	begun     bool
	baseline  int64 // the heap without what the script holds
	before    int64 // what was allocated without the script
	resting   bool  // it waits in a call
	held      int64 // what it held when it began to wait
	allocated int64 // since it began, when it began to wait
}

// grown is how much of a heap may be the script's: it is no more than was
// allocated since it began.
func (s *watched) grown(heap, allocated int64) int64 {
	return min(heap-s.baseline, allocated-s.before)
}

// begin notes how large the heap was before a script: what was alive at the last
// collection, since garbage from before must not hide what the script holds.
func (w *watchdog) begin(b *budget, heap heapSize) {
	if !b.watched.begun {
		b.watched = watched{begun: true, baseline: heap.live, before: heap.allocated}
	}
}

// wait keeps what a script holds as it is while it waits, however the heap
// changes.
func (s *watched) wait(waiting bool, heap heapSize) {
	if waiting && !s.resting {
		s.held, s.allocated = max(heap.live-s.baseline, 0), heap.allocated-s.before
	}
	if waiting {
		s.baseline, s.before = heap.live-s.held, heap.allocated-s.allocated
	}
	s.resting = waiting
}

// suspect returns the script that did most, of those since whose beginning the
// heap has grown beyond their limit, and that can have done so. One that began
// while the garbage was collected is not known yet.
func (w *watchdog) suspect(heap, allocated int64) (found *budget) {
	most := int64(-1)
	for _, b := range w.running {
		if !b.watched.begun || b.watched.resting || b.watched.grown(heap, allocated) <= b.limits.memory || b.reach.Load() <= b.limits.memory {
			continue
		}
		if weight := b.weight.Load(); weight > most {
			found, most = b, weight
		}
	}
	return found
}

// littered reports that a script whose single instructions may fill the heap has
// left so much garbage that a few more could fill it beyond the script's limit
// before anybody looks again.
func (w *watchdog) littered(heap heapSize) bool {
	return slices.ContainsFunc(w.running, func(b *budget) bool {
		return b.reach.Load() == boundless && b.watched.begun && !b.watched.resting && min(heap.objects-heap.live, heap.allocated-b.watched.before) > b.limits.memory/4
	})
}

// sweep collects the garbage, with the lock open so that scripts can begin and
// end meanwhile, and the gate closed.
func (w *watchdog) sweep() {
	w.mutex.Unlock()
	defer w.mutex.Lock()
	w.gate.Lock()
	defer w.gate.Unlock()
	if w.collect != nil {
		w.collect()
		return
	}
	runtime.GC()
}

// holds returns by how much the heap has grown since a script began, without
// garbage.
func (w *watchdog) holds(b *budget) int64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.begin(b, w.size())
	w.sweep()
	heap := w.size()
	return max(b.watched.grown(heap.live, heap.allocated), 0)
}

func (w *watchdog) size() heapSize {
	if w.measure != nil {
		return w.measure()
	}
	return processHeap()
}

// processHeap reads the size of the heap from the runtime, which keeps it anyway.
func processHeap() heapSize {
	samples := [3]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples[:])
	size := func(n int) int64 { return int64(samples[n].Value.Uint64()) }
	return heapSize{objects: size(0), live: size(1), allocated: size(2)}
}
