package limits

import (
	"context"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
)

// The step counter is the Done method of the context that a Lua state has.
//
// gopher-lua has no counter of instructions and no hook for one. The only code of
// ours that its machine runs before every instruction is the Done method of the
// context that [glua.LState.SetContext] was given. So the budget is that context:
// Done counts the instruction, and returns a closed channel to stop the script. The
// machine then raises the text of Err.
//
// Counting here needs no fork of gopher-lua, no goroutine and no timer, and a script
// that uses up its instructions always ends at the same instruction. Done runs
// tens of millions of times a second, so it only increments and compares; all
// slower checks wait for the next checkpoint.

// pollEvery is how many steps pass between two looks at the clock and at the
// attempt's context: about thirty microseconds.
const pollEvery = 1024

// closed is what Done returns to stop a script.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done counts an instruction. It returns a closed channel when the script must stop.
func (b *Budget) Done() <-chan struct{} {
	b.used++
	if b.used < b.checkpoint && !b.look.Load() {
		return nil
	}
	if b.check() {
		return closed
	}
	return nil
}

// Err returns why the script was stopped, or nil.
func (b *Budget) Err() error {
	if err := b.Stopped(); err != nil {
		return err
	}
	return nil
}

// Spend counts steps that a library function is about to do, and reports whether it
// may do them. A step takes about as long as an instruction.
func (b *Budget) Spend(steps int64) bool {
	b.used += steps
	return b.used < b.checkpoint && !b.look.Load() || !b.check()
}

// check reports whether the script must stop, and sets the next checkpoint.
func (b *Budget) check() bool {
	if b.Stopped() != nil || b.Poll() {
		return true
	}
	b.checkpoint = min(b.used+pollEvery, b.limits.Instructions+1)
	if !b.pulsed && b.stopwatch.running {
		processPulse.add(b)
		b.pulsed = true
	}
	return false
}

// Poll reports whether the script must stop because its time is over or the attempt has
// ended.
func (b *Budget) Poll() bool {
	b.look.Store(false)
	switch {
	case b.reason != nil:
	case b.Context.Err() != nil:
		b.reason = action.AsError(context.Cause(b.Context))
	case b.stopwatch.over():
		b.exceed("computing for "+b.stopwatch.limit.String()+", its limit", "look for a loop that does not end, or raise `limits: {time: ...}`")
	}
	if b.reason != nil {
		b.checkpoint = 0 // refuse every further instruction
	}
	return b.reason != nil
}

// Stopped returns why the script was stopped, or nil.
func (b *Budget) Stopped() *action.Error {
	if b.reason == nil && b.used > b.limits.Instructions {
		b.exceed(fmt.Sprintf("%d instructions, its limit", b.limits.Instructions),
			"look for a loop that does not end, or raise `limits: {instructions: ...}`")
	}
	return b.reason
}

// exceed stops the script. The first reason stays.
func (b *Budget) exceed(after, hint string) {
	if b.reason == nil {
		b.reason = &action.Error{Kind: action.Limit, Message: "the script was stopped after " + after, Hint: hint}
	}
	b.checkpoint = 0
}
