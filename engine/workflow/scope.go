package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
)

// A scope is the place of a chunk in the workflow: what it may see, and what it
// was found to read.
type scope struct {
	*compiler
	step  *Step  // nil outside of steps
	index int    // of the step, or -1
	after bits   // the steps that have run before
	what  string // "the step \"x\"" or "outputs"
	reads map[int]bool
	// inputsOnly says that there is no run yet.
	inputsOnly bool
	// inForEach says that this is the list itself, before there are items.
	inForEach bool
	// modules are those that were followed for this scope. Each is compiled once,
	// and followed for every step that requires it: it reads what the step does.
	modules map[string]bool
}

// dataNames are the names that every chunk may read. Scripts see secrets too;
// expressions know the name for the sake of a better message.
var dataNames = []string{"inputs", "steps", "run"}

// placedNames are those that exist in some places only.
var placedNames = []string{"previous", "item", "index", "failure"}

// Fields of the data that scripts read.
var (
	runFields      = []string{"id", "workflow", "started_at", "trigger"}
	previousFields = []string{"outputs", "status", "ended_at"}
	failureFields  = []string{"kind", "message", "step", "item", "hint", "status", "code", "action", "retryable", "file", "line"}
)

func (s *scope) names(kind ChunkKind) []string {
	names := append([]string{"coalesce", "secrets"}, dataNames...)
	names = append(names, placedNames...)
	if kind != Expression {
		names = append(names, "list", "require", "print")
		names = append(names, s.catalog.Modules()...)
	}
	return names
}

func (s *scope) readList(steps int) []int {
	var list []int
	for i := range steps {
		if s.reads[i] {
			list = append(list, i)
		}
	}
	return list
}

// script compiles the body of a step, with the modules that it requires.
func (s *scope) script(chunk Chunk) Program {
	chunk.Names = s.names(chunk.Kind)
	program, findings := s.checker.Check(chunk)
	for _, f := range findings {
		s.finding(f, chunk.File, Position{})
	}
	if program == nil {
		return nil
	}
	s.follow(program, chunk.File)
	return program
}

// follow checks what a script or module reads, in this scope, and goes on with
// the modules that it requires.
func (s *scope) follow(program Program, file string) {
	s.references(program, file, Position{})
	for _, r := range program.Requires() {
		s.require(r, file)
	}
}

// expression compiles one expression and reports what is wrong with it.
func (s *scope) expression(text string, at Position, line int) Program {
	program, findings := s.checker.Check(s.chunk(text, line))
	s.expressionFindings(program, findings, at)
	return program
}

func (s *scope) chunk(text string, line int) Chunk {
	return Chunk{Kind: Expression, File: s.workflow.File, Line: line, Text: text, Names: s.names(Expression)}
}

func (s *scope) expressionFindings(program Program, findings []Finding, at Position) {
	for _, f := range findings {
		if f.Line == at.Line && f.Rule == RuleLuaSyntax {
			f.Column = at.Column // the checker sees the expression only, not its line
		}
		s.finding(f, s.workflow.File, at)
	}
	if program == nil {
		return
	}
	s.references(program, s.workflow.File, at)
	for _, r := range program.References() {
		if r.Path[0] == "secrets" {
			s.finding(Finding{Rule: "secret-use", Line: r.Line, Token: "secrets", Message: "a secret cannot be a part of an expression", Hint: wholeSecret}, s.workflow.File, at)
		}
	}
}

// wholeSecret says how a secret is given.
const wholeSecret = "give the secret as the whole value in `with:`, as in auth: {bearer: \"${{ secrets.TOKEN }}\"}, or use it in a script"

// references checks what a program reads against what is declared.
func (s *scope) references(program Program, file string, at Position) {
	for _, r := range program.References() {
		if where := s.missing(r.Path[0]); where != "" {
			s.finding(Finding{Rule: "no-such-name", Line: r.Line, Token: r.Path[0], Message: fmt.Sprintf("there is no `%s` in %s", r.Path[0], s.place()), Hint: where}, file, at)
			continue
		}
		switch root := r.Path[0]; {
		case root == "inputs":
			s.inputReference(r, file, at)
		case root == "steps":
			s.stepReference(r, file, at)
		case root == "secrets":
			s.secretReference(r, file, at)
		case root == "run":
			s.fieldReference(r, file, at, 1, "run", runFields)
		case root == "previous":
			s.plan.ReadsPrevious = true
			s.fieldReference(r, file, at, 1, "previous", previousFields)
		case root == "failure":
			s.fieldReference(r, file, at, 1, "failure", failureFields)
		case s.catalog.Functions(root) != nil:
			s.callReference(r, file, at)
		}
	}
}

