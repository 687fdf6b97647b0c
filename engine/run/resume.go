package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/workflow"
)

// suspend applies run.suspended: every attempt that is left waits for a decision.
func (s *State) suspend() error {
	if s.running > 0 || s.suspended == 0 {
		return fmt.Errorf("the run cannot be suspended now")
	}
	s.stage = stageSuspended
	return nil
}

// resume continues the run: attempts that were started or suspended are replayed. A retry
// waits for the rest of its delay. If the clock was set back since, it is not known how much
// that is, and the whole delay is the longest that the retry waits.
func (s *State) resume(e Event) []Command {
	if s.stage == stageQueued {
		return nil
	}
	s.stage = stageActive
	s.clock.resume(e.Time)
	s.eachTask(func(_, _ int, t *task) {
		switch latest := e.Time.Add(t.delay); {
		case t.phase == suspended:
			s.release(t)
		case t.phase == issued && t.retryAt.After(latest):
			t.retryAt = latest
		}
	})
	return s.Pending()
}

// decide applies the decision that a suspended attempt waits for. The attempt of an
// active run continues at once, the attempt of a suspended run with the resume.
func (s *State) decide(e Event) ([]Command, error) {
	i, t, err := s.task(e)
	switch {
	case err != nil:
		return nil, err
	case t.phase != suspended || e.Attempt != t.result.Attempts:
		return nil, fmt.Errorf("attempt %d of %s is not suspended", e.Attempt, taskName(e))
	case t.decided:
		return nil, fmt.Errorf("the decision about attempt %d of %s came before", e.Attempt, taskName(e))
	case e.Decision == nil || e.Decision.Reason != t.waits.Reason:
		return nil, fmt.Errorf("%s waits for a decision of reason %q", taskName(e), t.waits.Reason)
	}
	t.answer, t.decided = e.Decision, true
	if s.stage != stageActive {
		return nil, nil
	}
	s.release(t)
	return []Command{StartAttempt{s.attempt(i, e.Item, t)}}, nil
}

// callDecided notes that the call that a suspended attempt waits for was decided. The
// attempt finds the decision in its recorded calls once it continues.
func (s *stepTable) callDecided(e Event) {
	if _, t, err := s.task(e); err == nil && t.phase == suspended && e.Call != nil && e.Call.Number == t.waits.Call {
		t.decided = true
	}
}

// release lets a suspended attempt continue.
func (s *State) release(t *task) {
	t.phase, t.result.Error, t.waits, t.decided = started, nil, Suspension{}, false
	s.suspended--
	s.running++
}

// retry continues an ended run. The steps that failed, the steps that were skipped
// because of them, and the steps of on_failure and finally wait again.
func (s *State) retry(e Event) ([]Command, error) {
	if s.status == Success || s.status == Skipped {
		return nil, fmt.Errorf("a run that ended as %s has nothing to retry", s.status)
	}
	s.stage, s.status, s.result, s.endedAt = stageActive, "", nil, time.Time{}
	s.part, s.next, s.stopped = workflow.Main, 0, false
	s.ending, s.failure, s.cleanup = "", nil, nil
	s.outputs.reset()
	s.clock.enter(e.Time, s.plan.Workflow.Timeout)
	for i := range s.steps {
		s.steps[i].retry(&s.plan.Steps[i])
	}
	s.recount()
	return s.startMain(e.Time), nil
}

// retry makes a step wait again, unless its result stays.
func (s *stepState) retry(declared *workflow.PlanStep) {
	switch {
	case declared.Part != workflow.Main:
		s.list = nil
	case s.result.Status == Failed && !declared.ContinueOnError:
	case s.result.Status == Skipped && s.skippedBecause == SkippedByUpstream:
	default:
		return
	}
	s.reset()
	s.skippedBecause, s.blocked = "", false
	if s.list != nil {
		s.list.reset()
	}
}

// Pending returns the commands that Apply returned and that no event has answered yet.
// A process that resumes the run has to carry them out again.
func (s *State) Pending() []Command {
	if s.stage != stageActive {
		return nil
	}
	var commands []Command
	s.eachTask(func(i, item int, t *task) {
		switch {
		case t.phase == issued && !t.retryAt.IsZero():
			commands = append(commands, WaitAttempt{s.attempt(i, item, t), t.retryAt})
		case t.phase.pending():
			commands = append(commands, StartAttempt{s.attempt(i, item, t)})
		}
	})
	switch {
	case len(commands) == 0 && s.suspended > 0:
		return []Command{Suspend{s.suspensionError()}}
	case len(commands) == 0:
		return []Command{s.end(s.outputs.result.Outputs)}
	case s.stopped:
		for _, c := range commands {
			if start, ok := c.(StartAttempt); ok {
				commands = append(commands, CancelAttempt{start.Attempt.Step, start.Attempt.Item, s.why})
			}
		}
	}
	return commands
}

// Result returns what is known of the run so far.
func (s *State) Result() *Result {
	result := &Result{Run: s.id, Workflow: s.start.Workflow, Status: s.status, Outputs: s.result, StartedAt: s.startedAt, Steps: make([]StepResult, len(s.steps))}
	if s.stage == stageSuspended {
		result.Status, result.Error, result.Suspended = NeedsAttention, s.suspensionError(), true
	} else if s.status != Success {
		result.Error = s.failure
	}
	if !s.endedAt.IsZero() {
		result.Duration = max(s.endedAt.Sub(s.startedAt), 0) // the clock may have been set back before a resume
	}
	for i := range s.steps {
		result.Steps[i] = s.stepResult(i)
	}
	return result
}
