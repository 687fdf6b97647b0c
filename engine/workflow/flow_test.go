package workflow_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestFlow proves that a plan has what the keys of a step and of the workflow set.
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

// TestRetryAllows proves which kinds of failure are retried: the retryable kinds or the
// listed kinds, and never a call that may have been done.
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
