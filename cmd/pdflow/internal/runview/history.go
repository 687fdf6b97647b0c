// Package runview shows the events of a run to people and to programs.
//
//   - A history is what the events of a run say about its steps, attempts and calls (history.go).
//   - A [Progress] draws a history while the run is running (progress.go).
//   - A [View] shows the history of a recorded run as a page with a timeline (view.go).
//   - result.go prints the result of a run as text or JSON, writes.go lists the writes of a dry run,
//     logs.go prints logs.
//
// Most functions turn values into text and print nothing.
package runview

import (
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A history is what the events of a run say about it: the steps with their attempts, items and calls,
// and the times of each. It has no inputs and outputs of calls, so it needs little memory.
type history struct {
	// fold says when a retry is due. It is nil if the sources of the run do not compile, or if it
	// refused an event.
	fold *run.State

	run       string
	start     *run.Start // nil before the first event
	status    run.Status // queued or running until the run ends
	reason    string     // why it is queued or was skipped
	failure   *run.Failure
	outputs   action.Object
	startedAt time.Time
	last      time.Time // of the last event
	ended     bool      // or suspended; a later event can resume or retry the run
	suspended bool      // waits for a decision
	marks     []mark
	steps     []*stepHistory
	index     map[string]*stepHistory
}

// A mark is an event of the run as a whole.
type mark struct {
	at   time.Time
	kind run.EventKind
	idle time.Duration // how long no process worked on the run before it
}

// newHistory returns the history of events. It has the steps of the plan, if there is a plan.
func newHistory(plan *workflow.Plan, events ...run.Event) *history {
	h := &history{index: map[string]*stepHistory{}}
	if plan != nil {
		h.fold = run.New(plan)
		for i := range plan.Steps {
			s, planned := h.step(plan.Steps[i].ID), &plan.Steps[i]
			s.planned = planned
			if planned.Action != nil {
				s.what = planned.Action.Name
			}
		}
	}
	for _, e := range events {
		h.add(e)
	}
	return h
}

// step returns the history of a step, and adds it if it is new.
func (h *history) step(id string) *stepHistory {
	s := h.index[id]
	if s == nil {
		s = &stepHistory{id: id, what: "lua"}
		h.index[id] = s
		h.steps = append(h.steps, s)
	}
	return s
}

// add adds the next event. It returns the step of the event; nil if the event is about the run.
func (h *history) add(e run.Event) *stepHistory {
	idle := e.Time.Sub(h.last)
	h.last = e.Time
	commands := h.apply(e)
	if e.Step == "" {
		h.addToRun(e, idle)
		return nil
	}
	if e.Step == run.OutputsStep {
		return nil
	}
	s := h.step(e.Step)
	s.add(e)
	for _, c := range commands {
		if wait, ok := c.(run.WaitAttempt); ok && wait.Attempt.Step == e.Step && wait.Attempt.Item == e.Item {
			s.change(e.Item, func(t *taskHistory) { t.due = wait.Until })
		}
	}
	return s
}

// apply folds the event. An event that the fold refuses is still shown.
func (h *history) apply(e run.Event) []run.Command {
	if h.fold == nil {
		return nil
	}
	commands, err := h.fold.Apply(e)
	if err != nil {
		h.fold = nil
	}
	return commands
}

func (h *history) addToRun(e run.Event, idle time.Duration) {
	switch e.Kind {
	case run.EventQueued, run.EventSkipped, run.EventStarted:
		h.begin(e)
	case run.EventResumed, run.EventRetried:
		if h.status != run.Queued { // it still waits for its concurrency group
			h.status = run.Running
		}
		h.failure, h.ended, h.suspended = nil, false, false
		for _, s := range h.steps {
			s.resume(e.Kind == run.EventRetried)
		}
	case run.EventSuspended:
		h.status, h.failure, h.ended, h.suspended = run.NeedsAttention, e.Error, true, true
	case run.EventFinished:
		h.status, h.failure, h.outputs, h.ended = e.Status, e.Error, e.Outputs, true
	case run.EventAdmitted:
		return // the wait for a slot is not shown
	case run.EventCancelled, run.EventTimedOut:
		for _, s := range h.steps {
			s.stop()
		}
	}
	if e.Kind != run.EventFinished && (e.Kind != run.EventStarted || len(h.marks) > 0) {
		h.marks = append(h.marks, mark{e.Time, e.Kind, idle})
	}
}

func (h *history) begin(e run.Event) {
	if h.start == nil {
		h.run, h.startedAt = e.Run, e.Time
	}
	h.start = e.Started
	if e.Reason != "" {
		h.reason = e.Reason // keeps why it was queued after it started
	}
	switch e.Kind {
	case run.EventQueued:
		h.status = run.Queued
	case run.EventSkipped:
		h.status, h.ended = run.Skipped, true
	default:
		h.status = run.Running
	}
}

// A stepHistory is a step. The task that it embeds is the step itself, or for a for_each the evaluation
// of its list.
type stepHistory struct {
	taskHistory
	id, what string
	planned  *workflow.PlanStep // nil without a plan
	expanded bool
	items    []*taskHistory // item n is at n-1; nil before the item starts
	stopped  bool           // no more items start

	active, held, done, failed int // numbers of items; held items wait for a decision and count as active, failed items count as done
}

// part returns the part of the workflow that the step is in; Main without a plan.
func (s *stepHistory) part() workflow.Part {
	if s.planned == nil {
		return workflow.Main
	}
	return s.planned.Part
}

// add adds an event of the step.
func (s *stepHistory) add(e run.Event) {
	if e.Kind == run.EventStepExpanded {
		s.expanded, s.items = true, make([]*taskHistory, len(e.Items))
	}
	s.change(e.Item, func(t *taskHistory) {
		switch e.Kind {
		case run.EventAttemptStarted:
			t.attempts = append(t.attempts, &attemptHistory{number: e.Attempt, startedAt: e.Time})
			t.due, t.again = time.Time{}, false
		case run.EventStepExpanded, run.EventAttemptFinished, run.EventAttemptSuspended:
			t.end(e, s.planned)
		case run.EventCallStarted, run.EventCallReturned, run.EventCallDecided:
			t.addCall(e)
		}
	})
}

// change changes a task and updates the numbers of items.
func (s *stepHistory) change(item int, f func(*taskHistory)) {
	t := s.task(item)
	if item == 0 {
		f(t)
		return
	}
	s.count(t.status(), -1)
	f(t)
	s.count(t.status(), 1)
}

func (s *stepHistory) count(status run.Status, n int) {
	switch status {
	case "":
	case run.Running, run.Queued:
		s.active += n
	case run.Suspended:
		s.active += n
		s.held += n
	case run.Failed:
		s.failed += n
		s.done += n
	default:
		s.done += n
	}
}

// task returns the item of a number, or the step itself for 0.
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

// each visits the tasks that have started.
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

// stop removes the retries that are due later, because they are not made.
func (s *stepHistory) stop() {
	s.stopped = len(s.attempts) > 0
	s.each(func(item int) { s.change(item, func(t *taskHistory) { t.due = time.Time{} }) })
}

// resume marks the tasks that run again. When a run is resumed, these are the attempts that waited for a
// decision. When a run is retried, these are the failed tasks and all of on_failure and finally.
func (s *stepHistory) resume(retried bool) {
	failed := s.status() == run.Failed && (s.planned == nil || !s.planned.ContinueOnError)
	whole := s.part() != workflow.Main
	s.each(func(item int) {
		s.change(item, func(t *taskHistory) {
			status := t.status()
			switch {
			case status == run.Suspended:
				t.last().ended, t.last().status = time.Time{}, ""
			case retried && (whole || failed && status == run.Failed):
				t.again = true
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

// status returns the status of the whole step; empty before it starts.
func (s *stepHistory) status() run.Status {
	if !s.expanded {
		return s.taskHistory.status()
	}
	failFast := s.planned == nil || s.planned.FailFast
	switch missing := s.done < len(s.items); {
	case s.again:
		return ""
	case s.active > 0 && s.active == s.held:
		return run.Suspended
	case s.active > 0 || missing && !s.stopped && (s.failed == 0 || !failFast):
		return run.Running
	case missing || s.failed > 0:
		return run.Failed
	}
	return run.Success
}

// span returns when the step started and ended. The end is zero while the step is running.
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
	if s.active > 0 || s.status() == run.Running {
		to = time.Time{}
	}
	return from, to
}

// failure returns why the step failed. For a for_each that is the failure of its first failed item.
func (s *stepHistory) failure() *run.Failure {
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

// A taskHistory is a step, or an item of a for_each, with its attempts.
type taskHistory struct {
	attempts []*attemptHistory
	due      time.Time // when the next attempt is due; zero if none is
	again    bool      // it runs again, because the run was retried
}

// An attemptHistory is one attempt.
type attemptHistory struct {
	number    int
	startedAt time.Time
	ended     time.Time  // zero while it is running
	status    run.Status // of its outcome
	failure   *run.Failure
	note      string // a summary of its outputs
	calls     []*callHistory
}

// A callHistory is one call.
type callHistory struct {
	sequence, number int // of its first event; of the call in the attempt
	action           string
	startedAt        time.Time
	returned         time.Time // zero while its outcome is unknown
	again            bool      // the result is from an earlier attempt
	failure          *run.Failure
	decision         run.CallOutcome
}

// failure returns the failure of the last attempt; nil if the task runs again.
func (t *taskHistory) failure() *run.Failure {
	if a := t.last(); a != nil && !t.again {
		return a.failure
	}
	return nil
}

// status returns the status of the task: empty before it starts, queued before a retry, running, or the
// outcome of its last attempt.
func (t *taskHistory) status() run.Status {
	a := t.last()
	switch {
	case t.again || a == nil:
		return ""
	case !t.due.IsZero():
		return run.Queued
	case a.ended.IsZero():
		return run.Running
	}
	return a.status
}

func (t *taskHistory) last() *attemptHistory {
	if len(t.attempts) == 0 {
		return nil
	}
	return t.attempts[len(t.attempts)-1]
}

func (t *taskHistory) span() (from, to time.Time) {
	if len(t.attempts) == 0 {
		return from, to
	}
	if t.due.IsZero() {
		to = t.last().ended
	}
	return t.attempts[0].startedAt, to
}

func (t *taskHistory) end(e run.Event, planned *workflow.PlanStep) {
	a := t.last()
	if a == nil {
		return
	}
	a.ended, a.status = e.Time, run.Success
	if e.Outcome == nil {
		return
	}
	a.status, a.failure = e.Outcome.Status, e.Outcome.Error
	if planned != nil && planned.Action != nil && a.status == run.Success {
		a.note = outputsNote(planned.Action, e.Outcome.Outputs)
	}
}

// addCall adds an event of a call.
func (t *taskHistory) addCall(e run.Event) {
	a := t.last()
	switch {
	case e.Kind == run.EventCallDecided:
		t.decide(e)
		return
	case a == nil:
		return
	case e.Kind == run.EventCallReturned:
		for _, c := range a.calls {
			if c.number == e.Call.Number {
				c.returned, c.failure = e.Time, e.Call.Error
				return
			}
		}
	}
	c := &callHistory{sequence: e.Sequence, number: e.Call.Number, action: e.Call.Action, startedAt: e.Time, again: e.Call.Again}
	if e.Kind == run.EventCallReturned {
		c.returned, c.failure = e.Time, e.Call.Error
	}
	a.calls = append(a.calls, c)
}

// decide keeps a decision about a call of any attempt.
func (t *taskHistory) decide(e run.Event) {
	for _, a := range t.attempts {
		for _, c := range a.calls {
			if c.sequence == e.Call.Number {
				c.decision = e.Call.Decision
			}
		}
	}
}
