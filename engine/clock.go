package engine

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// SystemClock is the time of the machine.
type SystemClock struct{}

var _ action.Clock = SystemClock{}

// Now returns the current time.
func (SystemClock) Now() time.Time { return time.Now() }

// Sleep waits, or returns the context's error as soon as that ends.
func (SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// AfterFunc calls f after d, unless it is stopped before.
func (SystemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// crockford is the alphabet of ULIDs: digits and letters that are not mistaken
// for each other (github.com/ulid/spec).
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newRunID returns a ULID: 48 bits of milliseconds and 80 random ones, so that
// ids sort by time.
func newRunID(now time.Time) string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return runID(now, random)
}
