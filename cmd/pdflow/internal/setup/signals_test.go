package setup

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestRunning: what is printed about running runs when a signal arrives.
func TestRunning(t *testing.T) {
	plan := func(steps ...workflow.PlanStep) *workflow.Plan {
		return &workflow.Plan{Workflow: &workflow.Workflow{}, Steps: steps}
	}
	clean := workflow.PlanStep{ID: "clean", Part: workflow.Finally}
	var u Running
	if got := u.stopping() + u.abandoned("ended at once"); got != "" {
		t.Errorf("without a run: got %q, want nothing", got)
	}
	if got := u.within(); got != stopWithin {
		t.Errorf("without a run: got %v to stop within, want %v", got, stopWithin)
	}
	recorded := u.Watch(plan(workflow.PlanStep{ID: "a"}, clean), func(run string) string { return "pdflow runs resume " + run })
	unrecorded := u.Watch(plan(workflow.PlanStep{ID: "b"}), nil)
	recorded.Observe(run.Event{Kind: run.EventAttemptStarted, Run: "01A", Step: "a"})
	recorded.Observe(run.Event{Kind: run.EventAttemptStarted, Run: "01A", Step: "done"})
	recorded.Observe(run.Event{Kind: run.EventAttemptFinished, Run: "01A", Step: "done"})
	unrecorded.Observe(run.Event{Kind: run.EventAttemptStarted, Run: "01B", Step: "b"})
	for _, test := range []struct{ got, want string }{
		{u.stopping(), "pdflow: stopping, and running `finally`; press Ctrl-C again to end at once, interrupted and resumable"},
		{u.awaited(), `the step "a", the step "b"`},
		{u.abandoned("ended at once"), "pdflow: ended at once; the run 01A is interrupted, `pdflow runs resume 01A` resumes it\n" +
			"pdflow: ended at once; the run 01B was not recorded, so it cannot be resumed"},
	} {
		if test.got != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
	if got := u.within(); got != stopWithinFinally {
		t.Errorf("with finally: got %v to stop within, want %v", got, stopWithinFinally)
	}
	recorded.Done()
	if got, want := u.stopping(), "pdflow: stopping; press Ctrl-C again to end at once"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	unrecorded.Done()
	if got, want := u.abandoned("the command did not stop; ended"), "pdflow: the command did not stop; ended"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var b strings.Builder
	c := &console.Console{Stderr: &b}
	c.Say("one line")
	c.Say("")
	if got, want := b.String(), "one line\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
