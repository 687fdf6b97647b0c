package runview

import (
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A taskHistory is a step, or an item of a for_each, with its attempts.
type taskHistory struct {
	attempts []*attemptHistory
	due      time.Time // of the next attempt, while one is waited for
	again    bool      // it begins anew: the run was retried
}

// An attemptHistory is one try.
type attemptHistory struct {
	number  int
	began   time.Time
	ended   time.Time     // zero while it is under way
	status  engine.Status // of its outcome
	failure *engine.Failure
	note    string // what its outputs say in short
	calls   []*callHistory
}

// A callHistory is one call, by the number of its first event.
type callHistory struct {
	sequence, number int
	action           string
	began            time.Time
	returned         time.Time // zero while it is not known what became of it
	again            bool      // the result is that of an earlier attempt
	failure          *engine.Failure
	decision         engine.Decision
}

// failure is that of the last attempt, unless it is to be made anew.
func (u *taskHistory) failure() *engine.Failure {
	if a := u.last(); a != nil && !u.again {
		return a.failure
	}
	return nil
}

// status is what is known of the unit: empty before it begins, running, queued
// while a retry is waited for, or the outcome of its last attempt.
func (u *taskHistory) status() engine.Status {
	a := u.last()
	switch {
	case u.again || a == nil:
		return ""
	case !u.due.IsZero():
		return engine.Queued
	case a.ended.IsZero():
		return engine.Running
	}
	return a.status
}

func (u *taskHistory) last() *attemptHistory {
	if len(u.attempts) == 0 {
		return nil
	}
	return u.attempts[len(u.attempts)-1]
}

func (u *taskHistory) span() (from, to time.Time) {
	if len(u.attempts) == 0 {
		return from, to
	}
	if u.due.IsZero() {
		to = u.last().ended
	}
	return u.attempts[0].began, to
}

func (u *taskHistory) end(e engine.Event, planned *workflow.PlanStep) {
	a := u.last()
	if a == nil {
		return
	}
	a.ended, a.status = e.Time, engine.Success
	if e.Outcome == nil {
		return
	}
	a.status, a.failure = e.Outcome.Status, e.Outcome.Error
	if planned != nil && planned.Action != nil && a.status == engine.Success {
		a.note = outputsNote(planned.Action, e.Outcome.Outputs)
	}
}

// addCall takes an event of a call of the unit.
func (u *taskHistory) addCall(e engine.Event) {
	a := u.last()
	switch {
	case e.Kind == engine.CallDecided:
		u.decide(e)
		return
	case a == nil:
		return
	case e.Kind == engine.CallReturned:
		for _, c := range a.calls {
			if c.number == e.Call.Number {
				c.returned, c.failure = e.Time, e.Call.Error
				return
			}
		}
	}
	c := &callHistory{sequence: e.Sequence, number: e.Call.Number, action: e.Call.Action, began: e.Time, again: e.Call.Again}
	if e.Kind == engine.CallReturned {
		c.returned, c.failure = e.Time, e.Call.Error
	}
	a.calls = append(a.calls, c)
}

// decide notes what a person said of a call, wherever in the unit it was made.
func (u *taskHistory) decide(e engine.Event) {
	for _, a := range u.attempts {
		for _, c := range a.calls {
			if c.sequence == e.Call.Number {
				c.decision = e.Call.Decision
			}
		}
	}
}
