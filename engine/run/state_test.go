package run_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

var startOfTime = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

// plan builds a plan from steps.
func plan(outputs int, steps ...workflow.PlanStep) *workflow.Plan {
	return &workflow.Plan{
		Workflow: &workflow.Workflow{Name: "w", File: "w.yaml", Timeout: time.Hour}, Steps: steps,
		Outputs: make([]workflow.NamedTemplate, outputs),
	}
}

// step returns a step that needs and reads the steps with the indexes.
func step(id string, needs ...int) workflow.PlanStep {
	return workflow.PlanStep{ID: id, Needs: needs, Reads: needs}
}

// chain returns a plan of steps that each need the step before.
func chain(outputs int, ids ...string) *workflow.Plan {
	p := plan(outputs)
	for i, id := range ids {
		if i == 0 {
			p.Steps = append(p.Steps, step(id))
		} else {
			p.Steps = append(p.Steps, step(id, i-1))
		}
	}
	return p
}

func ok(outputs any) run.Outcome {
	return run.Outcome{Status: run.Success, Outputs: outputs}
}

func failed(kind action.Kind) run.Outcome {
	return run.Outcome{Status: run.Failed, Error: &run.Failure{Kind: kind, Message: "it broke"}}
}

// A fold applies the events of a run whose attempts end as a test says.
type fold struct {
	t        testing.TB
	state    *run.State
	events   []run.Event
	todo     []run.Attempt
	waits    []time.Duration // before retries, from the event that caused them
	finish   *run.Finish
	suspend  *run.Suspend
	cancels  []string
	outcomes map[string]run.Outcome // by step, step#item or step@attempt; success where there is none
	lists    map[string][]any       // of each for_each
}

func newFold(t testing.TB, p *workflow.Plan, outcomes map[string]run.Outcome) *fold {
	return &fold{t: t, state: run.New(p), outcomes: outcomes}
}

// apply applies an event that must be accepted, and keeps the commands.
func (f *fold) apply(e run.Event) {
	f.t.Helper()
	e.Sequence, e.Run = len(f.events)+1, "R"
	e.Time = startOfTime.Add(time.Duration(e.Sequence) * time.Second)
	commands, err := f.state.Apply(e)
	if err != nil {
		f.t.Fatalf("%s %s was refused: %v", e.Kind, e.Step, err)
	}
	f.events = append(f.events, e)
	f.take(commands)
}

func (f *fold) take(commands []run.Command) {
	for _, c := range commands {
		switch c := c.(type) {
		case run.StartAttempt:
			f.todo = append(f.todo, c.Attempt)
		case run.WaitAttempt:
			f.todo = append(f.todo, c.Attempt)
			f.waits = append(f.waits, c.Until.Sub(f.now()))
		case run.CancelAttempt:
			f.cancels = append(f.cancels, c.Step)
		case run.Finish:
			f.finish = &c
		case run.Suspend:
			f.suspend = &c
		}
	}
}

// now returns the time of the last event.
func (f *fold) now() time.Time { return startOfTime.Add(time.Duration(len(f.events)) * time.Second) }

func (f *fold) begin() {
	f.t.Helper()
	f.apply(run.Event{Kind: run.EventStarted, Started: &run.Start{Workflow: "w", Inputs: action.Object{"n": 1.0}}})
}

func (f *fold) startStep(id string) {
	f.t.Helper()
	f.apply(run.Event{Kind: run.EventAttemptStarted, Step: id, Attempt: 1})
}

func (f *fold) finishStep(id string, o run.Outcome) {
	f.t.Helper()
	f.apply(run.Event{Kind: run.EventAttemptFinished, Step: id, Attempt: 1, Outcome: &o})
}

// finishRun answers the Finish command.
func (f *fold) finishRun() {
	f.t.Helper()
	if f.finish == nil {
		f.t.Fatal("the run was not asked to finish")
	}
	f.apply(run.Event{Kind: run.EventFinished, Status: f.finish.Status, Outputs: f.finish.Outputs, Error: f.finish.Error})
}

// play plays the run until it has ended or is suspended.
func (f *fold) play() *run.Result {
	f.t.Helper()
	if len(f.events) == 0 {
		f.begin()
	}
	for len(f.todo) > 0 {
		next := f.todo[0]
		f.todo = f.todo[1:]
		f.make(next)
	}
	if f.suspend != nil {
		f.apply(run.Event{Kind: run.EventSuspended, Error: f.suspend.Error})
	} else {
		f.finishRun()
	}
	return f.state.Result()
}

