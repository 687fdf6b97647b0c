package simulator_test

import (
	"slices"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

var start = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

// manualClock advances only when a test moves it.
type manualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer
	set    chan time.Duration // if not nil, it receives the duration of each timer
}

type manualTimer struct {
	due  time.Time
	call func()
}

func newManualClock() *manualClock { return &manualClock{now: start} }

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, call func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &manualTimer{c.now.Add(d), call}
	c.timers = append(c.timers, timer)
	if c.set != nil {
		c.set <- d
	}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.Index(c.timers, timer)
		if i < 0 {
			return false
		}
		c.timers = slices.Delete(c.timers, i, i+1)
		return true
	}
}

// advance moves the clock and makes the calls that are due.
func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*manualTimer
	c.timers = slices.DeleteFunc(c.timers, func(t *manualTimer) bool {
		if t.due.After(c.now) {
			return false
		}
		due = append(due, t)
		return true
	})
	c.mu.Unlock()
	for _, timer := range due {
		timer.call()
	}
}

// options let an account use the clock.
func (c *manualClock) options() []simulator.Option {
	return []simulator.Option{simulator.WithClock(c.Now), simulator.WithAfterFunc(c.AfterFunc)}
}
