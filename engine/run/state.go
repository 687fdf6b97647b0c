package run

import (
	"fmt"
	"iter"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// OutputsStep stands for a step id in attempts that evaluate the outputs of the
// workflow. No step can have this id.
const OutputsStep = "(outputs)"

// A State is what the events of a run so far amount to. Only Apply changes it. It is
// not safe for concurrent use.
type State struct {
	plan      *workflow.Plan
	id        string
	start     Start
	startedAt time.Time
	sequence  int // of the last event
	stage     stage

	steps      []stepState
	index      map[string]int // of steps, by id
	dependents [][]int        // for each step, the main steps that need it
	outputs    task

	part      workflow.Part
	next      int   // in on_failure and finally: the first step that was not considered
	open      int   // main steps that have not ended
	running   int   // tasks with an attempt that is issued or started
	suspended int   // tasks with a suspended attempt
	stopped   bool  // no further step of this part starts
	why       error // the cause that running attempts are cancelled with
	clock     partClock

	ending  Status   // why the run ends early: cancelled or timed_out; else empty
	failure *Failure // the first, except that an unknown outcome replaces any other
	cleanup *Failure // the first in on_failure or finally
	size    int      // of all outputs, in bytes of JSON text
	status  Status   // set by run.finished and run.skipped
	result  action.Object
	endedAt time.Time
}

// A stage is how far a run has come as a whole.
type stage int

const (
	stageNew       stage = iota // no event yet
	stageQueued                 // it waits for its concurrency group
	stageActive                 // it has started
	stageSuspended              // from run.suspended to run.resumed
	stageEnded                  // only run.retried makes it active again
)

// New returns the state of a run of the plan before its first event.
func New(plan *workflow.Plan) *State {
	n := len(plan.Steps)
	s := &State{plan: plan, steps: make([]stepState, n), index: make(map[string]int, n), dependents: make([][]int, n)}
	for i := range plan.Steps {
		declared := &plan.Steps[i]
		s.index[declared.ID] = i
		s.steps[i].missing = len(declared.Needs)
		s.steps[i].id = declared.ID
		for _, need := range declared.Needs {
			s.dependents[need] = append(s.dependents[need], i)
		}
		if declared.Part == workflow.Main {
			s.open++
		}
	}
	return s
}

// Apply changes the state by one event and returns what that newly enables. An event
// that cannot come now is an error and changes nothing.
func (s *State) Apply(e Event) ([]Command, error) {
	if err := s.expects(e); err != nil {
		return nil, err
	}
	commands, err := s.apply(e)
	if err == nil {
		s.sequence++
		if e.Kind != EventCallDecided && e.Kind != EventAttemptDecided {
			s.clock.last = e.Time // a decision can come while no process executes the run
		}
	}
	return commands, err
}

// expects returns an error for an event that cannot come at this stage.
func (s *State) expects(e Event) error {
	switch {
	case e.Sequence != s.sequence+1:
		return fmt.Errorf("event %d follows event %d: one is missing or came twice", e.Sequence, s.sequence)
	case s.sequence > 0 && e.Run != s.id:
		return fmt.Errorf("the event is of run %q, not of %q", e.Run, s.id)
	case s.stage == stageNew && (!e.Kind.first() || e.Started == nil):
		return fmt.Errorf("the first event of a run must be %s with what the run starts from, not %s", EventStarted, e.Kind)
	case s.stage == stageEnded && !s.stage.allows(e.Kind):
		return fmt.Errorf("the run has ended: %s cannot follow", e.Kind)
	case s.stage == stageActive && e.Kind.first():
		return fmt.Errorf("the run has started already")
	case !s.stage.allows(e.Kind) || e.Kind.first() && e.Started == nil:
		return fmt.Errorf("%s cannot come now", e.Kind)
	}
	return nil
}

// first reports whether an event of the kind can be the first of a run.
func (k EventKind) first() bool { return k == EventQueued || k == EventSkipped || k == EventStarted }

func (s stage) allows(k EventKind) bool {
	switch s {
	case stageNew:
		return k.first()
	case stageQueued:
		return k == EventStarted || k == EventResumed || k == EventCancelled
	case stageSuspended:
		return k == EventResumed || k == EventCallDecided || k == EventAttemptDecided
	case stageEnded:
		return k == EventRetried || k == EventCallDecided
	}
	return !k.first() && k != EventRetried
}

func (s *State) apply(e Event) ([]Command, error) {
	switch e.Kind {
	case EventQueued, EventSkipped, EventStarted:
		return s.begin(e), nil
	case EventResumed:
		return s.resume(e), nil
	case EventRetried:
		return s.retry(e)
	case EventCancelled, EventTimedOut:
		return s.stop(e), nil
	case EventAdmitted:
		s.clock.postpone(e.Time.Sub(s.clock.last))
		return nil, nil
	case EventSuspended:
		return nil, s.suspend()
	case EventFinished:
		return nil, s.finish(e)
	case EventAttemptDecided:
		return s.decide(e)
	case EventStepExpanded, EventAttemptStarted, EventAttemptFinished, EventAttemptSuspended:
		return s.attempted(e)
	case EventCallDecided:
		s.callDecided(e)
		return nil, nil
	}
	if e.Kind.Record() {
		return nil, nil
	}
	return nil, fmt.Errorf("%q is not a kind of event", e.Kind)
}

// begin applies the first event of a run, and the start of a queued run.
func (s *State) begin(e Event) []Command {
	s.id, s.start, s.startedAt = e.Run, *e.Started, e.Time
	switch e.Kind {
	case EventQueued:
		s.stage = stageQueued
		return nil
	case EventSkipped:
		s.stage, s.status, s.endedAt, s.part = stageEnded, Skipped, e.Time, workflow.Finally
		s.failure = &Failure{Kind: action.Conflict, Message: e.Reason}
		s.skipOpen()
		return nil
	}
	s.stage = stageActive
	s.clock.enter(e.Time, s.plan.Workflow.Timeout)
	return s.startMain(e.Time)
}

// startMain starts every main step that needs no other step to end first.
func (s *State) startMain(at time.Time) []Command {
	var commands []Command
	for i := range s.steps {
		if s.plan.Steps[i].Part == workflow.Main && s.steps[i].phase == waiting && s.steps[i].missing == 0 {
			commands = append(commands, s.issueStep(i, at)...)
		}
	}
	return append(commands, s.advance(at)...)
}

// find returns the index of a step.
func (s *State) find(id string) (int, error) {
	i, ok := s.index[id]
	if !ok {
		return 0, fmt.Errorf("the workflow has no step %q", id)
	}
	return i, nil
}

// Deadline returns when the time of the current part is used up. It is zero when the
// part has no such limit. Time in which no process executed the run does not count.
func (s *State) Deadline() time.Time {
	if s.stage != stageActive || s.outputs.phase != waiting {
		return time.Time{}
	}
	return s.clock.deadline()
}

// A partClock measures the time in which a part of a run was executed.
type partClock struct {
	since time.Time     // when the part began, or the run was resumed
	left  time.Duration // the time that the part had left then
	last  time.Time     // of the last event
}

// enter starts the time of a part.
func (c *partClock) enter(at time.Time, limit time.Duration) { c.since, c.left = at, limit }

// resume leaves out the time between the last event and at.
func (c *partClock) resume(at time.Time) { c.since, c.left = at, c.left-c.last.Sub(c.since) }

// postpone moves the deadline by the time that the run waited for a slot.
func (c *partClock) postpone(d time.Duration) { c.since = c.since.Add(max(d, 0)) }

func (c *partClock) deadline() time.Time { return c.since.Add(c.left) }

// Start returns what the run started from. The caller must not change it, except to
// put back the texts of secret inputs, which no history contains.
func (s *State) Start() *Start { return &s.start }

// Status returns the status of an ended run; it is empty until then.
func (s *State) Status() Status { return s.status }

// Queued reports whether the run waits for its concurrency group.
func (s *State) Queued() bool { return s.stage == stageQueued }

// Suspended reports whether the run is suspended.
func (s *State) Suspended() bool { return s.stage == stageSuspended }

// Ended reports whether the run has ended. Only a retry can follow.
func (s *State) Ended() bool { return s.stage == stageEnded }

// Decided reports whether a suspended attempt has its decision already and waits only for
// the resume of the run.
func (s *State) Decided() bool {
	found := false
	s.eachTask(func(_, _ int, t *task) { found = found || t.decided })
	return found
}

// Suspension returns the first task, in the order of the plan, that is suspended and waits
// for a decision, and what it waits for. Both are zero when there is none.
func (s *State) Suspension() (TaskID, Suspension) {
	for a, waits := range s.suspensions() {
		return TaskID{a.Step, a.Item}, waits
	}
	return TaskID{}, Suspension{}
}

// WaitingFor returns the first suspended attempt that waits for a decision of the reason.
func (s *State) WaitingFor(reason Reason) (a Attempt, ok bool) {
	for a, waits := range s.suspensions() {
		if waits.Reason == reason {
			return a, true
		}
	}
	return Attempt{}, false
}

// Waits returns what the suspended attempts wait for, in the order of the plan.
func (s *State) Waits() []Suspension {
	var waits []Suspension
	for _, w := range s.suspensions() {
		waits = append(waits, w)
	}
	return waits
}

// suspensions visits the suspended attempts that wait for a decision, in the order of the
// plan. The attempts have only what identifies them.
func (s *State) suspensions() iter.Seq2[Attempt, Suspension] {
	return func(yield func(Attempt, Suspension) bool) {
		more := true
		s.eachTask(func(i, item int, t *task) {
			if more && t.phase == suspended && !t.decided {
				more = yield(Attempt{Step: s.stepID(i), Index: i, Item: item, Number: t.result.Attempts}, t.waits)
			}
		})
	}
}

// eachTask visits the tasks of all steps in the order of the plan, and then the
// outputs. The index of the outputs is -1. A for_each step whose list is known has
// only its items as tasks.
func (s *State) eachTask(visit func(i, item int, t *task)) {
	for i := range s.steps {
		step := &s.steps[i]
		if step.list == nil {
			visit(i, 0, &step.task)
			continue
		}
		for n := range step.list.items {
			visit(i, n+1, &step.list.items[n])
		}
	}
	visit(-1, 0, &s.outputs)
}

// stepID returns the id of a step by its index, -1 for the outputs.
func (s *State) stepID(i int) string {
	if i < 0 {
		return OutputsStep
	}
	return s.steps[i].id
}
