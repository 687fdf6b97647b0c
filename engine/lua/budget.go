package lua

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A budget is the context of a Lua state. The virtual machine calls Done before
// every instruction; that call counts it, and stops the script when the budget
// is spent, the time is over or the attempt was cancelled. It needs no goroutine
// and always ends a script at the same instruction.
type budget struct {
	context.Context
	evaluation *evaluation
	limit      int64
	used       int64
	stopped    atomic.Pointer[action.Error]
}

// closed is what Done returns to stop a script.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done counts an instruction.
func (b *budget) Done() <-chan struct{} {
	b.used++
	if b.used > b.limit || b.stopped.Load() != nil {
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

// stop returns why the script was stopped, or nil.
func (b *budget) stop() *action.Error {
	if err := b.stopped.Load(); err != nil {
		return err
	}
	if b.used > b.limit {
		return &action.Error{
			Kind:    action.Limit,
			Message: fmt.Sprintf("the script was stopped after %d instructions, its limit", b.limit),
			Hint:    "look for a loop that does not end, or raise `limits: {instructions: ...}`",
		}
	}
	return nil
}

// halt stops the script at its next instruction. The first reason stays.
func (b *budget) halt(reason *action.Error) { b.stopped.CompareAndSwap(nil, reason) }

// A stopwatch stops a script that computes for too long. Waiting in a call does
// not count: it is paused meanwhile.
type stopwatch struct {
	clock   action.Clock
	budget  *budget
	limit   time.Duration
	left    time.Duration
	started time.Time
	cancel  func() bool
}

func (s *stopwatch) start() {
	if s.clock == nil || s.limit <= 0 {
		return
	}
	s.started = s.clock.Now()
	s.cancel = s.clock.AfterFunc(max(s.left, 0), func() {
		s.budget.halt(&action.Error{
			Kind:    action.Limit,
			Message: fmt.Sprintf("the script was stopped after computing for %s, its limit", s.limit),
			Hint:    "look for a loop that does not end, or raise `limits: {time: ...}`",
		})
	})
}

func (s *stopwatch) pause() {
	if s.cancel == nil {
		return
	}
	s.cancel()
	s.cancel = nil
	s.left -= s.clock.Now().Sub(s.started)
}
