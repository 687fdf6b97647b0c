package workflow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// Compile checks a workflow and turns it into a plan. The error is [source.Problems],
// with every problem of the file, including those that Parse found.
func Compile(w *Workflow, catalog *action.Catalog, checker Checker) (*Plan, error) {
	c := &compiler{
		workflow: w, catalog: catalog, checker: checker,
		document: w.document.Copy(),
		plan:     &Plan{Workflow: w, catalog: catalog, Modules: map[string]Program{}, Sources: []Source{{w.File, w.Source}}},
		stepIDs:  map[string]int{}, moduleFiles: map[string]string{},
	}
	for i, s := range w.Steps {
		c.stepIDs[s.ID] = i
	}
	c.ceilings()
	c.permissions()
	c.bindings()
	c.graph()
	c.defaults()
	c.plan.Steps = make([]PlanStep, len(w.Steps))
	for i := range w.Steps {
		c.plan.Steps[i] = c.step(i)
	}
	c.outputs()
	c.group()
	problems := c.document.Problems()
	if problems.HasErrors() {
		return nil, problems
	}
	c.plan.Warnings = problems
	return c.plan, nil
}

// A compiler compiles one workflow.
type compiler struct {
	workflow *Workflow
	catalog  *action.Catalog
	checker  Checker
	document *source.Document // of the file, with the problems of Parse
	plan     *Plan
	stepIDs  map[string]int
	order    *graph
	// moduleFiles are the files of plan.Modules.
	moduleFiles map[string]string
	luaBytes    int // of the Lua files that were compiled
}

// permissions checks the modules and functions that the permissions list. Modules
// declare whether a workflow permits their actions by name.
func (c *compiler) permissions() {
	if len(c.workflow.lists) == 0 {
		return
	}
	var keys []source.Key
	modules := c.catalog.ListedModules()
	for _, module := range modules {
		keys = append(keys, source.Key{Name: module})
	}
	keys = append(keys, source.Key{Name: "http"}, source.Key{Name: "net"})
	for _, list := range c.workflow.lists {
		if !slices.Contains(modules, list.module) {
			c.document.UnknownKey(list.position, "permissions", list.module, keys)
			continue
		}
		c.document.Add(list.problems...)
		for _, function := range list.functions {
			if _, ok := c.catalog.Lookup(list.module + "." + function.Text); !ok {
				c.document.Report(function.Position, "unknown-action", fmt.Sprintf("there is no action %s.%s", list.module, source.Clip(function.Text)),
					phrase.DidYouMean(function.Text, c.catalog.Functions(list.module)))
			}
		}
	}
}

// bindings checks where secrets may go: to hosts, and to places that a module declares.
func (c *compiler) bindings() {
	if len(c.workflow.bindings) == 0 {
		return
	}
	places := c.catalog.Places()
	example := "add `hosts: [hooks.example.com]`"
	var keys []source.Key
	for _, name := range places {
		example += fmt.Sprintf(" or `%s: true`", name)
		keys = append(keys, source.Key{Name: name})
	}
	for _, b := range c.workflow.bindings {
		at := b.secret.Position
		for _, other := range b.others {
			if slices.Contains(places, other.name) {
				c.document.Add(other.problems...)
			} else {
				c.document.UnknownKey(other.position, b.what, other.name, slices.Concat(b.keys, keys))
			}
			b.broken = b.broken || len(other.problems) > 0 || !slices.Contains(places, other.name)
		}
		bound := slices.Concat(b.secret.Places, b.secret.Hosts)
		switch {
		case b.isSecret && len(bound) == 0 && b.isInput:
			c.document.Report(at, "unbound-secret", fmt.Sprintf("the secret input %s is bound to nothing, so nothing could use it", source.Clip(b.input())), example)
		case b.isSecret && len(bound) == 0 && !b.broken:
			c.document.Report(at, "unbound-secret", b.what+" is bound to nothing, so nothing could use it", example+"; its text comes from the environment, never from here")
		case !b.isSecret && len(bound) > 0 && !b.broken:
			c.document.Report(at, "input-type", fmt.Sprintf("%s is bound to %s, and only secrets can be bound", b.what, strings.Join(bound, ", ")), "add `secret: true`")
		}
	}
}

