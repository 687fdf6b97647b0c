package run

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/workflow"
)

// MaxOutputs limits the outputs of all steps of a run together, the lists of all for_each
// steps together, and the outputs of the run, in bytes of JSON text.
const MaxOutputs = 16 << 20

// A phase is how far a task has come.
type phase int

const (
	waiting   phase = iota
	issued          // a StartAttempt or WaitAttempt was returned for it
	started         // its attempt has started
	suspended       // its attempt waits for a decision
	iterating       // a for_each step whose items are executed
	ended
)

// pending reports whether a command was returned for the task and not yet answered.
func (p phase) pending() bool { return p == issued || p == started }

// A task is what attempts are made of: a step, an item of a step, or the outputs.
type task struct {
	phase   phase
	retryAt time.Time     // when the next attempt may start; zero unless it is a retry
	delay   time.Duration // from the failure to retryAt
	before  int           // attempts from before the run was retried: they do not count
	result  ItemResult
	waits   Suspension // while suspended
	decided bool       // while suspended: the decision came, and the resume did not
	answer  *Decision  // for the attempt that continues after it was suspended
}

// A stepState is a step of the run. The task of a for_each step evaluates its list.
type stepState struct {
	task
	id             string
	missing        int  // needs that have not ended
	blocked        bool // a need did not succeed
	skippedBecause string
	list           *iteration // nil before a for_each is expanded
}

// attempted applies an event of an attempt.
func (s *State) attempted(e Event) ([]Command, error) {
	i, t, err := s.task(e)
	if err != nil {
		return nil, err
	}
	switch e.Kind {
	case EventAttemptStarted:
		return nil, t.start(e)
	case EventStepExpanded:
		return s.expand(i, e)
	}
	if err := e.Outcome.valid(e.Kind); err != nil {
		return nil, err
	}
	if t.phase != started || e.Attempt != t.result.Attempts {
		return nil, fmt.Errorf("attempt %d of %s is not running", e.Attempt, taskName(e))
	}
	if i < 0 && e.Outcome.Status != Success && e.Outcome.Status != Failed {
		return nil, fmt.Errorf("the outputs cannot be %s", e.Outcome.Status)
	}
	var commands []Command
	switch {
	case e.Kind == EventAttemptSuspended && !s.stopped:
		t.phase, t.result.Error, t.waits = suspended, e.Outcome.Error, e.Outcome.suspension()
		s.running--
		s.suspended++
	case e.Kind == EventAttemptSuspended: // a run that stops does not wait for a decision
		e.Outcome = &Outcome{Status: Failed, Error: e.Outcome.Error}
		commands = s.attemptFinished(i, t, e)
	case e.Outcome.Status != Failed && i >= 0 && e.Item == 0 && s.plan.Steps[i].ForEach != nil:
		return nil, fmt.Errorf("the list of %s must end with %s", taskName(e), EventStepExpanded)
	case i < 0:
		s.outputsFinished(e)
	default:
		commands = s.attemptFinished(i, t, e)
	}
	return append(commands, s.advance(e.Time)...), nil
}

// taskName names the task of an event in messages.
func taskName(e Event) string {
	if e.Step == OutputsStep {
		return "the outputs"
	}
	if e.Item > 0 {
		return fmt.Sprintf("item %d of step %q", e.Item, e.Step)
	}
	return fmt.Sprintf("step %q", e.Step)
}

func (t *task) start(e Event) error {
	if t.phase != issued || e.Attempt != t.result.Attempts+1 {
		return fmt.Errorf("attempt %d of %s cannot start now", e.Attempt, taskName(e))
	}
	t.phase, t.retryAt = started, time.Time{}
	t.result.Attempts++
	if t.result.StartedAt.IsZero() {
		t.result.StartedAt = e.Time
	}
	return nil
}

// issueStep returns the command that starts a step. For a for_each step whose list is
// known from before the run was retried, it returns the commands that start its items.
func (s *State) issueStep(i int, at time.Time) []Command {
	step := &s.steps[i]
	if step.list != nil {
		step.phase = iterating
		return s.moreItems(i, at)
	}
	return []Command{s.issue(i, 0, &step.task)}
}

func (s *State) issue(i, item int, t *task) Command {
	t.phase = issued
	s.running++
	return StartAttempt{s.attempt(i, item, t)}
}

// attempt returns the current attempt of a task, or its next one when none has started.
func (s *State) attempt(i, item int, t *task) Attempt {
	a := Attempt{
		Step: s.stepID(i), Index: i, Item: item, Number: t.result.Attempts + 1, Inputs: s.start.Inputs, Previous: s.start.Previous,
		Run: Info{ID: s.id, Workflow: s.start.Workflow, StartedAt: s.startedAt, Trigger: s.start.Trigger},
	}
	if t.phase == started {
		a.Number, a.Replay, a.Decision = t.result.Attempts, true, t.answer
	}
	reads := s.plan.OutputReads
	if i >= 0 {
		reads = s.plan.Steps[i].Reads
		if s.plan.Steps[i].Part != workflow.Main {
			a.Failure = s.reason()
		}
		if item > 0 {
			a.Value = s.steps[i].list.values[item-1]
		}
	}
	if len(reads) > 0 {
		a.Steps = make(map[string]StepResult, len(reads))
		for _, read := range reads {
			a.Steps[s.steps[read].id] = s.stepResult(read)
		}
	}
	return a
}

