package engine_test

import (
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
)

// A run with a timeout of an hour waits 50 minutes for a slot, works for 5 minutes and
// crashes. After the resume it has 55 minutes left: the wait is in its history.
func TestWaitForSlotIsNotInTimeoutAfterResume(t *testing.T) {
	plan := chain(0, "a") // its timeout is an hour
	at := func(d time.Duration) time.Time { return startOfTime.Add(d) }
	history := []engine.Event{
		{Kind: engine.RunStarted, Time: at(0), Started: &engine.RunStart{}},
		{Kind: engine.AttemptStarted, Time: at(0), Step: "a", Attempt: 1},
		{Kind: engine.RunAdmitted, Time: at(50 * time.Minute)},
		{Kind: engine.Logged, Time: at(55 * time.Minute), Step: "a", Attempt: 1, Log: &action.LogRecord{}},
		{Kind: engine.RunResumed, Time: at(24 * time.Hour)},
	}
	state := engine.NewRun(plan)
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
