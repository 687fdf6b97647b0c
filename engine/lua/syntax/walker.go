package syntax

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/lua/rewrite"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/yuin/gopher-lua/ast"
)

// A walker goes through the syntax tree of a chunk once. It keeps the scopes of local
// names, and so finds the globals that the chunk reads and writes.
type walker struct {
	library   []string            // globals of the language
	names     []string            // other globals, such as inputs
	functions map[string][]string // Lua's own modules and their functions
	assigned  map[string]bool     // globals that the chunk itself sets
	blind     []string            // locals with functions that cannot call themselves by this name
	locals    [][]string          // a list for each open block, innermost last
	line      int                 // the line of the file before the chunk
	depth     int
	tooDeep   bool
	longTable int // the line of a constructor with too many items; 0 if there is none
	// constants are the texts, numbers and names of a long source; nil for others.
	constants   map[string]bool
	hidden      int  // how many findings are not shown
	hiddenError bool // a hidden finding is an error

	references []workflow.Reference
	requires   []workflow.Require
	globals    []Global
	findings   []workflow.Finding
}

func newWalker(source workflow.Chunk, names *Names) *walker {
	w := &walker{line: source.Line - 1, library: names.Script, names: source.Names, functions: names.Functions}
	if source.Kind == workflow.Expression {
		w.library = names.Expression
	}
	if len(source.Text) > longSource {
		w.constants = map[string]bool{}
	}
	return w
}

// constant counts a constant of a long source.
func (w *walker) constant(text string) {
	if w.constants != nil && len(w.constants) <= maxConstants {
		w.constants[text] = true
	}
}

// full reports whether the limit of shown findings is reached. It then counts the next
// finding as hidden.
func (w *walker) full(severity source.Severity) bool {
	if len(w.findings) < maxFindings {
		return false
	}
	w.hidden++
	w.hiddenError = w.hiddenError || severity != source.SeverityWarning
	return true
}

// reportHidden adds a finding with the number of findings that are not shown. It is an
// error when one of them is an error.
func (w *walker) reportHidden() {
	last := w.findings[len(w.findings)-1]
	f := workflow.Finding{
		Severity: source.SeverityWarning, Rule: last.Rule, Line: last.Line,
		Message: fmt.Sprintf("and %d more findings, which are not shown", w.hidden),
	}
	if w.hiddenError {
		f.Severity = ""
	}
	w.findings = append(w.findings, f)
}

func (w *walker) knows(name string) bool {
	return slices.Contains(w.library, name) || slices.Contains(w.names, name)
}

func (w *walker) chunk(statements []ast.Stmt) {
	w.block(statements)
	w.reportUndefined()
	if w.hidden > 0 {
		w.reportHidden()
	}
}

// reportUndefined reports reads of globals that nothing defines. It runs at the end,
// because a function may read what a later line sets.
func (w *walker) reportUndefined() {
	kept := w.references[:0]
	var reported []string
	for _, r := range w.references {
		name := r.Path[0]
		switch {
		case w.knows(name):
			kept = append(kept, r)
			w.standardFunction(r)
		case !w.assigned[name] && !slices.Contains(reported, name) && !w.full(""):
			reported = append(reported, name)
			w.findings = append(w.findings, workflow.Finding{
				Rule: "undefined-global", Line: r.Line, Token: name,
				Message: fmt.Sprintf("nothing is called %q here", phrase.Clip(name, 60)), Hint: w.undefinedHint(name),
			})
		}
	}
	w.references = kept
}

// standardFunction reports a function that Lua's own modules do not have.
func (w *walker) standardFunction(r workflow.Reference) {
	functions := w.functions[r.Path[0]]
	if functions == nil || len(r.Path) < 2 || w.assigned[r.Path[0]] || slices.Contains(functions, r.Path[1]) || w.full("") {
		return
	}
	w.findings = append(w.findings, workflow.Finding{
		Rule: "unknown-function", Line: r.Line, Token: r.Path[1],
		Message: fmt.Sprintf("%s has no function %q", r.Path[0], phrase.Clip(r.Path[1], 60)), Hint: functionHint(r.Path[0], r.Path[1], functions),
	})
}

// functionHint returns the suggestion for an unknown function, or all functions of the
// module.
func functionHint(library, name string, functions []string) string {
	all := "it has: " + strings.Join(functions, ", ")
	if library == "os" {
		all += "; the module time has more"
	}
	return cmp.Or(phrase.DidYouMean(name, functions), all)
}

func (w *walker) undefinedHint(name string) string {
	if hint := foreignWords[name]; hint != "" {
		return hint
	}
	if slices.Contains(w.blind, name) {
		return fmt.Sprintf("a function that calls itself is written local function %s(...)", phrase.Clip(name, 60))
	}
	return phrase.DidYouMean(name, slices.Concat(w.library, w.names))
}

func (w *walker) block(statements []ast.Stmt, names ...string) {
	w.loop(statements, nil, names...)
}

