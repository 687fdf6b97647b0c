package run_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

var (
	fuzzKinds = []run.EventKind{
		run.EventAttemptStarted, run.EventAttemptFinished, run.EventStepExpanded, run.EventStarted, run.EventCancelled,
		run.EventTimedOut, run.EventFinished, run.EventCallStarted, run.EventAttemptSuspended, run.EventSuspended,
		run.EventResumed, run.EventRetried, run.EventCallDecided, run.EventQueued, run.EventSkipped, "run.strange",
	}
	fuzzSteps = []string{"each", "main", "last", "told", "page", "clean", "leave", run.OutputsStep, "z", ""}
)

// fuzzEvent makes an event from three bytes: the first has its kind, the second its step
// and item, the third its outcome and attempt.
func fuzzEvent(kind, step, end byte) run.Event {
	outcomes := []*run.Outcome{
		{Status: run.Success, Outputs: action.Object{}, Size: run.MaxOutputs / 3},
		{Status: run.Failed, Error: &run.Failure{Kind: action.Unavailable}},
		{Status: run.Failed, Error: &run.Failure{Kind: action.UnknownOutcome}},
		{Status: run.Suspended, Error: &run.Failure{Kind: action.UnknownOutcome, Call: 3}},
		{Status: run.Skipped},
		{Status: run.Failed},
		nil,
		{Status: "strange"},
	}
	e := run.Event{
		Kind: fuzzKinds[kind&15], Outcome: outcomes[end&7], Step: fuzzSteps[int(step)%len(fuzzSteps)], Item: int(step) / len(fuzzSteps) % 5,
		Attempt: int(end>>3&3) + 1, Run: "R",
	}
	if end&0x80 == 0 {
		e.Started = &run.Start{Workflow: "w"}
		e.Status = run.Success
		e.Items = []any{1.0, "two", nil}
	}
	return e
}

// playedScript returns the bytes from which fuzzEvent makes the events.
func playedScript(events []run.Event) []byte {
	var script []byte
	for _, e := range events {
		step := max(slices.Index(fuzzSteps, e.Step), 0) + e.Item*len(fuzzSteps)
		outcome := 0
		if e.Outcome != nil && e.Outcome.Status == run.Failed {
			outcome = 1
		}
		script = append(script, byte(slices.Index(fuzzKinds, e.Kind)), byte(step), byte(outcome|max(e.Attempt-1, 0)<<3))
	}
	return script
}

// FuzzApply applies events in any order. An event is refused and changes nothing, or it
// leads to a valid state. Apply never panics, and a run that has not ended always has
// something to do.
func FuzzApply(f *testing.F) {
	seed := func(outcomes map[string]run.Outcome) []byte {
		whole := newFold(f, allParts(), outcomes)
		whole.lists = map[string][]any{"each": {1.0, "two", nil}, "told": {1.0, "two", nil}}
		whole.play()
		return playedScript(whole.events)
	}
	f.Add(seed(nil))
	f.Add(seed(map[string]run.Outcome{"main": failed(action.NotFound)}))
	f.Add(seed(map[string]run.Outcome{"each#2": failed(action.Unavailable)}))
	f.Add([]byte{3, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0, 1, 6, 0, 0})
	f.Add([]byte{13, 0, 0, 10, 0, 0, 3, 0, 0, 0, 0, 0, 8, 0, 3, 9, 0, 0, 10, 0, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		state, sequence := run.New(allParts()), 0
		for i := 0; i+2 < len(script) && i < 600; i += 3 {
			e := fuzzEvent(script[i], script[i+1], script[i+2])
			e.Sequence, e.Time = sequence+1, startOfTime.Add(time.Duration(i)*time.Second)
			before, pending := state.Result(), state.Pending()
			_, err := state.Apply(e)
			if err != nil {
				if !cmp.Equal(before, state.Result()) || !cmp.Equal(pending, state.Pending(), cmpopts.EquateEmpty()) {
					t.Fatalf("the refused event %+v changed the run", e)
				}
				continue
			}
			sequence++
			checkState(t, state, e.Kind)
		}
	})
}

// checkState checks what must hold in every state.
func checkState(t *testing.T, state *run.State, last run.EventKind) {
	t.Helper()
	pending, result := state.Pending(), state.Result()
	ended := result.Status != "" && !result.Suspended
	if idle := ended || result.Suspended || len(pending) == 0; idle != (len(pending) == 0) {
		t.Fatalf("got %d commands pending, %s", len(pending), result.Status)
	}
	if len(pending) == 0 && !ended && !result.Suspended && last != run.EventQueued && last != run.EventResumed && !last.Record() {
		t.Fatalf("after %s the run has not ended and has nothing to do", last)
	}
	for _, s := range result.Steps {
		switch s.Status {
		case "", run.Success, run.Skipped:
		case run.Failed:
			if s.Error == nil {
				t.Fatalf("step %s failed without an error", s.ID)
			}
		default:
			t.Fatalf("step %s has the status %q", s.ID, s.Status)
		}
		if ended && s.Status == "" {
			t.Fatalf("the run has ended, and step %s has not", s.ID)
		}
	}
	for _, c := range pending {
		if finish, ok := c.(run.Finish); ok && (finish.Status == run.Success) == (finish.Error != nil) {
			t.Fatalf("got %+v, want an error unless it is a success", finish)
		}
	}
}
