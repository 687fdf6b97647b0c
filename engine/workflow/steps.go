package workflow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// readParts reads the steps of every part, in the order in which the parts run.
func readParts(parts [Finally + 1]*source.Node, w *Workflow) {
	ids := map[string]source.Position{}
	for part, n := range parts {
		if n != nil {
			readSteps(*n, Part(part), w, ids)
		}
	}
}

func readSteps(n source.Node, part Part, w *Workflow, ids map[string]source.Position) {
	target, ok := n.Resolve()
	if ok {
		w.Steps = slices.Grow(w.Steps, target.Len())
	}
	n.Items(part.String(), func(v source.Node) {
		s := readStep(v, len(w.Steps)+1, part)
		if first, ok := ids[s.ID]; ok {
			w.document.Report(s.Position, "duplicate-step", fmt.Sprintf("there are two steps %q", s.ID), fmt.Sprintf("the other begins in line %d", first.Line))
		}
		ids[s.ID] = s.Position
		w.Steps = append(w.Steps, s)
	})
	if part == Main && ok && target.IsList() && target.Len() == 0 {
		n.Report("no-steps", "there are no steps", "a step has `uses:` or `lua:`")
	}
}

// readStep reads one step. A step without an id is named by its number.
func readStep(n source.Node, number int, part Part) Step {
	s := Step{
		ID: fmt.Sprintf("step_%d", number), Position: n.Position(), Part: part,
		MaxParallel: 1, FailFast: true, Retry: Retry{MaxAttempts: 1},
	}
	var at flowPlaces
	n.Mapping("a step", []source.Key{
		{Name: "id", Read: func(v source.Node) { v.Identifier("a step's id", &s.ID) }},
		{Name: "name", Refused: true, Read: func(v source.Node) {
			v.Report("unknown-key", `a step has no key "name"`, "its `id` names it; comments describe it")
		}},
		{Name: "if", Read: func(v source.Node) { s.If = readCondition(v) }},
		{Name: "uses", Read: func(v source.Node) { s.Uses = v.PlacedText("uses") }},
		{Name: "with", Read: func(v source.Node) { s.With = v.Fields("with") }},
		{Name: "lua", Read: func(v source.Node) { s.Lua = readScript(v) }},
		{Name: "lua_file", Read: func(v source.Node) { s.LuaFile = v.PlacedText("lua_file") }},
		{Name: "timeout", Read: func(v source.Node) {
			s.Timeout = v.Duration("timeout")
			s.demands.duration(v, "the timeout of the step", "step_timeout", s.Timeout, func(c Ceilings) time.Duration { return c.StepTimeout })
		}},
		{Name: "continue_on_error", Read: func(v source.Node) { s.ContinueOnError = v.Bool("continue_on_error") }},
		{Name: "limits", Read: func(v source.Node) { s.Limits = readLimits(v, &s.demands) }},
		{Name: "connection", Read: func(v source.Node) { s.Connection = ReadConnection(v) }},
		{Name: "needs", Read: func(v source.Node) { at.needs, s.Needs = &v, readNeeds(v) }},
		{Name: "for_each", Read: func(v source.Node) { at.forEach, s.ForEach = &v, readForEach(v) }},
		{Name: "max_parallel", Read: func(v source.Node) {
			at.maxParallel, s.MaxParallel = &v, readCount(v, "max_parallel", maxParallel)
			s.demands.count(v, "max_parallel", "max_parallel", int64(s.MaxParallel), func(c Ceilings) int64 { return c.Parallel })
		}},
		{Name: "fail_fast", Read: func(v source.Node) { at.failFast, s.FailFast = &v, v.Bool("fail_fast") }},
		{Name: "retry", Read: func(v source.Node) { s.Retry = readRetry(v, &s.demands) }},
	}...)
	checkFlow(&s, &at)
	checkStepKind(n, &s)
	return s
}

