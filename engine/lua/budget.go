package lua

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

const (
	// pollEvery is how many instructions pass between two looks at the clock and at
	// the attempt's context: some thirty microseconds.
	pollEvery = 1024
	// bytesPerStep is how much text a library function makes or reads for one
	// instruction of the budget; both take about twenty nanoseconds.
	bytesPerStep = 64
)

// A budget is the context of a Lua state. The virtual machine calls Done before
// every instruction; that call counts it, and stops the script when the budget
// is spent, the time is over or the attempt was cancelled. It needs no goroutine
// and no timer, and a spent budget always ends a script at the same instruction.
//
// Library functions charge for their work before they do it: a step for what
// takes about as long as an instruction, and the bytes of the text that they are
// about to make.
type budget struct {
	context.Context // of the attempt
	evaluation      *evaluation
	limits          limits
	used            int64 // instructions and steps
	checkpoint      int64 // Done looks closer when used reaches it
	bytes           int64 // of text made in all
	recent          int64 // of text made since the heap was last measured for it
	answers         answers
	many            bool // one of its programs has instructions that keep many values
	stopwatch       stopwatch
	reason          *action.Error // why the script was stopped; the first stays

	// What the watchdog and the script tell each other.
	signal  atomic.Int32 // one of the signals below
	weight  atomic.Int64 // how much the script has done
	reach   atomic.Int64 // it cannot hold more than this
	waiting atomic.Bool  // it waits in a call
	watched watched      // the watchdog's own
}

// boundless is the reach of a script that may keep many values by one instruction.
const boundless = math.MaxInt64

// The signals of the watchdog to a script.
const (
	signalNone int32 = iota
	signalLook       // look at the clock and the context
	signalStop       // end: the heap is full
)

// closed is what Done returns to stop a script.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (b *budget) open(ctx context.Context, e *evaluation) {
	b.Context, b.evaluation, b.limits = ctx, e, limitsOf(e.env.Limits)
	b.checkpoint = min(pollEvery, b.limits.instructions+1)
	b.stopwatch = stopwatch{clock: e.env.Clock, limit: b.limits.time}
}

// Done counts an instruction.
func (b *budget) Done() <-chan struct{} {
	b.used++
	if b.used < b.checkpoint && b.signal.Load() == signalNone {
		return nil
	}
	if b.check() {
		return closed
	}
	return nil
}

// Err returns why the script was stopped, or nil.
func (b *budget) Err() error {
	if err := b.stop(); err != nil {
		return err
	}
	return nil
}

// check reports whether the script is to stop, and sets the next checkpoint.
func (b *budget) check() bool {
	if b.stop() != nil || b.poll() {
		return true
	}
	b.checkpoint = min(b.used+pollEvery, b.limits.instructions+1)
	return false
}

// poll looks whether the time is over or the attempt has ended, and reports
// whether the script is to stop.
func (b *budget) poll() bool {
	b.weigh()
	b.evaluation.interpreter.watchdog.pass()
	signal := b.signal.Swap(signalNone)
	switch {
	case b.reason != nil:
	case b.Context.Err() != nil:
		b.reason = action.AsError(context.Cause(b.Context))
	case signal == signalStop:
		b.exceedMemory()
	case b.stopwatch.over():
		b.exceed("computing for "+b.stopwatch.limit.String()+", its limit", "look for a loop that does not end, or raise `limits: {time: ...}`")
	}
	if b.reason != nil {
		b.checkpoint = 0 // every further instruction is refused
	}
	return b.reason != nil
}

// weigh tells the watchdog what the script has done.
func (b *budget) weigh() {
	b.weight.Store(b.bytes + b.used*bytesPerInstruction)
	reach := int64(boundless)
	if !b.many {
		reach = b.used*mostPerInstruction + b.bytes*mostPerByte + b.answers.held
	}
	b.reach.Store(reach)
}

// stop returns why the script was stopped, or nil.
func (b *budget) stop() *action.Error {
	if b.reason == nil && b.used > b.limits.instructions {
		b.exceed(fmt.Sprintf("%d instructions, its limit", b.limits.instructions),
			"look for a loop that does not end, or raise `limits: {instructions: ...}`")
	}
	return b.reason
}

func (b *budget) exceed(after, hint string) {
	if b.reason == nil {
		b.reason = &action.Error{Kind: action.Limit, Message: "the script was stopped after " + after, Hint: hint}
	}
	b.checkpoint = 0
}

func (b *budget) exceedMemory() {
	b.exceed("taking "+sizeText(b.limits.memory)+" of memory, its limit", "keep less at a time, or raise `limits: {memory: ...}`")
}

// spend counts work of a library function and reports whether it may go on.
func (b *budget) spend(steps int64) bool {
	b.used += steps
	return b.used < b.checkpoint && b.signal.Load() == signalNone || !b.check()
}

// charge counts work of a library function before it is done; L raises an error
// when the budget does not have it.
func (b *budget) charge(L *glua.LState, steps int64) {
	if !b.spend(steps) {
		b.raise(L)
	}
}

// reserve counts text or a table of so many bytes that is about to be made, and
// reports whether it may be.
func (b *budget) reserve(bytes int64) bool {
	b.bytes += bytes
	b.recent += bytes
	if b.recent > b.limits.memory && b.reason == nil {
		b.settle(bytes)
	}
	return b.spend(bytes / bytesPerStep)
}

// settle decides whether a script that has made as much text as it may hold still
// holds it. A string that grew line by line left its shorter ones behind, and
// those do not count.
func (b *budget) settle(bytes int64) {
	if bytes > b.limits.memory || b.evaluation.interpreter.watchdog.holds(b)+bytes > b.limits.memory/4*3 {
		b.exceedMemory()
		return
	}
	b.recent = 0
}

// allocate is charge for one string of so many bytes.
func (b *budget) allocate(L *glua.LState, bytes int64) {
	if bytes > maxString {
		b.exceed(fmt.Sprintf("asking for a string of more than %s, the most that one may have", sizeText(maxString)),
			"keep large text in a list of parts")
		b.raise(L)
	}
	if !b.reserve(bytes) {
		b.raise(L)
	}
}

// raise raises the reason why the script was stopped. A script that catches it is
// stopped again at its next instruction.
func (b *budget) raise(L *glua.LState) {
	b.check()
	L.RaiseError("%s", b.Err().Error())
}

// sizeText writes a number of bytes as people do.
func sizeText(bytes int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}} {
		if bytes >= unit.size && bytes%unit.size == 0 {
			return fmt.Sprintf("%d %s", bytes/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// A stopwatch measures how long a script computes. Waiting in a call does not
// count: it is paused meanwhile.
type stopwatch struct {
	clock   action.Clock  // nil: nothing is measured
	limit   time.Duration // 0: there is none
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

// budgetOf returns the budget of the evaluation that a state belongs to.
func budgetOf(L *glua.LState) *budget {
	b, ok := L.Context().(*budget)
	if !ok {
		panic(fmt.Sprintf("lua: a state has the context %T", L.Context()))
	}
	return b
}