// loop walks a block and a condition that sees the locals of the block.
func (w *walker) loop(statements []ast.Stmt, condition ast.Expr, names ...string) {
	w.locals = append(w.locals, names)
	if w.enter() {
		for _, s := range statements {
			w.statement(s)
		}
		w.expression(condition)
	}
	w.depth--
	w.locals = w.locals[:len(w.locals)-1]
}

// enter counts a level of nesting. It reports whether the walker may go deeper. The caller
// decrements the depth afterwards.
func (w *walker) enter() bool {
	w.depth++
	if w.depth > maxDepth {
		w.tooDeep = true
		return false
	}
	return true
}

func (w *walker) declare(names ...string) {
	top := len(w.locals) - 1
	w.locals[top] = append(w.locals[top], names...)
}

func (w *walker) isLocal(name string) bool {
	for _, names := range w.locals {
		if slices.Contains(names, name) {
			return true
		}
	}
	return false
}

func (w *walker) statement(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		w.expressions(s.Rhs)
		for _, left := range s.Lhs {
			w.assign(left)
		}
	case *ast.LocalAssignStmt:
		w.localAssign(s)
	case *ast.FuncCallStmt:
		w.expression(s.Expr)
	case *ast.DoBlockStmt:
		w.block(s.Stmts)
	case *ast.WhileStmt:
		w.expression(s.Condition)
		w.block(s.Stmts)
	case *ast.RepeatStmt:
		w.loop(s.Stmts, s.Condition)
	case *ast.IfStmt:
		w.expression(s.Condition)
		w.block(s.Then)
		w.block(s.Else)
	case *ast.NumberForStmt:
		w.expressions([]ast.Expr{s.Init, s.Limit, s.Step})
		w.block(s.Stmts, s.Name)
	case *ast.GenericForStmt:
		w.expressions(s.Exprs)
		w.block(s.Stmts, s.Names...)
	case *ast.FuncDefStmt:
		w.functionDefinition(s)
	case *ast.ReturnStmt:
		w.expressions(s.Exprs)
	}
}

// localAssign reads the values first, because the second x in `local x = x` is the outer
// x. A local function sees its own name.
func (w *walker) localAssign(s *ast.LocalAssignStmt) {
	if function := rewrite.LocalFunction(s); function != nil {
		w.declare(s.Names...)
		w.expression(function)
		return
	}
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if _, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
			w.blind = append(w.blind, s.Names[0])
		}
	}
	w.expressions(s.Exprs)
	w.declare(s.Names...)
}

func (w *walker) functionDefinition(s *ast.FuncDefStmt) {
	if s.Name.Func != nil {
		w.assign(s.Name.Func)
	}
	if s.Name.Receiver != nil {
		w.expression(s.Name.Receiver)
		w.locals = append(w.locals, []string{"self"})
		defer func() { w.locals = w.locals[:len(w.locals)-1] }()
	}
	w.expression(s.Func)
}

func (w *walker) assign(left ast.Expr) {
	switch left := left.(type) {
	case *ast.IdentExpr:
		if w.isLocal(left.Value) || w.assigned[left.Value] {
			return
		}
		if w.assigned == nil {
			w.assigned = map[string]bool{}
		}
		w.assigned[left.Value] = true
		w.constant(left.Value)
		if w.full(source.SeverityWarning) {
			return
		}
		f := workflow.Finding{
			Severity: source.SeverityWarning, Rule: "global-write", Line: w.line + left.Line(), Token: left.Value,
			Message: fmt.Sprintf("%q is assigned without local: it is global until the script ends", phrase.Clip(left.Value, 60)),
			Hint:    fmt.Sprintf("write local %s = ...", phrase.Clip(left.Value, 60)),
		}
		if w.knows(left.Value) {
			f.Message = fmt.Sprintf("%q is assigned and hides the built-in name", left.Value)
		}
		w.findings = append(w.findings, f)
	case *ast.AttrGetExpr:
		w.expression(left.Object)
		w.expression(left.Key)
	}
}

func (w *walker) expressions(list []ast.Expr) {
	for _, e := range list {
		w.expression(e)
	}
}

func (w *walker) expression(e ast.Expr) {
	if e == nil {
		return
	}
	if w.enter() {
		w.inner(e)
	}
	w.depth--
}

func (w *walker) inner(e ast.Expr) {
	switch e := e.(type) {
	case *ast.IdentExpr, *ast.AttrGetExpr:
		w.chain(e)
	case *ast.Comma3Expr:
	case *ast.StringExpr:
		w.constant(e.Value)
	case *ast.NumberExpr:
		w.constant(e.Value)
	case *ast.TableExpr:
		if len(e.Fields) > rewrite.MaxItems {
			w.longTable = w.line + e.Line()
		}
		for _, f := range e.Fields {
			w.expression(f.Key)
			w.expression(f.Value)
		}
	case *ast.FuncCallExpr:
		w.call(e)
	case *ast.FunctionExpr:
		w.block(e.Stmts, e.ParList.Names...)
	default:
		for _, operand := range rewrite.Operands(e) {
			w.expression(*operand)
		}
	}
}
