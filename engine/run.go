package engine

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// OutputsStep is the id of the attempt that evaluates the outputs of the
// workflow. It cannot be the id of a step.
const OutputsStep = "(outputs)"

// A Run is the state of one execution: what remains after all its events. It
// changes by Apply only, and only one goroutine may own it.
type Run struct {
	plan       *workflow.Plan
	id         string
	start      RunStart
	startedAt  time.Time
	sequence   int
	steps      []stepState
	index      map[string]int // steps by id
	dependents [][]int        // the steps that need each step
	open       int            // steps that have not ended
	running    int            // attempts under way, that of the outputs too
	outputs    outputsState
	ending     Status   // why no further step starts: cancelled, timed_out; else empty
	failure    *Failure // the first
	status     Status   // set by run.finished
	result     action.Object
	endedAt    time.Time
}

type phase int

const (
	waiting phase = iota
	issued        // a Start was returned for it
	started       // its attempt has started
	ended
)

// pending reports whether a Start was returned and not answered.
func (p phase) pending() bool { return p == issued || p == started }

type stepState struct {
	phase   phase
	missing int  // needs that have not ended
	blocked bool // a need did not succeed
	result  StepResult
}

type outputsState struct {
	phase  phase
	values action.Object
}

// NewRun returns a run of a plan before its first event.
func NewRun(plan *workflow.Plan) *Run {
	n := len(plan.Steps)
	r := &Run{plan: plan, steps: make([]stepState, n), index: make(map[string]int, n), dependents: make([][]int, n), open: n}
	for i := range plan.Steps {
		r.index[plan.Steps[i].ID] = i
		r.steps[i].missing = len(plan.Steps[i].Needs)
		r.steps[i].result.ID = plan.Steps[i].ID
		for _, need := range plan.Steps[i].Needs {
			r.dependents[need] = append(r.dependents[need], i)
		}
	}
	return r
}

// Apply changes the state by one event and returns what that newly enables. An
// event that cannot come now is an error and changes nothing.
func (r *Run) Apply(e Event) ([]Command, error) {
	if err := r.expects(e); err != nil {
		return nil, err
	}
	commands, err := r.apply(e)
	if err == nil {
		r.sequence++
	}
	return commands, err
}

func (r *Run) expects(e Event) error {
	switch {
	case e.Sequence != r.sequence+1:
		return fmt.Errorf("event %d follows event %d: one is missing or came twice", e.Sequence, r.sequence)
	case r.sequence == 0 && (e.Kind != RunStarted || e.Started == nil):
		return fmt.Errorf("a run begins with %s, not with %s", RunStarted, e.Kind)
	case r.sequence > 0 && e.Kind == RunStarted:
		return fmt.Errorf("the run has started already")
	case r.sequence > 0 && e.Run != r.id:
		return fmt.Errorf("the event is of run %q, not of %q", e.Run, r.id)
	case r.status != "":
		return fmt.Errorf("the run has ended: %s cannot follow", e.Kind)
	}
	return nil
}

func (r *Run) apply(e Event) ([]Command, error) {
	switch e.Kind {
	case RunStarted:
		return r.begin(e), nil
	case AttemptStarted:
		return nil, r.attemptStarted(e)
	case AttemptFinished:
		return r.attemptFinished(e)
	case RunCancelled, RunTimedOut:
		return r.end(e), nil
	case RunFinished:
		return nil, r.finished(e)
	case CallStarted, CallReturned, Logged:
		return nil, nil // an attempt's own record: the run itself does not change
	}
	return nil, fmt.Errorf("there is no event %q", e.Kind)
}

func (r *Run) begin(e Event) []Command {
	r.id, r.start, r.startedAt = e.Run, *e.Started, e.Time
	var commands []Command
	for i := range r.steps {
		if r.steps[i].missing == 0 {
			commands = append(commands, r.issue(i))
		}
	}
	if r.open == 0 {
		commands = append(commands, r.afterSteps()...)
	}
	return commands
}

// issue returns the Start of a step.
func (r *Run) issue(i int) Command {
	r.steps[i].phase = issued
	r.running++
	return Start{r.attempt(i, r.plan.Steps[i].ID, r.plan.Steps[i].Reads)}
}

