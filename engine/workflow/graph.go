package workflow

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// A graph says which steps each step runs after.
//
// Most steps run after the step above them. A sequence of such steps is a chain, and
// all steps of a chain run after everything that its first step, the head, runs after.
// So the graph keeps a set for the head of each chain only, and its size grows with
// the number of steps and not with the square.
type graph struct {
	needs [][]int
	// heads has, for each main step, the head of its chain.
	heads []int
	// before has, for the head of each chain, the steps that it runs after, directly or
	// through others: bit i is step i.
	before []*big.Int
}

// A view is the set of steps that have ended before something runs: the steps from
// one index up to another, and others.
type view struct {
	from, to int
	others   *big.Int // bit i is step i; nil when there are none
}

func (v view) has(i int) bool {
	return v.from <= i && i < v.to || v.others != nil && v.others.Bit(i) == 1
}

// addTo adds the steps of the view to a set.
func (v view) addTo(set *big.Int) {
	below := func(i int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(i)) }
	set.Or(set, new(big.Int).Sub(below(v.to), below(v.from)))
	if v.others != nil {
		set.Or(set, v.others)
	}
}

// graph computes which steps each step runs after, and reports needs that are not
// possible.
func (c *compiler) graph() {
	steps := c.workflow.Steps
	g := &graph{needs: make([][]int, len(steps)), heads: make([]int, len(steps)), before: make([]*big.Int, len(steps))}
	c.order = g
	above := -1 // the main step above
	for i := range steps {
		if steps[i].Part != Main {
			continue
		}
		if steps[i].Needs != nil {
			g.needs[i] = c.resolveNeeds(i)
		} else if above >= 0 {
			g.needs[i] = []int{above}
		}
		g.heads[i] = i
		if above >= 0 && slices.Equal(g.needs[i], []int{above}) {
			g.heads[i] = g.heads[above]
		}
		above = i
	}
	c.ancestors()
}

// view returns the steps that run before a step. The steps of on_failure and finally
// run after every main step and after the steps above them.
func (c *compiler) view(i int) view {
	if c.workflow.Steps[i].Part != Main {
		return view{to: i} // the steps are in the order of their parts
	}
	head := c.order.heads[i]
	return view{head, i, c.order.before[head]}
}

// resolveNeeds returns the steps that a step names in `needs`.
func (c *compiler) resolveNeeds(i int) []int {
	s := &c.workflow.Steps[i]
	needs := []int{}
	for _, text := range s.Needs {
		n, ok := c.stepIDs[text.Text]
		switch {
		case !ok:
			c.document.Report(text.Position, "unknown-step", fmt.Sprintf("there is no step %q", source.Clip(text.Text)), phrase.DidYouMean(text.Text, phrase.Names(c.stepIDs)))
		case c.workflow.Steps[n].Part != Main:
			c.document.Report(text.Position, "step-order", fmt.Sprintf("the step %q is one of `%s`, which runs after all of `steps`", text.Text, c.workflow.Steps[n].Part), "needs names steps of `steps`")
		case n == i:
			c.document.Report(text.Position, "needs-circle", fmt.Sprintf("the step %q needs itself", s.ID), "name the steps that it runs after; `needs: []` is none")
		default:
			needs = append(needs, n)
		}
	}
	slices.Sort(needs)
	return slices.Compact(needs)
}

// ancestors follows the needs of every main step, and sets what the head of each
// chain runs after. It reports each circle once, and removes the need that closes it.
func (c *compiler) ancestors() {
	const unseen, under, done = 0, 1, 2
	state := make([]int, len(c.workflow.Steps))
	var path []int
	var visit func(i int)
	visit = func(i int) {
		state[i] = under
		path = append(path, i)
		kept := c.order.needs[i][:0:0]
		for _, need := range c.order.needs[i] {
			if state[need] == under {
				c.circle(path[slices.Index(path, need):])
				continue
			}
			if state[need] == unseen {
				visit(need)
			}
			kept = append(kept, need)
		}
		c.order.needs[i] = kept
		if c.order.heads[i] == i {
			c.order.before[i] = c.union(kept)
		}
		path = path[:len(path)-1]
		state[i] = done
	}
	for i := range state {
		if state[i] == unseen {
			visit(i)
		}
	}
}

// union returns the steps that a step with these needs runs after: the needed steps,
// and the steps that they run after.
func (c *compiler) union(needs []int) *big.Int {
	set := new(big.Int)
	for _, need := range needs {
		set.SetBit(set, need, 1)
		c.view(need).addTo(set)
	}
	return set
}

// circle reports steps that wait for each other, at the first `needs` that is part of
// the circle. A step without `needs` waits for the step above.
func (c *compiler) circle(steps []int) {
	text, at := "", source.Position{}
	for k, i := range steps {
		s, next := &c.workflow.Steps[i], &c.workflow.Steps[steps[(k+1)%len(steps)]]
		text += s.ID + " -> "
		for _, need := range s.Needs {
			if need.Text == next.ID && at == (source.Position{}) {
				at = need.Position
			}
		}
	}
	text += c.workflow.Steps[steps[0]].ID
	c.document.Report(at, "needs-circle", "these steps wait for each other, each for the next: "+text, "take one of these needs away")
}
