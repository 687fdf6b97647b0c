package runview

import (
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A stepHistory is what became of a step. Its own unit is the step, or the
// evaluation of the list of a for_each.
type stepHistory struct {
	taskHistory
	id, what string
	planned  *workflow.PlanStep // nil without a plan
	expanded bool
	items    []*taskHistory // by number, from 1; nil where an item has not begun
	stopped  bool           // no further item of it begins

	active, held, done, failed int // items; those that wait for a person are active, those that failed done
}

func (s *stepHistory) isPlanned(planned *workflow.PlanStep) {
	s.planned = planned
	if planned.Action != nil {
		s.what = planned.Action.Name
	}
}

// part is when the step runs, as far as that is known.
func (s *stepHistory) part() workflow.Part {
	if s.planned == nil {
		return workflow.Main
	}
	return s.planned.Part
}

// maxAttempts is how many attempts the step may make, 0 when that is not known.
func (s *stepHistory) maxAttempts() int {
	if s.planned == nil {
		return 0
	}
	return s.planned.Retry.MaxAttempts
}

// add takes an event of the step.
func (s *stepHistory) add(e engine.Event) {
	if e.Kind == engine.StepExpanded {
		s.expanded, s.items = true, make([]*taskHistory, len(e.Items))
	}
	s.change(e.Item, func(u *taskHistory) {
		switch e.Kind {
		case engine.AttemptStarted:
			u.attempts = append(u.attempts, &attemptHistory{number: e.Attempt, began: e.Time})
			u.due, u.again = time.Time{}, false
		case engine.StepExpanded, engine.AttemptFinished, engine.AttemptSuspended:
			u.end(e, s.planned)
		case engine.CallStarted, engine.CallReturned, engine.CallDecided:
			u.addCall(e)
		}
	})
}

// change changes a unit and keeps count of the items.
func (s *stepHistory) change(item int, f func(*taskHistory)) {
	u := s.task(item)
	if item == 0 {
		f(u)
		return
	}
	s.count(u.status(), -1)
	f(u)
	s.count(u.status(), 1)
}

func (s *stepHistory) count(status engine.Status, n int) {
	switch status {
	case "":
	case engine.Running, engine.Queued:
		s.active += n
	case engine.Suspended:
		s.active += n
		s.held += n
	case engine.Failed:
		s.failed += n
		s.done += n
	default:
		s.done += n
	}
}

// task returns the item of that number, or the step itself for 0.
func (s *stepHistory) task(item int) *taskHistory {
	if item == 0 {
		return &s.taskHistory
	}
	for len(s.items) < item {
		s.items = append(s.items, nil)
	}
	if s.items[item-1] == nil {
		s.items[item-1] = &taskHistory{}
	}
	return s.items[item-1]
}

// each visits the units of the step that have begun.
func (s *stepHistory) each(visit func(item int)) {
	if len(s.attempts) > 0 {
		visit(0)
	}
	for i, item := range s.items {
		if item != nil {
			visit(i + 1)
		}
	}
}

// stop forgets the attempts that were waited for: they are not made.
func (s *stepHistory) stop() {
	s.stopped = len(s.attempts) > 0
	s.each(func(item int) { s.change(item, func(u *taskHistory) { u.due = time.Time{} }) })
}

// goOn makes wait what begins anew: attempts that waited for a person when a run
// is resumed, and what failed, with on_failure and finally, when it is retried.
func (s *stepHistory) goOn(retried bool) {
	failed := s.status() == engine.Failed && (s.planned == nil || !s.planned.ContinueOnError)
	whole := s.part() != workflow.Main
	s.each(func(item int) {
		s.change(item, func(u *taskHistory) {
			status := u.status()
			switch {
			case status == engine.Suspended:
				u.last().ended, u.last().status = time.Time{}, ""
			case retried && (whole || failed && status == engine.Failed):
				u.again = true
			}
		})
	})
	if !retried {
		return
	}
	s.stopped = false
	if whole {
		s.expanded, s.items, s.active, s.held, s.done, s.failed = false, nil, 0, 0, 0, 0
	}
}

// status is that of the step as a whole.
func (s *stepHistory) status() engine.Status {
	if !s.expanded {
		return s.taskHistory.status()
	}
	failFast := s.planned == nil || s.planned.FailFast
	switch missing := s.done < len(s.items); {
	case s.again:
		return ""
	case s.active > 0 && s.active == s.held:
		return engine.Suspended
	case s.active > 0 || missing && !s.stopped && (s.failed == 0 || !failFast):
		return engine.Running
	case missing || s.failed > 0:
		return engine.Failed
	}
	return engine.Success
}

// span is from when to when the step ran; to is zero while it does.
func (s *stepHistory) span() (from, to time.Time) {
	from, to = s.taskHistory.span()
	for _, item := range s.items {
		if item == nil {
			continue
		}
		if _, ended := item.span(); ended.After(to) {
			to = ended
		}
	}
	if s.active > 0 || s.status() == engine.Running {
		to = time.Time{}
	}
	return from, to
}

// failure is why the step failed: the first of its items that did, where it has
// some.
func (s *stepHistory) failure() *engine.Failure {
	if !s.expanded {
		return s.taskHistory.failure()
	}
	for _, item := range s.items {
		if item != nil && item.failure() != nil {
			return item.failure()
		}
	}
	return nil
}