// checkStepKind checks that a step does exactly one thing.
func checkStepKind(n source.Node, s *Step) {
	var kinds []string
	if s.Uses != nil {
		kinds = append(kinds, "uses")
	}
	if s.Lua != nil {
		kinds = append(kinds, "lua")
	}
	if s.LuaFile != nil {
		kinds = append(kinds, "lua_file")
	}
	if target, ok := n.Resolve(); !ok || !target.IsMapping() {
		return // reported already
	}
	switch {
	case len(kinds) == 0:
		n.Report("step-kind", fmt.Sprintf("the step %q does nothing", s.ID), "give it `uses: ACTION`, `lua: |` or `lua_file: FILE`")
	case len(kinds) > 1:
		n.Report("step-kind", fmt.Sprintf("the step %q has %s", s.ID, strings.Join(kinds, " and ")), "keep one of them")
	case len(s.With) > 0 && s.Uses == nil:
		n.Document().Report(s.With[0].Position, "step-kind", fmt.Sprintf("`with` needs `uses`, and the step %q does not have it", s.ID), "a script reads inputs and steps itself")
	}
}

// readCondition reads `if:`, an expression without `${{ }}` around it; `${{ x }}`
// means x.
func readCondition(n source.Node) *source.Text {
	target, ok := n.Resolve()
	if !ok {
		return nil
	}
	t := &source.Text{Position: target.Position(), Line: target.Position().Line}
	if !target.IsScalar() {
		n.Report("wrong-type", "if must be an expression, got "+target.Describe(), "")
		return nil
	}
	switch v := target.Scalar().(type) {
	case string:
		t.Text = v
	case bool:
		t.Text = target.Written()
	default:
		n.Report("wrong-type", "if must be an expression, got "+target.Describe(), `for example: steps.lookup.outputs.found`)
		return nil
	}
	if target.IsBlock() {
		t.Line++
	}
	if trimmed := strings.TrimSpace(t.Text); strings.HasPrefix(trimmed, "${{") && strings.HasSuffix(trimmed, "}}") {
		t.Text = strings.TrimSpace(trimmed[3 : len(trimmed)-2])
	}
	if source.HasExpression(t.Text) {
		n.Report("expression-refused", "if must be one expression, without ${{ }} inside it", `for example: inputs.role == "admin" and steps.lookup.outputs.found`)
		return nil
	}
	return t
}

// readScript reads `lua:`. Only a literal block keeps every line of a script at its
// place in the file.
func readScript(n source.Node) *source.Text {
	target, ok := n.Resolve()
	if !ok {
		return nil
	}
	if !target.IsLiteral() {
		target.Report("lua-style", "a script must be a literal block", "write `lua: |` and the script below it, indented; other styles join or shift its lines")
		return &source.Text{Position: n.Position(), Line: n.Position().Line}
	}
	if target.IsMarked() {
		target.Report("lua-style", "a script cannot have an anchor or a tag", "put shared functions into a file and use require")
	}
	if source.HasExpression(target.Written()) {
		d := n.Document()
		d.Report(d.Find(target.Position().Line, "${{"), "expression-refused", "a script cannot hold ${{ }}: text is never pasted into code",
			"read the value itself, such as inputs.email")
	}
	return &source.Text{Text: target.Written(), Position: target.Position(), Line: target.Position().Line + 1}
}

// maxParallel and maxAttempts bound what a file may ask for.
const (
	maxParallel = 1000
	maxAttempts = 100
)

// flowPlaces are the values of keys that depend on other keys.
type flowPlaces struct{ needs, forEach, maxParallel, failFast *source.Node }

