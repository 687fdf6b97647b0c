package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// MaxRunOutputs bounds the outputs of all steps of a run together, and the list
// of each for_each, in bytes of JSON text.
const MaxOutputs = 16 << 20

type phase int

const (
	waiting   phase = iota
	issued          // a Start or Wait was returned for it
	started         // its attempt has started
	held            // its attempt waits for a person
	iterating       // a for_each whose items are being made
	ended
)

// pending reports whether a Start or Wait was returned and not answered.
func (p phase) pending() bool { return p == issued || p == started }

// A unit is what attempts are made of: a step, an item of one, or the outputs.
type task struct {
	phase   phase
	retryAt time.Time // when issued again after a failure
	fresh   int       // attempts before the run was retried: they do not count
	result  ItemResult
	waits   Suspension // while held
	answer  *Decision  // of an attempt that was held and is to continue
}

// A stepState is a step of the run. The unit of a for_each step itself is the
// evaluation of its list.
type stepState struct {
	task
	id             string
	missing        int  // needs that have not ended
	blocked        bool // a need did not succeed
	skippedBecause string
	list           *iteration // nil before a for_each is expanded
}

// attempted applies the events of attempts.
func (r *State) attempted(e Event) ([]Command, error) {
	i, u, err := r.unit(e)
	if err != nil {
		return nil, err
	}
	switch e.Kind {
	case EventAttemptStarted:
		return nil, u.start(e)
	case EventStepExpanded:
		return r.expanded(i, e)
	}
	if err := e.Outcome.valid(e.Kind); err != nil {
		return nil, err
	}
	if u.phase != started || e.Attempt != u.result.Attempts {
		return nil, fmt.Errorf("no attempt %d of %s is under way", e.Attempt, place(e))
	}
	if i < 0 && e.Outcome.Status != Success && e.Outcome.Status != Failed {
		return nil, fmt.Errorf("the outputs cannot be %s", e.Outcome.Status)
	}
	var commands []Command
	switch {
	case e.Kind == EventAttemptSuspended && !r.stopped:
		u.phase, u.result.Error, u.waits = held, e.Outcome.Error, e.Outcome.suspension()
		r.running--
		r.suspended++
	case e.Kind == EventAttemptSuspended: // nobody is asked any more
		e.Outcome = &Outcome{Status: Failed, Error: e.Outcome.Error}
		commands = r.unitFinished(i, u, e)
	case e.Outcome.Status != Failed && i >= 0 && e.Item == 0 && r.plan.Steps[i].ForEach != nil:
		return nil, fmt.Errorf("the list of %s ends with %s", place(e), EventStepExpanded)
	case i < 0:
		r.outputsFinished(e)
	default:
		commands = r.unitFinished(i, u, e)
	}
	return append(commands, r.advance(e.Time)...), nil
}

// place names the attempt's step, and its item.
func place(e Event) string {
	if e.Step == OutputsStep {
		return "the outputs"
	}
	if e.Item > 0 {
		return fmt.Sprintf("the item %d of the step %q", e.Item, e.Step)
	}
	return fmt.Sprintf("the step %q", e.Step)
}

// unit finds the unit of an event and the index of its step, -1 for the outputs.
func (r *State) unit(e Event) (int, *task, error) {
	if e.Step == OutputsStep && e.Item == 0 {
		return -1, &r.outputs, nil
	}
	i, err := r.find(e.Step)
	if err != nil {
		return 0, nil, err
	}
	list := r.steps[i].list
	if e.Item == 0 {
		return i, &r.steps[i].task, nil
	}
	if list == nil || e.Item < 0 || e.Item > len(list.units) {
		return 0, nil, fmt.Errorf("there is no item %d of the step %q", e.Item, e.Step)
	}
	return i, &list.units[e.Item-1], nil
}

func (u *task) start(e Event) error {
	if u.phase != issued || e.Attempt != u.result.Attempts+1 {
		return fmt.Errorf("attempt %d of %s cannot start now", e.Attempt, place(e))
	}
	u.phase, u.retryAt = started, time.Time{}
	u.result.Attempts++
	if u.result.StartedAt.IsZero() {
		u.result.StartedAt = e.Time
	}
	return nil
}

// issueStep returns the Start of a step, or those of items of a for_each that
// goes on after the run was retried.
func (r *State) issueStep(i int, at time.Time) []Command {
	s := &r.steps[i]
	if s.list != nil {
		s.phase = iterating
		return r.moreItems(i, at)
	}
	return []Command{r.issue(i, 0, &s.task)}
}

func (r *State) issue(i, item int, u *task) Command {
	u.phase = issued
	r.running++
	return StartAttempt{r.attempt(i, item, u)}
}

