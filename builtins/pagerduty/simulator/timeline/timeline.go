// Package timeline is the time of a simulated account.
//
// A [Timeline] reads a clock that the caller gives, or a virtual one, makes its time
// pass faster by a factor, and moves it forward by jumps. Everything in the simulator
// that waits does so by an alarm of the timeline. A Timeline is safe for concurrent
// use.
package timeline

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Timeline is the time of an account.
type Timeline struct {
	read    func() time.Time
	after   func(time.Duration, func()) (stop func() bool) // nil: waiting takes no time
	factor  float64
	virtual bool // each reading moves the virtual clock, so only requests read it

	mu      sync.Mutex // guards everything below
	origin  time.Time  // the first reading
	latest  time.Time  // without jumps
	jumped  time.Duration
	alarms  []*alarm
	stopped bool
}

// alarm is a function that is called at a time.
type alarm struct {
	due  time.Time
	ring func()
	stop func() bool // stops its timer; nil without a timer
}

// New returns a timeline on the clock read. A nil read stands for a virtual clock,
// which starts at 2026-01-01T00:00:00Z and advances one second for each call of Now.
// after calls its function once the duration has passed, unless stop is called before;
// with a nil after, waiting takes no time. factor is how much faster than the clock the
// time passes; it is positive.
func New(read func() time.Time, after func(time.Duration, func()) (stop func() bool), factor float64) *Timeline {
	t := &Timeline{read: read, after: after, factor: factor}
	if t.read == nil {
		t.read, t.virtual = virtualClock(), true
	}
	return t
}

// Now reads the clock. It is for requests: a reading moves a virtual clock.
func (t *Timeline) Now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	return t.latest.Add(t.jumped)
}

// Glance is Now for everything but a request: it leaves a virtual clock at the time
// of the latest request.
func (t *Timeline) Glance() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.glanceLocked()
	return t.latest.Add(t.jumped)
}

func (t *Timeline) glanceLocked() {
	if !t.virtual || t.latest.IsZero() {
		t.look()
	}
}

// look takes a reading. Round removes the monotonic part, which would be visible in
// the times of resources.
func (t *Timeline) look() {
	reading := t.read().UTC().Round(0)
	if t.origin.IsZero() {
		t.origin = reading
	}
	t.latest = reading
	if t.factor != 1 {
		t.latest = t.origin.Add(time.Duration(float64(reading.Sub(t.origin)) * t.factor))
	}
}

// Jump moves the time forward and rings each alarm that has become due, in its own
// goroutine: the caller may hold a lock that the alarm needs.
func (t *Timeline) Jump(by time.Duration) {
	t.mu.Lock()
	t.glanceLocked()
	t.jumped += by
	now := t.latest.Add(t.jumped)
	var due []*alarm
	t.alarms = slices.DeleteFunc(t.alarms, func(a *alarm) bool {
		if a.due.After(now) {
			return false
		}
		due = append(due, a)
		return true
	})
	t.mu.Unlock()
	for _, a := range due {
		if a.stop != nil {
			a.stop()
		}
		go a.ring()
	}
}

// Alarm calls ring once, d from now, unless it is cancelled before. Where waiting takes
// no time, only a jump reaches the alarm.
func (t *Timeline) Alarm(d time.Duration, ring func()) (cancel func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return func() {}
	}
	t.glanceLocked()
	set := &alarm{due: t.latest.Add(t.jumped).Add(d), ring: ring}
	t.alarms = append(t.alarms, set)
	if t.after != nil {
		set.stop = t.after(time.Duration(float64(d)/t.factor), func() {
			if t.forget(set) {
				ring()
			}
		})
	}
	return func() {
		if t.forget(set) && set.stop != nil {
			set.stop()
		}
	}
}

// forget reports whether the alarm was still set.
func (t *Timeline) forget(a *alarm) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.alarms, a)
	if i < 0 {
		return false
	}
	t.alarms = slices.Delete(t.alarms, i, i+1)
	return true
}

// Wait returns nil after d, or the error of ctx as soon as ctx ends.
func (t *Timeline) Wait(ctx context.Context, d time.Duration) error {
	if t.after == nil || d <= 0 {
		return ctx.Err()
	}
	rung := make(chan struct{})
	cancel := t.Alarm(d, func() { close(rung) })
	defer cancel()
	select {
	case <-rung:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Stop cancels all alarms. Later alarms are never rung.
func (t *Timeline) Stop() {
	t.mu.Lock()
	set := t.alarms
	t.alarms, t.stopped = nil, true
	t.mu.Unlock()
	for _, a := range set {
		if a.stop != nil {
			a.stop()
		}
	}
}

// virtualClock starts at epoch and advances one second at every reading. Time passes,
// and passes the same way every time.
func virtualClock() func() time.Time {
	now := epoch
	return func() time.Time {
		reading := now
		now = now.Add(time.Second)
		return reading
	}
}

// epoch is the start of the virtual clock. The round date shows that it is not a real
// one.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
