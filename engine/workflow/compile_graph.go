package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
)

// A graph says which steps each step runs after.
type graph struct {
	needs [][]int
	// after has a bit for every step that a step runs after, directly or through
	// others.
	after []bits
}

// bits is a set of small numbers.
type bits []uint64

func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bits) add(i int) { b[i/64] |= 1 << (i % 64) }

func (b bits) addAll(other bits) {
	for i := range other {
		b[i] |= other[i]
	}
}

// graph finds out what runs after what, and reports needs that cannot be.
func (c *compiler) graph() {
	steps := c.workflow.Steps
	c.order = &graph{needs: make([][]int, len(steps)), after: make([]bits, len(steps))}
	above := -1 // the main step above
	for i := range steps {
		switch s := &steps[i]; {
		case s.Part != Main:
		case s.Needs != nil:
			c.order.needs[i] = c.resolveNeeds(i)
			above = i
		default:
			if above >= 0 {
				c.order.needs[i] = []int{above}
			}
			above = i
		}
	}
	c.ancestors()
	c.laterParts()
}

// resolveNeeds finds the steps that a step names in `needs`.
func (c *compiler) resolveNeeds(i int) []int {
	s := &c.workflow.Steps[i]
	needs := []int{}
	for _, text := range s.Needs {
		n, ok := c.stepIDs[text.Text]
		switch {
		case !ok:
			c.parser.reportAt(text.Position, "unknown-step", fmt.Sprintf("there is no step %q", clipped(text.Text)), action.DidYouMean(text.Text, action.SortedNames(c.stepIDs)))
		case c.workflow.Steps[n].Part != Main:
			c.parser.reportAt(text.Position, "step-order", fmt.Sprintf("the step %q is one of `%s`, which runs after all of `steps`", text.Text, c.workflow.Steps[n].Part), "needs names steps of `steps`")
		case n == i:
			c.parser.reportAt(text.Position, "needs-circle", fmt.Sprintf("the step %q needs itself", s.ID), "")
		case !slices.Contains(needs, n):
			needs = append(needs, n)
		}
	}
	slices.Sort(needs)
	return needs
}

// ancestors walks the needs of every main step. A circle is reported once, and
// opened.
func (c *compiler) ancestors() {
	n := len(c.workflow.Steps)
	const unseen, under, done = 0, 1, 2
	state := make([]int, n)
	var path []int
	var visit func(i int)
	visit = func(i int) {
		state[i] = under
		path = append(path, i)
		c.order.after[i] = newBits(n)
		kept := c.order.needs[i][:0:0]
		for _, need := range c.order.needs[i] {
			switch state[need] {
			case under:
				c.circle(path[slices.Index(path, need):])
				continue
			case unseen:
				visit(need)
			}
			kept = append(kept, need)
			c.order.after[i].add(need)
			c.order.after[i].addAll(c.order.after[need])
		}
		c.order.needs[i] = kept
		path = path[:len(path)-1]
		state[i] = done
	}
	for i := range n {
		if state[i] == unseen {
			visit(i)
		}
	}
}

// circle reports steps that wait for each other.
func (c *compiler) circle(steps []int) {
	var ids []string
	for _, i := range append(slices.Clone(steps), steps[0]) {
		ids = append(ids, c.workflow.Steps[i].ID)
	}
	at := c.workflow.Steps[steps[0]].Position
	if needs := c.workflow.Steps[steps[0]].Needs; len(needs) > 0 {
		at = needs[0].Position
	}
	c.parser.reportAt(at, "needs-circle", "these steps wait for each other, each for the next: "+strings.Join(ids, " -> "), "take one of the needs away")
}

// laterParts says what the steps of on_failure and finally run after: every main
// step, and those above.
func (c *compiler) laterParts() {
	n := len(c.workflow.Steps)
	for i := range c.workflow.Steps {
		part := c.workflow.Steps[i].Part
		if part == Main {
			continue
		}
		c.order.after[i] = newBits(n)
		for j := range i { // parts stand in their order
			c.order.after[i].add(j)
		}
	}
}
