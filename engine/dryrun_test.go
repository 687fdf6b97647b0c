package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A counter is a service that counts its reads and writes.
type counter struct{ reads, writes int }

// countOut is the output of its actions.
type countOut struct {
	N int `json:"n" doc:"The number."`
}

// actions returns a read, and a write that sends two requests.
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

// A dry run reads, and shows its writes without sending them. The run that is confirmed after
// it has the same id and keys, and its reads before the first write return the same.
func TestDryRun(t *testing.T) {
	service := &counter{}
	h := newHarness(service.actions()...)
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
	local.Redactor = &redact.Redactor{}
	local.Redactor.Add("hushhush")
	dry, err := local.DryRun(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, dry.Result)
	if service.writes != 0 || service.reads != 2 {
		t.Errorf("got %d reads and %d writes, want 2 and 0", service.reads, service.writes)
	}
	var got []string
	for _, w := range dry.Writes {
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
	if diff := cmp.Diff(outputs, dry.Result.Outputs); diff != "" {
		t.Errorf("outputs of the dry run (-want +got):\n%s", diff)
	}

	h.id, h.events = "R2", nil
	result, err := local.Run(context.Background(), plan, engine.Request{Confirmed: dry})
	if err != nil {
		t.Fatal(err)
	}
	outputs = action.Object{"a": action.Object{"before": 1.0, "written": 1.0, "after": 3.0, "nothing": 0.0}, "c": "failure"}
	if diff := cmp.Diff(outputs, result.Outputs); diff != "" || service.writes != 3 {
		t.Errorf("got %d writes, outputs of the run (-want +got):\n%s", service.writes, diff)
	}
	var keys []string
	for _, c := range h.calls(run.EventCallStarted) {
		if c.Key != "" && c.Input["text"] != "wrong" && c.Input["text"] != "nothing" {
			keys = append(keys, c.Key)
		}
	}
	var shown []string
	for _, w := range dry.Writes {
		shown = append(shown, w.Key)
	}
	if diff := cmp.Diff(shown, keys); diff != "" || result.Run != "R1" {
		t.Errorf("got the run %s, keys (-dry run +run):\n%s", result.Run, diff)
	}
}

// A dry run is not recorded and holds no concurrency group, but it reads the previous run.
func TestDryRunIsNotRecorded(t *testing.T) {
	h := newHarness((&counter{}).actions()...)
	local, plan := h.compile(t, "concurrency: {policy: skip}\nsteps: [{id: a, uses: demo.write, with: {text: \"${{ previous.outputs.x }}\"}}]\noutputs: {x: page}\n")
	local.Journal = journal.NewMemory()
	if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
		t.Fatal(err)
	}
	h.id = "R2"
	dry, err := local.DryRun(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	want := []attempt.Write{{Step: "a", Action: "demo.write", Requests: []action.Request{{Method: "POST", URL: "https://x/page", Body: "hushhush " + dry.Writes[0].Key}, {Method: "PUT", URL: "https://x"}}}}
	if diff := cmp.Diff(want, dry.Writes, cmpopts.IgnoreFields(attempt.Write{}, "Key")); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	runs, err := local.Journal.Runs(context.Background(), journal.Query{})
	if err != nil || len(runs) != 1 {
		t.Errorf("got the runs %v, %v, want one", runs, err)
	}
}

// What the operator's policy does not allow is reported by the check of the plan if the plan
// shows it, and refused when a call is made.
func TestPolicy(t *testing.T) {
	reach := action.New(action.Spec{Name: "demo.reach", Summary: "Reach.", Effect: action.Reads}, func(ctx context.Context, in textIn) (nothing, error) {
		return nothing{}, action.ScopeOf(ctx).Permit(action.Target{Scheme: "https", Host: in.Text, Port: 443})
	})
	h := newHarness(reach)
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
	policy := &attempt.Policy{File: "pdflow.yaml", Secrets: []string{"A"}}
	policy.Permissions = allowHTTP(`["https://*.example.com"]`)
	want := []string{
		`w.yaml:4:3: the operator's policy does not allow workflows to use the secret B (to allow it, add it to pdflow.yaml: allow: {secrets: [B]})`,
		`w.yaml:6:50: the operator's policy does not allow workflows to reach https://b.example.org (to allow it, add it to pdflow.yaml: allow: {http: ["https://b.example.org"]})`,
		`w.yaml:7:9: the operator's policy does not allow workflows to reach a.example.com:22 (to allow it, add it to pdflow.yaml: allow: {net: ["a.example.com:22"]})`,
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), policy.Check(plan).Error()); diff != "" {
		t.Errorf("check (-want +got):\n%s", diff)
	}
	local.Policy = policy
	result, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"host": "https://evil.example.org"}})
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, result, run.Failed, action.Permission)
	if result.Error.Step != "b" {
		t.Errorf("got %+v, want a failure of the step b", result.Error)
	}
}

