package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"gopkg.in/yaml.v3"
)

// maxParallel and maxAttempts bound what a file may ask for.
const (
	maxParallel = 1000
	maxAttempts = 100
)

// flowPlaces are the values of keys that mean nothing without others.
type flowPlaces struct{ needs, forEach, maxParallel, failFast *yaml.Node }

// flow are the keys of a step that say when and how often it runs.
func (p *parser) flow(s *Step, at *flowPlaces) []key {
	return []key{
		{name: "needs", read: func(v *yaml.Node) { at.needs, s.Needs = v, p.needs(v) }},
		{name: "for_each", read: func(v *yaml.Node) { at.forEach, s.ForEach = v, p.forEach(v) }},
		{name: "max_parallel", read: func(v *yaml.Node) { at.maxParallel, s.MaxParallel = v, p.count(v, "max_parallel", maxParallel) }},
		{name: "fail_fast", read: func(v *yaml.Node) { at.failFast, s.FailFast = v, p.boolean(v, "fail_fast") }},
		{name: "retry", read: func(v *yaml.Node) { s.Retry = p.retry(v) }},
	}
}

// checkFlow reports keys that mean nothing where they stand.
func (p *parser) checkFlow(s *Step, at *flowPlaces) {
	alone := func(v *yaml.Node, name string) {
		if v != nil && at.forEach == nil {
			p.report(v, "without-for-each", fmt.Sprintf("`%s` goes with `for_each`, and the step %q has none", name, s.ID), "add for_each, or leave it out")
		}
	}
	alone(at.maxParallel, "max_parallel")
	alone(at.failFast, "fail_fast")
	if at.needs != nil && s.Part != Main {
		p.report(at.needs, "needs-in-part", fmt.Sprintf("the step %q cannot have `needs`", s.ID),
			fmt.Sprintf("the steps of %s run one after the other, each whatever became of the one before", s.Part))
		s.Needs = nil
	}
}

// needs reads the ids of steps: a list, or one.
func (p *parser) needs(n *yaml.Node) []Text {
	needs := []Text{} // not nil: the key is there
	add := func(v *yaml.Node) {
		if id := p.wholeText(v, "needs"); id.Text != "" {
			needs = append(needs, *id)
		}
	}
	switch target := p.resolve(n); {
	case target == nil:
	case target.Kind == yaml.SequenceNode:
		p.items(n, "needs", add)
	case target.Kind == yaml.ScalarNode && p.scalar(target) != nil:
		add(n)
	default:
		p.report(n, "wrong-type", "needs must be a list of steps, or one, got "+p.kindOf(target), "needs: [] is none")
	}
	return needs
}

// forEach reads the list of a for_each: a list, or one expression.
func (p *parser) forEach(n *yaml.Node) *Value {
	v := p.value(n, "for_each")
	text, isText := v.Literal.(string)
	if v.IsList || isText && wholeExpression(text) {
		return &v
	}
	if target := p.resolve(n); target != nil {
		p.report(n, "wrong-type", "for_each must be a list or one expression, got "+p.kindOf(target), forEachHint)
	}
	return &Value{Position: v.Position, IsList: true} // so that `item` is no further problem
}

const forEachHint = "for example: [\"#oncall\", \"#ops\"] or ${{ inputs.emails }}"

// wholeExpression reports whether a text may be one expression and nothing else.
func wholeExpression(text string) bool {
	trimmed := strings.TrimSpace(text)
	return len(trimmed) > 5 && trimmed[:3] == "${{" && trimmed[len(trimmed)-2:] == "}}"
}

// count reads a whole number from 1 to a most.
func (p *parser) count(n *yaml.Node, what string, most int) int {
	count := p.whole(n, what)
	if count > int64(most) {
		p.report(n, "too-large", fmt.Sprintf("%s is %d, at most %d is possible", what, count, most), "")
		return most
	}
	return int(count)
}

// retry reads `retry:`: how many attempts, or a mapping.
func (p *parser) retry(n *yaml.Node) Retry {
	r := Retry{MaxAttempts: 1, Delay: DefaultRetryDelay, Backoff: DefaultRetryBackoff, MaxDelay: DefaultRetryMaxDelay}
	target := p.resolve(n)
	if target == nil {
		return r
	}
	if target.Kind == yaml.ScalarNode {
		r.MaxAttempts = p.count(n, "retry", maxAttempts)
		return r
	}
	seen := p.mapping(n, "retry",
		key{name: "max_attempts", read: func(v *yaml.Node) { r.MaxAttempts = p.count(v, "max_attempts", maxAttempts) }},
		key{name: "delay", read: func(v *yaml.Node) { r.Delay = p.duration(v, "delay") }},
		key{name: "backoff", read: func(v *yaml.Node) { r.Backoff = p.backoff(v) }},
		key{name: "max_delay", read: func(v *yaml.Node) { r.MaxDelay = p.duration(v, "max_delay") }},
		key{name: "on", read: func(v *yaml.Node) { r.On = p.kinds(v) }},
	)
	if target.Kind == yaml.MappingNode && !seen["max_attempts"] {
		p.report(n, "missing-key", `retry needs "max_attempts"`, "for example retry: {max_attempts: 5, delay: 1s}")
	}
	if seen["max_delay"] && r.MaxDelay > 0 && r.MaxDelay < r.Delay {
		p.report(n, "bad-retry", fmt.Sprintf("max_delay (%s) is shorter than delay (%s)", r.MaxDelay, r.Delay), "")
	}
	r.MaxDelay = max(r.MaxDelay, r.Delay)
	return r
}