func (r *Run) attempt(index int, id string, reads []int) Attempt {
	a := Attempt{
		Step: id, Index: index, Number: 1, Inputs: r.start.Inputs,
		Run: RunInfo{ID: r.id, Workflow: r.start.Workflow, StartedAt: r.startedAt, Trigger: r.start.Trigger},
	}
	if len(reads) > 0 {
		a.Steps = make(map[string]StepResult, len(reads))
		for _, read := range reads {
			a.Steps[r.plan.Steps[read].ID] = r.steps[read].result
		}
	}
	return a
}

func (r *Run) find(id string) (int, error) {
	i, ok := r.index[id]
	if !ok {
		return 0, fmt.Errorf("the workflow has no step %q", id)
	}
	return i, nil
}

func (r *Run) attemptStarted(e Event) error {
	if e.Step == OutputsStep {
		if r.outputs.phase != issued {
			return fmt.Errorf("the outputs cannot be evaluated now")
		}
		r.outputs.phase = started
		return nil
	}
	i, err := r.find(e.Step)
	if err != nil {
		return err
	}
	if s := &r.steps[i]; s.phase != issued || e.Attempt != s.result.Attempts+1 {
		return fmt.Errorf("attempt %d of the step %q cannot start now", e.Attempt, e.Step)
	}
	r.steps[i].phase = started
	r.steps[i].result.Attempts++
	r.steps[i].result.StartedAt = e.Time
	return nil
}

func (r *Run) attemptFinished(e Event) ([]Command, error) {
	if err := e.Outcome.valid(); err != nil {
		return nil, err
	}
	if e.Step == OutputsStep {
		return r.outputsFinished(e)
	}
	i, err := r.find(e.Step)
	if err != nil {
		return nil, err
	}
	s := &r.steps[i]
	if s.phase != started || e.Attempt != s.result.Attempts {
		return nil, fmt.Errorf("no attempt %d of the step %q is under way", e.Attempt, e.Step)
	}
	s.result.Status, s.result.Outputs, s.result.Error = e.Outcome.Status, e.Outcome.Outputs, e.Outcome.Error
	s.result.EndedAt = e.Time
	if s.result.Status == Skipped {
		s.result.SkippedBecause = SkippedByIf
	}
	r.running--
	failed := s.result.Status == Failed && !r.plan.Steps[i].ContinueOnError
	// The first failure counts, except that no other hides an unknown outcome.
	if failed && (r.failure == nil || r.failure.Kind != action.UnknownOutcome && s.result.Error.Kind == action.UnknownOutcome) {
		r.failure = s.result.Error
	}
	return r.settle(i, failed), nil
}

// settle ends a step and whatever that skips, and starts what that enables.
func (r *Run) settle(i int, failed bool) []Command {
	var commands []Command
	type settled struct {
		step   int
		failed bool
	}
	for queue := []settled{{i, failed}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		r.steps[at.step].phase = ended
		r.open--
		for _, d := range r.dependents[at.step] {
			s := &r.steps[d]
			s.missing--
			s.blocked = s.blocked || at.failed
			switch {
			case s.missing > 0 || s.phase != waiting:
			case s.blocked || r.ending != "":
				s.result.Status, s.result.SkippedBecause = Skipped, SkippedByUpstream
				queue = append(queue, settled{d, true})
			default:
				commands = append(commands, r.issue(d))
			}
		}
	}
	return append(commands, r.afterSteps()...)
}

// afterSteps goes on to the outputs, or to the end, once every step has ended.
func (r *Run) afterSteps() []Command {
	if r.running > 0 || r.open > 0 && r.ending == "" {
		return nil
	}
	if r.ending == "" && r.failure == nil && r.outputs.phase == waiting && len(r.plan.Outputs) > 0 {
		r.outputs.phase = issued
		r.running++
		return []Command{Start{r.attempt(-1, OutputsStep, r.plan.OutputReads)}}
	}
	return []Command{r.finish()}
}