// checkFlow reports keys that have no meaning in this step.
func checkFlow(s *Step, at *flowPlaces) {
	alone := func(v *source.Node, name string) {
		if v != nil && at.forEach == nil {
			v.Report("without-for-each", fmt.Sprintf("`%s` needs `for_each`, and the step %q does not have it", name, s.ID), "add for_each, or leave it out")
		}
	}
	alone(at.maxParallel, "max_parallel")
	alone(at.failFast, "fail_fast")
	if at.needs != nil && s.Part != Main {
		at.needs.Report("needs-in-part", fmt.Sprintf("the step %q cannot have `needs`", s.ID),
			fmt.Sprintf("the steps of %s run one after the other, whether the step before failed or not", s.Part))
		s.Needs = nil
	}
}

// readNeeds reads the ids of steps: a list, or one.
func readNeeds(n source.Node) []source.Text {
	needs := []source.Text{} // not nil, since the key is there
	add := func(v source.Node) {
		if id := v.PlacedText("needs"); id.Text != "" {
			needs = append(needs, *id)
		}
	}
	switch target, ok := n.Resolve(); {
	case !ok:
	case target.IsList():
		n.Items("needs", add)
	case target.IsScalar() && target.Scalar() != nil:
		add(n)
	default:
		n.Report("wrong-type", "needs must be a list of steps, or one, got "+target.Describe(), "needs: [] is none")
	}
	return needs
}

// readForEach reads the list of a for_each: a list, or one expression.
func readForEach(n source.Node) *source.Value {
	v := n.Value("for_each")
	text, isText := v.Literal.(string)
	if v.IsList || isText && wholeExpression(text) {
		return &v
	}
	if target, ok := n.Resolve(); ok {
		n.Report("wrong-type", "for_each must be a list or one expression, got "+target.Describe(), forEachHint)
	}
	return &source.Value{Position: v.Position, IsList: true} // so that a read of `item` is not reported
}

const forEachHint = "for example: [\"#oncall\", \"#ops\"] or ${{ inputs.emails }}"

// wholeExpression reports whether a text may be one expression and nothing else.
func wholeExpression(text string) bool {
	trimmed := strings.TrimSpace(text)
	return len(trimmed) > len("${{}}") && strings.HasPrefix(trimmed, "${{") && strings.HasSuffix(trimmed, "}}")
}

// readCount reads a whole number from 1 to most.
func readCount(n source.Node, what string, most int) int {
	count := n.Whole(what)
	if count > int64(most) {
		n.Report("too-large", fmt.Sprintf("%s is %d, at most %d is possible", what, count, most), "")
		return most
	}
	return int(count)
}

// readRetry reads `retry:`: how many attempts, or a mapping.
func readRetry(n source.Node, d *demands) Retry {
	r := Retry{MaxAttempts: 1, Delay: DefaultRetryDelay, Backoff: DefaultRetryBackoff, MaxDelay: DefaultRetryMaxDelay}
	target, ok := n.Resolve()
	if !ok {
		return r
	}
	count := func(v source.Node, what string) {
		r.MaxAttempts = readCount(v, what, maxAttempts)
		d.count(v, what, "max_attempts", int64(r.MaxAttempts), func(c Ceilings) int64 { return c.Attempts })
	}
	if target.IsScalar() {
		count(n, "retry")
		return r
	}
	pause := func(v source.Node, what string, to *time.Duration) {
		*to = v.Duration(what)
		d.duration(v, what, "retry_delay", *to, func(c Ceilings) time.Duration { return c.RetryDelay })
	}
	var attempts, maxDelay bool
	n.Mapping("retry",
		source.Key{Name: "max_attempts", Read: func(v source.Node) { attempts = true; count(v, "max_attempts") }},
		source.Key{Name: "delay", Read: func(v source.Node) { pause(v, "delay", &r.Delay) }},
		source.Key{Name: "backoff", Read: func(v source.Node) { r.Backoff = readBackoff(v) }},
		source.Key{Name: "max_delay", Read: func(v source.Node) { maxDelay = true; pause(v, "max_delay", &r.MaxDelay) }},
		source.Key{Name: "on", Read: func(v source.Node) { r.On = readKinds(v) }},
	)
	if target.IsMapping() && !attempts {
		n.Report("missing-key", `retry needs "max_attempts"`, "for example retry: {max_attempts: 5, delay: 1s}")
	}
	if maxDelay && r.MaxDelay > 0 && r.MaxDelay < r.Delay {
		n.Report("bad-retry", fmt.Sprintf("max_delay (%s) is shorter than delay (%s)", r.MaxDelay, r.Delay), "")
	}
	r.MaxDelay = max(r.MaxDelay, r.Delay)
	return r
}

