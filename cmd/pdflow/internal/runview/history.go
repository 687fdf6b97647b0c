// Package runview shows the events of a run to people and to programs.
//
//   - A history is what the events of a run say about its steps, attempts and calls (history.go,
//     steps.go).
//   - A [Progress] draws a history while the run is running (progress.go, line.go).
//   - A [View] shows the history of a recorded run as a page with a timeline (view.go, timeline.go).
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

// newHistory returns a history without events. It has the steps of the plan, if there is a plan.
func newHistory(plan *workflow.Plan) *history {
	h := &history{index: map[string]*stepHistory{}}
	if plan == nil {
		return h
	}
	h.fold = run.New(plan)
	for i := range plan.Steps {
		s, planned := h.step(plan.Steps[i].ID), &plan.Steps[i]
		s.planned = planned
		if planned.Action != nil {
			s.what = planned.Action.Name
		}
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
