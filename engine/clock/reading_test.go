package clock_test

import (
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/clock"
)

// A wallClock shows a time, and nothing else.
type wallClock struct {
	clock.System
	now time.Time
}

func (c *wallClock) Now() time.Time { return c.now }

// TestReading: what has passed and by how much a clock was set are told apart, on every kind
// of clock as far as it can tell.
func TestReading(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct{ advance, set time.Duration }{
		{time.Hour, 0},
		{0, 2 * time.Hour},
		{time.Minute, -2 * time.Hour},
		{time.Minute, 365 * 24 * time.Hour},
		{0, -365 * 24 * time.Hour},
	} {
		virtual := clock.NewVirtual(start)
		before := clock.Read(virtual)
		virtual.Advance(test.advance)
		virtual.Set(test.set)
		after := clock.Read(virtual)
		if passed, set := after.Since(before); passed != test.advance || set != test.set {
			t.Errorf("%+v: got passed %s and set %s", test, passed, set)
		}
		if got := after.Time(); !got.Equal(start.Add(test.advance + test.set)) {
			t.Errorf("%+v: it shows %s", test, got)
		}
		if got := after.Unset(before); !got.Equal(start.Add(test.advance)) {
			t.Errorf("%+v: unset it shows %s", test, got)
		}
	}

	wall := &wallClock{now: start}
	before := clock.Read(wall)
	wall.now = start.Add(time.Hour)
	if passed, set := clock.Read(wall).Since(before); passed != time.Hour || set != 0 {
		t.Errorf("a clock that only shows: got %s, %s", passed, set)
	}
	wall.now = start.Add(-time.Hour)
	if passed, set := clock.Read(wall).Since(before); passed != 0 || set != -time.Hour {
		t.Errorf("a clock that only shows, set back: got %s, %s", passed, set)
	}

	first := clock.Read(clock.System{})
	if passed, set := clock.Read(clock.System{}).Since(first); passed < 0 || set.Abs() > time.Minute {
		t.Errorf("the clock of the machine: got %s, %s", passed, set)
	}
	if first.Time() != first.Time().Round(0) {
		t.Error("the time of a reading compares more than what the clock shows")
	}
}

// TestVirtualSet: a timer waits for time to pass, whatever the clock shows.
func TestVirtualSet(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := clock.NewVirtual(start)
	c.Begin()
	fired := make(chan time.Time, 1)
	c.AfterFunc(time.Minute, func() { fired <- c.Now() })
	c.Set(-2 * time.Hour)
	c.End(1)
	if got, want := <-fired, start.Add(-2*time.Hour+time.Minute); !got.Equal(want) {
		t.Errorf("fired at %s, want %s", got, want)
	}
}
