package run_test

import (
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// folded returns the state of a run of one step with a timeout of an hour after events.
func folded(t *testing.T, history []run.Event) *run.State {
	t.Helper()
	state := run.New(chain(0, "a"))
	for i, e := range history {
		e.Sequence, e.Run = i+1, "R1"
		if _, err := state.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	return state
}

// A history in which the clock goes back, as older programs recorded it, leaves a resumed
// run its timeout and no more.
func TestT7DeadlineAfterClockWentBack(t *testing.T) {
	at := func(d time.Duration) time.Time { return startOfTime.Add(d) }
	for back, want := range map[time.Duration]time.Duration{
		-2 * time.Hour: time.Hour, -365 * 24 * time.Hour: time.Hour, 0: time.Hour, 20 * time.Minute: 40 * time.Minute,
	} {
		state := folded(t, []run.Event{
			{Kind: run.EventStarted, Time: at(0), Started: &run.Start{}},
			{Kind: run.EventAttemptStarted, Time: at(back), Step: "a", Attempt: 1},
			{Kind: run.EventResumed, Time: at(24 * time.Hour)},
		})
		if got := state.Deadline().Sub(at(24 * time.Hour)); got != want {
			t.Errorf("back by %s: %s are left, want %s", back, got, want)
		}
	}
}

// A run with a timeout of an hour waits 50 minutes for a slot, runs for 5 minutes and
// crashes. After the resume it has 55 minutes left: the wait is in its history.
func TestWaitForSlotIsNotInTimeoutAfterResume(t *testing.T) {
	at := func(d time.Duration) time.Time { return startOfTime.Add(d) }
	state := folded(t, []run.Event{
		{Kind: run.EventStarted, Time: at(0), Started: &run.Start{}},
		{Kind: run.EventAttemptStarted, Time: at(0), Step: "a", Attempt: 1},
		{Kind: run.EventAdmitted, Time: at(50 * time.Minute)},
		{Kind: run.EventLogged, Time: at(55 * time.Minute), Step: "a", Attempt: 1, Log: &action.LogRecord{}},
		{Kind: run.EventResumed, Time: at(24 * time.Hour)},
	})
	if got, want := state.Deadline(), at(24*time.Hour+55*time.Minute); !got.Equal(want) {
		t.Errorf("the deadline is %s, want %s", got, want)
	}
}
