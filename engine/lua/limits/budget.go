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
	owner           Holder
	limits          workflow.Limits
	used            int64 // instructions and steps
	checkpoint      int64 // Done runs its slower checks when used reaches it
	bytes           int64 // of text and tables made by library functions, in all
	memory          memory
	stopwatch       stopwatch
	reason          *action.Error // why the script was stopped
	pulsed          bool          // the pulse knows the budget
	look            atomic.Bool   // set by the pulse: look at the clock and the context
}

var (
	_ context.Context = (*Budget)(nil)
	_ action.Meter    = (*Budget)(nil)
)

// Open starts the budget of an attempt. The owner is what [Budget.Owner] returns. The
// clock may be nil; then no time is measured. The room may be nil; then the limit of the
// script is the only one.
func (b *Budget) Open(ctx context.Context, l workflow.Limits, clock action.Clock, room Room, owner Holder) {
	b.Context, b.owner, b.limits = ctx, owner, withDefaults(l)
	b.checkpoint = min(pollEvery, b.limits.Instructions+1)
	b.memory.open(b.limits.Memory, room)
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

// Owner returns what the budget was opened for.
func (b *Budget) Owner() Holder { return b.owner }

// MaxOutput returns how many bytes of text a value that leaves the script may hold.
func (b *Budget) MaxOutput() int64 { return b.limits.Output }

// Begin starts the time of a chunk. End stops it.
func (b *Budget) Begin() { b.stopwatch.start() }

// End stops what Begin started.
func (b *Budget) End() {
	if b.pulsed {
		processPulse.remove(b)
		b.pulsed = false
	}
	b.stopwatch.pause()
}

// BeginCall pauses the script's time while it waits in a call, and gives back the room
// that the script does not need meanwhile.
func (b *Budget) BeginCall() {
	b.stopwatch.pause()
	b.rest()
}

// EndCall ends the pause that BeginCall began.
func (b *Budget) EndCall() { b.stopwatch.start() }

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
// the function. Until the function has ended, it holds them itself: see [Budget.Unpin].
func (b *Budget) Hold(bytes int64) error {
	b.ReservePinned(bytes)
	return b.Err()
}

// Left returns how many steps the budget still has.
func (b *Budget) Left() int64 { return b.limits.Instructions - b.used }

// Refund takes back steps that were counted and not done.
func (b *Budget) Refund(steps int64) { b.used -= steps }

// AllocateText counts the text of an output that a function made or a call returned:
// each text as one string, and all of them together as memory.
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

// wait does what does not count as computing.
func (s *stopwatch) wait(do func()) {
	if running := s.running; running {
		s.pause()
		defer s.start()
	}
	do()
}

func (s *stopwatch) over() bool {
	return s.running && s.limit > 0 && s.spent+s.clock.Now().Sub(s.since) > s.limit
}