// make plays an attempt, with the outcome that outcomes has for it.
func (f *fold) make(a run.Attempt) {
	f.t.Helper()
	e := run.Event{Kind: run.EventAttemptStarted, Step: a.Step, Item: a.Item, Attempt: a.Number}
	if !a.Replay {
		f.apply(e)
	}
	list, isList := f.lists[a.Step]
	outcome := ok(action.Object{"from": a.Step})
	known := false
	for _, name := range []string{a.Step, fmt.Sprintf("%s#%d", a.Step, a.Item), fmt.Sprintf("%s@%d", a.Step, a.Number)} {
		if outcomeOf, found := f.outcomes[name]; found && !(isList && a.Item == 0 && name == a.Step) {
			outcome, known = outcomeOf, true
		}
	}
	switch {
	case isList && a.Item == 0 && !known:
		e.Kind, e.Items = run.EventStepExpanded, list
	case outcome.Status == run.Suspended:
		e.Kind, e.Outcome = run.EventAttemptSuspended, &outcome
	default:
		e.Kind, e.Outcome = run.EventAttemptFinished, &outcome
	}
	f.apply(e)
}

// statuses returns "ID STATUS" of every step, with why it was skipped.
func statuses(r *run.Result) []string {
	var list []string
	for _, s := range r.Steps {
		text := s.ID + " " + string(s.Status)
		if s.SkippedBecause != "" {
			text += " by " + s.SkippedBecause
		}
		list = append(list, text)
	}
	return list
}

// A step runs after the steps that it needs, and is skipped after a failure.
func TestChain(t *testing.T) {
	lenient := chain(0, "a", "b", "c")
	lenient.Steps[0].ContinueOnError = true
	tests := map[string]struct {
		plan     *workflow.Plan
		outcomes map[string]run.Outcome
		status   run.Status
		steps    []string
		kind     action.Kind
	}{
		"success": {chain(0, "a", "b"), nil, run.Success, []string{"a success", "b success"}, ""},
		"a step that its condition skips counts as done": {
			chain(0, "a", "b"),
			map[string]run.Outcome{"a": {Status: run.Skipped}},
			run.Success,
			[]string{"a skipped by if", "b success"},
			"",
		},
		"every step after a failure is skipped": {
			chain(2, "a", "b", "c"),
			map[string]run.Outcome{"a": failed(action.NotFound)},
			run.Failed,
			[]string{"a failure", "b skipped by upstream", "c skipped by upstream"},
			action.NotFound,
		},
		"continue_on_error": {
			lenient,
			map[string]run.Outcome{"a": failed(action.NotFound)},
			run.Success,
			[]string{"a failure", "b success", "c success"},
			"",
		},
		"an unknown outcome needs attention": {
			chain(0, "a", "b"),
			map[string]run.Outcome{"a": failed(action.UnknownOutcome)},
			run.NeedsAttention,
			[]string{"a failure", "b skipped by upstream"},
			action.UnknownOutcome,
		},
		"outputs that fail": {
			chain(1, "a"),
			map[string]run.Outcome{run.OutputsStep: failed(action.Script)},
			run.Failed,
			[]string{"a success"},
			action.Script,
		},
		"no steps": {plan(0), nil, run.Success, nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := newFold(t, test.plan, test.outcomes).play()
			if got.Status != test.status {
				t.Errorf("got status %s, want %s", got.Status, test.status)
			}
			if diff := cmp.Diff(test.steps, statuses(got)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			var kind action.Kind
			if got.Error != nil {
				kind = got.Error.Kind
			}
			if kind != test.kind {
				t.Errorf("got an error of kind %q, want %q", kind, test.kind)
			}
		})
	}
}

