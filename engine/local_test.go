package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// Later steps and the outputs of the workflow read the outputs of a step.
func TestOutputs(t *testing.T) {
	got := newHarness().runWith(t, context.Background(), `
inputs: {who: {type: string, required: true}}
steps:
- id: greet
  lua: |
    return {text = "hello " .. inputs.who, tags = {"a", "b"}}
- id: skipped
  if: inputs.who == "nobody"
  lua: |
    return {id = 1}
- id: count
  if: steps.greet.status == "success" and steps.skipped.status == "skipped"
  lua: |
    return #steps.greet.outputs.tags
outputs:
  text: ${{ steps.greet.outputs.text }}
  count: ${{ steps.count.outputs }}
  said: "${{ steps.count.outputs }} tags for ${{ inputs.who }}"
  none: ${{ steps.skipped.outputs.id }}
  why: ${{ steps.skipped.skipped_because }}
  run: ${{ {id = run.id, by = run.trigger.kind, at = run.started_at, workflow = run.workflow} }}
`, action.Object{"who": "Ann"})
	wantSuccess(t, got)
	want := action.Object{
		"text": "hello Ann", "count": 2.0, "said": "2 tags for Ann", "none": nil, "why": "if",
		"run": action.Object{"id": "R1", "by": "manual", "at": "2026-01-31T09:00:00Z", "workflow": "w"},
	}
	if diff := cmp.Diff(want, got.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// A step after a failed step with continue_on_error reads its error.
func TestStepReadsError(t *testing.T) {
	h := newHarness(act("demo.find", action.Reads, func(context.Context, textIn) error {
		return &action.Error{Kind: action.NotFound, Message: "nobody", Status: 404, Code: 2100}
	}))
	got := h.run(t, `
steps:
- id: find
  continue_on_error: true
  uses: demo.find
- id: tell
  lua: |
    local e = steps.find.error
    return {steps.find.status, e.kind, e.message, e.status, e.code, e.action, e.retryable}
`)
	wantSuccess(t, got)
	want := any([]any{"failure", "not_found", "nobody", 404.0, 2100.0, "demo.find", false})
	if diff := cmp.Diff(want, got.Steps[1].Outputs); diff != "" {
		t.Errorf("the error that the step reads (-want +got):\n%s", diff)
	}
}

// A failure has the file and the line of the script or of the value that caused it, and the
// path of a wrong value in the outputs.
func TestFailuresHaveTheirPlace(t *testing.T) {
	tests := map[string]struct {
		source  string
		line    int
		kind    action.Kind
		message string
	}{
		"a runtime error": {
			"steps:\n- id: s\n  lua: |\n    local x = nil\n\n    return x.y\n",
			6, action.Script, "attempt to index a non-table object(nil) with key 'y'",
		},
		"error with a text": {"steps:\n- lua: |\n    -- a\n    error('no such team')\n", 4, action.Script, "no such team"},
		"error with a kind": {
			"steps:\n- lua: |\n    -- a\n    error{kind = 'not_found', message = 'no such team'}\n", 4, action.NotFound, "no such team",
		},
		"a condition": {"steps:\n- id: s\n  if: inputs.a.b.c\n  lua: |\n    return 1\n", 3, action.Script, "attempt to index a non-table object(nil) with key 'c'"},
		"an output that is not data": {
			"steps:\n- id: s\n  lua: |\n    return {rows = {1, 2, {cb = print}}}\n", 2, action.InvalidInput, "outputs.rows[3].cb is a function, which is not data",
		},
		"outputs that are too large": {
			"steps:\n- id: s\n  lua: |\n    return {text = string.rep('x', 300000)}\n", 2, action.Limit, "the outputs have 300012 bytes, more than their limit of 256KB",
		},
		"two values": {"steps:\n- id: s\n  lua: |\n    return 1, 2\n", 2, action.InvalidInput, "the script returned 2 values; return one table"},
		"an output": {
			"steps:\n- id: s\n  lua: |\n    return {1}\noutputs:\n  ids: \"all: ${{ steps.s.outputs }}\"\n",
			6, action.InvalidInput, `the output "ids": a list cannot be joined with text; use table.concat(...) to say how`,
		},
		"an endless loop": {
			"limits: {instructions: 1000}\nsteps:\n- lua: |\n    local n = 0\n    while true do n = n + 1 end\n", 5, action.Limit,
			"the script was stopped after 1000 instructions, its limit",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			source := "inputs: {a: {type: object}}\n" + test.source
			got := newHarness().runWith(t, context.Background(), source, action.Object{"a": action.Object{}})
			wantFailure(t, got, run.Failed, test.kind)
			if got.Error.Message != test.message || got.Error.File != "w.yaml" || got.Error.Line != test.line+1 {
				t.Errorf("got %s:%d: %s\nwant w.yaml:%d: %s", got.Error.File, got.Error.Line, got.Error.Message, test.line+1, test.message)
			}
		})
	}
}

// A run with wrong inputs does not start.
func TestWrongInputs(t *testing.T) {
	h := newHarness()
	local, plan := h.compile(t, "inputs: {email: {type: string, format: email, required: true}}\nsteps:\n- lua: |\n    return 1\n")
	_, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"emial": "x"}})
	if !engine.IsInputError(err) || len(h.events) > 0 {
		t.Fatalf("got %v after %d events, want an input error and no events", err, len(h.events))
	}
	for _, want := range []string{`required input "email" is missing`, `unknown input "emial"`, `did you mean "email"?`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to say %q", err, want)
		}
	}
}