// attemptFinished ends an attempt of a step or an item. Either a retry follows, or the
// task ends.
func (s *State) attemptFinished(i int, t *task, e Event) []Command {
	outcome := *e.Outcome
	if outcome.Refused != nil {
		s.note(outcome.Refused, s.part)
	}
	if s.size += outcome.Size; s.size > MaxOutputs && outcome.Status == Success {
		outcome = Outcome{Status: Failed, Final: true, Error: tooLarge(e, s.plan.Workflow.File)}
	}
	if wait, ok := s.tryAgain(i, t, e, outcome); ok {
		return []Command{wait}
	}
	s.running--
	t.finish(outcome, e.Time)
	if e.Item > 0 {
		return s.itemFinished(i, e.Item, e.Time)
	}
	if t.result.Status == Skipped {
		s.steps[i].skippedBecause = SkippedByIf
	}
	return s.stepFinished(i, e.Time)
}

func (s *State) outputsFinished(e Event) {
	s.running--
	s.outputs.finish(*e.Outcome, e.Time)
	if e.Outcome.Status == Failed {
		s.note(e.Outcome.Error, s.part)
	}
}

func (t *task) finish(o Outcome, at time.Time) {
	t.phase, t.answer, t.decided = ended, nil, false
	t.result.Status, t.result.Outputs, t.result.Error, t.result.EndedAt = o.Status, o.Outputs, o.Error, at
	t.result.Used = o.Used
}

// tryAgain returns the command for the next attempt of a failed task. ok is false when
// no attempt may follow.
func (s *State) tryAgain(i int, t *task, e Event, o Outcome) (wait Command, ok bool) {
	policy := &s.plan.Steps[i].Retry
	if o.Status != Failed || o.Final || s.stopped || t.result.Attempts-t.before >= policy.MaxAttempts || !policy.Allows(o.Error.Kind) {
		return nil, false
	}
	t.phase, t.result.Error, t.answer = issued, o.Error, nil
	t.delay = retryDelay(policy, t.result.Attempts-t.before, s.id, e)
	t.retryAt = e.Time.Add(t.delay)
	return WaitAttempt{s.attempt(i, e.Item, t), t.retryAt}, true
}

// stepFinished ends a step whose task, or whose last item, has ended.
func (s *State) stepFinished(i int, at time.Time) []Command {
	failed := false
	if result := &s.steps[i].result; result.Status == Failed {
		failed = !s.plan.Steps[i].ContinueOnError
		if failed {
			s.note(result.Error, s.part)
		}
	}
	if s.plan.Steps[i].Part != workflow.Main {
		return nil
	}
	return s.settle(i, failed, at)
}

// settle counts a main step as ended. It skips the steps that can no longer run, and
// starts the steps whose needs have all ended.
func (s *State) settle(i int, failed bool, at time.Time) []Command {
	var commands []Command
	type endedStep struct {
		index  int
		failed bool
	}
	for queue := []endedStep{{i, failed}}; len(queue) > 0; queue = queue[1:] {
		first := queue[0]
		s.open--
		for _, d := range s.dependents[first.index] {
			step := &s.steps[d]
			step.missing--
			step.blocked = step.blocked || first.failed
			switch {
			case step.missing > 0 || step.phase != waiting:
			case step.blocked || s.stopped:
				step.skip()
				queue = append(queue, endedStep{d, true})
			default:
				commands = append(commands, s.issueStep(d, at)...)
			}
		}
	}
	return commands
}

// skip ends a step that cannot run.
func (s *stepState) skip() {
	s.phase, s.result.Status, s.skippedBecause = ended, Skipped, SkippedByUpstream
}

// Refuse returns why the outputs with which an attempt ended are more than the run may
// record; nil when they fit. The engine asks before it records them.
func (s *State) Refuse(e Event) *Failure {
	if s.size+e.Outcome.Size <= MaxOutputs {
		return nil
	}
	f := tooLarge(e, s.plan.Workflow.File)
	for i := range s.plan.Steps {
		if s.plan.Steps[i].ID == e.Step {
			f.Line = s.plan.Steps[i].Position.Line
		}
	}
	return f
}

func tooLarge(e Event, file string) *Failure {
	return &Failure{
		Kind: action.Limit, Step: e.Step, Item: e.Item, File: file,
		Message: fmt.Sprintf("the outputs of all steps of the run have more than %s together, its limit", phrase.Bytes(MaxOutputs)),
		Hint:    "return only what later steps need",
	}
}