func (c *compiler) step(index int) PlanStep {
	s := &c.workflow.Steps[index]
	out := PlanStep{
		ID: s.ID, Position: s.Position, Part: s.Part, Needs: c.order.needs[index], ContinueOnError: s.ContinueOnError,
		MaxParallel: s.MaxParallel, FailFast: s.FailFast, Retry: s.Retry,
		Timeout: cmp.Or(s.Timeout, DefaultStepTimeout), Limits: s.Limits.or(c.workflow.Limits).or(DefaultLimits()),
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

// action returns the action of `uses:`, or nil when the action is unknown, which is reported.
func (c *compiler) action(uses *source.Text) *action.Action {
	a, ok := c.catalog.Lookup(uses.Text)
	if !ok {
		if uses.Text != "" {
			c.document.Report(uses.Position, "unknown-action", fmt.Sprintf("there is no action %q", source.Clip(uses.Text)), c.actionHint(uses.Text))
		}
		return nil
	}
	c.allowed(a, uses.Position)
	return a
}

func (c *compiler) actionHint(name string) string {
	all := "the modules are: " + strings.Join(c.catalog.Modules(), ", ")
	module, _, _ := strings.Cut(name, ".")
	if functions := c.catalog.Functions(module); functions != nil {
		all = module + " has: " + strings.Join(functions, ", ")
	}
	return cmp.Or(phrase.DidYouMean(name, c.catalog.Names()), all)
}

// allowed reports an action that the permissions of the workflow do not allow.
func (c *compiler) allowed(a *action.Action, at source.Position) {
	if p := c.workflow.Permissions; !p.AllowsAction(a) {
		c.document.Report(at, "permission", notAllowed(a), "add it: "+p.ActionLine(a))
	}
}

func notAllowed(a *action.Action) string { return "the workflow may not call " + a.Name }

// outputs compiles the outputs of the workflow. They are evaluated last, so they can
// read every step. After a success, they see that the steps of on_failure were
// skipped.
func (c *compiler) outputs() {
	scope := &scope{compiler: c, index: -1, after: view{to: len(c.workflow.Steps)}, what: "outputs", reads: map[int]bool{}}
	for _, named := range c.workflow.Outputs {
		c.plan.Outputs = append(c.plan.Outputs, NamedTemplate{named.Name, scope.template(named.Value, false)})
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

// finding reports a finding of the checker at its place in the workflow file or in a
// Lua file.
func (c *compiler) finding(f Finding, file string, within source.Position) {
	p := source.Problem{
		File: file, Line: max(f.Line, 1), Column: f.Column, Rule: f.Rule, Severity: cmp.Or(f.Severity, source.SeverityError), Message: f.Message, Hint: f.Hint,
	}
	if p.Column == 0 {
		p.Column = 1
		if file == c.workflow.File {
			p.Column = c.column(f.Line, f.Token, within)
		}
	}
	c.document.Add(p)
}

// column returns the column of a name in a line of the file. The search begins at the
// value that contains the name when the value begins in the same line.
func (c *compiler) column(line int, token string, within source.Position) int {
	text := c.document.Line(line)
	start := len(text) - len(strings.TrimLeft(text, " \t"))
	if within.Line == line {
		characters := []rune(text)
		start = len(string(characters[:min(max(within.Column, 1)-1, len(characters))]))
	}
	if at := wordIndex(text, token, start); at >= 0 {
		start = at
	}
	return utf8.RuneCountInString(text[:start]) + 1
}

// wordIndex returns the offset of a token that is not part of a longer name, or -1.
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
