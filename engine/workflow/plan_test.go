package workflow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestPlanCall proves that a call by hand has its inputs as they were given, and
// may reach what it names.
func TestPlanCall(t *testing.T) {
	create, _ := newLanguage(t).catalog.Lookup("pagerduty.create_user")
	list := []any{1.0, action.Object{"text": "${{ not an expression }}"}}
	plan := workflow.PlanCall(create, action.Object{"name": "Ann", "list": list, "key": action.Secret{Name: "K"}})
	got := action.Object{}
	for i := range plan.Steps[0].With {
		named := &plan.Steps[0].With[i]
		v, err := named.Value.Evaluate(nil)
		if err != nil {
			t.Fatal(err)
		}
		got[named.Name] = v
	}
	if diff := cmp.Diff(action.Object{"name": "Ann", "list": list, "key": action.Secret{Name: "K"}}, got); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	p := plan.Workflow.Permissions
	if !p.AllowsAction(create) || !p.AllowsTarget(action.Target{Scheme: "net", Host: "db", Port: 1}, nil) {
		t.Error("a call by hand is not permitted")
	}
	want := []workflow.PlannedCall{{Step: "call", Action: "pagerduty.create_user", Connection: "default", Inputs: []string{"key", "list", "name"}}}
	if diff := cmp.Diff(want, plan.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestDefaults proves which defaults a file has, and that the limits of a step replace
// the limits of the workflow.
func TestDefaults(t *testing.T) {
	plan, err := newLanguage(t).compile("dir/name.of.file.yaml", `
limits: {time: 2s}
steps:
  - uses: uuid.new
  - uses: uuid.new
    timeout: 1m30s
    limits: {instructions: 1000}
    continue_on_error: true
`)
	if err != nil {
		t.Fatal(err)
	}
	type step struct {
		ID       string
		Needs    []int
		Timeout  time.Duration
		Continue bool
		Limits   workflow.Limits
	}
	var got []step
	for _, s := range plan.Steps {
		got = append(got, step{s.ID, s.Needs, s.Timeout, s.ContinueOnError, s.Limits})
	}
	want := []step{
		{"step_1", nil, 5 * time.Minute, false, workflow.Limits{Instructions: 50_000_000, Memory: 64 << 20, Output: 256 << 10, Time: 2 * time.Second}},
		{"step_2", []int{0}, 90 * time.Second, true, workflow.Limits{Instructions: 1000, Memory: 64 << 20, Output: 256 << 10, Time: 2 * time.Second}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if w := plan.Workflow; w.Name != "name.of.file" || w.Timeout != time.Hour || w.Connection.Text != "default" {
		t.Errorf("got %s, %s, %s", w.Name, w.Timeout, w.Connection.Text)
	}
}

// TestReads proves that a step gets the results of the steps that it reads, and no
// others.
func TestReads(t *testing.T) {
	plan, err := newLanguage(t).compile("r.yaml", `
steps:
  - {id: a, uses: uuid.new}
  - {id: b, uses: uuid.new}
  - id: c
    if: steps.a.status == "success"
    uses: text.trim
    with: {text: "${{ steps.b.outputs.uuid }}"}
  - id: all
    lua: |
      local id = "a"
      return {x = steps[id]}
  - {id: none, uses: uuid.new}
outputs: {x: "${{ steps.c.outputs.text }}"}
`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]int{"outputs": plan.OutputReads}
	for _, s := range plan.Steps {
		got[s.ID] = s.Reads
	}
	want := map[string][]int{"a": nil, "b": nil, "c": {0, 1}, "all": {0, 1, 2}, "none": nil, "outputs": {2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWarnings proves that a plan can have warnings.
func TestWarnings(t *testing.T) {
	plan, err := newLanguage(t).compile("w.yaml", "steps:\n  - id: a\n    lua: |\n      total = 1\n      return {total = total}\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plan.Warnings.Error(), `w.yaml:4:7: warning: "total" is assigned without local`; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSources proves that the hash of a source depends on its text and not on its name.
func TestSources(t *testing.T) {
	one, same, other := workflow.Source{Name: "a", Text: []byte("x")}, workflow.Source{Name: "b", Text: []byte("x")}, workflow.Source{Name: "a", Text: []byte("y")}
	if one.Hash() != same.Hash() || one.Hash() == other.Hash() {
		t.Errorf("got %s, %s, %s", one.Hash(), same.Hash(), other.Hash())
	}
}

// TestBothStagesReport proves that the error of Compile has the problems of Parse too,
// in the order of the file.
func TestBothStagesReport(t *testing.T) {
	parsed, parseErr := workflow.Parse("b.yaml", []byte("steps:\n  - {id: a, uses: uuid.nwe}\n  - {id: b, uses: uuid.new, tiemout: 5s}\n"))
	if parseErr == nil || strings.Contains(parseErr.Error(), "uuid") {
		t.Errorf("Parse: got %v", parseErr)
	}
	l := newLanguage(t)
	_, err := workflow.Compile(parsed, l.catalog, l.interpreter)
	want := "b.yaml:2:19: there is no action \"uuid.nwe\" (did you mean \"uuid.new\"?)\nb.yaml:3:29: a step has no key \"tiemout\" (did you mean \"timeout\"?)"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
