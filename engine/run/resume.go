package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/workflow"
)

// pause ends the work on a run of which every attempt left waits for a person.
func (r *State) pause() error {
	if r.running > 0 || r.suspended == 0 {
		return fmt.Errorf("the run cannot be suspended now")
	}
	r.stage = paused
	return nil
}

// resumed goes on with what was under way: attempts that were begun are replayed,
// those that wait for a person too.
func (r *State) resumed(e Event) []Command {
	if r.stage == queued {
		return nil
	}
	r.stage = active
	r.clock.pause(e.Time)
	if r.suspended > 0 {
		r.eachUnit(func(_, _ int, u *task) {
			if u.phase == held {
				r.release(u)
			}
		})
	}
	return r.Pending()
}

// decided takes the decision that a suspended attempt waits for. The attempt continues
// at once while the run is active, and with the resume of a suspended run.
func (r *State) decided(e Event) ([]Command, error) {
	i, u, err := r.unit(e)
	switch {
	case err != nil:
		return nil, err
	case u.phase != held || e.Attempt != u.result.Attempts:
		return nil, fmt.Errorf("attempt %d of %s is not suspended", e.Attempt, place(e))
	case e.Decision == nil || e.Decision.Reason != u.waits.Reason:
		return nil, fmt.Errorf("%s waits for a decision of reason %q", place(e), u.waits.Reason)
	}
	u.answer = e.Decision
	if r.stage != active {
		return nil, nil
	}
	r.release(u)
	return []Command{StartAttempt{r.attempt(i, e.Item, u)}}, nil
}

// release lets a suspended attempt continue.
func (r *State) release(u *task) {
	u.phase, u.result.Error, u.waits = started, nil, Suspension{}
	r.suspended--
	r.running++
}

// retried goes on with a run that has ended: what failed, and what was skipped
// for that, waits again, on_failure and finally too.
func (r *State) retried(e Event) ([]Command, error) {
	if r.status == Success || r.status == Skipped {
		return nil, fmt.Errorf("a run that ended as %s has nothing to retry", r.status)
	}
	r.stage, r.status, r.result, r.endedAt = active, "", nil, time.Time{}
	r.part, r.next, r.stopped = workflow.Main, 0, false
	r.ending, r.failure, r.cleanup = "", nil, nil
	r.outputs.again()
	r.clock.enter(e.Time, r.plan.Workflow.Timeout)
	for i := range r.steps {
		r.steps[i].retried(&r.plan.Steps[i])
	}
	r.recount()
	return r.startMain(e.Time), nil
}

// retried makes a step wait again, unless it stays as it is.
func (s *stepState) retried(step *workflow.PlanStep) {
	switch {
	case step.Part != workflow.Main:
		s.list = nil
	case s.result.Status == Failed && !step.ContinueOnError:
	case s.result.Status == Skipped && s.skippedBecause == SkippedByUpstream:
	default:
		return
	}
	s.again()
	s.skippedBecause, s.blocked = "", false
	if s.list != nil {
		s.list.again()
	}
}

// recount finds out what every main step still waits for.
func (r *State) recount() {
	r.open = 0
	for i := range r.steps {
		if r.plan.Steps[i].Part != workflow.Main {
			continue
		}
		s := &r.steps[i]
		if s.phase != ended {
			r.open++
		}
		s.missing = 0
		for _, need := range r.plan.Steps[i].Needs {
			if r.steps[need].phase != ended {
				s.missing++
			}
		}
	}
}

// Pending returns the commands that were issued and not answered: what a
// backend has to do again after it was interrupted.
func (r *State) Pending() []Command {
	if r.stage != active {
		return nil
	}
	var commands []Command
	r.eachUnit(func(i, item int, u *task) {
		switch {
		case u.phase == issued && !u.retryAt.IsZero():
			commands = append(commands, WaitAttempt{r.attempt(i, item, u), u.retryAt})
		case u.phase.pending():
			commands = append(commands, StartAttempt{r.attempt(i, item, u)})
		}
	})
	switch {
	case len(commands) == 0 && r.suspended > 0:
		return []Command{Suspend{r.Held()}}
	case len(commands) == 0:
		return []Command{r.finish()}
	case r.stopped:
		for _, c := range commands {
			if start, ok := c.(StartAttempt); ok {
				commands = append(commands, CancelAttempt{start.Attempt.Step, start.Attempt.Item, r.why})
			}
		}
	}
	return commands
}

// Result returns what is known of the run so far.
func (r *State) Result() *Result {
	result := &Result{Run: r.id, Workflow: r.start.Workflow, Status: r.status, Outputs: r.result, StartedAt: r.startedAt, Steps: make([]StepResult, len(r.steps))}
	if r.stage == paused {
		result.Status, result.Error, result.Suspended = NeedsAttention, r.Held(), true
	} else if r.status != Success {
		result.Error = r.failure
	}
	if !r.endedAt.IsZero() {
		result.Duration = r.endedAt.Sub(r.startedAt)
	}
	for i := range r.steps {
		result.Steps[i] = r.stepResult(i)
	}
	return result
}
