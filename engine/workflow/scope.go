package workflow

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pdflow/pdflow/engine/source"
)

// A scope is the place of a chunk in the workflow: which names it may read, and which
// steps it was found to read.
type scope struct {
	*compiler
	step  *Step  // nil outside of steps
	index int    // of the step, or -1
	after view   // the steps that have ended before
	what  string // "the step \"x\"" or "outputs"
	reads map[int]bool
	// inputsOnly says that the chunk may read `inputs` only. unrecorded says that the
	// value is not recorded, so the chunk may read secret inputs.
	inputsOnly, unrecorded bool
	// inForEach says that the chunk is part of the list of a for_each, where there is no
	// item yet.
	inForEach bool
	// modules are the modules that were followed for this scope. A module is compiled
	// once, and followed for every step that requires it, since each step may read other
	// steps.
	modules map[string]bool
	// varies says that a second attempt may read something else than the first, and
	// unkeyed are the calls whose input this may change; see keys.go.
	varies  bool
	unkeyed []unkeyedCall
}

// dataNames are the names that every chunk may read. Scripts may also read secrets;
// expressions know that name only for a better message.
var dataNames = []string{"inputs", "steps", "run"}

// placedNames are names that exist in some places only.
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

func (s *scope) readList() []int { return slices.Sorted(maps.Keys(s.reads)) }

// script compiles the body of a step or a module, and the modules that it requires.
func (s *scope) script(chunk Chunk) Program {
	chunk.Names = s.names(chunk.Kind)
	program, findings := s.checker.Check(chunk)
	if len(findings) > 0 && chunk.File != s.workflow.File && !looksLikeLua(chunk.Text) {
		program, findings = nil, []Finding{notLua}
	}
	for _, f := range findings {
		s.finding(f, chunk.File, source.Position{})
	}
	if program == nil {
		return nil
	}
	s.follow(program, chunk.File)
	return program
}

// follow checks what a script or module reads in this scope, then the modules that it
// requires.
func (s *scope) follow(program Program, file string) {
	s.references(program, file, source.Position{})
	for _, r := range program.Requires() {
		s.require(r, file)
	}
}

// expression compiles one expression and reports what is wrong with it.
func (s *scope) expression(text string, at source.Position, line int) Program {
	program, findings := s.checker.Check(s.chunk(text, line))
	s.expressionFindings(program, findings, at)
	return program
}

func (s *scope) chunk(text string, line int) Chunk {
	return Chunk{Kind: Expression, File: s.workflow.File, Line: line, Text: text, Names: s.names(Expression)}
}

func (s *scope) expressionFindings(program Program, findings []Finding, at source.Position) {
	for _, f := range findings {
		if f.Line == at.Line && f.Rule == RuleLuaSyntax {
			f.Column = at.Column // the checker got the expression only, not the line
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

// wholeSecret is the hint for how to give a secret.
const wholeSecret = "give the secret as the whole value in `with:`, as in auth: {bearer: \"${{ secrets.TOKEN }}\"}, or use it in a script"

// references checks that everything a program reads is declared.
func (s *scope) references(program Program, file string, at source.Position) {
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
			s.previousReference(r, file, at)
		case root == "failure":
			s.fieldReference(r, file, at, 1, "failure", failureFields)
		case s.catalog.Functions(root) != nil:
			s.callReference(r, file, at)
		}
	}
}

// place names what the chunk belongs to, for messages.
func (s *scope) place() string {
	if s.inForEach {
		return "the for_each of " + s.what
	}
	return s.what
}

// missing explains where a name exists that does not exist here. It returns "" for a
// name that exists here.
func (s *scope) missing(name string) string {
	switch {
	case s.inputsOnly && name != "inputs" && name != "coalesce" && (slices.Contains(dataNames, name) || slices.Contains(placedNames, name)):
		return s.what + " can read inputs alone"
	case (name == "item" || name == "index") && (s.step == nil || s.step.ForEach == nil):
		return "it exists in a step with `for_each`"
	case (name == "item" || name == "index") && s.inForEach:
		return "it is an item of this list: the step's `if`, `with` and script see it"
	case name == "failure" && (s.step == nil || s.step.Part == Main):
		return "it exists in the steps of `on_failure` and `finally`"
	}
	return ""
}

// list compiles the list of a for_each: a list, or one expression.
func (s *scope) list(v *source.Value) *Template {
	s.inForEach = true
	defer func() { s.inForEach = false }()
	t := s.template(*v, false)
	if t.kind == textTemplate && len(t.parts) > 0 { // else it was not closed, which is reported
		s.document.Report(v.Position, "wrong-type", "for_each must be a list or one expression, got text with expressions in it", forEachHint)
	}
	return &t
}
