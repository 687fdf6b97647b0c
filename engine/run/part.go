package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/workflow"
)

// CleanupTime is the timeout of finally. on_failure has what is left of the timeout of
// the run, but at least CleanupTime.
const CleanupTime = time.Minute

// advance starts the next part, the outputs, or the end of the run, once nothing of the
// current part is running.
func (s *State) advance(at time.Time) []Command {
	for s.running == 0 && s.stage == stageActive {
		switch {
		case s.suspended > 0:
			return []Command{Suspend{s.suspensionError()}}
		case s.part == workflow.Main && s.open > 0 && !s.stopped:
			return nil
		case s.part != workflow.Main && !s.stopped:
			if i, ok := s.nextStep(); ok {
				return s.issueStep(i, at)
			}
		}
		if s.part == workflow.Finally {
			return s.conclude()
		}
		s.enter(s.part+1, at)
	}
	return nil
}

// enter begins a part.
func (s *State) enter(p workflow.Part, at time.Time) {
	s.skipOpen(s.part)
	left := s.clock.deadline().Sub(at)
	s.part, s.next, s.stopped = p, 0, false
	switch {
	case p == workflow.Finally:
		s.clock.enter(at, CleanupTime)
	case s.ending == Cancelled || s.failure == nil && s.ending == "":
		s.stopped = true // on_failure has nothing to do
	default:
		s.clock.enter(at, max(CleanupTime, left))
	}
}

// nextStep returns the next step of on_failure or finally. These steps run one after
// the other, and a failed step does not keep the next one from running.
func (s *State) nextStep() (int, bool) {
	for ; s.next < len(s.steps); s.next++ {
		if s.plan.Steps[s.next].Part == s.part && s.steps[s.next].phase == waiting {
			s.next++
			return s.next - 1, true
		}
	}
	return 0, false
}

// conclude starts the outputs of a successful run, or ends the run.
func (s *State) conclude() []Command {
	if s.ending == "" && s.failure == nil && s.outputs.phase == waiting && len(s.plan.Outputs) > 0 {
		return []Command{s.issue(-1, 0, &s.outputs)}
	}
	return []Command{s.end(s.outputs.result.Outputs)}
}

// stop applies a cancellation or a timeout: no further step of the part starts, and
// running attempts are cancelled. finally of a cancelled run still runs to its end.
func (s *State) stop(e Event) []Command {
	if s.stage == stageQueued {
		s.stage, s.part, s.stopped, s.ending = stageActive, workflow.Finally, true, Cancelled
		s.skipOpen(s.part)
		return s.advance(e.Time)
	}
	if e.Kind == EventCancelled && s.part == workflow.Finally {
		if s.ending == "" {
			s.ending, s.why = Cancelled, ErrCancelled
		}
		if s.outputs.phase.pending() {
			return []Command{CancelAttempt{Step: OutputsStep, Cause: s.why}}
		}
		return nil
	}
	if s.stopped {
		return nil
	}
	s.stopped, s.why = true, ErrCancelled
	switch {
	case e.Kind == EventTimedOut && s.part == workflow.Main:
		s.ending, s.why = TimedOut, ErrTimedOut
	case e.Kind == EventTimedOut:
		s.why = errPartTimedOut(s.part)
	case s.ending == "":
		s.ending = Cancelled
	}
	return append(s.stopTasks(e.Time), s.advance(e.Time)...)
}

// stopTasks returns the commands that cancel the pending attempts. It ends the tasks
// that wait for a retry or for a decision.
func (s *State) stopTasks(at time.Time) []Command {
	var commands []Command
	type idleTask struct{ step, item int }
	var idle []idleTask
	s.eachTask(func(i, item int, t *task) {
		if t.phase.pending() {
			commands = append(commands, CancelAttempt{s.stepID(i), item, s.why})
		}
		if t.phase == suspended || t.phase == issued && !t.retryAt.IsZero() {
			idle = append(idle, idleTask{i, item})
		}
	})
	for _, t := range idle {
		commands = append(commands, s.drop(t.step, t.item, at)...)
	}
	return commands
}

// drop ends a task that has no running attempt. It fails with the error of its last
// attempt.
func (s *State) drop(i, item int, at time.Time) []Command {
	t := &s.outputs
	if i >= 0 {
		t = &s.steps[i].task
	}
	if item > 0 {
		t = &s.steps[i].list.items[item-1]
	}
	if t.phase == suspended {
		s.suspended--
	} else {
		s.running--
	}
	t.finish(Outcome{Status: Failed, Error: t.result.Error}, at)
	switch {
	case i < 0:
		return nil
	case item > 0:
		return s.itemFinished(i, item, at)
	}
	return s.stepFinished(i, at)
}

// finish applies the end of the run.
func (s *State) finish(e Event) error {
	if e.Status == "" || s.running > 0 || s.suspended > 0 {
		return fmt.Errorf("the run cannot end now")
	}
	s.part = workflow.Finally
	s.skipOpen(s.part)
	s.stage, s.status, s.result, s.endedAt = stageEnded, e.Status, e.Outputs, e.Time
	if e.Error != nil {
		s.failure = e.Error
	}
	return nil
}
