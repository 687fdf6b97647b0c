package main

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestUnderWay proves what a signal says of the runs that it stops.
func TestUnderWay(t *testing.T) {
	clean := planned(t, "clean", "", 0)
	clean.Part = workflow.Finally
	var u underWay
	if got := u.stopping() + u.abandoned("ended at once"); got != "" {
		t.Errorf("without a run: got %q, want nothing", got)
	}
	if got := u.within(); got != stopWithin {
		t.Errorf("without a run: got %v to stop within, want %v", got, stopWithin)
	}
	recorded := u.watch(handPlan(planned(t, "a", "", 0), clean), func(run string) string { return "pdflow runs resume " + run })
	unrecorded := u.watch(handPlan(planned(t, "b", "", 0)), nil)
	recorded.Observe(run.Event{Kind: run.EventAttemptStarted, Run: "01A", Step: "a"})
	recorded.Observe(run.Event{Kind: run.EventAttemptStarted, Run: "01A", Step: "done"})
	recorded.Observe(run.Event{Kind: run.EventAttemptFinished, Run: "01A", Step: "done"})
	unrecorded.Observe(run.Event{Kind: run.EventAttemptStarted, Run: "01B", Step: "b"})
	for _, test := range []struct{ got, want string }{
		{u.stopping(), "pdflow: stopping, and running `finally`; press Ctrl-C again to end at once, interrupted and resumable"},
		{u.awaited(), `the step "a", the step "b"`},
		{u.abandoned("ended at once"), "pdflow: ended at once; the run 01A is interrupted, `pdflow runs resume 01A` goes on with it\n" +
			"pdflow: ended at once; the run 01B was not recorded, so it cannot be resumed"},
	} {
		if test.got != test.want {
			t.Errorf("got  %s\nwant %s", test.got, test.want)
		}
	}
	if got := u.within(); got != stopWithinFinally {
		t.Errorf("with finally: got %v to stop within, want %v", got, stopWithinFinally)
	}
	recorded.done()
	if got, want := u.stopping(), "pdflow: stopping; press Ctrl-C again to end at once"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	unrecorded.done()
	if got, want := u.abandoned("the command did not stop; ended"), "pdflow: the command did not stop; ended"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var b strings.Builder
	u.say(&b, "one line")
	u.say(&b, "")
	if got, want := b.String(), "one line\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