// The outputs are evaluated after the steps, and are the outputs of the run.
func TestOutputs(t *testing.T) {
	p := chain(1, "a", "b")
	p.OutputReads = []int{1}
	f := newFold(t, p, map[string]run.Outcome{run.OutputsStep: ok(action.Object{"id": "P1"})})
	got := f.play()
	if diff := cmp.Diff(action.Object{"id": "P1"}, got.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if got.Duration != 7*time.Second { // eight events, a second apart
		t.Errorf("got a duration of %s, want 7s", got.Duration)
	}
}

// An attempt has the inputs, and the results of the steps that it reads and no others.
func TestAttemptHasWhatItReads(t *testing.T) {
	p := chain(0, "a", "b", "c")
	p.Steps[2].Reads = []int{0}
	f := newFold(t, p, nil)
	f.begin()
	for _, id := range []string{"a", "b"} {
		f.startStep(id)
		f.finishStep(id, ok(action.Object{"from": id}))
	}
	got := f.todo[len(f.todo)-1]
	if len(got.Steps) != 1 || !cmp.Equal(got.Steps["a"].Outputs, any(action.Object{"from": "a"})) {
		t.Errorf("got %v, want the outputs of a alone", got.Steps)
	}
	if got.Inputs["n"] != 1.0 || got.Run.ID != "R" || got.Number != 1 {
		t.Errorf("got %+v, want the inputs and the run", got)
	}
}

// diamond returns a plan with a before b and c, d after both, and e after b.
func diamond() *workflow.Plan {
	return plan(0, step("a"), step("b", 0), step("c", 0), step("d", 1, 2), step("e", 1))
}

// Branches run in parallel, and a step with two needs waits for both.
func TestDiamond(t *testing.T) {
	f := newFold(t, diamond(), nil)
	f.begin()
	f.startStep("a")
	f.todo = nil
	f.finishStep("a", ok(nil))
	if len(f.todo) != 2 {
		t.Fatalf("got %d steps after a, want b and c at once", len(f.todo))
	}
	f.startStep("b")
	f.startStep("c") // while b is running
	f.todo = nil
	f.finishStep("b", failed(action.Script))
	if len(f.todo) != 0 || f.finish != nil {
		t.Fatalf("got %v %v, want the run to wait for c", f.todo, f.finish)
	}
	f.finishStep("c", ok(nil))
	f.finishRun()
	want := []string{"a success", "b failure", "c success", "d skipped by upstream", "e skipped by upstream"}
	if diff := cmp.Diff(want, statuses(f.state.Result())); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if got := f.state.Result().Status; got != run.Failed {
		t.Errorf("got %s, want failure", got)
	}
}

// A branch that does not need the failed step runs to its end.
func TestFailureSkipsOnlyDependents(t *testing.T) {
	p := plan(0, step("bad"), step("after", 0), step("other"), step("last", 2))
	got := newFold(t, p, map[string]run.Outcome{"bad": failed(action.Script)}).play()
	want := []string{"bad failure", "after skipped by upstream", "other success", "last success"}
	if diff := cmp.Diff(want, statuses(got)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// An unknown outcome is the failure of the run, even if another branch failed before.
func TestUnknownOutcomeReplacesFailure(t *testing.T) {
	outcomes := map[string]run.Outcome{"a": failed(action.Script), "b": failed(action.UnknownOutcome), "c": failed(action.NotFound)}
	got := newFold(t, plan(0, step("a"), step("b"), step("c")), outcomes).play()
	if got.Status != run.NeedsAttention || got.Error.Kind != action.UnknownOutcome {
		t.Errorf("got %s, %v, want needs_attention because of b", got.Status, got.Error)
	}
}

// A run that is resumed after any prefix of its history comes to the same end.
func TestEveryPrefixLeadsToTheSameEnd(t *testing.T) {
	withOutputs := diamond()
	withOutputs.Outputs = make([]workflow.NamedTemplate, 1)
	outcomes := map[string]run.Outcome{run.OutputsStep: ok(action.Object{"x": true})}
	tests := map[string]struct {
		plan     *workflow.Plan
		outcomes map[string]run.Outcome
	}{
		"chain":          {chain(1, "a", "b", "c"), outcomes},
		"diamond":        {withOutputs, outcomes},
		"failed diamond": {diamond(), map[string]run.Outcome{"b": failed(action.Script)}},
		"skipped":        {diamond(), map[string]run.Outcome{"b": {Status: run.Skipped}}},
		"every part, failed": {allParts(), map[string]run.Outcome{
			"each#2": failed(action.Unavailable), "each@2": ok("late"), "main": failed(action.NotFound),
		}},
		"every part, succeeded": {allParts(), nil},
	}
	lists := map[string][]any{"each": {"x", "y", "z"}, "told": {1.0, 2.0}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			whole := newFold(t, test.plan, test.outcomes)
			whole.lists = lists
			want := whole.play()
			for n := range len(whole.events) + 1 {
				got := resumed(t, test.plan, test.outcomes, lists, whole.events[:n])
				if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(time.Time{}, time.Duration(0))); diff != "" {
					t.Fatalf("after %d events (-want +got):\n%s", n, diff)
				}
			}
		})
	}
}

// resumed resumes a run after some of its events, and plays it to its end.
func resumed(t *testing.T, p *workflow.Plan, outcomes map[string]run.Outcome, lists map[string][]any, events []run.Event) *run.Result {
	t.Helper()
	f := newFold(t, p, outcomes)
	f.lists = lists
	for _, e := range events {
		f.apply(e)
	}
	if len(events) > 0 && events[len(events)-1].Kind == run.EventFinished {
		if pending := f.state.Pending(); len(pending) > 0 {
			t.Fatalf("got %v pending after the end", pending)
		}
		return f.state.Result()
	}
	if f.todo, f.finish = nil, nil; len(events) > 0 {
		f.apply(run.Event{Kind: run.EventResumed})
	}
	return f.play()
}

func ids(attempts []run.Attempt) string {
	var list []string
	for _, a := range attempts {
		list = append(list, a.Step)
	}
	return fmt.Sprint(list)
}
