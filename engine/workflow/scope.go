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
	before int    // the steps with a lower index have run
	what   string // "the step \"x\"" or "outputs"
	reads  map[int]bool
	// modules are those that were followed for this scope. Each is compiled once,
	// and followed for every step that requires it: it reads what the step does.
	modules map[string]bool
}

// dataNames are the names that every chunk may read. Scripts see secrets too;
// expressions know the name for the sake of a better message.
var dataNames = []string{"inputs", "steps", "run"}

// laterNames belong to parts of the language that do not work yet.
var laterNames = map[string]string{
	"previous": "it comes with recorded runs",
	"item":     "it belongs to for_each, which does not work yet",
	"index":    "it belongs to for_each, which does not work yet",
	"failure":  "it belongs to on_failure, which does not work yet",
}

func (s *scope) names(kind ChunkKind) []string {
	names := append([]string{"coalesce", "secrets"}, dataNames...)
	names = append(names, action.SortedNames(laterNames)...)
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
		switch root := r.Path[0]; {
		case root == "inputs":
			s.inputReference(r, file, at)
		case root == "steps":
			s.stepReference(r, file, at)
		case root == "secrets":
			s.secretReference(r, file, at)
		case root == "run":
			s.fieldReference(r, file, at, 1, "run", []string{"id", "workflow", "started_at", "trigger"})
		case laterNames[root] != "":
			s.finding(Finding{Rule: "not-yet", Line: r.Line, Token: root, Message: fmt.Sprintf("%q does not work in this version of pdflow yet", root), Hint: laterNames[root]}, file, at)
		case s.catalog.Functions(root) != nil:
			s.callReference(r, file, at)
		}
	}
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
		for i := range s.before {
			s.reads[i] = true
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
	case index >= s.before:
		message := fmt.Sprintf("the step %q does not run before %s", id, s.what)
		if index == s.before {
			message = fmt.Sprintf("%s reads its own result", s.what)
		}
		s.finding(Finding{Rule: "step-order", Line: r.Line, Token: id, Message: message, Hint: "a step sees the steps above it"}, file, at)
		return
	}
	s.reads[index] = true
	s.fieldReference(r, file, at, 2, "steps."+id, stepFields)
	s.outputReference(r, file, at, index)
}

// outputReference checks a field of the outputs of a `uses:` step, whose action
// declares them.
func (s *scope) outputReference(r Reference, file string, at Position, index int) {
	uses := s.workflow.Steps[index].Uses
	if uses == nil || len(r.Path) < 4 || r.Path[2] != "outputs" {
		return
	}
	if a, ok := s.catalog.Lookup(uses.Text); ok {
		s.fieldReference(r, file, at, 3, a.Name, a.Out.Names())
	}
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
	}
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
