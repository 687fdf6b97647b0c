package workflow_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// planned is what of a step's place in the graph a plan has: the ids that it
// needs and those that it reads.
func planned(p *workflow.Plan) map[string]string {
	ids := func(indexes []int) string {
		var list []string
		for _, i := range indexes {
			list = append(list, p.Steps[i].ID)
		}
		return strings.Join(list, " ")
	}
	steps := map[string]string{}
	for i := range p.Steps {
		steps[p.Steps[i].ID] = fmt.Sprintf("%s needs (%s) reads (%s)", p.Steps[i].Part, ids(p.Steps[i].Needs), ids(p.Steps[i].Reads))
	}
	return steps
}

// TestGraph proves what a step runs after, and what it may therefore read: all
// that it needs, directly or through others.
func TestGraph(t *testing.T) {
	plan, err := newLanguage(t).compile("g.yaml", `
steps:
  - {id: a, uses: uuid.new}
  - {id: b, uses: uuid.new}
  - {id: left, needs: [a], uses: uuid.new}
  - {id: right, needs: a, uses: uuid.new}
  - {id: alone, needs: [], uses: uuid.new}
  - id: early
    needs: [late]
    lua: |
      return {steps.late.outputs, steps.left.status, steps.a.status}
  - {id: late, needs: [left, right], uses: uuid.new}
  - id: after
    lua: |
      return steps
on_failure:
  - id: told
    lua: |
      return steps.alone.status .. steps.b.status
  - {id: more, if: steps.told.status == "success", uses: uuid.new}
finally:
  - id: clean
    lua: |
      return steps.told.status .. (failure and failure.kind or "")
`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"a": "steps needs () reads ()", "b": "steps needs (a) reads ()", "left": "steps needs (a) reads ()",
		"right": "steps needs (a) reads ()", "alone": "steps needs () reads ()", "late": "steps needs (left right) reads ()",
		"early": "steps needs (late) reads (a left late)", "after": "steps needs (late) reads (a left right late)",
		"told": "on_failure needs () reads (b alone)", "more": "on_failure needs () reads (told)", "clean": "finally needs () reads (told)",
	}
	if diff := cmp.Diff(want, planned(plan)); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
}

