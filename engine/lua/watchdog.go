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
)

// A watchdog bounds the memory of scripts where nothing is charged for it: tables
// and closures grow by single instructions. It measures the heap of the process
// while scripts run, since there is no other measure. When the heap has grown by
// more than the limit of a script since it began, the garbage is collected, and
// what still is too much ends the script that did most. A script that waits in a
// call is not meant: what grows then is not its own.
//
// It also has every script look at its clock, so that a single slow instruction
// cannot stretch the time limit. There is one goroutine for all scripts; it ends
// when none runs.
type watchdog struct {
	mutex   sync.Mutex
	running []*budget
	alive   bool // the goroutine runs

	measure func() heapSize // nil: the process's own
	collect func()          // nil: runtime.GC
	ticks   func() (ticks <-chan time.Time, stop func())
}

// processWatchdog is the watchdog of all interpreters: they share one heap.
var processWatchdog watchdog

// A heapSize tells what is on the heap: all objects, and those that were alive at
// the end of the last collection.
type heapSize struct{ objects, live int64 }

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
		b.watched.wait(b.waiting.Load(), heap.live)
		b.signal.CompareAndSwap(signalNone, signalLook)
	}
	if w.suspect(heap.objects) == nil {
		return true
	}
	w.sweep()
	if found := w.suspect(w.size().live); found != nil {
		found.signal.Store(signalStop)
	}
	return true
}

// watched is what the watchdog knows of a script.
type watched struct {
	begun    bool
	baseline int64 // the heap without what the script holds
	resting  bool  // it waits in a call
	held     int64 // what it held when it began to wait
}

// begin notes how large the heap was before a script: what was alive at the last
// collection, since garbage from before must not hide what the script holds.
func (w *watchdog) begin(b *budget, heap heapSize) {
	if !b.watched.begun {
		b.watched = watched{begun: true, baseline: heap.live}
	}
}

// wait keeps what a script holds as it is while it waits, however the heap
// changes.
func (s *watched) wait(waiting bool, live int64) {
	if waiting && !s.resting {
		s.held = max(live-s.baseline, 0)
	}
	if waiting {
		s.baseline = live - s.held
	}
	s.resting = waiting
}

// suspect returns the script that did most, of those since whose beginning the
// heap has grown beyond their limit.
func (w *watchdog) suspect(heap int64) (found *budget) {
	most := int64(-1)
	for _, b := range w.running {
		if weight := b.weight.Load(); !b.watched.resting && heap-b.watched.baseline > b.limits.memory && weight > most {
			found, most = b, weight
		}
	}
	return found
}

// sweep collects the garbage, with the lock open so that scripts can begin and
// end meanwhile.
func (w *watchdog) sweep() {
	w.mutex.Unlock()
	defer w.mutex.Lock()
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
	return max(w.size().live-b.watched.baseline, 0)
}

func (w *watchdog) size() heapSize {
	if w.measure != nil {
		return w.measure()
	}
	return processHeap()
}

// processHeap reads the size of the heap from the runtime, which keeps it anyway.
func processHeap() heapSize {
	samples := [2]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples[:])
	return heapSize{objects: int64(samples[0].Value.Uint64()), live: int64(samples[1].Value.Uint64())}
}
