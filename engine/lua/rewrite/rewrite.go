// Package rewrite corrects the syntax tree of a chunk where gopher-lua 1.1.2 would
// compile something that is wrong or has no bounds. After it, the chunk does what Lua
// 5.1 does, and goto does what it does in Lua 5.2.
//
// [Chunk] goes through the tree and changes it in place:
//
//   - The operator .. becomes a call, which can charge for the text that it makes; and
//     numbers are written so that gopher-lua reads them as Lua does (rewrite.go).
//   - Assignments go through new locals where gopher-lua would overwrite a variable too
//     early (assign.go).
//   - Loops get all their values, and jumps land and close variables as they should
//     (jumps.go).
//   - Constructors store each item once (constructor.go).
//
// The tests of package lua compare the results with PUC Lua 5.1.
package rewrite

import (
	"strconv"

	"github.com/pdflow/pdflow/engine/lua/number"
	"github.com/yuin/gopher-lua/ast"
)

// Chunk corrects the syntax tree of a chunk, in place, and returns the statements to
// compile. Where the chunk uses .., wrapped is true: the statements then are an outer
// function that only declares the variable concatName and returns the chunk as its
// inner function. Other chunks are not wrapped, because compiling the outer function
// takes longer than compiling a small chunk.
func Chunk(statements []ast.Stmt, lastLine int) (changed []ast.Stmt, wrapped bool) {
	var r rewriter
	r.function(statements)
	if !r.calls {
		return statements, false
	}
	body := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: statements}
	body.SetLine(1)
	body.SetLastLine(lastLine)
	variable := &ast.LocalAssignStmt{Names: []string{concatName}}
	result := &ast.ReturnStmt{Exprs: []ast.Expr{body}}
	return []ast.Stmt{variable, result}, true
}

// concatName is the local variable with the function that the .. operators call. No
// source can use this name.
const concatName = "(concat)"

// A rewriter changes one chunk.
type rewriter struct {
	calls     bool        // a .. became a call
	functions int         // how many functions were changed so far
	gotos     []gotoPlace // of the current function
}

// function changes the body of a function. Only a function with inner functions can have
// locals to close.
func (r *rewriter) function(body []ast.Stmt) {
	outer, before := r.gotos, r.functions
	r.gotos = nil
	r.block(body)
	if r.functions > before {
		for _, p := range r.gotos {
			p.replace()
		}
	}
	r.gotos = outer
	r.functions++
}

// body changes the body of a loop. It returns the loop with breaks that close what they
// leave.
func (r *rewriter) body(loop ast.Stmt, body []ast.Stmt) ast.Stmt {
	before := r.functions
	r.block(body)
	if padJump(body); r.functions == before {
		return loop
	}
	return closeBreaks(loop, body)
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
			padJump(statements[i+1:])
		}
	}
}

// statement returns the statement that replaces s. Its parts are changed in place.
func (r *rewriter) statement(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		r.list(s.Lhs)
		r.list(s.Rhs)
		return assignment(s)
	case *ast.LocalAssignStmt:
		r.list(s.Exprs)
		hideFunction(s)
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
		return r.body(declareValues(s), s.Stmts)
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

// expression returns the expression that replaces e. Its parts are changed in place.
func (r *rewriter) expression(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.StringConcatOpExpr:
		return r.concatCall(e)
	case *ast.NumberExpr:
		rewriteNumber(e)
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
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expression(e.Expr)
		return negated(e)
	case *ast.FunctionExpr:
		r.function(e.Stmts)
	default:
		for _, operand := range Operands(e) {
			*operand = r.expression(*operand)
		}
	}
	return e
}

// Operands returns where an operation, also the read of a field, has its operands, in
// the order of the source. It returns nil for every other expression.
func Operands(e ast.Expr) []*ast.Expr {
	switch e := e.(type) {
	case *ast.LogicalOpExpr:
		return []*ast.Expr{&e.Lhs, &e.Rhs}
	case *ast.RelationalOpExpr:
		return []*ast.Expr{&e.Lhs, &e.Rhs}
	case *ast.StringConcatOpExpr:
		return []*ast.Expr{&e.Lhs, &e.Rhs}
	case *ast.ArithmeticOpExpr:
		return []*ast.Expr{&e.Lhs, &e.Rhs}
	case *ast.AttrGetExpr:
		return []*ast.Expr{&e.Object, &e.Key}
	case *ast.UnaryMinusOpExpr:
		return []*ast.Expr{&e.Expr}
	case *ast.UnaryNotOpExpr:
		return []*ast.Expr{&e.Expr}
	case *ast.UnaryLenOpExpr:
		return []*ast.Expr{&e.Expr}
	}
	return nil
}

// maxOperands is how many operands one call of .. takes. Each needs a register, and a
// function has two hundred.
const maxOperands = 50

// concatCall makes one call of a chain of operators, because a .. b .. c is one operation
// in Lua too. Its result is a single value, even at the end of a list.
func (r *rewriter) concatCall(e *ast.StringConcatOpExpr) ast.Expr {
	r.calls = true
	name := &ast.IdentExpr{Value: concatName}
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

// single limits an expression that may return several values to one.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// rewriteNumber writes a number so that gopher-lua reads the same value as Lua.
// Otherwise gopher-lua takes 010 for eight, refuses 0xffffffffffffffff, and makes NaN
// of 1e999.
func rewriteNumber(e *ast.NumberExpr) {
	if len(e.Value) < 3 && (len(e.Value) < 2 || e.Value[0] != '0') {
		return // most numbers are this small
	}
	if f, ok := number.Parse(e.Value); ok {
		e.Value = strconv.FormatFloat(f, 'g', -1, 64)
	}
}
