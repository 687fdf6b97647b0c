package lua

import (
	"context"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// pollEvery is how many instructions pass between two looks at the clock and at
// the attempt's context: some thirty microseconds.
const pollEvery = 1024

// A budget is the context of a Lua state. The virtual machine calls Done before
// every instruction; that call counts it, and stops the script when the budget
// is spent, the time is over or the attempt was cancelled. It needs no goroutine
// and no timer, and a spent budget always ends a script at the same instruction.
type budget struct {
	context.Context // of the attempt
	evaluation      *evaluation
	limit, used     int64
	stopwatch       stopwatch
	reason          *action.Error // why the script was stopped; the first stays
}

// closed is what Done returns to stop a script.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done counts an instruction.
func (b *budget) Done() <-chan struct{} {
	b.used++
	if b.used > b.limit || b.reason != nil {
		return closed
	}
	if b.used%pollEvery == 0 && b.poll() {
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

// poll looks whether the time is over or the attempt has ended, and reports
// whether the script is to stop.
func (b *budget) poll() bool {
	switch {
	case b.reason != nil:
	case b.Context.Err() != nil:
		b.reason = action.AsError(context.Cause(b.Context))
	case b.stopwatch.over():
		b.reason = &action.Error{
			Kind:    action.Limit,
			Message: fmt.Sprintf("the script was stopped after computing for %s, its limit", b.stopwatch.limit),
			Hint:    "look for a loop that does not end, or raise `limits: {time: ...}`",
		}
	}
	return b.reason != nil
}

// stop returns why the script was stopped, or nil.
func (b *budget) stop() *action.Error {
	if b.reason == nil && b.used > b.limit {
		b.reason = &action.Error{
			Kind:    action.Limit,
			Message: fmt.Sprintf("the script was stopped after %d instructions, its limit", b.limit),
			Hint:    "look for a loop that does not end, or raise `limits: {instructions: ...}`",
		}
	}
	return b.reason
}

// A stopwatch measures how long a script computes. Waiting in a call does not
// count: it is paused meanwhile.
type stopwatch struct {
	clock   action.Clock // nil: there is no limit
	limit   time.Duration
	spent   time.Duration
	since   time.Time
	running bool
}

func (s *stopwatch) start() {
	if s.clock != nil && s.limit > 0 {
		s.since, s.running = s.clock.Now(), true
	}
}

func (s *stopwatch) pause() {
	if s.running {
		s.spent, s.running = s.spent+s.clock.Now().Sub(s.since), false
	}
}

func (s *stopwatch) over() bool {
	return s.running && s.spent+s.clock.Now().Sub(s.since) > s.limit
}