// Observers get all events, in order and with their times.
func TestEvents(t *testing.T) {
	var h *harness
	h = newHarness(act("demo.wait", action.Reads, func(ctx context.Context, _ textIn) error {
		action.ScopeOf(ctx).Log(action.LogRecord{Level: "info", Message: "waiting"})
		h.clock.advance(time.Second)
		return nil
	}))
	wantSuccess(t, h.run(t, "steps:\n- id: s\n  uses: demo.wait\n  with: {text: a}\n"))
	var got []string
	for i, e := range h.events {
		if e.Sequence != i+1 || e.Run != "R1" {
			t.Errorf("got event %d of %q, want %d of R1", e.Sequence, e.Run, i+1)
		}
		got = append(got, fmt.Sprint(e.Kind, " ", e.Time.Sub(startTime)))
	}
	want := []string{
		"run.started 0s", "attempt.started 0s", "call.started 0s", "log 0s", "call.returned 1s", "attempt.finished 1s", "run.finished 1s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// The events of a run, applied to a new state, lead to the same result.
func TestEventsLeadToTheResult(t *testing.T) {
	h := newHarness(act("demo.find", action.Reads, func(context.Context, textIn) error { return action.Errorf(action.NotFound, "nobody") }))
	local, plan := h.compile(t, "steps:\n- id: a\n  lua: |\n    return {1}\n- id: b\n  uses: demo.find\n- id: c\n  uses: demo.find\n")
	want, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	state := run.New(plan)
	for _, e := range h.events {
		if _, err := state.Apply(e); err != nil {
			t.Fatalf("%s: %v", e.Kind, err)
		}
	}
	if diff := cmp.Diff(want, state.Result()); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// chainOf returns a workflow of n steps that each add one to the output of the step before.
func chainOf(n int) string {
	var b strings.Builder
	b.WriteString("steps:\n- id: s0\n  lua: |\n    return {n = 0}\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "- id: s%d\n  lua: |\n    return {n = steps.s%d.outputs.n + 1}\n", i, i-1)
	}
	fmt.Fprintf(&b, "outputs: {n: \"${{ steps.s%d.outputs.n }}\"}\n", n-1)
	return b.String()
}

func TestChainOf100(t *testing.T) {
	got := newHarness().run(t, chainOf(100))
	wantSuccess(t, got)
	if got.Outputs["n"] != 99.0 {
		t.Errorf("got %v, want 99", got.Outputs["n"])
	}
}

// A step costs as many allocations and bytes in a run of 2,000 steps as in a run of 200
// steps. So does the check of a step.
func TestCostOfAStepIsConstant(t *testing.T) {
	perStep := func(n int) (runCount, runBytes, checkBytes float64) {
		h, source := newHarness(), chainOf(n)
		before := memory()
		local, plan := h.compile(t, source)
		compiled := memory()
		local.Observers = nil
		if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
			t.Fatal(err)
		}
		after := memory()
		steps := float64(n)
		return float64(after.Mallocs-compiled.Mallocs) / steps, float64(after.TotalAlloc-compiled.TotalAlloc) / steps,
			float64(compiled.TotalAlloc-before.TotalAlloc) / steps
	}
	perStep(200) // allocates what is allocated once
	count, size, check := perStep(200)
	manyCount, manySize, manyCheck := perStep(2000)
	t.Logf("200 steps: %.0f allocations, %.0f bytes, check %.0f bytes a step", count, size, check)
	t.Logf("2000 steps: %.0f allocations, %.0f bytes, check %.0f bytes a step", manyCount, manySize, manyCheck)
	const slack = 1.1
	if manyCount > count*slack || manySize > size*slack {
		t.Errorf("a step in a run of 2,000 costs %.0f allocations and %.0f bytes, in a run of 200 %.0f and %.0f", manyCount, manySize, count, size)
	}
	if manyCheck > check*slack {
		t.Errorf("the check of a step of 2,000 costs %.0f bytes, of 200 %.0f", manyCheck, check)
	}
}

func memory() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}

// A run reads the outputs of the last successful run of its workflow.
func TestPrevious(t *testing.T) {
	h := newHarness()
	local, plan := h.compile(t, `
name: w
inputs: {n: {type: integer}}
steps:
- id: s
  lua: |
    if inputs.n == 2 then error("it broke") end
    return {before = previous.outputs.n, status = previous.status}
outputs:
  n: ${{ inputs.n }}
  before: ${{ steps.s.outputs.before }}
  status: ${{ steps.s.outputs.status }}
`)
	local.Journal = journal.NewMemory()
	want := []action.Object{{"n": 1.0, "before": nil, "status": nil}, nil, {"n": 3.0, "before": 1.0, "status": "success"}, {"n": 4.0, "before": 3.0, "status": "success"}}
	for i := range want {
		h.id = fmt.Sprintf("R%d", i+1)
		h.clock.advance(time.Minute)
		result, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"n": float64(i + 1)}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], result.Outputs); diff != "" {
			t.Errorf("run %d (-want +got):\n%s", i+1, diff)
		}
	}
}
