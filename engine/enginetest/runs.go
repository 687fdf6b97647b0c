// Package enginetest holds every implementation of [engine.Runs] to its documentation.
//
// An implementation calls [TestRuns] in a test of its own, with a function that opens
// it over the workflows of the suite. The suite knows runs only through the interface.
package enginetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// Workflows are the workflows of the suite, by name. Their steps call the actions that
// [Actions] declares.
var Workflows = map[string]string{
	"good":  "steps: [{id: a, uses: suite.say, with: {text: one}}, {id: b, uses: suite.say, with: {text: two}}]\noutputs: {said: '${{ steps.b.outputs.text }}'}",
	"bad":   "steps: [{id: a, uses: suite.say, with: {text: one}}, {id: b, uses: suite.break, with: {text: x}}]",
	"long":  "steps: [{id: a, uses: suite.block, with: {text: x}}, {id: b, uses: suite.say, with: {text: two}}]\nfinally: [{id: c, uses: suite.say, with: {text: end}}]",
	"input": "inputs: {who: {type: string, required: true}}\nsteps: [{id: a, uses: suite.say, with: {text: '${{ inputs.who }}'}}]",
	"one":   "concurrency: {policy: queue}\nsteps: [{id: a, uses: suite.block, with: {text: x}}]",
}

// A Fixture is an implementation that is open for a test.
type Fixture struct {
	// As returns the runs as an actor sees them.
	As func(run.Actor) engine.Runs
	// Unblock lets the calls of suite.block end. Until then they wait.
	Unblock func()
	// Mend lets the calls of suite.break succeed from now on.
	Mend func()
	// Interrupt ends the process that executes the runs, as a crash does, and opens
	// another one over the same history.
	Interrupt func()
}

type textIn struct {
	Text string `json:"text" doc:"Some text."`
}

