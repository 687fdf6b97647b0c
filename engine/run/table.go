package run

import (
	"fmt"
	"iter"

	"github.com/pdflow/pdflow/engine/workflow"
)

// A stepTable has the steps of a plan and how each of them stands.
type stepTable struct {
	plan       *workflow.Plan
	steps      []stepState
	index      map[string]int // of steps, by id
	dependents [][]int        // for each step, the main steps that need it
	open       int            // main steps that have not ended
	outputs    task
}

func newStepTable(plan *workflow.Plan) stepTable {
	n := len(plan.Steps)
	s := stepTable{plan: plan, steps: make([]stepState, n), index: make(map[string]int, n), dependents: make([][]int, n)}
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

// find returns the index of a step.
func (s *stepTable) find(id string) (int, error) {
	i, ok := s.index[id]
	if !ok {
		return 0, fmt.Errorf("the workflow has no step %q", id)
	}
	return i, nil
}

// eachTask visits the tasks of all steps in the order of the plan, and then the
// outputs. The index of the outputs is -1. A for_each step whose list is known has
// only its items as tasks.
func (s *stepTable) eachTask(visit func(i, item int, t *task)) {
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
func (s *stepTable) stepID(i int) string {
	if i < 0 {
		return OutputsStep
	}
	return s.steps[i].id
}

// suspensions visits the suspended attempts that wait for a decision, in the order of the
// plan. The attempts have only what identifies them.
func (s *stepTable) suspensions() iter.Seq2[Attempt, Suspension] {
	return func(yield func(Attempt, Suspension) bool) {
		more := true
		s.eachTask(func(i, item int, t *task) {
			if more && t.phase == suspended && !t.decided {
				more = yield(Attempt{Step: s.stepID(i), Index: i, Item: item, Number: t.result.Attempts}, t.waits)
			}
		})
	}
}

// task returns the task of an event and the index of its step, -1 for the outputs.
func (s *stepTable) task(e Event) (int, *task, error) {
	if e.Step == OutputsStep && e.Item == 0 {
		return -1, &s.outputs, nil
	}
	i, err := s.find(e.Step)
	if err != nil {
		return 0, nil, err
	}
	list := s.steps[i].list
	if e.Item == 0 {
		return i, &s.steps[i].task, nil
	}
	if list == nil || e.Item < 0 || e.Item > len(list.items) {
		return 0, nil, fmt.Errorf("step %q has no item %d", e.Step, e.Item)
	}
	return i, &list.items[e.Item-1], nil
}

// stepResult returns what is known of a step.
func (s *stepTable) stepResult(i int) StepResult {
	step := &s.steps[i]
	result := StepResult{
		ID: step.id, Status: step.result.Status, SkippedBecause: step.skippedBecause, Attempts: step.result.Attempts,
		Outputs: step.result.Outputs, Error: step.result.Error, StartedAt: step.result.StartedAt, EndedAt: step.result.EndedAt, Used: step.result.Used,
	}
	if step.phase != ended {
		result.Status = ""
	}
	if step.list != nil {
		result.Items = step.list.results(step.phase == ended)
	}
	return result
}

// suspensionError returns the error of the first suspended attempt.
func (s *stepTable) suspensionError() *Failure {
	var first *Failure
	s.eachTask(func(_, _ int, t *task) {
		if t.phase == suspended && first == nil {
			first = t.result.Error
		}
	})
	return first
}

// recount counts the main steps that have not ended, and the needs of each that have
// not ended.
func (s *stepTable) recount() {
	s.open = 0
	for i := range s.steps {
		if s.plan.Steps[i].Part != workflow.Main {
			continue
		}
		step := &s.steps[i]
		if step.phase != ended {
			s.open++
		}
		step.missing = 0
		for _, need := range s.plan.Steps[i].Needs {
			if s.steps[need].phase != ended {
				step.missing++
			}
		}
	}
}

// skipOpen skips the steps up to a part that never started.
func (s *stepTable) skipOpen(part workflow.Part) {
	for i := range s.steps {
		if s.plan.Steps[i].Part <= part && s.steps[i].phase == waiting {
			s.steps[i].skip()
		}
	}
}

// Decided reports whether a suspended attempt has its decision already and waits only for
// the resume of the run.
func (s *stepTable) Decided() bool {
	found := false
	s.eachTask(func(_, _ int, t *task) { found = found || t.decided })
	return found
}

// Suspension returns the first task, in the order of the plan, that is suspended and waits
// for a decision, and what it waits for. Both are zero when there is none.
func (s *stepTable) Suspension() (TaskID, Suspension) {
	for a, waits := range s.suspensions() {
		return TaskID{a.Step, a.Item}, waits
	}
	return TaskID{}, Suspension{}
}

// WaitingFor returns the first suspended attempt that waits for a decision of the reason.
func (s *stepTable) WaitingFor(reason Reason) (a Attempt, ok bool) {
	for a, waits := range s.suspensions() {
		if waits.Reason == reason {
			return a, true
		}
	}
	return Attempt{}, false
}

// Waits returns what the suspended attempts wait for, in the order of the plan.
func (s *stepTable) Waits() []Suspension {
	var waits []Suspension
	for _, w := range s.suspensions() {
		waits = append(waits, w)
	}
	return waits
}
