// Package clock has the clocks that runs use.
//
//   - [Clock] replaces the functions of package time, so that a test can set the time.
//   - [System] is the clock of the machine. Only the command line chooses it.
//   - A [Reading] tells what a clock shows apart from the time that passes. What a clock
//     shows can be set.
//   - [Virtual] is a clock on which a wait takes no real time. It moves to the next timer as
//     soon as all work that it counts rests.
package clock

import (
	"context"
	"time"
)

// A Clock returns the current time and waits. It is safe for concurrent use.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// Sleep waits for d. It returns the cause of the context's end as soon as the
	// context ends.
	Sleep(ctx context.Context, d time.Duration) error
	// AfterFunc calls f once d has passed. The returned function stops the timer and
	// reports whether it was in time to do so.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// System is the time of the machine. Its zero value is ready.
type System struct{}

var _ Clock = System{}

// Now returns the current time.
func (System) Now() time.Time { return time.Now() }

// Sleep waits for d, or until the context ends.
func (System) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// AfterFunc calls f in a goroutine of its own once d has passed.
func (System) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}
