package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A counter is a world with one number, which a read shows and a write adds to.
type counter struct{ reads, writes int }

// countOut is what a read of the counter returns.
type countOut struct {
	N int `json:"n" doc:"The number."`
}

// actions are a read, and a write that has two requests.
func (c *counter) actions() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{Name: "demo.read", Summary: "Read.", Effect: action.Reads}, func(context.Context, textIn) (countOut, error) {
			c.reads++
			return countOut{c.reads}, nil
		}),
		action.New(action.Spec{Name: "demo.write", Summary: "Write.", Effect: action.Keyed, Example: action.Object{"n": 7.0}}, func(ctx context.Context, in textIn) (countOut, error) {
			preview := action.ScopeOf(ctx).Preview
			switch {
			case in.Text == "nothing":
				return countOut{}, nil
			case in.Text == "wrong":
				return countOut{}, action.Errorf(action.Conflict, "it is there")
			case preview == nil:
				c.writes++
				return countOut{c.writes}, nil
			}
			preview(action.Request{Method: "POST", URL: "https://x/" + in.Text, Body: "hushhush " + action.ScopeOf(ctx).Key})
			preview(action.Request{Method: "PUT", URL: "https://x"})
			return countOut{}, nil
		}),
	}
}

// TestRehearsal: a rehearsal reads and does not write; the run after it has the
// same id and keys, and sees what was read before the first write.
func TestRehearsal(t *testing.T) {
	world := &counter{}
	h := newHost(world.actions()...)
	local, plan := h.compile(t, `
secrets: {TOKEN: {hosts: [x.example.com]}}
steps:
- id: a
  lua: |
    local before = demo.read{text = "a"}.n
    local written = demo.write{text = "page" .. before}.n
    local after = demo.read{text = "a"}.n
    return {before = before, written = written, after = after, nothing = demo.write{text = "nothing"}.n}
- id: b
  for_each: [one, two]
  uses: demo.write
  with: {text: "${{ item }}"}
- id: c
  continue_on_error: true
  uses: demo.write
  with: {text: wrong}
outputs: {a: "${{ steps.a.outputs }}", c: "${{ steps.c.status }}"}
`)
	h.secrets = map[string]string{"TOKEN": "hushhush"}
	local.Redactor = &action.Redactor{}
	local.Redactor.Add("hushhush")
	rehearsal, err := local.DryRun(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	mustSucceed(t, rehearsal.Result)
	if world.writes != 0 || world.reads != 2 {
		t.Errorf("got %d reads and %d writes, want 2 and 0", world.reads, world.writes)
	}
	var got []string
	for _, w := range rehearsal.Writes {
		got = append(got, strings.ReplaceAll(fmt.Sprint(w.Step, w.Item, " ", w.Action, " ", w.Requests), w.Key, "KEY"))
	}
	want := []string{
		"a0 demo.write [{POST https://x/page1  ‹redacted› KEY} {PUT https://x  }]",
		"b1 demo.write [{POST https://x/one  ‹redacted› KEY} {PUT https://x  }]",
		"b2 demo.write [{POST https://x/two  ‹redacted› KEY} {PUT https://x  }]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	outputs := action.Object{"a": action.Object{"before": 1.0, "written": 7.0, "after": 2.0, "nothing": 0.0}, "c": "failure"}
	if diff := cmp.Diff(outputs, rehearsal.Result.Outputs); diff != "" {
		t.Errorf("outputs of the rehearsal (-want +got):\n%s", diff)
	}

	h.id, h.events = "R2", nil
	result, err := local.Run(context.Background(), plan, engine.Request{Confirmed: rehearsal})
	if err != nil {
		t.Fatal(err)
	}
	outputs = action.Object{"a": action.Object{"before": 1.0, "written": 1.0, "after": 3.0, "nothing": 0.0}, "c": "failure"}
	if diff := cmp.Diff(outputs, result.Outputs); diff != "" || world.writes != 3 {
		t.Errorf("got %d writes, outputs of the run (-want +got):\n%s", world.writes, diff)
	}
	var keys []string
	for _, c := range h.calls(run.EventCallStarted) {
		if c.Key != "" && c.Input["text"] != "wrong" && c.Input["text"] != "nothing" {
			keys = append(keys, c.Key)
		}
	}
	var rehearsed []string
	for _, w := range rehearsal.Writes {
		rehearsed = append(rehearsed, w.Key)
	}
	if diff := cmp.Diff(rehearsed, keys); diff != "" || result.Run != "R1" {
		t.Errorf("got the run %s, keys (-rehearsed +run):\n%s", result.Run, diff)
	}
}

// TestRehearsalLeavesNoRun: nothing of it is recorded, no concurrency group is
// busy with it, and it knows what the last run left.
func TestRehearsalLeavesNoRun(t *testing.T) {
	h := newHost((&counter{}).actions()...)
	local, plan := h.compile(t, "concurrency: {policy: skip}\nsteps: [{id: a, uses: demo.write, with: {text: \"${{ previous.outputs.x }}\"}}]\noutputs: {x: page}\n")
	local.Journal = journal.NewMemory()
	if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
		t.Fatal(err)
	}
	h.id = "R2"
	rehearsal, err := local.DryRun(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	want := []attempt.Write{{Step: "a", Action: "demo.write", Requests: []action.Request{{Method: "POST", URL: "https://x/page", Body: "hushhush " + rehearsal.Writes[0].Key}, {Method: "PUT", URL: "https://x"}}}}
	if diff := cmp.Diff(want, rehearsal.Writes, cmpopts.IgnoreFields(attempt.Write{}, "Key")); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	runs, err := local.Journal.Runs(context.Background(), journal.Query{})
	if err != nil || len(runs) != 1 {
		t.Errorf("got the runs %v, %v, want one", runs, err)
	}
}

// TestCeiling: what the operator does not allow is refused, in the file where that
// shows, and when it is called.
func TestCeiling(t *testing.T) {
	reach := action.New(action.Spec{Name: "demo.reach", Summary: "Reach.", Effect: action.Reads}, func(ctx context.Context, in textIn) (nothing, error) {
		return nothing{}, action.ScopeOf(ctx).Permit(action.Target{Scheme: "https", Host: in.Text, Port: 443})
	})
	h := newHost(reach)
	h.secrets = map[string]string{"A": "aaaaaaaa", "B": "bbbbbbbb"}
	local, plan := h.compile(t, `inputs: {host: {type: string, default: evil.example.org}}
secrets:
  A: {hosts: [a.example.com]}
  B: {hosts: [a.example.com]}
permissions:
  http: ["inputs.host", "https://a.example.com", "https://b.example.org"]
  net: ["a.example.com:22"]
steps:
- {id: a, uses: demo.reach, with: {text: a.example.com}}
- {id: b, uses: demo.reach, with: {text: "${{ inputs.host }}"}}
`)
	ceiling := &attempt.Policy{File: "pdflow.yaml", Secrets: []string{"A"}}
	configuration := parseAllow(t, `allow: {http: ["https://*.example.com"]}`)
	ceiling.Permissions = configuration
	want := []string{
		`w.yaml:4:3: the operator's policy does not allow workflows to use the secret B (to allow it, add it to pdflow.yaml: allow: {secrets: [B]})`,
		`w.yaml:6:50: the operator's policy does not allow workflows to reach https://b.example.org (to allow it, add it to pdflow.yaml: allow: {http: ["https://b.example.org"]})`,
		`w.yaml:7:9: the operator's policy does not allow workflows to reach a.example.com:22 (to allow it, add it to pdflow.yaml: allow: {net: ["a.example.com:22"]})`,
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), ceiling.Check(plan).Error()); diff != "" {
		t.Errorf("check (-want +got):\n%s", diff)
	}
	local.Policy = ceiling
	result, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"host": "https://evil.example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	mustFail(t, result, run.Failed, action.Permission)
	if result.Error.Step != "b" {
		t.Errorf("got %+v, want a failure of the step b", result.Error)
	}
}

// TestConnectionOfCalls: a call knows the connection of its step, and the defaults
// of the workflow are its inputs where it has none.
func TestConnectionOfCalls(t *testing.T) {
	var got []string
	look := act("demo.look", action.Reads, func(ctx context.Context, in textIn) error {
		got = append(got, action.ScopeOf(ctx).Connection+" "+in.Text)
		return nil
	})
	mustSucceed(t, newHost(look).runWith(t, context.Background(), `
inputs: {who: {type: string}}
connection: main
defaults: {with: {text: "for ${{ inputs.who }}"}}
steps:
- uses: demo.look
- connection: europe
  lua: |
    demo.look{}
    demo.look{text = "own"}
    local given = {}
    demo.look(given)
    demo.look{text = given.text or "not changed"}
`, action.Object{"who": "Ann"}))
	want := []string{"main for Ann", "europe for Ann", "europe own", "europe for Ann", "europe not changed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func parseAllow(t *testing.T, text string) workflow.Permissions {
	t.Helper()
	c, err := workflow.ParseConfiguration("pdflow.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c.Allow.Permissions
}