func (r *Run) finish() Finish {
	switch {
	case r.failure != nil && r.failure.Kind == action.UnknownOutcome:
		return Finish{Status: NeedsAttention, Error: r.failure}
	case r.ending != "":
		return Finish{Status: r.ending, Error: r.endingFailure()}
	case r.failure != nil:
		return Finish{Status: Failed, Error: r.failure}
	}
	return Finish{Status: Success, Outputs: r.outputs.values}
}

func (r *Run) endingFailure() *Failure {
	if r.ending == TimedOut {
		return &Failure{
			Kind: action.Timeout, Message: fmt.Sprintf("the run took longer than its timeout of %s", r.plan.Workflow.Timeout),
			Hint: "raise `timeout:` of the workflow if it needs more",
		}
	}
	return &Failure{Kind: action.Cancelled, Message: "the run was cancelled"}
}

func (r *Run) outputsFinished(e Event) ([]Command, error) {
	if r.outputs.phase != started || e.Outcome.Status == Skipped {
		return nil, fmt.Errorf("the outputs are not being evaluated, or cannot be %s", e.Outcome.Status)
	}
	r.outputs.phase = ended
	r.running--
	if e.Outcome.Status == Success {
		r.outputs.values, _ = e.Outcome.Outputs.(action.Object)
	} else {
		r.failure = e.Outcome.Error
	}
	return r.afterSteps(), nil
}

// end stops the run early: no further step starts, and what runs is cancelled.
func (r *Run) end(e Event) []Command {
	if r.ending != "" {
		return nil
	}
	r.ending = Cancelled
	if e.Kind == RunTimedOut {
		r.ending = TimedOut
	}
	return append(r.cancels(), r.afterSteps()...)
}

// cancels asks every attempt under way to stop.
func (r *Run) cancels() []Command {
	var commands []Command
	for i := range r.steps {
		if r.steps[i].phase.pending() {
			commands = append(commands, Cancel{r.plan.Steps[i].ID})
		}
	}
	if r.outputs.phase.pending() {
		commands = append(commands, Cancel{OutputsStep})
	}
	return commands
}

// cause is why attempts are cancelled.
func (r *Run) cause() error {
	if r.ending == TimedOut {
		return errRunTimedOut
	}
	return errCancelled
}

func (r *Run) finished(e Event) error {
	if e.Status == "" || r.running > 0 {
		return fmt.Errorf("the run cannot end now")
	}
	r.status, r.result, r.endedAt = e.Status, e.Outputs, e.Time
	for i := range r.steps {
		if r.steps[i].phase != ended {
			r.steps[i].phase = ended
			r.steps[i].result.Status, r.steps[i].result.SkippedBecause = Skipped, SkippedByUpstream
		}
	}
	if e.Error != nil {
		r.failure = e.Error
	}
	return nil
}

// Pending returns the commands that were issued and not answered: what a
// backend has to do again after it was interrupted.
func (r *Run) Pending() []Command {
	var commands []Command
	if r.sequence == 0 || r.status != "" {
		return nil
	}
	for i := range r.steps {
		if r.steps[i].phase.pending() {
			commands = append(commands, Start{r.attempt(i, r.plan.Steps[i].ID, r.plan.Steps[i].Reads)})
		}
	}
	if r.outputs.phase.pending() {
		commands = append(commands, Start{r.attempt(-1, OutputsStep, r.plan.OutputReads)})
	}
	switch {
	case len(commands) == 0:
		return []Command{r.finish()}
	case r.ending != "":
		return append(commands, r.cancels()...)
	}
	return commands
}

// Result returns what is known of the run so far.
func (r *Run) Result() *Result {
	result := &Result{Run: r.id, Workflow: r.start.Workflow, Status: r.status, Outputs: r.result, StartedAt: r.startedAt, Steps: make([]StepResult, len(r.steps))}
	if r.status != Success {
		result.Error = r.failure
	}
	if !r.endedAt.IsZero() {
		result.Duration = r.endedAt.Sub(r.startedAt)
	}
	for i := range r.steps {
		result.Steps[i] = r.steps[i].result
	}
	return result
}
