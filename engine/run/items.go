package run

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An iteration is a for_each step whose list is known.
type iteration struct {
	values []any
	items  []task
	next   int // the first item that was not considered
	active int // items with an attempt that is issued, started or suspended
	failed int
	first  *Failure     // of an item, except that an unknown outcome replaces any other
	final  []ItemResult // of a step that has ended
}

// expand fixes the list of a for_each step and starts its first items.
func (s *State) expand(i int, e Event) ([]Command, error) {
	if i < 0 || s.plan.Steps[i].ForEach == nil || e.Item != 0 {
		return nil, fmt.Errorf("%s has no for_each", taskName(e))
	}
	step := &s.steps[i]
	if step.phase != started || step.list != nil || e.Attempt != step.result.Attempts {
		return nil, fmt.Errorf("%s cannot be expanded now", taskName(e))
	}
	step.phase, step.list = iterating, &iteration{values: e.Items, items: make([]task, len(e.Items))}
	s.running--
	return append(s.moreItems(i, e.Time), s.advance(e.Time)...), nil
}

// moreItems starts as many items as may run at a time, or ends the step when none is
// left.
func (s *State) moreItems(i int, at time.Time) []Command {
	var commands []Command
	list, declared := s.steps[i].list, &s.plan.Steps[i]
	stop := s.stopped || list.failed > 0 && declared.FailFast
	for ; !stop && list.next < len(list.items) && list.active < max(declared.MaxParallel, 1); list.next++ {
		if item := &list.items[list.next]; item.phase == waiting {
			list.active++
			commands = append(commands, s.issue(i, list.next+1, item))
		}
	}
	if list.active > 0 {
		return commands
	}
	s.steps[i].finish(list.outcome(s.steps[i].id, s.why), at)
	list.final = nil
	return append(commands, s.stepFinished(i, at)...)
}

// itemFinished ends an item and starts the next items.
func (s *State) itemFinished(i, item int, at time.Time) []Command {
	list := s.steps[i].list
	list.active--
	if result := &list.items[item-1].result; result.Status == Failed {
		list.failed++
		if list.first == nil || list.first.Kind != action.UnknownOutcome && result.Error.Kind == action.UnknownOutcome {
			list.first = result.Error
		}
	}
	return s.moreItems(i, at)
}

// outcome returns the outcome of a for_each step from the results of its items. why is
// the cause that its attempts were cancelled with.
func (l *iteration) outcome(step string, why error) Outcome {
	outputs := make([]any, len(l.items))
	allEnded := true
	for n := range l.items {
		outputs[n] = l.items[n].result.Outputs
		allEnded = allEnded && l.items[n].phase == ended
	}
	o := Outcome{Status: Success, Outputs: outputs}
	switch {
	case l.failed > 0:
		o.Status, o.Error = Failed, l.first
	case !allEnded:
		o.Status, o.Error = Failed, &Failure{Step: step}
		o.Error.Describe(action.AsError(why))
	}
	return o
}

// results returns the results of the items. Once the step has ended, they are computed
// only once.
func (l *iteration) results(ended bool) []ItemResult {
	if l.final != nil {
		return l.final
	}
	results := make([]ItemResult, len(l.items))
	for n := range l.items {
		results[n] = l.items[n].result
		if ended && results[n].Status == "" {
			results[n].Status = Skipped
		}
	}
	if ended {
		l.final = results
	}
	return results
}

// reset makes every item that did not succeed wait again.
func (l *iteration) reset() {
	l.next, l.failed, l.first, l.final = 0, 0, nil, nil
	for n := range l.items {
		if item := &l.items[n]; item.phase != ended || item.result.Status == Failed {
			item.reset()
		}
	}
}

// reset makes a task wait again. It keeps the number of its attempts.
func (t *task) reset() {
	t.phase, t.before, t.retryAt = waiting, t.result.Attempts, time.Time{}
	t.result = ItemResult{Attempts: t.result.Attempts}
}

// retryDelay returns how long to wait after a failed attempt: a random part of the
// delay that the policy sets for it, so that runs that failed together do not retry
// together. The randomness derives from the attempt, so a resumed run waits as long.
func retryDelay(policy *workflow.Retry, attempts int, run string, e Event) time.Duration {
	most := float64(policy.Delay) * math.Pow(policy.Backoff, float64(attempts-1))
	if limit := float64(policy.MaxDelay); policy.MaxDelay > 0 && most > limit {
		most = limit
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "retry\x00%s\x00%s\x00%d\x00%d", run, e.Step, e.Item, e.Attempt))
	fraction := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
	return time.Duration(fraction * most).Round(time.Millisecond)
}