func readBackoff(n source.Node) float64 {
	if target, ok := n.Resolve(); ok && target.IsScalar() {
		if f, ok := target.Scalar().(float64); ok && f >= 1 && f <= 100 {
			return f
		}
		n.Report("wrong-type", "backoff must be a number from 1 to 100, got "+target.Describe(), "2 doubles the delay each time")
	}
	return DefaultRetryBackoff
}

// readKinds reads the kinds of failure that are retried.
func readKinds(n source.Node) []action.Kind {
	var kinds []action.Kind
	var names, listed []string
	for _, kind := range action.Kinds() {
		names = append(names, string(kind))
		if (Retry{On: []action.Kind{kind}}).Allows(kind) {
			listed = append(listed, string(kind))
		}
	}
	n.Items("on", func(v source.Node) {
		name := v.SomeText("a kind of failure")
		switch {
		case name == "":
		case !slices.Contains(names, name):
			hint := cmp.Or(phrase.DidYouMean(name, names), "one of: "+strings.Join(listed, ", "))
			v.Report("unknown-kind", fmt.Sprintf("there is no kind of failure %q", source.Clip(name)), hint)
		case !slices.Contains(listed, name):
			v.Report("bad-retry", fmt.Sprintf("%s cannot be retried", name), "a call that may have been done is never retried automatically, and a cancelled run stays cancelled")
		default:
			kinds = append(kinds, action.Kind(name))
		}
	})
	if target, ok := n.Resolve(); ok && target.IsList() && target.Len() == 0 {
		n.Report("bad-retry", "on lists no kind of failure, so nothing would be retried", "leave it out: the kinds that may pass are then retried")
	}
	return kinds
}

// readConcurrency reads `concurrency:`: a policy, or a mapping. Only scheduled runs
// have a default policy.
func readConcurrency(n source.Node, scheduled bool) (c Concurrency) {
	target, ok := n.Resolve()
	if !ok {
		return c
	}
	if target.IsScalar() {
		c.Policy = readPolicy(n)
		return c
	}
	var group, policy bool
	n.Mapping("concurrency",
		source.Key{Name: "group", Read: func(v source.Node) { group, c.Group = true, readGroup(v) }},
		source.Key{Name: "policy", Read: func(v source.Node) { policy, c.Policy = true, readPolicy(v) }},
	)
	switch {
	case !target.IsMapping() || policy:
	case !group:
		n.Report("missing-key", `concurrency needs "policy" or "group"`, "for example concurrency: {policy: queue}")
	case !scheduled:
		n.Report("missing-key", "a concurrency group without a policy has no effect: any number of runs is allowed", "add one, such as policy: queue")
	}
	return c
}

func readGroup(n source.Node) *source.Value {
	v := n.Value("group")
	if text, ok := v.Literal.(string); ok {
		if strings.TrimSpace(text) == "" {
			n.Report("empty-text", "group is empty", "leave it out: the runs of the workflow are then one group")
		}
		return &v
	}
	if target, ok := n.Resolve(); ok {
		n.Report("wrong-type", "group must be text, got "+target.Describe(), `for example: "${{ inputs.email }}"`)
	}
	return nil
}

func readPolicy(n source.Node) ConcurrencyPolicy {
	return ConcurrencyPolicy(n.OneOf("a concurrency policy", "concurrency policy", "bad-concurrency", string(Allow), string(Skip), string(Queue), string(CancelBusy)))
}
