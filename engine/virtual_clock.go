package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A VirtualClock is time in which nobody waits: when every run that lives in it
// waits, it moves to the moment at which the first of them goes on. So a run with
// pauses, retries and timeouts takes as long as its work does, and the order of
// what happens is that of real time.
//
// It knows what waits because runs tell it: give it to the [Local] that runs them,
// and to nothing that runs outside of them. Waiting in any other way, such as for
// an answer from the network, counts as work.
type VirtualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*virtualTimer // the earliest first
	busy   int             // what is under way; time stands still while it is
	firing bool            // a goroutine moves the time
}

// A virtualTimer is due at a moment. It belongs to a sleeper, or has a function.
type virtualTimer struct {
	at    time.Time
	f     func()
	ctx   context.Context // of a sleeper
	woken chan struct{}   // of a sleeper: closed when its time has come
}

var _ action.Clock = (*VirtualClock)(nil)

// NewVirtualClock returns a clock that stands at a moment.
func NewVirtualClock(start time.Time) *VirtualClock { return &VirtualClock{now: start} }

// Now returns the time.
func (c *VirtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the time while no run is under way.
func (c *VirtualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Skip lets time pass at once, for waits within a call: timers that come due go off
// when the run rests.
func (c *VirtualClock) Skip(ctx context.Context, d time.Duration) error {
	c.Advance(d)
	return context.Cause(ctx)
}

// Sleep waits until the time has come, or returns the context's error as soon as
// that ends. It is called by what is under way.
func (c *VirtualClock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return context.Cause(ctx)
	}
	sleeper := &virtualTimer{ctx: ctx, woken: make(chan struct{})}
	c.mu.Lock()
	c.add(sleeper, d)
	c.rest(1)
	c.mu.Unlock()
	select {
	case <-sleeper.woken: // by the time, or by its context's end: see wakeCancelled
		return context.Cause(ctx)
	case <-ctx.Done():
		c.mu.Lock()
		c.wake(sleeper)
		c.mu.Unlock()
		return context.Cause(ctx)
	}
}

// AfterFunc calls f once the time has come, unless the function that it returns was
// called before; that one reports whether it was in time.
func (c *VirtualClock) AfterFunc(d time.Duration, f func()) func() bool {
	timer := &virtualTimer{f: f}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(timer, d)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.remove(timer)
	}
}

// add sets a timer, after those that are due at the same time.
func (c *VirtualClock) add(t *virtualTimer, d time.Duration) {
	t.at = c.now.Add(max(d, 0))
	i := len(c.timers)
	for i > 0 && c.timers[i-1].at.After(t.at) {
		i--
	}
	c.timers = slices.Insert(c.timers, i, t)
}

func (c *VirtualClock) remove(t *virtualTimer) bool {
	i := slices.Index(c.timers, t)
	if i >= 0 {
		c.timers = slices.Delete(c.timers, i, i+1)
	}
	return i >= 0
}

// wake ends the sleep of a sleeper that still sleeps: it is under way again.
func (c *VirtualClock) wake(t *virtualTimer) {
	if c.remove(t) {
		c.busy++
		close(t.woken)
	}
}

// begin says that something is under way, and end that so many things are not any
// more.
func (c *VirtualClock) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy++
}

func (c *VirtualClock) end(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest(n)
}

// rest counts what is not under way any more; when nothing is, time moves.
func (c *VirtualClock) rest(n int) {
	if c.busy -= n; c.busy == 0 {
		c.wakeCancelled()
	}
	if c.busy == 0 && len(c.timers) > 0 && !c.firing {
		c.firing = true
		go c.move()
	}
}

// move goes from timer to timer until something is under way.
func (c *VirtualClock) move() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.firing = false }()
	for c.busy == 0 && len(c.timers) > 0 {
		t := c.timers[0]
		if t.at.After(c.now) {
			c.now = t.at
		}
		if t.f == nil {
			c.wake(t)
			return
		}
		c.remove(t)
		c.mu.Unlock()
		t.f()
		c.mu.Lock()
		c.wakeCancelled()
	}
}

// wakeCancelled ends the sleep of those whose context has ended, before they notice
// it themselves: time must not move meanwhile.
func (c *VirtualClock) wakeCancelled() {
	for _, t := range slices.Clone(c.timers) {
		if t.ctx != nil && t.ctx.Err() != nil {
			c.wake(t)
		}
	}
}
