package limits

import (
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"time"
)

const (
	// watchEvery is how often the heap is measured while scripts run. A script can fill
	// one or two megabytes in that time.
	watchEvery = 2 * time.Millisecond
	// bytesPerInstruction is about how much one instruction can keep: a new entry of a
	// table, with its share of the table's growth. It only serves to compare scripts.
	bytesPerInstruction = 128
	// maxPerInstruction is more than any instruction keeps, except those for which
	// [Budget.KeepMany] was called. The largest is a function with 200 values from
	// around it: it takes 14 KB and four instructions.
	maxPerInstruction = 4 << 10
	// maxPerByte is more than a byte of charged text, or of a charged table, takes with
	// its overhead.
	maxPerByte = 4
	// noBound says that the memory of a script has no bound by its instructions.
	noBound = math.MaxInt64
)

// The signals of the watchdog to a script.
const (
	signalNone int32 = iota
	signalLook       // look at the clock and the context
	signalStop       // stop: the heap is full
)

// A watchdog bounds the memory that scripts take without being charged for it: tables
// and closures grow by single instructions. Go can only measure the heap of the whole
// process, so the watchdog measures it while scripts run. When the heap has grown by
// more than a script's limit since the script began, the watchdog collects the
// garbage. When what remains is still too much, it stops the script that has done
// the most.
//
// A script must not be stopped for memory that others took. So a script is never
// blamed
//   - while it waits in a call,
//   - for what was on the heap before it began,
//   - when its instructions and charges cannot have taken that much.
//
// The watchdog also makes every script look at its clock, so that one slow
// instruction cannot stretch the time limit. One goroutine serves all scripts; it
// ends when no script runs.
type watchdog struct {
	mutex   sync.Mutex
	running []*Budget
	alive   bool // the goroutine runs

	// gate is locked for writing during a collection. Scripts that check their budget
	// wait for it, so that they do not fill the heap meanwhile.
	gate sync.RWMutex

	measure func() heapSize // nil: the process's own
	collect func()          // nil: runtime.GC
}

// processWatchdog is the watchdog of all interpreters, which share one heap.
var processWatchdog watchdog

// A heapSize is the size of the heap in bytes: all objects, the objects that were alive
// at the end of the last collection, and everything ever allocated.
type heapSize struct{ objects, live, allocated int64 }

// publish writes what the watchdog needs to know of the script.
func (b *Budget) publish() {
	b.work.Store(b.bytes + b.used*bytesPerInstruction)
	mayHold := int64(noBound)
	if !b.keepsMany {
		mayHold = b.used*maxPerInstruction + b.bytes*maxPerByte + b.received.held
	}
	b.mayHold.Store(mayHold)
}

// add watches a script until it is removed.
func (w *watchdog) add(b *Budget) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.running = append(w.running, b)
	if !w.alive {
		w.alive = true
		go w.watch()
	}
}

func (w *watchdog) remove(b *Budget) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if at := slices.Index(w.running, b); at >= 0 {
		w.running = slices.Delete(w.running, at, at+1)
	}
}

// awaitCollection waits until no collection runs.
func (w *watchdog) awaitCollection() {
	w.gate.RLock()
	defer w.gate.RUnlock()
}

func (w *watchdog) watch() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for range ticker.C {
		if !w.look() {
			return
		}
	}
}

// look measures the heap once. It reports whether a script still runs.
func (w *watchdog) look() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.running) == 0 {
		w.alive = false
		return false
	}
	heap := w.size()
	for _, b := range w.running {
		b.watched.begin(heap)
		b.watched.wait(b.waiting.Load(), heap)
		b.signal.CompareAndSwap(signalNone, signalLook)
	}
	if w.largest(heap.objects, heap.allocated) == nil && !w.garbageIsDue(heap) {
		return true
	}
	w.collectGarbage()
	heap = w.size()
	if found := w.largest(heap.live, heap.allocated); found != nil {
		found.signal.Store(signalStop)
	}
	return true
}

// watched is what the watchdog knows about a script.
type watched struct {
	begun     bool
	baseline  int64 // the heap without what the script holds
	before    int64 // what was allocated by others
	waits     bool  // the script waits in a call
	held      int64 // what the script held when the wait began
	allocated int64 // what was allocated from its begin to the beginning of the wait
}

// grown returns how much of a heap may be the script's: at most what was allocated
// since it began.
func (s *watched) grown(heap, allocated int64) int64 {
	return min(heap-s.baseline, allocated-s.before)
}

// begin notes the heap before a script runs. It takes what was alive at the last
// collection, because older garbage must not hide what the script holds.
func (s *watched) begin(heap heapSize) {
	if !s.begun {
		*s = watched{begun: true, baseline: heap.live, before: heap.allocated}
	}
}

// wait keeps the script's share of the heap constant while the script waits.
func (s *watched) wait(waiting bool, heap heapSize) {
	if waiting && !s.waits {
		s.held, s.allocated = max(heap.live-s.baseline, 0), heap.allocated-s.before
	}
	if waiting {
		s.baseline, s.before = heap.live-s.held, heap.allocated-s.allocated
	}
	s.waits = waiting
}

// largest returns the script that has done the most, of those that may be blamed for a
// heap beyond their limit. It skips a script that began during the collection,
// because the heap before it is not known yet.
func (w *watchdog) largest(heap, allocated int64) (found *Budget) {
	most := int64(-1)
	for _, b := range w.running {
		if !b.watched.begun || b.watched.waits || b.watched.grown(heap, allocated) <= b.limits.Memory || b.mayHold.Load() <= b.limits.Memory {
			continue
		}
		if work := b.work.Load(); work > most {
			found, most = b, work
		}
	}
	return found
}

// garbageIsDue reports whether a script whose single instructions may fill the heap has
// left so much garbage that a few more instructions could exceed its limit before the
// next measurement.
func (w *watchdog) garbageIsDue(heap heapSize) bool {
	return slices.ContainsFunc(w.running, func(b *Budget) bool {
		return b.mayHold.Load() == noBound && b.watched.begun && !b.watched.waits && min(heap.objects-heap.live, heap.allocated-b.watched.before) > b.limits.Memory/4
	})
}

// collectGarbage collects the garbage. It opens the mutex, so that scripts can begin
// and end meanwhile, and closes the gate.
func (w *watchdog) collectGarbage() {
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

// holds returns by how many bytes the heap, without garbage, has grown since a script
// began.
func (w *watchdog) holds(b *Budget) int64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	b.watched.begin(w.size())
	w.collectGarbage()
	heap := w.size()
	return max(b.watched.grown(heap.live, heap.allocated), 0)
}

func (w *watchdog) size() heapSize {
	if w.measure != nil {
		return w.measure()
	}
	return processHeap()
}

// processHeap reads the size of the heap from the runtime, which always keeps it.
func processHeap() heapSize {
	samples := [3]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples[:])
	size := func(n int) int64 { return int64(samples[n].Value.Uint64()) }
	return heapSize{objects: size(0), live: size(1), allocated: size(2)}
}
