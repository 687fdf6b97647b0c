package simulator

import (
	"context"
	"slices"
	"sync"
	"time"
)

// timeline is the account's time: the given clock, made faster by a factor and
// moved forward by jumps. Nothing in the package waits but through it.
type timeline struct {
	read   func() time.Time
	after  func(time.Duration, func()) (stop func() bool) // nil: waiting takes no time
	factor float64
	// readsSparingly is whether a reading itself moves the clock, as one of
	// the virtual clock does. Then only requests read it.
	readsSparingly bool

	mu      sync.Mutex // guards everything below
	origin  time.Time  // the first reading
	latest  time.Time  // without jumps
	jumped  time.Duration
	alarms  []*alarm
	stopped bool
}

// alarm is a function to be called when its time has come.
type alarm struct {
	due  time.Time
	ring func()
	stop func() bool // of the timer behind it; nil without one
}

// newTimeline returns the time that the options asked for.
func newTimeline(s *settings) *timeline {
	t := &timeline{read: s.clock, after: s.after, factor: s.timeFactor}
	if t.read == nil {
		t.read, t.readsSparingly = virtualClock(), true
	}
	return t
}

// now reads the clock.
func (t *timeline) now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.look()
	return t.latest.Add(t.jumped)
}

// glance is now for those who are no request: it leaves a virtual clock where
// the latest request found it.
func (t *timeline) glance() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.glanceLocked()
	return t.latest.Add(t.jumped)
}

func (t *timeline) glanceLocked() {
	if !t.readsSparingly || t.latest.IsZero() {
		t.look()
	}
}

// look takes a reading. Round strips the monotonic part, which would survive
// into the views.
func (t *timeline) look() {
	reading := t.read().UTC().Round(0)
	if t.origin.IsZero() {
		t.origin = reading
	}
	t.latest = reading
	if t.factor != 1 {
		t.latest = t.origin.Add(time.Duration(float64(reading.Sub(t.origin)) * t.factor))
	}
}

// jump moves the time forward and rings what has become due, each in a goroutine
// of its own: whoever jumps may hold what the others need.
func (t *timeline) jump(by time.Duration) {
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

// alarm calls ring once, d from now, unless it is cancelled before. Where waiting
// takes no time, only a jump gets there.
func (t *timeline) alarm(d time.Duration, ring func()) (cancel func()) {
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
func (t *timeline) forget(a *alarm) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.alarms, a)
	if i < 0 {
		return false
	}
	t.alarms = slices.Delete(t.alarms, i, i+1)
	return true
}

// wait returns after d, or with the context's error before.
func (t *timeline) wait(ctx context.Context, d time.Duration) error {
	if t.after == nil || d <= 0 {
		return ctx.Err()
	}
	rung := make(chan struct{})
	cancel := t.alarm(d, func() { close(rung) })
	defer cancel()
	select {
	case <-rung:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop cancels all alarms for good.
func (t *timeline) stop() {
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

// virtualClock starts at epoch and advances one second at every reading: time
// passes, and no run differs from another.
func virtualClock() func() time.Time {
	now := epoch
	return func() time.Time {
		reading := now
		now = now.Add(time.Second)
		return reading
	}
}

// epoch is where the virtual clock starts: a round date that nobody mistakes
// for a real one.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