// place is what the chunk belongs to, for messages.
func (s *scope) place() string {
	if s.inForEach {
		return "the for_each of " + s.what
	}
	return s.what
}

// missing says where a name exists that does not exist here; empty when it does.
func (s *scope) missing(name string) string {
	switch {
	case s.inputsOnly && name != "inputs" && name != "coalesce" && (slices.Contains(dataNames, name) || slices.Contains(placedNames, name)):
		return "it is evaluated before the run begins, and can read inputs alone"
	case (name == "item" || name == "index") && (s.step == nil || s.step.ForEach == nil):
		return "it exists in a step with `for_each`"
	case (name == "item" || name == "index") && s.inForEach:
		return "it is an item of this list: the step's `if`, `with` and script see it"
	case name == "failure" && (s.step == nil || s.step.Part == Main):
		return "it exists in the steps of `on_failure` and `finally`"
	}
	return ""
}

// inList compiles the list of a for_each.
func (s *scope) inList(v *Value) Template {
	s.inForEach = true
	defer func() { s.inForEach = false }()
	return s.template(*v, false)
}

func (s *scope) inputReference(r Reference, file string, at Position) {
	if len(r.Path) < 2 {
		return
	}
	if _, ok := s.workflow.Inputs.Field(r.Path[1]); !ok {
		hint := action.DidYouMean(r.Path[1], s.workflow.Inputs.Names())
		if hint == "" {
			hint = fmt.Sprintf("declare it: inputs: {%s: {type: string}}", r.Path[1])
		}
		s.finding(Finding{Rule: "unknown-input", Line: r.Line, Token: r.Path[1], Message: fmt.Sprintf("no input %q is declared", clipped(r.Path[1])), Hint: hint}, file, at)
	}
}

// stepFields are the fields of steps.ID.
var stepFields = []string{"outputs", "status", "error", "skipped_because"}

func (s *scope) stepReference(r Reference, file string, at Position) {
	if len(r.Path) < 2 { // steps itself, or steps[expression]: everything that ran before
		for i := range s.workflow.Steps {
			if s.after.has(i) {
				s.reads[i] = true
			}
		}
		return
	}
	id := r.Path[1]
	index, ok := s.stepIDs[id]
	switch {
	case !ok:
		s.finding(Finding{
			Rule: "unknown-step", Line: r.Line, Token: id, Message: fmt.Sprintf("there is no step %q", clipped(id)),
			Hint: action.DidYouMean(id, action.SortedNames(s.stepIDs)),
		}, file, at)
		return
	case !s.after.has(index):
		message := fmt.Sprintf("the step %q does not run before %s", id, s.what)
		if index == s.index {
			message = fmt.Sprintf("%s reads its own result", s.what)
		}
		s.finding(Finding{Rule: "step-order", Line: r.Line, Token: id, Message: message, Hint: s.orderHint(index)}, file, at)
		return
	}
	s.reads[index] = true
	fields := stepFields
	if s.workflow.Steps[index].ForEach != nil {
		fields = append(slices.Clone(stepFields), "items")
	}
	s.fieldReference(r, file, at, 2, "steps."+id, fields)
	s.outputReference(r, file, at, index)
}

// orderHint says how a step could see another.
func (s *scope) orderHint(index int) string {
	other := &s.workflow.Steps[index]
	if s.step != nil && s.step.Needs != nil && index != s.index && other.Part == Main {
		return fmt.Sprintf("a step sees what it needs, directly or through others: add %s to its needs", other.ID)
	}
	return "a step sees the steps above it"
}

// outputReference checks a field of the outputs of a `uses:` step, whose action
// declares them.
func (s *scope) outputReference(r Reference, file string, at Position, index int) {
	uses := s.workflow.Steps[index].Uses
	if len(r.Path) < 4 || r.Path[2] != "outputs" {
		return
	}
	if s.workflow.Steps[index].ForEach != nil {
		s.listReference(r, file, at)
		return
	}
	if uses == nil {
		return
	}
	if a, ok := s.catalog.Lookup(uses.Text); ok {
		s.fieldReference(r, file, at, 3, a.Name, a.Out.Names())
	}
}

// listReference reports a field that is read of the outputs of a for_each.
func (s *scope) listReference(r Reference, file string, at Position) {
	if !identifierPattern.MatchString(r.Path[3]) {
		return
	}
	list := strings.Join(r.Path[:3], ".")
	s.finding(Finding{
		Rule: "unknown-field", Line: r.Line, Token: r.Path[3], Message: fmt.Sprintf("%s is a list, an output for each item, and has no field %q", list, clipped(r.Path[3])),
		Hint: fmt.Sprintf("for the first: %s[1].%s", list, r.Path[3]),
	}, file, at)
}

