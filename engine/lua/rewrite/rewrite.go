package rewrite

import (
	"strconv"

	"github.com/pdflow/pdflow/engine/lua/number"
	"github.com/yuin/gopher-lua/ast"
)

// Chunk changes the syntax of a chunk where gopher-lua would compile something
// that cannot be bounded, or that means something else in Lua: the operator ..
// becomes a call, and numbers are read as Lua reads them. Where something is called,
// it returns the chunk as the body of a function, which finds that in a variable around
// it. Compiling the one around it takes longer than compiling a small chunk.
func Chunk(statements []ast.Stmt, lastLine int) (changed []ast.Stmt, wrapped bool) {
	var r rewriter
	r.function(statements)
	if !r.calls {
		return statements, false
	}
	body := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: statements}
	body.SetLine(1)
	body.SetLastLine(lastLine)
	variable := &ast.LocalAssignStmt{Names: []string{ConcatName}}
	result := &ast.ReturnStmt{Exprs: []ast.Expr{body}}
	return []ast.Stmt{variable, result}, true
}

// ConcatName is the local name behind which a chunk finds the function that its
// .. operators became. No source can spell it.
const ConcatName = "(concat)"

// A rewriter changes one chunk.
type rewriter struct {
	calls     bool        // there is a .. that became a call
	functions int         // that were met
	gotos     []gotoPlace // of the function at hand
}

// function changes the body of a function. Only where there are functions in it may
// there be locals to close.
func (r *rewriter) function(body []ast.Stmt) {
	outer, before := r.gotos, r.functions
	r.gotos = nil
	r.block(body)
	if r.functions > before {
		for _, p := range r.gotos {
			p.leave()
		}
	}
	r.gotos = outer
	r.functions++
}

// body changes the body of a loop, and returns the loop, in which blocks are left
// rightly.
func (r *rewriter) body(loop ast.Stmt, body []ast.Stmt) ast.Stmt {
	before := r.functions
	r.block(body)
	if landing(body); r.functions == before {
		return loop
	}
	return leaving(loop, body)
}

func (r *rewriter) block(statements []ast.Stmt) {
	for i, s := range statements {
		if _, jumps := s.(*ast.GotoStmt); jumps {
			r.gotos = append(r.gotos, gotoPlace{statements, i})
		}
		statements[i] = r.statement(s)
	}
	for i, s := range statements {
		if _, target := s.(*ast.LabelStmt); target {
			landing(statements[i+1:])
		}
	}
}

// statement returns what stands for a statement; its parts are changed in place.
func (r *rewriter) statement(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		r.list(s.Lhs)
		r.list(s.Rhs)
		return assignment(s)
	case *ast.LocalAssignStmt:
		r.list(s.Exprs)
		apart(s)
	case *ast.FuncCallStmt:
		s.Expr = r.expression(s.Expr)
	case *ast.DoBlockStmt:
		r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = r.expression(s.Condition)
		return r.body(s, s.Stmts)
	case *ast.RepeatStmt:
		s.Condition = r.expression(s.Condition)
		return r.body(s, s.Stmts)
	case *ast.IfStmt:
		s.Condition = r.expression(s.Condition)
		r.block(s.Then)
		r.block(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = r.expression(s.Init), r.expression(s.Limit), r.expression(s.Step)
		return r.body(s, s.Stmts)
	case *ast.GenericForStmt:
		r.list(s.Exprs)
		return r.body(loopOver(s), s.Stmts)
	case *ast.FuncDefStmt:
		r.function(s.Func.Stmts)
	case *ast.ReturnStmt:
		r.list(s.Exprs)
	}
	return s
}

func (r *rewriter) list(list []ast.Expr) {
	for i, e := range list {
		list[i] = r.expression(e)
	}
}

// expression returns what stands for an expression; its parts are changed in place.
func (r *rewriter) expression(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.StringConcatOpExpr:
		return r.concatCall(e)
	case *ast.NumberExpr:
		rewriteNumber(e)
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expression(e.Object), r.expression(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			f.Key, f.Value = r.expression(f.Key), r.expression(f.Value)
		}
		constructor(e)
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = r.expression(e.Func), r.expression(e.Receiver)
		r.list(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
		return folded(e)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expression(e.Expr)
		return negated(e)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.FunctionExpr:
		r.function(e.Stmts)
	}
	return e
}

// maxOperands is how many operands one call of concat takes: they all stand in
// registers, of which a function has two hundred.
const maxOperands = 50

// concatCall makes one call of a chain of operators: a .. b .. c is one operation
// in Lua too. Its result is a single value, also at the end of a list.
func (r *rewriter) concatCall(e *ast.StringConcatOpExpr) ast.Expr {
	r.calls = true
	name := &ast.IdentExpr{Value: ConcatName}
	name.SetLine(e.Line())
	call := &ast.FuncCallExpr{Func: name, AdjustRet: true}
	call.SetLine(e.Line())
	call.SetLastLine(e.LastLine())
	operand := ast.Expr(e)
	for len(call.Args) < maxOperands-1 {
		chain, ok := operand.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		call.Args, operand = append(call.Args, single(r.expression(chain.Lhs))), chain.Rhs
	}
	call.Args = append(call.Args, single(r.expression(operand)))
	return call
}

// single makes one value of what may be several.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// rewriteNumber writes a number so that gopher-lua reads what Lua does: it takes
// 010 for eight, refuses 0xffffffffffffffff, and makes NaN of 1e999.
func rewriteNumber(e *ast.NumberExpr) {
	if len(e.Value) < 3 && (len(e.Value) < 2 || e.Value[0] != '0') {
		return // a small one, as most are
	}
	if f, ok := number.Parse(e.Value); ok {
		e.Value = strconv.FormatFloat(f, 'g', -1, 64)
	}
}