func (p *parser) backoff(n *yaml.Node) float64 {
	if target := p.resolve(n); target != nil && target.Kind == yaml.ScalarNode {
		if f, ok := p.scalar(target).(float64); ok && f >= 1 && f <= 100 {
			return f
		}
		p.report(n, "wrong-type", "backoff must be a number from 1 to 100, got "+p.kindOf(target), "2 doubles the delay each time")
	}
	return DefaultRetryBackoff
}

// kinds reads the kinds of failure that are retried.
func (p *parser) kinds(n *yaml.Node) []action.Kind {
	var kinds []action.Kind
	var names, listed []string
	for _, kind := range action.Kinds() {
		names = append(names, string(kind))
		if (Retry{On: []action.Kind{kind}}).Allows(kind) {
			listed = append(listed, string(kind))
		}
	}
	p.items(n, "on", func(v *yaml.Node) {
		name := p.someText(v, "a kind of failure")
		switch {
		case name == "":
		case !slices.Contains(names, name):
			hint := action.DidYouMean(name, names)
			if hint == "" {
				hint = "one of: " + strings.Join(listed, ", ")
			}
			p.report(v, "unknown-kind", fmt.Sprintf("there is no kind of failure %q", clipped(name)), hint)
		case !slices.Contains(listed, name):
			p.report(v, "bad-retry", fmt.Sprintf("%s cannot be retried", name), "what may have been done is never repeated by itself, and a cancelled run stays cancelled")
		default:
			kinds = append(kinds, action.Kind(name))
		}
	})
	if target := p.resolve(n); target != nil && target.Kind == yaml.SequenceNode && len(target.Content) == 0 {
		p.report(n, "bad-retry", "on lists no kind of failure, so nothing would be retried", "leave it out: what may pass is retried")
	}
	return kinds
}

// concurrency reads `concurrency:`: a policy, or a mapping. Only the runs of a
// schedule have a policy by themselves.
func (p *parser) concurrency(n *yaml.Node, scheduled bool) (c Concurrency) {
	target := p.resolve(n)
	if target == nil {
		return c
	}
	if target.Kind == yaml.ScalarNode {
		c.Policy = p.policy(n)
		return c
	}
	seen := p.mapping(n, "concurrency",
		key{name: "group", read: func(v *yaml.Node) { c.Group = p.group(v) }},
		key{name: "policy", read: func(v *yaml.Node) { c.Policy = p.policy(v) }},
	)
	switch {
	case target.Kind != yaml.MappingNode || seen["policy"]:
	case !seen["group"]:
		p.report(n, "missing-key", `concurrency needs "policy" or "group"`, "for example concurrency: {policy: queue}")
	case !scheduled:
		p.report(n, "missing-key", "a concurrency group without a policy bounds nothing: without one, any number of runs is allowed", "add one, such as policy: queue")
	}
	return c
}

func (p *parser) group(n *yaml.Node) *Value {
	v := p.value(n, "group")
	if text, ok := v.Literal.(string); ok {
		if strings.TrimSpace(text) == "" {
			p.report(n, "empty-text", "group is empty", "leave it out: the runs of the workflow are then one group")
		}
		return &v
	}
	if target := p.resolve(n); target != nil {
		p.report(n, "wrong-type", "group must be text, got "+p.kindOf(target), `for example: "${{ inputs.email }}"`)
	}
	return nil
}

func (p *parser) policy(n *yaml.Node) ConcurrencyPolicy {
	policies := []string{string(Allow), string(Skip), string(Queue), string(CancelBusy)}
	name := p.someText(n, "a concurrency policy")
	if name == "" || slices.Contains(policies, name) {
		return ConcurrencyPolicy(name)
	}
	hint := action.DidYouMean(name, policies)
	if hint == "" {
		hint = "one of: " + strings.Join(policies, ", ")
	}
	p.report(n, "bad-concurrency", fmt.Sprintf("there is no concurrency policy %q", clipped(name)), hint)
	return ""
}
