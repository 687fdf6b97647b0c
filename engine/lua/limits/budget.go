package limits

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
)

// A Budget counts what the chunks of one attempt use, and stops them when a limit is
// reached. It is the context of their Lua state, for the reason that steps.go gives.
// All its methods belong to the goroutine of the attempt.
//
// Library functions charge for their work before they do it: steps for computing,
// and the bytes of text or of tables that they are about to make.
type Budget struct {
	context.Context // of the attempt
	owner           any
	watchdog        *watchdog
	limits          workflow.Limits
	used            int64 // instructions and steps
	checkpoint      int64 // Done runs its slower checks when used reaches it
	bytes           int64 // of text and tables made in all
	recent          int64 // of text and tables made since the heap was last measured for them
	received        received
	keepsMany       bool // one instruction of its chunks may keep many values
	stopwatch       stopwatch
	reason          *action.Error // why the script was stopped

	// The watchdog reads and writes these from its own goroutine.
	signal  atomic.Int32 // one of the signals of the watchdog
	work    atomic.Int64 // how much the script has done, in bytes
	mayHold atomic.Int64 // the most bytes that the script can hold; noBound when unknown
	waiting atomic.Bool  // the script waits in a call
	watched watched      // only the watchdog uses it
}

var (
	_ context.Context = (*Budget)(nil)
	_ action.Meter    = (*Budget)(nil)
)

// Open starts the budget of an attempt. The owner is what [Budget.Owner] returns. The
// clock may be nil; then no time is measured.
func (b *Budget) Open(ctx context.Context, l workflow.Limits, clock action.Clock, owner any) {
	b.Context, b.owner, b.watchdog, b.limits = ctx, owner, &processWatchdog, withDefaults(l)
	b.checkpoint = min(pollEvery, b.limits.Instructions+1)
	b.stopwatch = stopwatch{clock: clock, limit: b.limits.Time}
}

// Of returns the budget of a state, which is its context.
func Of(L *glua.LState) *Budget {
	b, ok := L.Context().(*Budget)
	if !ok {
		panic(fmt.Sprintf("lua: a state has the context %T", L.Context()))
	}
	return b
}

// Owner returns what the budget was opened for. The package does not use it.
func (b *Budget) Owner() any { return b.owner }

// KeepMany notes that a single instruction of the script may keep many values, so that
// its memory has no bound by the instructions alone.
func (b *Budget) KeepMany() { b.keepsMany = true }

// MaxOutput returns how many bytes of text a value that leaves the script may hold.
func (b *Budget) MaxOutput() int64 { return b.limits.Output }

// Begin starts the time and the watchdog of a chunk. End stops them.
func (b *Budget) Begin() {
	b.stopwatch.start()
	b.watchdog.add(b)
}

// End stops what Begin started.
func (b *Budget) End() {
	b.watchdog.remove(b)
	b.stopwatch.pause()
}

// BeginCall pauses the script's time and its watchdog while it waits in a call.
func (b *Budget) BeginCall() {
	b.stopwatch.pause()
	b.waiting.Store(true)
}

// EndCall ends the pause that BeginCall began.
func (b *Budget) EndCall() {
	b.waiting.Store(false)
	b.stopwatch.start()
}

// Instructions returns the instructions and steps so far.
func (b *Budget) Instructions() int { return int(b.used) }

// Bytes returns how many bytes of text and tables were made so far, in all.
func (b *Budget) Bytes() int { return int(b.bytes) }

// Computed returns how long the script has computed, without waiting in calls.
func (b *Budget) Computed() time.Duration { return b.stopwatch.spent }

// Charge counts steps that a library function is about to do. When the budget does
// not have them, L raises an error.
func (b *Budget) Charge(L *glua.LState, steps int64) {
	if !b.Spend(steps) {
		b.Raise(L)
	}
}

// Reserve counts the bytes of a text or table that is about to be made, and reports
// whether it may be made.
func (b *Budget) Reserve(bytes int64) bool {
	b.bytes += bytes
	b.recent += bytes
	if b.recent > b.limits.Memory && b.reason == nil {
		b.settle(bytes)
	}
	return b.Spend(bytes / BytesPerStep)
}

// settle decides whether a script that has made as much text as it may hold still
// holds it. A string that grew line by line left its shorter versions as garbage,
// which does not count.
func (b *Budget) settle(bytes int64) {
	if bytes > b.limits.Memory || b.watchdog.holds(b)+bytes > b.limits.Memory/4*3 {
		b.exceedMemory()
		return
	}
	b.recent = 0
}

func (b *Budget) exceedMemory() {
	b.exceed("taking "+phrase.Bytes(b.limits.Memory)+" of memory, its limit", "keep less at a time, or raise `limits: {memory: ...}`")
}

// Allocate counts the bytes of one string that is about to be made. When the budget
// does not have them, L raises an error.
func (b *Budget) Allocate(L *glua.LState, bytes int64) {
	if bytes > MaxString {
		b.exceed(fmt.Sprintf("asking for a string of more than %s, the limit for one string", phrase.Bytes(MaxString)),
			"keep large text in a list of parts")
		b.Raise(L)
	}
	if !b.Reserve(bytes) {
		b.Raise(L)
	}
}

// Raise raises the reason why the script was stopped. A script that catches the error
// is stopped again at its next instruction.
func (b *Budget) Raise(L *glua.LState) {
	b.check()
	L.RaiseError("%s", b.Err().Error())
}

// Work counts steps that a pure function is about to do. Its error ends the function.
// The work of a pure function is the script's own, like the work of string.rep.
func (b *Budget) Work(steps int64) error {
	b.Spend(steps)
	return b.Err()
}

// Hold counts bytes of values that a pure function is about to make. Its error ends
// the function.
func (b *Budget) Hold(bytes int64) error {
	b.Reserve(bytes)
	return b.Err()
}

// Left returns how many steps the budget still has.
func (b *Budget) Left() int64 { return b.limits.Instructions - b.used }

// Refund takes back steps that were counted and not done.
func (b *Budget) Refund(steps int64) { b.used -= steps }

// AllocateText counts the text of an output that a pure function made: each text as
// one string, and all of them together as memory.
func (b *Budget) AllocateText(L *glua.LState, output any) {
	total, longest := textIn(output)
	if longest > MaxString {
		b.Allocate(L, longest)
	}
	if total > 0 && !b.Reserve(total) {
		b.Raise(L)
	}
}

// textIn returns how many bytes of text a value holds, and how many its longest text
// has.
func textIn(v any) (total, longest int64) {
	add := func(item any) {
		t, l := textIn(item)
		total, longest = total+t, max(longest, l)
	}
	switch v := v.(type) {
	case string:
		return int64(len(v)), int64(len(v))
	case []any:
		for _, item := range v {
			add(item)
		}
	case action.Object:
		for _, field := range v {
			add(field)
		}
	}
	return total, longest
}

// A stopwatch measures how long a script computes. It is paused while the script waits
// in a call.
type stopwatch struct {
	clock   action.Clock  // nil: nothing is measured
	limit   time.Duration // 0: no limit
	spent   time.Duration
	since   time.Time
	running bool
}

func (s *stopwatch) start() {
	if s.clock != nil {
		s.since, s.running = s.clock.Now(), true
	}
}

func (s *stopwatch) pause() {
	if s.running {
		s.spent, s.running = s.spent+s.clock.Now().Sub(s.since), false
	}
}

func (s *stopwatch) over() bool {
	return s.running && s.limit > 0 && s.spent+s.clock.Now().Sub(s.since) > s.limit
}
