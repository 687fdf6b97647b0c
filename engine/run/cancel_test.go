package run_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A run that is cancelled or timed out starts nothing more, cancels the attempts that
// are running, waits for them, and then ends.
func TestCancelledRunEndsAfterItsAttempts(t *testing.T) {
	tests := map[run.EventKind]struct {
		status run.Status
		kind   action.Kind
	}{
		run.EventCancelled: {run.Cancelled, action.Cancelled},
		run.EventTimedOut:  {run.TimedOut, action.Timeout},
	}
	for event, test := range tests {
		t.Run(string(event), func(t *testing.T) {
			f := newFold(t, diamond(), nil)
			f.begin()
			f.startStep("a")
			f.finishStep("a", ok(nil))
			f.startStep("b")
			f.todo = nil
			f.apply(run.Event{Kind: event})
			if got := strings.Join(f.cancels, " "); got != "b c" {
				t.Errorf("got %q cancelled, want b, which runs, and c, which is about to start", got)
			}
			f.finishStep("b", failed(action.Cancelled))
			if f.finish != nil {
				t.Fatal("the run ended before c did")
			}
			f.startStep("c")
			f.finishStep("c", ok(nil))
			if len(f.todo) > 0 {
				t.Errorf("got %s started after %s", ids(f.todo), event)
			}
			f.finishRun()
			got := f.state.Result()
			if got.Status != test.status || got.Error.Kind != test.kind {
				t.Errorf("got %s, %v, want %s", got.Status, got.Error, test.status)
			}
			want := []string{"a success", "b failure", "c success", "d skipped by upstream", "e skipped by upstream"}
			if diff := cmp.Diff(want, statuses(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

// A run that is cancelled while its outputs are evaluated ends as cancelled.
func TestCancelDuringOutputs(t *testing.T) {
	f := newFold(t, chain(1, "a"), nil)
	f.begin()
	f.startStep("a")
	f.todo = nil
	f.finishStep("a", ok(nil))
	f.apply(run.Event{Kind: run.EventCancelled})
	if got := strings.Join(f.cancels, " "); got != run.OutputsStep {
		t.Errorf("got %q cancelled, want the outputs", got)
	}
	f.startStep(run.OutputsStep)
	f.finishStep(run.OutputsStep, ok(action.Object{}))
	f.finishRun()
	if got := f.state.Result().Status; got != run.Cancelled {
		t.Errorf("got %s, want cancelled", got)
	}
}

// A cancelled run with a call whose outcome is unknown ends as needs_attention.
func TestUnknownOutcomeOfCancelledRun(t *testing.T) {
	f := newFold(t, chain(0, "a", "b"), nil)
	f.begin()
	f.startStep("a")
	f.apply(run.Event{Kind: run.EventCancelled})
	f.finishStep("a", failed(action.UnknownOutcome))
	f.finishRun()
	if got := f.state.Result().Status; got != run.NeedsAttention {
		t.Errorf("got %s, want needs_attention", got)
	}
}

// When a cancelled run is resumed, its attempts are cancelled again.
func TestPendingOfCancelledRun(t *testing.T) {
	f := newFold(t, chain(0, "a", "b"), nil)
	f.begin()
	f.startStep("a")
	f.apply(run.Event{Kind: run.EventCancelled})
	f.todo, f.cancels = nil, nil
	f.take(f.state.Pending())
	if ids(f.todo) != "[a]" || strings.Join(f.cancels, " ") != "a" {
		t.Errorf("got %s to start and %v to cancel, want a in both", ids(f.todo), f.cancels)
	}
}

// An event that cannot come now is an error that says why, and changes nothing.
func TestApplyRefusesEvents(t *testing.T) {
	start := run.Event{Kind: run.EventStarted, Run: "R", Started: &run.Start{}}
	outcome := ok(nil)
	noError := run.Outcome{Status: run.Failed}
	strange := run.Outcome{Status: run.Cancelled}
	const before, running, after = 0, 2, 5 // numbers of events
	tests := map[string]struct {
		at    int // the number of events before it
		event run.Event
		want  string
	}{
		"a first event that is not a start":    {before, run.Event{Kind: run.EventAttemptStarted, Step: "a", Attempt: 1}, "the first event of a run must be run.started"},
		"a start without Started":              {before, run.Event{Kind: run.EventStarted, Run: "R"}, "the first event of a run must be run.started"},
		"an event that came twice":             {running, run.Event{Sequence: 2, Kind: run.EventLogged, Run: "R"}, "came twice"},
		"an event after a missing one":         {running, run.Event{Sequence: 4, Kind: run.EventLogged, Run: "R"}, "one is missing"},
		"a second start":                       {running, start, "started already"},
		"an event of another run":              {running, run.Event{Kind: run.EventLogged, Run: "other"}, `is of run "other"`},
		"an unknown kind":                      {running, run.Event{Kind: "run.paused", Run: "R"}, `"run.paused" is not a kind of event`},
		"an unknown step":                      {running, run.Event{Kind: run.EventAttemptStarted, Step: "z", Attempt: 1, Run: "R"}, `no step "z"`},
		"a step that is not ready":             {running, run.Event{Kind: run.EventAttemptStarted, Step: "b", Attempt: 1, Run: "R"}, "cannot start now"},
		"a step that is running":               {running, run.Event{Kind: run.EventAttemptStarted, Step: "a", Attempt: 1, Run: "R"}, "cannot start now"},
		"the end of a step that did not start": {running, run.Event{Kind: run.EventAttemptFinished, Step: "b", Attempt: 1, Run: "R", Outcome: &outcome}, "is not running"},
		"the end of another attempt":           {running, run.Event{Kind: run.EventAttemptFinished, Step: "a", Attempt: 2, Run: "R", Outcome: &outcome}, "attempt 2 of step \"a\" is not running"},
		"an end without an outcome":            {running, run.Event{Kind: run.EventAttemptFinished, Step: "a", Attempt: 1, Run: "R"}, "no outcome"},
		"a failure without an error":           {running, run.Event{Kind: run.EventAttemptFinished, Step: "a", Attempt: 1, Run: "R", Outcome: &noError}, `"failure"`},
		"an outcome that attempts cannot have": {running, run.Event{Kind: run.EventAttemptFinished, Step: "a", Attempt: 1, Run: "R", Outcome: &strange}, `"cancelled"`},
		"outputs before the steps are done":    {running, run.Event{Kind: run.EventAttemptStarted, Step: run.OutputsStep, Attempt: 1, Run: "R"}, "the outputs cannot start now"},
		"outputs that did not start":           {running, run.Event{Kind: run.EventAttemptFinished, Step: run.OutputsStep, Attempt: 1, Run: "R", Outcome: &outcome}, "attempt 1 of the outputs is not running"},
		"an end while a step runs":             {running, run.Event{Kind: run.EventFinished, Status: run.Success, Run: "R"}, "cannot end now"},
		"anything after the end":               {after, run.Event{Kind: run.EventLogged, Run: "R"}, "the run has ended"},
		"a cancellation after the end":         {after, run.Event{Kind: run.EventCancelled, Run: "R"}, "the run has ended"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			whole := newFold(t, chain(0, "a", "b"), map[string]run.Outcome{"a": failed(action.Script)})
			whole.play() // started, a started, a finished, finished
			state := run.New(chain(0, "a", "b"))
			for _, e := range whole.events[:min(test.at, len(whole.events))] {
				if _, err := state.Apply(e); err != nil {
					t.Fatal(err)
				}
			}
			if test.event.Sequence == 0 {
				test.event.Sequence = min(test.at, len(whole.events)) + 1
			}
			mustRefuse(t, state, test.event, test.want)
		})
	}
}

// mustRefuse applies an event that must be refused with a message, and checks that the
// run is the same as before.
func mustRefuse(t *testing.T, state *run.State, e run.Event, want string) {
	t.Helper()
	result, pending := state.Result(), state.Pending()
	commands, err := state.Apply(e)
	if err == nil || !strings.Contains(err.Error(), want) || commands != nil {
		t.Errorf("got %v, %v, want an error with %q and no commands", commands, err, want)
	}
	if diff := cmp.Diff(result, state.Result()); diff != "" {
		t.Errorf("a refused event changed the run:\n%s", diff)
	}
	if diff := cmp.Diff(pending, state.Pending(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("a refused event changed what is pending:\n%s", diff)
	}
}
