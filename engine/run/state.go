package run

import (
	"fmt"
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
	stepTable
	verdict
	id        string
	start     Start
	startedAt time.Time
	sequence  int // of the last event
	stage     stage

	part      workflow.Part
	next      int   // in on_failure and finally: the first step that was not considered
	running   int   // tasks with an attempt that is issued or started
	suspended int   // tasks with a suspended attempt
	stopped   bool  // no further step of this part starts
	why       error // the cause that running attempts are cancelled with
	clock     partClock

	size    int    // of all outputs, in bytes of JSON text
	status  Status // set by run.finished and run.skipped
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
	return &State{stepTable: newStepTable(plan), verdict: verdict{timeout: plan.Workflow.Timeout}}
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
		s.skipOpen(s.part)
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

// resume leaves out the time between the last event and at. A history in which the clock
// went back has used no time for it.
func (c *partClock) resume(at time.Time) { c.since, c.left = at, c.left-max(c.last.Sub(c.since), 0) }

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
