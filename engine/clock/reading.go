package clock

import "time"

// A Reading is what a clock shows at a moment, and how much time has passed on it until
// then.
//
// What a clock shows can be set, by a person or by the network: it may go back, and it may
// jump ahead. How much time passes cannot be set. So what is due follows from what the clock
// shows, and every wait, timeout and age within a process from what has passed.
//
// Package time mixes both: of two times of one process, Sub, Before and After compare what
// has passed, although each prints what the clock showed. So a clock that was set back is not
// noticed by comparing the results of Now. Compare readings.
type Reading struct {
	now    time.Time     // as the clock returned it
	passed time.Duration // of a Stopwatch
	exact  bool          // the clock is a Stopwatch
}

// A Stopwatch is a clock that measures the time that passes apart from what it shows.
// [System] needs no such method: its times have both.
type Stopwatch interface {
	Clock
	// Read returns what the clock shows, and how much time has passed on it, at one moment.
	Read() (shown time.Time, passed time.Duration)
}

// Read reads a clock.
func Read(c Clock) Reading {
	if watch, ok := c.(Stopwatch); ok {
		shown, passed := watch.Read()
		return Reading{shown.Round(0), passed, true}
	}
	return Reading{now: c.Now()}
}

// Time returns what the clock showed. Of the result, Sub, Before and After compare what
// clocks show.
func (r Reading) Time() time.Time { return r.now.Round(0) }

// Since returns how much time has passed since an earlier reading of the same clock, which is
// never negative, and by how much the clock was set in between: more than zero when it was
// set forward. A clock that only shows a time cannot be told apart when it is set forward
// from one on which time has passed.
func (r Reading) Since(earlier Reading) (passed, set time.Duration) {
	moved := r.Time().Sub(earlier.Time())
	passed = moved
	if r.exact && earlier.exact {
		passed = r.passed - earlier.passed
	} else if !r.exact && !earlier.exact {
		passed = r.now.Sub(earlier.now)
	}
	passed = max(passed, 0)
	return passed, moved - passed
}

// Unset returns what the clock would show if it had not been set since an earlier reading.
func (r Reading) Unset(earlier Reading) time.Time {
	passed, _ := r.Since(earlier)
	return earlier.Time().Add(passed)
}
