package clock

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Virtual is a clock on which a wait takes no real time. When all work that it
// counts rests, it moves to the earliest timer. So a run with pauses, retries and
// timeouts takes as long as its work does, and things happen in the order of real
// time.
//
// The engine reports work with [Virtual.Begin] and [Virtual.End]. Give the clock to
// the backend that executes the runs, and to nothing outside of them. Any other wait,
// such as for an answer from the network, counts as work.
type Virtual struct {
	mu     sync.Mutex
	start  time.Time
	passed time.Duration   // since the start
	set    time.Duration   // by how much what it shows was set
	timers []*virtualTimer // the earliest first
	busy   int             // pieces of work; the time does not move while there are any
	firing bool            // a goroutine is moving the time
}

// A virtualTimer wakes a sleeper or calls a function at a time.
type virtualTimer struct {
	at    time.Duration // since the start
	f     func()
	ctx   context.Context // of a sleeper
	woken chan struct{}   // of a sleeper: closed when its time has come
}

var _ Stopwatch = (*Virtual)(nil)

// NewVirtual returns a clock that shows start.
func NewVirtual(start time.Time) *Virtual { return &Virtual{start: start} }

// Now returns the current time.
func (c *Virtual) Now() time.Time {
	now, _ := c.Read()
	return now
}

// Read returns the current time, and how much time has passed since the start.
func (c *Virtual) Read() (shown time.Time, passed time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(c.passed + c.set), c.passed
}

// Advance moves the time by d. No run may be working.
func (c *Virtual) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// Set sets what the clock shows by d, forward or back. No time passes, and no timer is due
// earlier or later.
func (c *Virtual) Set(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set += d
}

// Skip moves the time by d at once, for waits within a call. Timers that become due
// fire when all work rests.
func (c *Virtual) Skip(ctx context.Context, d time.Duration) error {
	c.Advance(d)
	return context.Cause(ctx)
}

// Sleep waits for d, or until the context ends. The caller's work must be counted by
// [Virtual.Begin]; it does not count while it sleeps.
func (c *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return context.Cause(ctx)
	}
	sleeper := &virtualTimer{ctx: ctx, woken: make(chan struct{})}
	c.mu.Lock()
	c.add(sleeper, d)
	c.rest(1)
	c.mu.Unlock()
	select {
	case <-sleeper.woken: // by the time, or by wakeCancelled
		return context.Cause(ctx)
	case <-ctx.Done():
		c.mu.Lock()
		c.wake(sleeper)
		c.mu.Unlock()
		return context.Cause(ctx)
	}
}

// AfterFunc calls f once d has passed. The returned function stops the timer and
// reports whether it was in time to do so.
func (c *Virtual) AfterFunc(d time.Duration, f func()) func() bool {
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

// add inserts a timer after the timers that are due at the same time.
func (c *Virtual) add(t *virtualTimer, d time.Duration) {
	t.at = c.passed + max(d, 0)
	i := len(c.timers)
	for i > 0 && c.timers[i-1].at > t.at {
		i--
	}
	c.timers = slices.Insert(c.timers, i, t)
}

func (c *Virtual) remove(t *virtualTimer) bool {
	i := slices.Index(c.timers, t)
	if i >= 0 {
		c.timers = slices.Delete(c.timers, i, i+1)
	}
	return i >= 0
}

// wake ends the sleep of a sleeper, whose work counts again.
func (c *Virtual) wake(t *virtualTimer) {
	if c.remove(t) {
		c.busy++
		close(t.woken)
	}
}

// Begin counts one more piece of work: a run, an attempt, or a timer on its way to a
// run. The time does not move before [Virtual.End] was called for it.
func (c *Virtual) Begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy++
}

// End counts n pieces of work less.
func (c *Virtual) End(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest(n)
}

// rest counts n pieces of work less. When none is left, the time moves.
func (c *Virtual) rest(n int) {
	if c.busy -= n; c.busy == 0 {
		c.wakeCancelled()
	}
	if c.busy == 0 && len(c.timers) > 0 && !c.firing {
		c.firing = true
		go c.move()
	}
}

// move fires timer after timer until there is work again.
func (c *Virtual) move() {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.firing = false }()
	for c.busy == 0 && len(c.timers) > 0 {
		t := c.timers[0]
		c.passed = max(c.passed, t.at)
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

// wakeCancelled wakes the sleepers whose context has ended, before they notice it
// themselves, so that the time does not move in between.
func (c *Virtual) wakeCancelled() {
	for _, t := range slices.Clone(c.timers) {
		if t.ctx != nil && t.ctx.Err() != nil {
			c.wake(t)
		}
	}
}
