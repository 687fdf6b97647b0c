package client

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A limit decides when a request of one key may leave. The lane that it belongs to
// calls it under its lock.
type limit interface {
	// admits reports whether the request may leave now, with so many others under
	// way. If not, opens is when to ask again; zero is after the next answer.
	admits(t *turn, now time.Time, underWay int) (ok bool, opens time.Time)
	// left is told of every request that was admitted.
	left(t *turn, now time.Time)
	// answered is told what became of it.
	answered(t *turn, now time.Time, v verdict)
	// blind reports whether the present wait is a guess, not the service's word.
	blind() bool
	// idle reports whether there is nothing to remember.
	idle(now time.Time) bool
}

// A verdict is what a try tells of the limit.
type verdict struct {
	sent      bool // it may have been counted
	accepted  bool // it was not refused as one too many
	throttled bool
	wait      time.Duration // of one that was throttled, if nothing better is known
	// What the headers say, where stated.
	stated           bool
	total, remaining int
	reset            time.Duration
}

// A lane is the queue of one key: by class, and by age within a class. Exactly one
// of those that wait sleeps until the limit opens; the others wait to be nudged.
type lane struct {
	mu        sync.Mutex
	limit     limit
	waiting   []*turn
	underWay  int
	numbers   uint64
	opens     time.Time // when to look again; zero is after an answer
	sleeper   *turn
	until     time.Time // that the sleeper sleeps
	interrupt context.CancelFunc
}

// A turn is the place of one call. All tries of the call have the same, so that
// one that was told to come back is not overtaken by younger ones.
type turn struct {
	lane      *lane
	clock     clock
	class     class
	number    uint64
	nudge     chan struct{} // look again
	admitted  bool
	throttled bool // a try of it was
	window    int  // of the limit, when it left
}

func (l *lane) newTurn(c class, k clock) *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.numbers++
	return &turn{lane: l, clock: k, class: c, number: l.numbers, nudge: make(chan struct{}, 1)}
}

// enter waits until the call may send a request; leave must follow. known is how
// long it waited for something that the service had said or that follows from its
// documented limit, and not merely to see whether things are better.
func (t *turn) enter(ctx context.Context) (known time.Duration, err error) {
	l := t.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	begun := t.clock.now()
	t.admitted = false
	l.queue(t)
	l.admit(begun)
	for !t.admitted {
		if err := l.wait(ctx, t); err != nil {
			l.waiting = slices.DeleteFunc(l.waiting, func(other *turn) bool { return other == t })
			l.admit(t.clock.now()) // somebody else watches the clock now
			return 0, err
		}
	}
	if !l.limit.blind() {
		known = t.clock.now().Sub(begun)
	}
	return known, nil
}

// leave says what became of the request.
func (t *turn) leave(v verdict) {
	l := t.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	now := t.clock.now()
	l.underWay--
	t.throttled = t.throttled || v.throttled
	l.limit.answered(t, now, v)
	l.admit(now)
}

// queue puts a turn behind those that go before it.
func (l *lane) queue(t *turn) {
	at, _ := slices.BinarySearchFunc(l.waiting, t, func(a, b *turn) int {
		if a.class != b.class {
			return int(a.class) - int(b.class)
		}
		return int(a.number) - int(b.number)
	})
	l.waiting = slices.Insert(l.waiting, at, t)
}

// admit lets those go who may, and sees that somebody watches the clock for the
// others.
func (l *lane) admit(now time.Time) {
	l.opens = time.Time{}
	for len(l.waiting) > 0 {
		t := l.waiting[0]
		ok, opens := l.limit.admits(t, now, l.underWay)
		if !ok {
			l.opens = opens
			break
		}
		l.waiting = slices.Delete(l.waiting, 0, 1)
		l.underWay++
		t.admitted = true
		l.limit.left(t, now)
		l.wake(t)
	}
	switch {
	case len(l.waiting) == 0 || l.opens.IsZero():
	case l.sleeper == nil:
		l.wake(l.waiting[0])
	case l.opens.Before(l.until):
		l.interrupt()
	}
}

// wake has a turn look again, whichever way it waits.
func (l *lane) wake(t *turn) {
	if t == l.sleeper {
		l.interrupt()
		return
	}
	select {
	case t.nudge <- struct{}{}:
	default: // it has not looked since the last time
	}
}

// wait waits for a nudge or, where nobody does yet, for the limit to open. It is
// called under the lock, and gives that away meanwhile.
func (l *lane) wait(ctx context.Context, t *turn) error {
	if l.sleeper != nil || l.opens.IsZero() {
		return l.pause(ctx, t)
	}
	sleeping, interrupt := context.WithCancel(ctx)
	defer interrupt()
	l.sleeper, l.until, l.interrupt = t, l.opens, interrupt
	err := l.sleep(sleeping, t)
	l.sleeper = nil
	now := t.clock.now()
	switch {
	case ctx.Err() != nil && !t.admitted:
		return ctx.Err()
	case sleeping.Err() != nil: // interrupted: things have changed
	case err != nil:
		return err
	case now.Before(l.until): // the sleep is believed, lest a coarse clock has it sleep again
		now = l.until
	}
	l.admit(now)
	return nil
}

// pause waits for a nudge without the lock.
func (l *lane) pause(ctx context.Context, t *turn) error {
	l.mu.Unlock()
	select {
	case <-t.nudge:
	case <-ctx.Done():
	}
	l.mu.Lock()
	if t.admitted {
		return nil
	}
	return ctx.Err()
}

// sleep sleeps without the lock.
func (l *lane) sleep(ctx context.Context, t *turn) error {
	d := l.until.Sub(t.clock.now())
	l.mu.Unlock()
	defer l.mu.Lock()
	return t.clock.sleep(ctx, d)
}

// idle reports whether the lane holds nothing to remember.
func (l *lane) idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.underWay == 0 && len(l.waiting) == 0 && l.limit.idle(now)
}
