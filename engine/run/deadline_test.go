package run_test

import (
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A run with a timeout of an hour waits 50 minutes for a slot, runs for 5 minutes and
// crashes. After the resume it has 55 minutes left: the wait is in its history.
func TestWaitForSlotIsNotInTimeoutAfterResume(t *testing.T) {
	plan := chain(0, "a") // its timeout is an hour
	at := func(d time.Duration) time.Time { return startOfTime.Add(d) }
	history := []run.Event{
		{Kind: run.EventStarted, Time: at(0), Started: &run.Start{}},
		{Kind: run.EventAttemptStarted, Time: at(0), Step: "a", Attempt: 1},
		{Kind: run.EventAdmitted, Time: at(50 * time.Minute)},
		{Kind: run.EventLogged, Time: at(55 * time.Minute), Step: "a", Attempt: 1, Log: &action.LogRecord{}},
		{Kind: run.EventResumed, Time: at(24 * time.Hour)},
	}
	state := run.New(plan)
	for i, e := range history {
		e.Sequence, e.Run = i+1, "R1"
		if _, err := state.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := state.Deadline(), at(24*time.Hour+55*time.Minute); !got.Equal(want) {
		t.Errorf("the deadline is %s, want %s", got, want)
	}
}