func TestFlow(t *testing.T) {
	plan, err := newLanguage(t).compile("f.yaml", `
inputs: {emails: {type: list}}
concurrency: {group: "host ${{ inputs.emails[1] }}", policy: queue}
resume_within: 1h
steps:
  - {id: plain, uses: uuid.new}
  - id: full
    for_each: ${{ inputs.emails }}
    max_parallel: 7
    fail_fast: false
    retry: {max_attempts: 4, delay: 2s, backoff: 3, max_delay: 9s, on: [timeout, not_found]}
    lua: |
      return item .. index .. tostring(previous.outputs.n)
  - {id: short, retry: 3, for_each: [1, "${{ inputs.emails }}"], uses: uuid.new}
`)
	if err != nil {
		t.Fatal(err)
	}
	type flow struct {
		ForEach, FailFast bool
		Parallel          int
		Retry             workflow.Retry
	}
	want := []flow{
		{false, true, 1, workflow.Retry{MaxAttempts: 1}},
		{true, false, 7, workflow.Retry{MaxAttempts: 4, Delay: 2 * time.Second, Backoff: 3, MaxDelay: 9 * time.Second, On: []action.Kind{action.Timeout, action.NotFound}}},
		{true, true, 1, workflow.Retry{MaxAttempts: 3, Delay: time.Second, Backoff: 2, MaxDelay: time.Minute}},
	}
	var got []flow
	for _, s := range plan.Steps {
		got = append(got, flow{s.ForEach != nil, s.FailFast, s.MaxParallel, s.Retry})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	w := plan.Workflow
	if w.Concurrency.Policy != workflow.Queue || plan.Group == nil || w.ResumeWithin != time.Hour || !plan.ReadsPrevious {
		t.Errorf("got %+v, group %v, %s, previous %v", w.Concurrency, plan.Group, w.ResumeWithin, plan.ReadsPrevious)
	}
}

// TestRetryAllows proves what is retried: what may pass, or what is listed, and
// never what may have been done.
func TestRetryAllows(t *testing.T) {
	listed := workflow.Retry{On: []action.Kind{action.NotFound}}
	for _, kind := range action.Kinds() {
		if got, want := (workflow.Retry{}).Allows(kind), kind.Retryable(); got != want {
			t.Errorf("%s: got %v by default, want %v", kind, got, want)
		}
		if got, want := listed.Allows(kind), kind == action.NotFound; got != want {
			t.Errorf("%s: got %v with on: [not_found], want %v", kind, got, want)
		}
	}
	for _, kind := range []action.Kind{action.UnknownOutcome, action.Cancelled} {
		if (workflow.Retry{On: []action.Kind{kind}}).Allows(kind) {
			t.Errorf("%s is retried", kind)
		}
	}
}

// TestTriggerNeedsKey proves when a page without a key of the author is warned of.
func TestTriggerNeedsKey(t *testing.T) {
	const uses = "steps:\n- {id: p, %suses: pagerduty.send_trigger_event, with: {description: d%s}}\n"
	const script = "steps:\n- id: p\n  %s\n  lua: |\n    pagerduty.send_trigger_event{description = %s}\n"
	tests := map[string]struct{ source, want string }{
		"a schedule":                     {"schedule: \"@daily\"\n" + fmt.Sprintf(uses, "", ""), "every run of the schedule"},
		"a schedule, with a key":         {"schedule: \"@daily\"\n" + fmt.Sprintf(uses, "", ", incident_key: k"), ""},
		"no schedule":                    {fmt.Sprintf(uses, "", ""), ""},
		"a retry of the same text":       {fmt.Sprintf(uses, "retry: 3, ", ""), ""},
		"a retry that builds its text":   {fmt.Sprintf(script, "retry: 3", "'at ' .. time.now()"), "builds another text"},
		"a retry of a literal text":      {fmt.Sprintf(script, "retry: 3", "'d'"), ""},
		"a script without a retry":       {fmt.Sprintf(script, "timeout: 5s", "'at ' .. time.now()"), ""},
		"a schedule, in a script":        {"schedule: \"@daily\"\n" + fmt.Sprintf(script, "timeout: 5s", "'d'"), "every run of the schedule"},
		"a schedule, with an open table": {"schedule: \"@daily\"\n" + fmt.Sprintf(script, "timeout: 5s", "'d', [inputs.x] = 1"), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, err := newLanguage(t).compile("k.yaml", "inputs: {x: {type: string}}\n"+test.source)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(plan.Warnings)
			if strings.Contains(got, "trigger-needs-key") || strings.Contains(got, "opens another incident") != (test.want != "") || !strings.Contains(got, test.want) {
				t.Errorf("got %v, want a warning with %q", got, test.want)
			}
		})
	}
}

// TestRestore proves that the sources of a plan make the same plan, without the
// folder that they came from.
func TestRestore(t *testing.T) {
	l := newLanguage(t)
	parsed, err := workflow.Parse("dir/w.yaml", []byte("steps:\n- {id: s, lua_file: scripts/s.lua}\n"))
	if err != nil {
		t.Fatal(err)
	}
	parsed.Files = fstest.MapFS{
		"scripts/s.lua": {Data: []byte(`return require("shared").x`)}, "lib/shared.lua": {Data: []byte(`return {x = 1}`)},
	}
	plan, err := workflow.Compile(parsed, l.catalog, l.interpreter)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := workflow.Restore(plan.Sources)
	if err != nil {
		t.Fatal(err)
	}
	again, err := workflow.Compile(restored, l.catalog, l.interpreter)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan.Sources, again.Sources, cmpopts.EquateEmpty()); diff != "" || len(plan.Sources) != 3 {
		t.Errorf("got %d sources (-want +got):\n%s", len(plan.Sources), diff)
	}
	if _, err := workflow.Restore(nil); err == nil {
		t.Error("got no error without sources")
	}
}

// TestLongChain proves that what a chain may read costs the compiler little: the
// last step of a long one sees the first.
func TestLongChain(t *testing.T) {
	var b strings.Builder
	b.WriteString("steps:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "- {id: s%d, uses: uuid.new}\n", i)
	}
	b.WriteString("- {id: last, if: 'steps.s0.status == \"success\"', uses: uuid.new}\n")
	plan, err := newLanguage(t).compile("long.yaml", b.String())
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Steps[2000]; len(got.Needs) != 1 || got.Needs[0] != 1999 || len(got.Reads) != 1 {
		t.Errorf("got needs %v and reads %v, want the step above and the first", got.Needs, got.Reads)
	}
}