// A call has the connection of its step, and the defaults of the workflow for the inputs
// that it does not set.
func TestConnectionOfCalls(t *testing.T) {
	var got []string
	look := act("demo.look", action.Reads, func(ctx context.Context, in textIn) error {
		got = append(got, action.ScopeOf(ctx).Connection+" "+in.Text)
		return nil
	})
	wantSuccess(t, newHarness(look).runWith(t, context.Background(), `
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

// allowHTTP returns what a policy allows that lists these hosts.
func allowHTTP(list string) permission.Permissions {
	root, _ := source.Read("policy", []byte(list)).Root()
	return permission.Permissions{HTTP: permission.ReadPatterns(root, "http")}
}

// A dry resume continues a history without a request: recorded calls return their results, and
// the writes that a resume would send are shown. The journal stays as it was.
func TestDryResume(t *testing.T) {
	const source = `
name: w
steps:
- id: one
  lua: |
    demo.read{}
    demo.page{text = "1"}
    demo.page{text = "2"}
- {id: two, uses: demo.set, with: {text: s}}
`
	finish := func(t *testing.T, _ *harness, local *engine.Local, plan *workflow.Plan) {
		t.Helper()
		if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	suspend := func(t *testing.T, h *harness, local *engine.Local, plan *workflow.Plan) {
		t.Helper()
		store := local.Journal
		local.Journal = &brokenJournal{store, 5} // up to the call.started of the first page
		if _, err := local.Run(context.Background(), plan, engine.Request{}); err == nil {
			t.Fatal("the journal did not fail")
		}
		local.Journal = store
		h.clock.advance(16 * time.Minute)
		if result, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"}); err != nil || !result.Suspended {
			t.Fatalf("got %+v, %v, want the run suspended", result, err)
		}
	}
	for name, test := range map[string]struct {
		before     func(*testing.T, *harness, *engine.Local, *workflow.Plan)
		events     int // of the history, that the dry resume gets; 0: all
		resumption engine.Resumption
		status     run.Status
		writes     []string
	}{
		"interrupted during the first page":  {finish, 5, engine.Resumption{}, run.Success, []string{"one page/1", "one page/2", "two set/s"}},
		"interrupted after the first page":   {finish, 6, engine.Resumption{}, run.Success, []string{"one page/2", "two set/s"}},
		"interrupted during the second page": {finish, 7, engine.Resumption{}, run.Success, []string{"one page/2", "two set/s"}},
		"interrupted between the steps":      {finish, 9, engine.Resumption{}, run.Success, []string{"two set/s"}},
		"interrupted, to be cancelled":       {finish, 6, engine.Resumption{Cancel: true}, run.Cancelled, nil},
		"suspended, decided done":            {suspend, 0, engine.Resumption{Decisions: decide(5, run.CallDone)}, run.Success, []string{"one page/2", "two set/s"}},
		"suspended, decided repeat":          {suspend, 0, engine.Resumption{Decisions: decide(5, run.CallRepeat)}, run.Success, []string{"one page/1", "one page/2", "two set/s"}},
		"suspended, decided fail":            {suspend, 0, engine.Resumption{Decisions: decide(5, run.CallFailed)}, run.NeedsAttention, nil},
		"failed, to be retried":              {finish, 0, engine.Resumption{Retry: true}, run.Success, []string{"one page/2", "two set/s"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, service := newHarness(), newFakeService()
			h.actions = service.actions()
			local, plan := h.compile(t, source)
			local.Journal = journal.NewMemory()
			if test.resumption.Retry {
				service.refuses["2"] = action.Errorf(action.NotFound, "it broke")
			}
			test.before(t, h, local, plan)
			history, err := local.Journal.Events(context.Background(), "R1")
			if err != nil {
				t.Fatal(err)
			}
			service.requests = nil
			test.resumption.Run = "R1"
			count := len(history)
			if test.events > 0 {
				history = history[:test.events]
			}
			dry, err := local.DryResume(context.Background(), plan, history, test.resumption)
			if err != nil {
				t.Fatal(err)
			}
			var writes []string
			for _, w := range dry.Writes {
				for _, r := range w.Requests {
					writes = append(writes, w.Step+" "+strings.TrimPrefix(r.URL, "https://service/"))
				}
			}
			if diff := cmp.Diff(test.writes, writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			if dry.Result.Status != test.status {
				t.Errorf("got %s, %v, want %s", dry.Result.Status, dry.Result.Error, test.status)
			}
			for _, request := range service.requests {
				if request != "read" || !test.resumption.Retry { // a retry reads anew
					t.Errorf("got the request %q", request)
				}
			}
			if after, err := local.Journal.Events(context.Background(), "R1"); err != nil || len(after) != count {
				t.Errorf("got %d events, %v, want %d as before", len(after), err, count)
			}
		})
	}
}

// A dry resume is refused where a resume is.
func TestDryResumeIsRefused(t *testing.T) {
	h := newHarness(newFakeService().actions()...)
	local, plan := h.compile(t, "name: w\nsteps: [{id: one, uses: demo.set}]")
	local.Journal = journal.NewMemory()
	if _, err := local.Run(context.Background(), plan, engine.Request{}); err != nil {
		t.Fatal(err)
	}
	for name, resumption := range map[string]engine.Resumption{
		"a run that has ended": {}, "a retry of a success": {Retry: true}, "another target": {Target: run.Target{Simulation: "S1"}},
	} {
		resumption.Run = "R1"
		if _, err := local.DryResume(context.Background(), plan, h.events, resumption); !engine.IsInputError(err) {
			t.Errorf("%s: got %v, want an input error", name, err)
		}
	}
}
