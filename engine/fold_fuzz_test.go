package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
)

// fuzzEvent makes an event of two bytes: its kind and outcome, and its step.
func fuzzEvent(kind, step byte) engine.Event {
	kinds := []engine.EventKind{
		engine.AttemptStarted, engine.AttemptFinished, engine.RunStarted, engine.RunCancelled,
		engine.RunTimedOut, engine.RunFinished, engine.CallStarted, "run.strange",
	}
	steps := []string{"a", "b", "c", "d", "e", engine.OutputsStep, "z", ""}
	outcomes := []*engine.Outcome{
		nil,
		{Status: engine.Success, Outputs: action.Object{}},
		{Status: engine.Skipped},
		{Status: engine.Failed},
		{Status: engine.Failed, Error: &engine.Failure{Kind: action.Script}},
		{Status: engine.Failed, Error: &engine.Failure{Kind: action.UnknownOutcome}},
		{Status: engine.Success, Outputs: "text"},
		{Status: "strange"},
	}
	e := engine.Event{Kind: kinds[kind&7], Outcome: outcomes[kind>>3&7], Step: steps[step&7], Attempt: int(step>>3&1) + 1, Run: "R"}
	if e.Kind == engine.RunStarted && step&0x80 == 0 {
		e.Started = &engine.RunStart{Workflow: "w"}
	}
	if e.Kind == engine.RunFinished && step&0x80 == 0 {
		e.Status = engine.Success
	}
	return e
}

// FuzzApply applies events in any order. Each is refused, and then changes
// nothing, or leads to a state that makes sense: it never panics, and a run is
// never left with nothing to do.
func FuzzApply(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 9, 0, 0, 1, 9, 1, 0, 2, 9, 2, 0, 3, 33, 3, 0, 4, 9, 4, 0, 5, 9, 5, 5, 0})
	f.Add([]byte{2, 0, 0, 0, 3, 0, 33, 0, 5, 0})
	f.Add([]byte{2, 0, 0, 0, 4, 0, 41, 0, 5, 0, 0, 1})
	f.Add([]byte{0, 0, 2, 128, 2, 0, 25, 0, 0, 0, 25, 0, 57, 0, 9, 8, 17, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		p := diamond()
		p.Outputs = chain(1).Outputs
		run, sequence := engine.NewRun(p), 0
		ended := false
		for i := 0; i+1 < len(script) && i < 200; i += 2 {
			e := fuzzEvent(script[i], script[i+1])
			e.Sequence = sequence + 1
			before, pending := run.Result(), run.Pending()
			_, err := run.Apply(e)
			if err != nil {
				if !cmp.Equal(before, run.Result()) || !cmp.Equal(pending, run.Pending(), cmpopts.EquateEmpty()) {
					t.Fatalf("the refused event %+v changed the run", e)
				}
				continue
			}
			if ended {
				t.Fatalf("%+v was taken after the end", e)
			}
			sequence++
			ended = e.Kind == engine.RunFinished
			checkState(t, run, ended)
		}
	})
}

// checkState holds a run against what every state must fulfil.
func checkState(t *testing.T, run *engine.Run, ended bool) {
	t.Helper()
	pending, result := run.Pending(), run.Result()
	if ended != (len(pending) == 0) {
		t.Fatalf("got %d commands pending, the run has ended: %v", len(pending), ended)
	}
	for _, s := range result.Steps {
		switch s.Status {
		case "", engine.Success, engine.Skipped:
		case engine.Failed:
			if s.Error == nil {
				t.Fatalf("the step %s failed without an error", s.ID)
			}
		default:
			t.Fatalf("the step %s has the status %q", s.ID, s.Status)
		}
		if ended && s.Status == "" {
			t.Fatalf("the run has ended, and the step %s has not", s.ID)
		}
	}
	for _, c := range pending {
		if finish, ok := c.(engine.Finish); ok && (finish.Status == engine.Success) == (finish.Error != nil) {
			t.Fatalf("got %+v, want an error unless it is a success", finish)
		}
	}
}
