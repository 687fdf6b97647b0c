// Package runview shows the events of a run to people and to programs.
//
//   - A history is what the events of a run say about its steps, attempts and calls (history.go,
//     steps.go).
//   - A [Progress] draws a history while the run is running (progress.go, line.go).
//   - A [View] shows the history of a recorded run as a page with a timeline (view.go, timeline.go,
//     draw.go).
//   - result.go prints the result of a run, report.go has it as JSON, writes.go lists the writes of
//     a dry run, logs.go prints logs.
//
// Most functions turn values into text and print nothing.
package runview

import (
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A history is what the events of a run say about it: the steps with their attempts, items and calls,
// and the times of each. It has no inputs and outputs of calls, so it needs little memory.
type history struct {
	// fold says when a retry is due. It is nil if the sources of the run do not compile, or if it
	// refused an event.
	fold *engine.Run

	run       string
	start     *engine.RunStart // nil before the first event
	status    engine.Status    // queued or running until the run ends
	reason    string           // why it is queued or was skipped
	failure   *engine.Failure
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
	kind engine.EventKind
	idle time.Duration // how long no process worked on the run before it
}

// newHistory returns a history without events. It has the steps of the plan, if there is a plan.
func newHistory(plan *workflow.Plan) *history {
	h := &history{index: map[string]*stepHistory{}}
	if plan == nil {
		return h
	}
	h.fold = engine.NewRun(plan)
	for i := range plan.Steps {
		h.step(plan.Steps[i].ID).isPlanned(&plan.Steps[i])
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
func (h *history) add(e engine.Event) *stepHistory {
	idle := e.Time.Sub(h.last)
	h.last = e.Time
	commands := h.apply(e)
	if e.Step == "" {
		h.addToRun(e, idle)
		return nil
	}
	if e.Step == engine.OutputsStep {
		return nil
	}
	s := h.step(e.Step)
	s.add(e)
	for _, c := range commands {
		if wait, ok := c.(engine.Wait); ok && wait.Attempt.Step == e.Step && wait.Attempt.Item == e.Item {
			s.change(e.Item, func(t *taskHistory) { t.due = wait.Until })
		}
	}
	return s
}

// apply folds the event. An event that the fold refuses is still shown.
func (h *history) apply(e engine.Event) []engine.Command {
	if h.fold == nil {
		return nil
	}
	commands, err := h.fold.Apply(e)
	if err != nil {
		h.fold = nil
	}
	return commands
}

func (h *history) addToRun(e engine.Event, idle time.Duration) {
	switch e.Kind {
	case engine.RunQueued, engine.RunSkipped, engine.RunStarted:
		h.begin(e)
	case engine.RunResumed, engine.RunRetried:
		if h.status != engine.Queued { // it still waits for its concurrency group
			h.status = engine.Running
		}
		h.failure, h.ended, h.suspended = nil, false, false
		for _, s := range h.steps {
			s.resume(e.Kind == engine.RunRetried)
		}
	case engine.RunSuspended:
		h.status, h.failure, h.ended, h.suspended = engine.NeedsAttention, e.Error, true, true
	case engine.RunFinished:
		h.status, h.failure, h.outputs, h.ended = e.Status, e.Error, e.Outputs, true
	case engine.RunCancelled, engine.RunTimedOut:
		for _, s := range h.steps {
			s.stop()
		}
	}
	if e.Kind != engine.RunFinished && (e.Kind != engine.RunStarted || len(h.marks) > 0) {
		h.marks = append(h.marks, mark{e.Time, e.Kind, idle})
	}
}

func (h *history) begin(e engine.Event) {
	if h.start == nil {
		h.run, h.startedAt = e.Run, e.Time
	}
	h.start = e.Started
	if e.Reason != "" {
		h.reason = e.Reason // keeps why it was queued after it started
	}
	switch e.Kind {
	case engine.RunQueued:
		h.status = engine.Queued
	case engine.RunSkipped:
		h.status, h.ended = engine.Skipped, true
	default:
		h.status = engine.Running
	}
}