// fieldReference checks the field at a place of the path.
func (s *scope) fieldReference(r Reference, file string, at Position, place int, owner string, known []string) {
	if len(r.Path) <= place || slices.Contains(known, r.Path[place]) {
		return
	}
	name := r.Path[place]
	hint := action.DidYouMean(name, known)
	if hint == "" {
		hint = "it has: " + strings.Join(known, ", ")
	}
	s.finding(Finding{Rule: "unknown-field", Line: r.Line, Token: name, Message: fmt.Sprintf("%s has no field %q", owner, clipped(name)), Hint: hint}, file, at)
}

func (s *scope) secretReference(r Reference, file string, at Position) {
	var known []string
	for _, b := range s.workflow.Secrets {
		if !strings.HasPrefix(b.Name, "inputs.") {
			known = append(known, b.Name)
		}
	}
	if len(r.Path) < 2 || slices.Contains(known, r.Path[1]) {
		return
	}
	hint := action.DidYouMean(r.Path[1], known)
	if hint == "" {
		hint = fmt.Sprintf("declare it: secrets: {%s: {hosts: [hooks.example.com]}}", r.Path[1])
	}
	s.finding(Finding{Rule: "unknown-secret", Line: r.Line, Token: r.Path[1], Message: fmt.Sprintf("no secret %q is declared", clipped(r.Path[1])), Hint: hint}, file, at)
}

// callReference checks a use of a module of the catalogue.
func (s *scope) callReference(r Reference, file string, at Position) {
	if len(r.Path) < 2 {
		return
	}
	name := r.Path[0] + "." + r.Path[1]
	a, ok := s.catalog.Lookup(name)
	if !ok {
		functions := s.catalog.Functions(r.Path[0])
		hint := action.DidYouMean(r.Path[1], functions)
		if hint == "" {
			hint = "it has: " + strings.Join(functions, ", ")
		}
		s.finding(Finding{Rule: "unknown-action", Line: r.Line, Token: r.Path[1], Message: fmt.Sprintf("%s has no function %q", r.Path[0], clipped(r.Path[1])), Hint: hint}, file, at)
		return
	}
	if !s.workflow.Permissions.AllowsAction(a) {
		s.allowed(a, Position{r.Line, s.column(r.Line, r.Path[1], at)})
	}
	if r.Input != nil {
		s.callInput(a, r, file, at)
		s.triggerKey(a, r.Input, r.Open, file, Position{r.Line, s.column(r.Line, r.Path[1], at)})
	}
}

// triggerKey warns of a page whose key the engine derives where that cannot do
// what the author means. The key is the run's own: every run of a schedule opens
// another incident. And it has the text of the page in it: a script that builds
// another text in its second attempt opens a second incident.
func (s *scope) triggerKey(a *action.Action, input action.Object, open bool, file string, at Position) {
	if _, keyed := a.In.Field("incident_key"); a.Effect != action.Keyed || !keyed || open || input["incident_key"] != nil {
		return
	}
	message := ""
	switch {
	case len(s.workflow.Schedules) > 0:
		message = "without incident_key every run of the schedule opens another incident"
	case s.step != nil && s.step.Uses == nil && s.step.Retry.MaxAttempts > 1 && input["description"] == action.Dynamic:
		message = "without incident_key an attempt that builds another text opens another incident"
	default:
		return
	}
	s.parser.diagnostics = append(s.parser.diagnostics, Diagnostic{
		File: file, Line: at.Line, Column: at.Column, Rule: "trigger-needs-key", Severity: SeverityWarning,
		Message: message, Hint: `give what it is about: incident_key = "disk-db1"`,
	})
}

// callInput checks the literal table of a call.
func (s *scope) callInput(a *action.Action, r Reference, file string, at Position) {
	if len(a.Args) > 0 {
		if f, _ := a.In.Field(a.Args[0]); f != nil && f.Type.Name == action.AnyType {
			return // the table is the value itself
		}
	}
	for _, problem := range a.In.Check(r.Input) {
		if r.Open && problem.Rule == action.RuleMissingInput {
			continue
		}
		token := r.Path[1]
		if problem.Rule == action.RuleUnknownInput {
			token = problem.Name()
		}
		s.finding(Finding{Rule: problem.Rule, Line: r.Line, Token: token, Message: a.Name + ": " + problem.Message, Hint: problem.Hint}, file, at)
	}
	for _, c := range a.In.PlainCredentials(r.Input) {
		s.finding(Finding{Rule: "literal-secret", Line: r.Line, Token: action.Problem{Path: c.Path}.Name(), Message: literalSecret(c.Path), Hint: credentialHint(c.Path)}, file, at)
	}
}
