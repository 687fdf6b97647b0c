package runview

import (
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A History is what the events of a run say of it: the steps, their attempts and
// items, the calls, and when each was. The live view draws it while it grows,
// `runs show` when it is whole. It keeps no inputs and outputs of calls, so it
// stays small beside the run.
type History struct {
	// fold says when a retry is due; nil when the sources of the run do not
	// compile any more, or the events make no sense to it.
	fold *engine.Run

	run     string
	start   *engine.RunStart // nil before the first event
	status  engine.Status    // queued or running until the run ends
	reason  string           // why it waits or was skipped
	failure *engine.Failure
	outputs action.Object
	begun   time.Time
	last    time.Time // of the last event
	ended   bool      // for now: a suspended run can go on, and one that failed be retried
	// suspended says that it waits for a person.
	suspended bool
	marks     []mark
	steps     []*stepHistory
	index     map[string]*stepHistory
}

// A mark is a point in the history of the run as a whole.
type mark struct {
	at   time.Time
	kind engine.EventKind
	// idle is how long no process had worked on the run before.
	idle time.Duration
}

// newHistory returns a history without events. The steps of a plan are known
// before they run.
func newHistory(plan *workflow.Plan) *History {
	h := &History{index: map[string]*stepHistory{}}
	if plan == nil {
		return h
	}
	h.fold = engine.NewRun(plan)
	for i := range plan.Steps {
		h.step(plan.Steps[i].ID).isPlanned(&plan.Steps[i])
	}
	return h
}

// step returns the history of a step.
func (h *History) step(id string) *stepHistory {
	s := h.index[id]
	if s == nil {
		s = &stepHistory{id: id, what: "lua"}
		h.index[id] = s
		h.steps = append(h.steps, s)
	}
	return s
}

// add takes the next event. It returns the step that the event is of, nil for
// those of the run.
func (h *History) add(e engine.Event) *stepHistory {
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
			s.change(e.Item, func(u *taskHistory) { u.due = wait.Until })
		}
	}
	return s
}

// apply folds the event. A record that the fold refuses is still shown.
func (h *History) apply(e engine.Event) []engine.Command {
	if h.fold == nil {
		return nil
	}
	commands, err := h.fold.Apply(e)
	if err != nil {
		h.fold = nil
	}
	return commands
}

func (h *History) addToRun(e engine.Event, idle time.Duration) {
	switch e.Kind {
	case engine.RunQueued, engine.RunSkipped, engine.RunStarted:
		h.begin(e)
	case engine.RunResumed, engine.RunRetried:
		if h.status != engine.Queued { // it still waits for its turn
			h.status = engine.Running
		}
		h.failure, h.ended, h.suspended = nil, false, false
		for _, s := range h.steps {
			s.goOn(e.Kind == engine.RunRetried)
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

func (h *History) begin(e engine.Event) {
	if h.start == nil {
		h.run, h.begun = e.Run, e.Time
	}
	h.start = e.Started
	if e.Reason != "" {
		h.reason = e.Reason // why it waited stays known after it began
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
