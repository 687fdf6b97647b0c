package workflow

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
)

// Compile turns a workflow into a plan. The error is [Diagnostics] with every
// problem of the file, those that Parse found too.
func Compile(w *Workflow, catalog *action.Catalog, checker Checker) (*Plan, error) {
	c := &compiler{
		workflow: w, catalog: catalog, checker: checker,
		parser:  &parser{file: w.File, lines: w.parser.lines, diagnostics: append(Diagnostics(nil), w.parser.diagnostics...)},
		plan:    &Plan{Workflow: w, catalog: catalog, Modules: map[string]Program{}, Sources: []Source{{w.File, w.Source}}},
		stepIDs: map[string]int{}, moduleFiles: map[string]string{},
	}
	for i, s := range w.Steps {
		c.stepIDs[s.ID] = i
	}
	c.permissions()
	c.graph()
	c.defaults()
	c.plan.Steps = make([]PlanStep, len(w.Steps))
	for i := range w.Steps {
		c.plan.Steps[i] = c.step(i)
	}
	c.outputs()
	c.group()
	diagnostics := c.parser.diagnostics.sorted()
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	c.plan.Warnings = diagnostics
	return c.plan, nil
}

// A compiler holds what the compilation of one workflow shares.
type compiler struct {
	workflow *Workflow
	catalog  *action.Catalog
	checker  Checker
	parser   *parser // for lines and diagnostics
	plan     *Plan
	stepIDs  map[string]int
	order    *graph
	// moduleFiles are the files of plan.Modules.
	moduleFiles map[string]string
}

// permissions checks the names under permissions.pagerduty.
func (c *compiler) permissions() {
	functions := c.catalog.Functions("pagerduty")
	for i, name := range c.workflow.Permissions.PagerDuty {
		if _, ok := c.catalog.Lookup("pagerduty." + name); !ok {
			c.parser.reportAt(c.workflow.pagerDutyPlaces[i], "unknown-action", fmt.Sprintf("there is no action pagerduty.%s", clipped(name)),
				action.DidYouMean(name, functions))
		}
	}
}

func (c *compiler) step(index int) PlanStep {
	s := &c.workflow.Steps[index]
	out := PlanStep{
		ID: s.ID, Position: s.Position, Part: s.Part, Needs: c.order.needs[index], ContinueOnError: s.ContinueOnError,
		MaxParallel: s.MaxParallel, FailFast: s.FailFast, Retry: s.Retry,
		Timeout: s.Timeout, Limits: s.Limits.or(c.workflow.Limits).or(DefaultLimits()),
	}
	if out.Timeout == 0 {
		out.Timeout = DefaultStepTimeout
	}
	if out.Connection = c.workflow.Connection; s.Connection != nil {
		out.Connection = *s.Connection
	}
	scope := &scope{
		compiler: c, step: s, index: index, after: c.view(index), what: fmt.Sprintf("the step %q", s.ID),
		reads: map[int]bool{}, modules: map[string]bool{},
	}
	if s.ForEach != nil {
		out.ForEach = scope.list(s.ForEach)
	}
	if s.If != nil {
		out.If = scope.expression(s.If.Text, s.If.Position, s.If.Line)
	}
	switch {
	case s.Uses != nil:
		out.Action = c.action(s.Uses)
		out.With = scope.with(s, out.Action)
	case s.Lua != nil:
		out.Script = scope.script(Chunk{Kind: Script, File: c.workflow.File, Line: s.Lua.Line, Text: s.Lua.Text})
	case s.LuaFile != nil:
		out.Script = c.luaFile(scope, s.LuaFile)
	}
	scope.warnOfKeys()
	out.Reads = scope.readList()
	return out
}

// action finds the action of `uses:`.
func (c *compiler) action(uses *Text) *action.Action {
	a, ok := c.catalog.Lookup(uses.Text)
	if !ok {
		if uses.Text != "" {
			c.parser.reportAt(uses.Position, "unknown-action", fmt.Sprintf("there is no action %q", clipped(uses.Text)), c.actionHint(uses.Text))
		}
		return nil
	}
	c.allowed(a, uses.Position)
	return a
}

func (c *compiler) actionHint(name string) string {
	if hint := action.DidYouMean(name, c.catalog.Names()); hint != "" {
		return hint
	}
	module, _, _ := strings.Cut(name, ".")
	if functions := c.catalog.Functions(module); functions != nil {
		return module + " has: " + strings.Join(functions, ", ")
	}
	return "`pdflow actions` lists them"
}

// allowed reports an action that the workflow's permissions do not list.
func (c *compiler) allowed(a *action.Action, at Position) {
	p := c.workflow.Permissions
	if p.AllowsAction(a) {
		return
	}
	c.parser.reportAt(at, "permission", notAllowed(a), "add it: "+p.ActionLine(a))
}

func notAllowed(a *action.Action) string { return "the workflow may not call " + a.Name }

// outputs compiles the outputs of the workflow. They are evaluated last, and so
// see every step: of those of on_failure, after a success, that they were skipped.
func (c *compiler) outputs() {
	scope := &scope{compiler: c, index: -1, after: view{to: len(c.workflow.Steps)}, what: "outputs", reads: map[int]bool{}}
	for _, named := range c.workflow.Outputs {
		c.plan.Outputs = append(c.plan.Outputs, OutputTemplate{named.Name, scope.template(named.Value, false)})
	}
	c.plan.OutputReads = scope.readList()
}

// group compiles the concurrency group.
func (c *compiler) group() {
	if v := c.workflow.Concurrency.Group; v != nil {
		scope := &scope{compiler: c, index: -1, what: "concurrency.group", inputsOnly: true, reads: map[int]bool{}}
		t := scope.template(*v, false)
		c.plan.Group = &t
	}
}

// finding reports a finding of the checker at its place in the workflow file or
// in a file beside it.
func (c *compiler) finding(f Finding, file string, within Position) {
	d := Diagnostic{
		File: file, Line: max(f.Line, 1), Column: f.Column, Rule: f.Rule, Severity: f.Severity, Message: f.Message, Hint: f.Hint,
	}
	if d.Severity == "" {
		d.Severity = SeverityError
	}
	if d.Column == 0 {
		d.Column = 1
		if file == c.workflow.File {
			d.Column = c.column(f.Line, f.Token, within)
		}
	}
	c.parser.diagnostics = append(c.parser.diagnostics, d)
}

// column finds a name in a line of the file. The search begins at the column of
// the value that holds it, when that is in the same line.
func (c *compiler) column(line int, token string, within Position) int {
	text := c.parser.line(line)
	start := len(leadingSpace(text))
	if within.Line == line {
		start = min(byteOffset(text, within.Column), len(text))
	}
	if at := wordIndex(text, token, start); at >= 0 {
		start = at
	}
	return utf8.RuneCountInString(text[:start]) + 1
}

// byteOffset converts a column, which counts characters from 1.
func byteOffset(text string, column int) int {
	offset := 0
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(text[offset:])
		offset += size
	}
	return offset
}

// wordIndex finds a token that is not a part of a longer name.
func wordIndex(text, token string, from int) int {
	for token != "" && from < len(text) {
		at := strings.Index(text[from:], token)
		if at < 0 {
			return -1
		}
		at += from
		end := at + len(token)
		if (at == 0 || !nameByte(text[at-1]) || !nameByte(token[0])) && (end == len(text) || !nameByte(text[end]) || !nameByte(token[len(token)-1])) {
			return at
		}
		from = at + 1
	}
	return -1
}

func nameByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