// Actions returns the actions of the suite. Unblock closes blocked, and mended reports
// whether Mend was called.
func Actions(blocked <-chan struct{}, mended func() bool) []*action.Action {
	say := func(name string, do func(context.Context) error) *action.Action {
		return action.New(action.Spec{Name: name, Summary: "It returns its text.", Effect: action.Reads}, func(ctx context.Context, in textIn) (textIn, error) {
			return in, do(ctx)
		})
	}
	return []*action.Action{
		say("suite.say", func(context.Context) error { return nil }),
		say("suite.block", func(ctx context.Context) error {
			select {
			case <-blocked:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}),
		say("suite.break", func(context.Context) error {
			if mended() {
				return nil
			}
			return action.Errorf(action.NotFound, "it is broken")
		}),
	}
}

var ctx = context.Background()

// TestRuns tests an implementation of [engine.Runs]. open returns it over [Workflows]
// and with an empty history.
func TestRuns(t *testing.T, open func(t *testing.T) Fixture) {
	for _, test := range []struct {
		name string
		test func(*testing.T, Fixture)
	}{
		{"StartedRunEnds", testEnds},
		{"InputIsChecked", testInput},
		{"EventsAfter", testEvents},
		{"ListSelects", testList},
		{"UnknownRun", testUnknown},
		{"CancelRunsFinally", testCancel},
		{"RetryRunsFailedSteps", testRetry},
		{"ResumeContinuesInterrupted", testResume},
		{"QueuedRunWaits", testQueue},
		{"ActorIsRecorded", testActor},
		{"RefusedRequestChangesNothing", testRefused},
	} {
		t.Run(test.name, func(t *testing.T) { test.test(t, open(t)) })
	}
}

var ann = run.Actor{Kind: run.ActorUser, Name: "ann@host"}

func start(t *testing.T, runs engine.Runs, workflow string, inputs action.Object) string {
	t.Helper()
	id, err := runs.Start(ctx, engine.StartRequest{Workflow: workflow, Inputs: inputs})
	if err != nil {
		t.Fatalf("start of %s: %v", workflow, err)
	}
	return id
}

func ends(t *testing.T, runs engine.Runs, id string, want run.Status) *run.Result {
	t.Helper()
	result, err := runs.Wait(ctx, id)
	if err != nil {
		t.Fatalf("wait for %s: %v", id, err)
	}
	if result.Status != want {
		t.Fatalf("%s ended as %s (%v), want %s", id, result.Status, result.Error, want)
	}
	return result
}

func kinds(t *testing.T, runs engine.Runs, id string) []run.EventKind {
	t.Helper()
	events, err := runs.Events(ctx, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []run.EventKind
	for _, e := range events {
		list = append(list, e.Kind)
	}
	return list
}

func testEnds(t *testing.T, f Fixture) {
	runs := f.As(ann)
	id := start(t, runs, "good", nil)
	result := ends(t, runs, id, run.Success)
	if diff := cmp.Diff(action.Object{"said": "two"}, result.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	view, err := runs.Get(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if view.Run != id || view.Workflow != "good" || view.Status != run.Success || view.EndedAt.IsZero() || len(view.Result.Steps) != 2 {
		t.Errorf("got %+v, want the ended run", view)
	}
}

func testInput(t *testing.T, f Fixture) {
	runs := f.As(ann)
	_, err := runs.Start(ctx, engine.StartRequest{Workflow: "input"})
	if !engine.IsInputError(err) {
		t.Errorf("got %v, want an input error", err)
	}
	if list, err := runs.List(ctx, journal.Query{}); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v, want no run", list, err)
	}
	ends(t, runs, start(t, runs, "input", action.Object{"who": "Ann"}), run.Success)
}

func testEvents(t *testing.T, f Fixture) {
	runs := f.As(ann)
	id := start(t, runs, "good", nil)
	ends(t, runs, id, run.Success)
	all, err := runs.Events(ctx, id, 0)
	if err != nil || len(all) < 4 || all[0].Kind != run.EventStarted || all[len(all)-1].Kind != run.EventFinished {
		t.Fatalf("got %d events, %v", len(all), err)
	}
	for n := range len(all) + 2 {
		got, err := runs.Events(ctx, id, n)
		if err != nil {
			t.Fatal(err)
		}
		if want := all[min(n, len(all)):]; len(got) != len(want) || len(want) > 0 && got[0].Sequence != n+1 {
			t.Errorf("after %d: got %d events, want %d", n, len(got), len(want))
		}
	}
}

func testList(t *testing.T, f Fixture) {
	runs := f.As(ann)
	good, bad := start(t, runs, "good", nil), ""
	ends(t, runs, good, run.Success)
	bad = start(t, runs, "bad", nil)
	ends(t, runs, bad, run.Failed)
	for name, test := range map[string]struct {
		query journal.Query
		want  []string
	}{
		"all, the newest first": {journal.Query{}, []string{bad, good}},
		"a workflow":            {journal.Query{Workflow: "good"}, []string{good}},
		"a status":              {journal.Query{Statuses: []run.Status{run.Failed}}, []string{bad}},
		"a limit":               {journal.Query{Limit: 1}, []string{bad}},
		"an id":                 {journal.Query{Run: good}, []string{good}},
	} {
		list, err := runs.List(ctx, test.query)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, s.Run)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func testUnknown(t *testing.T, f Fixture) {
	runs := f.As(ann)
	_, errGet := runs.Get(ctx, "R9")
	_, errEvents := runs.Events(ctx, "R9", 0)
	_, errWait := runs.Wait(ctx, "R9")
	for name, err := range map[string]error{
		"get": errGet, "events": errEvents, "wait": errWait, "cancel": runs.Cancel(ctx, "R9", nil),
		"decide": runs.Decide(ctx, "R9"), "resume": runs.Resume(ctx, "R9", engine.ContinueRequest{}), "retry": runs.Retry(ctx, "R9", engine.ContinueRequest{}),
	} {
		if !errors.Is(err, journal.ErrNoRun) {
			t.Errorf("%s: got %v, want %v", name, err, journal.ErrNoRun)
		}
	}
}

func testCancel(t *testing.T, f Fixture) {
	runs := f.As(ann)
	id := start(t, runs, "long", nil)
	if err := runs.Cancel(ctx, id, nil); err != nil {
		t.Fatal(err)
	}
	result := ends(t, runs, id, run.Cancelled)
	if got := result.Steps[len(result.Steps)-1]; got.ID != "c" || got.Status != run.Success {
		t.Errorf("got %+v, want finally done", got)
	}
	if err := runs.Cancel(ctx, id, nil); !engine.IsInputError(err) {
		t.Errorf("cancel of an ended run: got %v, want an input error", err)
	}
}

func testRetry(t *testing.T, f Fixture) {
	runs := f.As(ann)
	id := start(t, runs, "bad", nil)
	ends(t, runs, id, run.Failed)
	f.Mend()
	if err := runs.Retry(ctx, id, engine.ContinueRequest{}); err != nil {
		t.Fatal(err)
	}
	result := ends(t, runs, id, run.Success)
	if result.Steps[0].Attempts != 1 || result.Steps[1].Attempts != 2 {
		t.Errorf("got %d and %d attempts, want only the failed step again", result.Steps[0].Attempts, result.Steps[1].Attempts)
	}
}

func testResume(t *testing.T, f Fixture) {
	id := start(t, f.As(ann), "long", nil)
	f.Interrupt()
	runs := f.As(ann)
	view, err := runs.Get(ctx, id)
	if err != nil || view.Status != run.Interrupted || view.Live {
		t.Fatalf("got %+v, %v, want an interrupted run", view, err)
	}
	f.Unblock()
	if err := runs.Resume(ctx, id, engine.ContinueRequest{}); err != nil {
		t.Fatal(err)
	}
	ends(t, runs, id, run.Success)
	if err := runs.Resume(ctx, id, engine.ContinueRequest{}); !engine.IsInputError(err) {
		t.Errorf("resume of an ended run: got %v, want an input error", err)
	}
}

func testQueue(t *testing.T, f Fixture) {
	runs := f.As(ann)
	first := start(t, runs, "one", nil)
	second := start(t, runs, "one", nil)
	if got := kinds(t, runs, second); !slices.Equal(got, []run.EventKind{run.EventQueued}) {
		t.Errorf("got %v, want the second run queued", got)
	}
	f.Unblock()
	ends(t, runs, first, run.Success)
	ends(t, runs, second, run.Success)
}

func testActor(t *testing.T, f Fixture) {
	bob := run.Actor{Kind: run.ActorToken, Name: "bob"}
	id := start(t, f.As(ann), "bad", nil)
	ends(t, f.As(ann), id, run.Failed)
	f.Mend()
	if err := f.As(bob).Retry(ctx, id, engine.ContinueRequest{}); err != nil {
		t.Fatal(err)
	}
	ends(t, f.As(ann), id, run.Success)
	long := start(t, f.As(ann), "long", nil)
	if err := f.As(bob).Cancel(ctx, long, nil); err != nil {
		t.Fatal(err)
	}
	ends(t, f.As(ann), long, run.Cancelled)
	interrupted := start(t, f.As(ann), "long", nil)
	f.Interrupt()
	if err := f.As(bob).Cancel(ctx, interrupted, nil); err != nil {
		t.Fatal(err)
	}
	ends(t, f.As(ann), interrupted, run.Cancelled)
	for _, want := range []struct {
		run   string
		kind  run.EventKind
		actor run.Actor
	}{
		{id, run.EventStarted, ann},
		{id, run.EventRetried, bob},
		{long, run.EventStarted, ann},
		{long, run.EventCancelled, bob},
		{interrupted, run.EventStarted, ann},
		{interrupted, run.EventResumed, bob},
		{interrupted, run.EventCancelled, bob},
	} {
		events, err := f.As(ann).Events(ctx, want.run, 0)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(events, func(e run.Event) bool { return e.Kind == want.kind })
		if i < 0 || events[i].Actor == nil || *events[i].Actor != want.actor {
			t.Errorf("%s: want the actor %s, got %+v", want.kind, want.actor, events[max(i, 0)].Actor)
		}
	}
}

func testRefused(t *testing.T, f Fixture) {
	runs := f.As(ann)
	id := start(t, runs, "good", nil)
	ends(t, runs, id, run.Success)
	before := kinds(t, runs, id)
	for name, err := range map[string]error{
		"decide": runs.Decide(ctx, id, run.Decision{Reason: run.Approval, Approved: true}),
		"resume": runs.Resume(ctx, id, engine.ContinueRequest{}), "retry": runs.Retry(ctx, id, engine.ContinueRequest{}), "cancel": runs.Cancel(ctx, id, nil),
	} {
		if !engine.IsInputError(err) {
			t.Errorf("%s: got %v, want an input error", name, err)
		}
	}
	if after := kinds(t, runs, id); !slices.Equal(before, after) {
		t.Errorf("got the events %v after it, want %v", after, before)
	}
}
