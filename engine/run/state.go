package run

import (
	"fmt"
	"iter"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// OutputsStep is the id of the attempt that evaluates the outputs of the
// workflow. It cannot be the id of a step.
const OutputsStep = "(outputs)"

// A Run is the state of one execution: what remains after all its events. It
// changes by Apply only, and only one goroutine may own it.
//
// It goes through the parts of the workflow: the steps, on_failure if they did
// not all succeed, finally, and the outputs if everything did.
type State struct {
	plan      *workflow.Plan
	id        string
	start     Start
	startedAt time.Time
	sequence  int
	stage     stage

	steps      []stepState
	index      map[string]int // steps by id
	dependents [][]int        // the main steps that need each step
	outputs    task

	part      workflow.Part
	next      int   // in on_failure and finally: the step after the one under way
	open      int   // main steps that have not ended
	running   int   // attempts issued or under way, that of the outputs too
	suspended int   // attempts that wait for a person
	stopped   bool  // no further step of this part starts
	why       error // why what runs is cancelled then
	clock     partClock

	ending  Status   // why the run stops early: cancelled, timed_out; else empty
	failure *Failure // the first; an unknown outcome goes before it
	cleanup *Failure // the first in on_failure or finally
	size    int      // of all outputs, as JSON text
	status  Status   // set by run.finished
	result  action.Object
	endedAt time.Time
}

// A stage is how far a run has come as a whole.
type stage int

const (
	notBegun stage = iota
	queued
	active
	paused // run.suspended: until run.resumed
	over
)

// NewRun returns a run of a plan before its first event.
func New(plan *workflow.Plan) *State {
	n := len(plan.Steps)
	r := &State{plan: plan, steps: make([]stepState, n), index: make(map[string]int, n), dependents: make([][]int, n)}
	for i := range plan.Steps {
		s := &plan.Steps[i]
		r.index[s.ID] = i
		r.steps[i].missing = len(s.Needs)
		r.steps[i].id = s.ID
		for _, need := range s.Needs {
			r.dependents[need] = append(r.dependents[need], i)
		}
		if s.Part == workflow.Main {
			r.open++
		}
	}
	return r
}

// Apply changes the state by one event and returns what that newly enables. An
// event that cannot come now is an error and changes nothing.
func (r *State) Apply(e Event) ([]Command, error) {
	if err := r.expects(e); err != nil {
		return nil, err
	}
	commands, err := r.apply(e)
	if err == nil {
		r.sequence++
		if e.Kind != EventCallDecided && e.Kind != EventAttemptDecided {
			r.clock.last = e.Time // a decision can come while no process works on the run
		}
	}
	return commands, err
}

// expects refuses events that cannot come at this stage.
func (r *State) expects(e Event) error {
	switch {
	case e.Sequence != r.sequence+1:
		return fmt.Errorf("event %d follows event %d: one is missing or came twice", e.Sequence, r.sequence)
	case r.sequence > 0 && e.Run != r.id:
		return fmt.Errorf("the event is of run %q, not of %q", e.Run, r.id)
	case r.stage == notBegun && (!e.Kind.begins() || e.Started == nil):
		return fmt.Errorf("a run begins with %s and what it starts from, not with %s", EventStarted, e.Kind)
	case r.stage == over && !r.stage.allows(e.Kind):
		return fmt.Errorf("the run has ended: %s cannot follow", e.Kind)
	case r.stage == active && e.Kind.begins():
		return fmt.Errorf("the run has started already")
	case !r.stage.allows(e.Kind) || e.Kind.begins() && e.Started == nil:
		return fmt.Errorf("%s cannot come now", e.Kind)
	}
	return nil
}

// begins reports whether an event of the kind can be the first of a run.
func (k EventKind) begins() bool { return k == EventQueued || k == EventSkipped || k == EventStarted }

func (s stage) allows(k EventKind) bool {
	switch s {
	case notBegun:
		return k.begins()
	case queued:
		return k == EventStarted || k == EventResumed || k == EventCancelled
	case paused:
		return k == EventResumed || k == EventCallDecided || k == EventAttemptDecided
	case over:
		return k == EventRetried || k == EventCallDecided
	}
	return !k.begins() && k != EventRetried
}

func (r *State) apply(e Event) ([]Command, error) {
	switch e.Kind {
	case EventQueued, EventSkipped, EventStarted:
		return r.begin(e), nil
	case EventResumed:
		return r.resumed(e), nil
	case EventRetried:
		return r.retried(e)
	case EventCancelled, EventTimedOut:
		return r.end(e), nil
	case EventAdmitted:
		r.clock.postpone(e.Time.Sub(r.clock.last))
		return nil, nil
	case EventSuspended:
		return nil, r.pause()
	case EventFinished:
		return nil, r.finished(e)
	case EventAttemptDecided:
		return r.decided(e)
	case EventStepExpanded, EventAttemptStarted, EventAttemptFinished, EventAttemptSuspended:
		return r.attempted(e)
	}
	if e.Kind.Record() {
		return nil, nil // an attempt's own record: the run itself does not change
	}
	return nil, fmt.Errorf("there is no event %q", e.Kind)
}

func (r *State) begin(e Event) []Command {
	r.id, r.start, r.startedAt = e.Run, *e.Started, e.Time
	switch e.Kind {
	case EventQueued:
		r.stage = queued
		return nil
	case EventSkipped:
		r.stage, r.status, r.endedAt, r.part = over, Skipped, e.Time, workflow.Finally
		r.failure = &Failure{Kind: action.Conflict, Message: e.Reason}
		r.skipOpen()
		return nil
	}
	r.stage = active
	r.clock.enter(e.Time, r.plan.Workflow.Timeout)
	return r.startMain(e.Time)
}

// startMain starts every main step that waits for nothing.
func (r *State) startMain(at time.Time) []Command {
	var commands []Command
	for i := range r.steps {
		if r.plan.Steps[i].Part == workflow.Main && r.steps[i].phase == waiting && r.steps[i].missing == 0 {
			commands = append(commands, r.issueStep(i, at)...)
		}
	}
	return append(commands, r.advance(at)...)
}

func (r *State) find(id string) (int, error) {
	i, ok := r.index[id]
	if !ok {
		return 0, fmt.Errorf("the workflow has no step %q", id)
	}
	return i, nil
}

// Deadline is when the part under way has used up its time; zero when it has no
// such bound. Time in which no process worked on the run does not count.
func (r *State) Deadline() time.Time {
	if r.stage != active || r.outputs.phase != waiting {
		return time.Time{}
	}
	return r.clock.deadline()
}

// A partClock counts the time that a part of a run was worked on.
type partClock struct {
	since time.Time     // when the part began, or the run was resumed
	left  time.Duration // of its time then
	last  time.Time     // of the last event
}

func (c *partClock) enter(at time.Time, limit time.Duration) { c.since, c.left = at, limit }

// pause takes the time until the last event off; the clock goes on at a time.
func (c *partClock) pause(at time.Time) { c.since, c.left = at, c.left-c.last.Sub(c.since) }

// postpone moves the deadline by the time that the run waited for a slot.
func (c *partClock) postpone(d time.Duration) { c.since = c.since.Add(max(d, 0)) }

func (c *partClock) deadline() time.Time { return c.since.Add(c.left) }

// Start returns what the run started from. The caller must not change it, except
// that it may put the texts of secret inputs back, which no history has.
func (r *State) Start() *Start { return &r.start }

// Status returns the status of an ended run; it is empty until then.
func (r *State) Status() Status { return r.status }

// Waiting reports whether the run waits for other runs of its concurrency group.
func (r *State) Waiting() bool { return r.stage == queued }

// Paused reports whether the run is suspended.
func (r *State) Paused() bool { return r.stage == paused }

// Over reports whether the run has ended. Only a retry can follow.
func (r *State) Over() bool { return r.stage == over }

// Suspension returns the first task that is suspended, in the order of the plan, and what
// it waits for. It is zero unless an attempt is suspended.
func (r *State) Suspension() (task TaskID, s Suspension) {
	for a, waits := range r.held() {
		return TaskID{a.Step, a.Item}, waits
	}
	return TaskID{}, Suspension{}
}

// Suspended returns the first attempt that is suspended for a reason.
func (r *State) Suspended(reason Reason) (a Attempt, ok bool) {
	for a, waits := range r.held() {
		if waits.Reason == reason {
			return a, true
		}
	}
	return Attempt{}, false
}

// held visits the suspended attempts in the order of the plan.
func (r *State) held() iter.Seq2[Attempt, Suspension] {
	return func(yield func(Attempt, Suspension) bool) {
		more := true
		r.eachUnit(func(i, item int, u *task) {
			if more && u.phase == held {
				more = yield(Attempt{Step: r.stepID(i), Index: i, Item: item, Number: u.result.Attempts}, u.waits)
			}
		})
	}
}

// Waits returns what the suspended attempts wait for, in the order of the plan.
func (r *State) Waits() []Suspension {
	var waits []Suspension
	for _, s := range r.held() {
		waits = append(waits, s)
	}
	return waits
}