// attempt describes the attempt that a unit is to make, or is making.
func (r *State) attempt(i, item int, u *task) Attempt {
	a := Attempt{
		Step: OutputsStep, Index: i, Item: item, Number: u.result.Attempts + 1, Inputs: r.start.Inputs, Previous: r.start.Previous,
		Run: Info{ID: r.id, Workflow: r.start.Workflow, StartedAt: r.startedAt, Trigger: r.start.Trigger},
	}
	if u.phase == started {
		a.Number, a.Replay, a.Decision = u.result.Attempts, true, u.answer
	}
	reads := r.plan.OutputReads
	if i >= 0 {
		a.Step, reads = r.steps[i].id, r.plan.Steps[i].Reads
		if r.plan.Steps[i].Part != workflow.Main {
			a.Failure = r.reason()
		}
		if item > 0 {
			a.Value = r.steps[i].list.values[item-1]
		}
	}
	if len(reads) > 0 {
		a.Steps = make(map[string]StepResult, len(reads))
		for _, read := range reads {
			a.Steps[r.steps[read].id] = r.stepResult(read)
		}
	}
	return a
}

// unitFinished ends an attempt of a step or an item: another follows, or the unit
// ends.
func (r *State) unitFinished(i int, u *task, e Event) []Command {
	outcome := *e.Outcome
	if r.size += outcome.Size; r.size > MaxOutputs && outcome.Status == Success {
		outcome = Outcome{Status: Failed, Final: true, Error: r.tooLarge(e)}
	}
	if wait, ok := r.retry(i, u, e, outcome); ok {
		return []Command{wait}
	}
	r.running--
	u.finish(outcome, e.Time)
	if e.Item > 0 {
		return r.itemFinished(i, e.Item, e.Time)
	}
	if u.result.Status == Skipped {
		r.steps[i].skippedBecause = SkippedByIf
	}
	return r.stepFinished(i, e.Time)
}

func (r *State) outputsFinished(e Event) {
	r.running--
	r.outputs.finish(*e.Outcome, e.Time)
	if e.Outcome.Status == Failed {
		r.note(e.Outcome.Error)
	}
}

func (r *State) tooLarge(e Event) *Failure {
	return &Failure{
		Kind: action.Limit, Step: e.Step, Item: e.Item, File: r.plan.Workflow.File,
		Message: fmt.Sprintf("the outputs of all steps of the run have more than %d bytes together", MaxOutputs),
		Hint:    "return only what later steps need",
	}
}

func (u *task) finish(o Outcome, at time.Time) {
	u.phase, u.answer = ended, nil
	u.result.Status, u.result.Outputs, u.result.Error, u.result.EndedAt = o.Status, o.Outputs, o.Error, at
	u.result.Used = o.Used
}

// retry returns the wait before the next attempt, if there is to be one.
func (r *State) retry(i int, u *task, e Event, o Outcome) (Command, bool) {
	policy := &r.plan.Steps[i].Retry
	if o.Status != Failed || o.Final || r.stopped || u.result.Attempts-u.fresh >= policy.MaxAttempts || !policy.Allows(o.Error.Kind) {
		return nil, false
	}
	u.phase, u.result.Error, u.answer = issued, o.Error, nil
	u.retryAt = e.Time.Add(retryDelay(policy, u.result.Attempts-u.fresh, r.id, e))
	return WaitAttempt{r.attempt(i, e.Item, u), u.retryAt}, true
}

// stepFinished ends a step whose unit, or whose last item, has ended.
func (r *State) stepFinished(i int, at time.Time) []Command {
	failed := false
	if result := &r.steps[i].result; result.Status == Failed {
		failed = !r.plan.Steps[i].ContinueOnError
		if failed {
			r.note(result.Error)
		}
	}
	if r.plan.Steps[i].Part != workflow.Main {
		return nil
	}
	return r.settle(i, failed, at)
}

// note remembers a failure. The first counts, except that no other hides an
// unknown outcome.
func (r *State) note(f *Failure) {
	if r.failure == nil || r.failure.Kind != action.UnknownOutcome && f.Kind == action.UnknownOutcome {
		r.failure = f
	}
	if r.part != workflow.Main && r.cleanup == nil && f.Kind != action.Cancelled {
		r.cleanup = f
	}
}

// settle ends a main step and whatever that skips, and starts what that enables.
func (r *State) settle(i int, failed bool, ended time.Time) []Command {
	var commands []Command
	type settled struct {
		step   int
		failed bool
	}
	for queue := []settled{{i, failed}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		r.open--
		for _, d := range r.dependents[at.step] {
			s := &r.steps[d]
			s.missing--
			s.blocked = s.blocked || at.failed
			switch {
			case s.missing > 0 || s.phase != waiting:
			case s.blocked || r.stopped:
				s.skip()
				queue = append(queue, settled{d, true})
			default:
				commands = append(commands, r.issueStep(d, ended)...)
			}
		}
	}
	return commands
}

// skip ends a step that cannot run.
func (s *stepState) skip() {
	s.phase, s.result.Status, s.skippedBecause = ended, Skipped, SkippedByUpstream
}

// stepResult is what is known of a step.
func (r *State) stepResult(i int) StepResult {
	s := &r.steps[i]
	result := StepResult{
		ID: s.id, Status: s.result.Status, SkippedBecause: s.skippedBecause, Attempts: s.result.Attempts,
		Outputs: s.result.Outputs, Error: s.result.Error, StartedAt: s.result.StartedAt, EndedAt: s.result.EndedAt, Used: s.result.Used,
	}
	if s.phase != ended {
		result.Status = ""
	}
	if s.list != nil {
		result.Items = s.list.results(s.phase == ended)
	}
	return result
}
