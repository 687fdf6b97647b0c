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
	units  []task
	next   int // the first that was not yet looked at
	active int // issued, under way or held
	failed int
	first  *Failure // of an item; an unknown outcome goes before it
	final  []ItemResult
}

// expanded fixes the list of a for_each and starts its first items.
func (r *State) expanded(i int, e Event) ([]Command, error) {
	if i < 0 || r.plan.Steps[i].ForEach == nil || e.Item != 0 {
		return nil, fmt.Errorf("%s is no for_each", place(e))
	}
	s := &r.steps[i]
	if s.phase != started || s.list != nil || e.Attempt != s.result.Attempts {
		return nil, fmt.Errorf("%s cannot be expanded now", place(e))
	}
	s.phase, s.list = iterating, &iteration{values: e.Items, units: make([]task, len(e.Items))}
	r.running--
	return append(r.moreItems(i, e.Time), r.advance(e.Time)...), nil
}

// moreItems starts as many items as may run, or ends the step when none is left.
func (r *State) moreItems(i int, at time.Time) []Command {
	var commands []Command
	list, step := r.steps[i].list, &r.plan.Steps[i]
	stop := r.stopped || list.failed > 0 && step.FailFast
	for ; !stop && list.next < len(list.units) && list.active < max(step.MaxParallel, 1); list.next++ {
		if u := &list.units[list.next]; u.phase == waiting {
			list.active++
			commands = append(commands, r.issue(i, list.next+1, u))
		}
	}
	if list.active > 0 {
		return commands
	}
	r.iterated(i, at)
	return append(commands, r.stepFinished(i, at)...)
}

// itemFinished ends an item and starts others in its place.
func (r *State) itemFinished(i, item int, at time.Time) []Command {
	list := r.steps[i].list
	list.active--
	if result := &list.units[item-1].result; result.Status == Failed {
		list.failed++
		if list.first == nil || list.first.Kind != action.UnknownOutcome && result.Error.Kind == action.UnknownOutcome {
			list.first = result.Error
		}
	}
	return r.moreItems(i, at)
}

// iterated gives a for_each step its result.
func (r *State) iterated(i int, at time.Time) {
	s := &r.steps[i]
	list := s.list
	outputs := make([]any, len(list.units))
	whole := true
	for n := range list.units {
		u := &list.units[n]
		outputs[n] = u.result.Outputs
		whole = whole && u.phase == ended
	}
	o := Outcome{Status: Success, Outputs: outputs}
	switch {
	case list.failed > 0:
		o.Status, o.Error = Failed, list.first
	case !whole:
		o.Status, o.Error = Failed, &Failure{Step: s.id}
		o.Error.Describe(action.AsError(r.why))
	}
	s.finish(o, at)
	list.final = nil
}

// results are those of the items. They are made once, when the step has ended.
func (l *iteration) results(ended bool) []ItemResult {
	if l.final != nil {
		return l.final
	}
	results := make([]ItemResult, len(l.units))
	for n := range l.units {
		results[n] = l.units[n].result
		if ended && results[n].Status == "" {
			results[n].Status = Skipped
		}
	}
	if ended {
		l.final = results
	}
	return results
}

// again makes what did not succeed wait once more.
func (l *iteration) again() {
	l.next, l.failed, l.first, l.final = 0, 0, nil, nil
	for n := range l.units {
		if u := &l.units[n]; u.phase != ended || u.result.Status == Failed {
			u.again()
		}
	}
}

func (u *task) again() {
	u.phase, u.fresh, u.retryAt = waiting, u.result.Attempts, time.Time{}
	u.result = ItemResult{Attempts: u.result.Attempts}
}

// retryDelay is how long to wait after an attempt: somewhere between nothing and
// the delay that the policy has for it, so that many runs that failed together
// do not come back together. It derives from the attempt, so that a run that is
// resumed waits as long.
func retryDelay(policy *workflow.Retry, attempts int, run string, e Event) time.Duration {
	most := float64(policy.Delay) * math.Pow(policy.Backoff, float64(attempts-1))
	if limit := float64(policy.MaxDelay); policy.MaxDelay > 0 && most > limit {
		most = limit
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "retry\x00%s\x00%s\x00%d\x00%d", run, e.Step, e.Item, e.Attempt))
	fraction := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
	return time.Duration(fraction * most).Round(time.Millisecond)
}
