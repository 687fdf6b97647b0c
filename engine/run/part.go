package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// CleanupTime is how long finally may take, and the least that on_failure is
// given, which otherwise has what is left of the run's timeout.
const CleanupTime = time.Minute

// advance goes on with the next part, the outputs or the end, once nothing of
// the part is left to do.
func (r *State) advance(at time.Time) []Command {
	for r.running == 0 && r.stage == active {
		switch {
		case r.suspended > 0:
			return []Command{Suspend{r.Held()}}
		case r.part == workflow.Main && r.open > 0 && !r.stopped:
			return nil
		case r.part != workflow.Main && !r.stopped:
			if i, ok := r.nextStep(); ok {
				return r.issueStep(i, at)
			}
		}
		if r.part == workflow.Finally {
			return r.conclude()
		}
		r.enter(r.part+1, at)
	}
	return nil
}

// enter begins a part.
func (r *State) enter(p workflow.Part, at time.Time) {
	r.skipOpen()
	left := r.clock.deadline().Sub(at)
	r.part, r.next, r.stopped = p, 0, false
	switch {
	case p == workflow.Finally:
		r.clock.enter(at, CleanupTime)
	case r.ending == Cancelled || r.failure == nil && r.ending == "":
		r.stopped = true // nothing for on_failure to do
	default:
		r.clock.enter(at, max(CleanupTime, left))
	}
}

// nextStep finds the next step of on_failure or finally. They run one after the
// other, whatever became of the one before: each is there to be done.
func (r *State) nextStep() (int, bool) {
	for ; r.next < len(r.steps); r.next++ {
		if r.plan.Steps[r.next].Part == r.part && r.steps[r.next].phase == waiting {
			r.next++
			return r.next - 1, true
		}
	}
	return 0, false
}

// conclude evaluates the outputs of a success, and ends the run.
func (r *State) conclude() []Command {
	if r.ending == "" && r.failure == nil && r.outputs.phase == waiting && len(r.plan.Outputs) > 0 {
		return []Command{r.issue(-1, 0, &r.outputs)}
	}
	return []Command{r.finish()}
}

func (r *State) finish() Finish {
	switch {
	case r.failure != nil && r.failure.Kind == action.UnknownOutcome:
		return Finish{Status: NeedsAttention, Error: r.failure}
	case r.ending == Cancelled && r.cleanup != nil:
		return Finish{Status: Failed, Error: r.cleanup}
	case r.ending != "":
		return Finish{Status: r.ending, Error: r.endingFailure()}
	case r.failure != nil:
		return Finish{Status: Failed, Error: r.failure}
	}
	values, _ := r.outputs.result.Outputs.(action.Object)
	return Finish{Status: Success, Outputs: values}
}

// reason is what on_failure and finally read as `failure`; nil after a success.
func (r *State) reason() *Failure {
	if r.ending != "" && (r.failure == nil || r.failure.Kind != action.UnknownOutcome) {
		return r.endingFailure()
	}
	return r.failure
}

func (r *State) endingFailure() *Failure {
	if r.ending == TimedOut {
		return &Failure{
			Kind: action.Timeout, Message: fmt.Sprintf("the run took longer than its timeout of %s", r.plan.Workflow.Timeout),
			Hint: "raise `timeout:` of the workflow if it needs more",
		}
	}
	return &Failure{Kind: action.Cancelled, Message: "the run was cancelled"}
}

// Held returns the failure of the first attempt that waits for a person.
func (r *State) Held() *Failure {
	var first *Failure
	r.eachUnit(func(_, _ int, u *task) {
		if u.phase == held && first == nil {
			first = u.result.Error
		}
	})
	return first
}

// end stops the part early: no further step of it starts, and what runs is
// cancelled. A cancelled run still does its finally, to the end.
func (r *State) end(e Event) []Command {
	if r.stage == queued {
		r.stage, r.part, r.stopped, r.ending = active, workflow.Finally, true, Cancelled
		r.skipOpen()
		return r.advance(e.Time)
	}
	if e.Kind == EventCancelled && r.part == workflow.Finally {
		if r.ending == "" {
			r.ending, r.why = Cancelled, ErrCancelled
		}
		if r.outputs.phase.pending() {
			return []Command{CancelAttempt{Step: OutputsStep, Cause: r.why}}
		}
		return nil
	}
	if r.stopped {
		return nil
	}
	r.stopped, r.why = true, ErrCancelled
	switch {
	case e.Kind == EventTimedOut && r.part == workflow.Main:
		r.ending, r.why = TimedOut, ErrTimedOut
	case e.Kind == EventTimedOut:
		r.why = errPartTimedOut(r.part)
	case r.ending == "":
		r.ending = Cancelled
	}
	return append(r.cancels(e.Time), r.advance(e.Time)...)
}

// cancels asks every attempt under way to stop, and ends those that wait: for
// their time, or for a person.
func (r *State) cancels(at time.Time) []Command {
	var commands []Command
	type dropped struct{ step, item int }
	var drop []dropped
	r.eachUnit(func(i, item int, u *task) {
		if u.phase.pending() {
			commands = append(commands, CancelAttempt{r.stepID(i), item, r.why})
		}
		if u.phase == held || u.phase == issued && !u.retryAt.IsZero() {
			drop = append(drop, dropped{i, item})
		}
	})
	for _, d := range drop {
		commands = append(commands, r.drop(d.step, d.item, at)...)
	}
	return commands
}

// drop ends a unit of which no attempt is under way.
func (r *State) drop(i, item int, at time.Time) []Command {
	u := &r.outputs
	if i >= 0 {
		u = &r.steps[i].task
	}
	if item > 0 {
		u = &r.steps[i].list.units[item-1]
	}
	if u.phase == held {
		r.suspended--
	} else {
		r.running--
	}
	u.finish(Outcome{Status: Failed, Error: u.result.Error}, at)
	switch {
	case i < 0:
		return nil
	case item > 0:
		return r.itemFinished(i, item, at)
	}
	return r.stepFinished(i, at)
}

// stepID is the id of a step by its index, -1 for the outputs.
func (r *State) stepID(i int) string {
	if i < 0 {
		return OutputsStep
	}
	return r.steps[i].id
}

// eachUnit visits the units of the part under way that are not just waiting, in
// the order of the file.
func (r *State) eachUnit(visit func(i, item int, u *task)) {
	for i := range r.steps {
		s := &r.steps[i]
		if s.list == nil {
			visit(i, 0, &s.task)
			continue
		}
		for n := range s.list.units {
			visit(i, n+1, &s.list.units[n])
		}
	}
	visit(-1, 0, &r.outputs)
}

// skipOpen ends the steps of the part that never began.
func (r *State) skipOpen() {
	for i := range r.steps {
		if r.plan.Steps[i].Part <= r.part && r.steps[i].phase == waiting {
			r.steps[i].skip()
		}
	}
}

func (r *State) finished(e Event) error {
	if e.Status == "" || r.running > 0 || r.suspended > 0 {
		return fmt.Errorf("the run cannot end now")
	}
	r.part = workflow.Finally
	r.skipOpen()
	r.stage, r.status, r.result, r.endedAt = over, e.Status, e.Outputs, e.Time
	if e.Error != nil {
		r.failure = e.Error
	}
	return nil
}
