package lua

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// rewrite changes the syntax of a chunk where gopher-lua would compile something
// that cannot be bounded, or that means something else in Lua: the operator ..
// becomes a call, and numbers are read as Lua reads them. It returns the chunk as
// the body of a function, which finds what is called in a variable around it.
func rewrite(statements []ast.Stmt, lastLine int) []ast.Stmt {
	rewriteBlock(statements)
	body := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: statements}
	body.SetLine(1)
	body.SetLastLine(lastLine)
	variable := &ast.LocalAssignStmt{Names: []string{concatName}}
	result := &ast.ReturnStmt{Exprs: []ast.Expr{body}}
	return []ast.Stmt{variable, result}
}

func rewriteBlock(statements []ast.Stmt) {
	for i, s := range statements {
		statements[i] = rewriteStatement(s)
	}
}

// rewriteStatement returns what stands for a statement; its parts are changed in place.
func rewriteStatement(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		rewriteList(s.Lhs)
		rewriteList(s.Rhs)
		return assignment(s)
	case *ast.LocalAssignStmt:
		rewriteList(s.Exprs)
	case *ast.FuncCallStmt:
		s.Expr = rewritten(s.Expr)
	case *ast.DoBlockStmt:
		rewriteBlock(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = rewritten(s.Condition)
		rewriteBlock(s.Stmts)
	case *ast.RepeatStmt:
		rewriteBlock(s.Stmts)
		s.Condition = rewritten(s.Condition)
	case *ast.IfStmt:
		s.Condition = rewritten(s.Condition)
		rewriteBlock(s.Then)
		rewriteBlock(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = rewritten(s.Init), rewritten(s.Limit), rewritten(s.Step)
		rewriteBlock(s.Stmts)
	case *ast.GenericForStmt:
		rewriteList(s.Exprs)
		rewriteBlock(s.Stmts)
		return loop(s)
	case *ast.FuncDefStmt:
		rewriteBlock(s.Func.Stmts)
	case *ast.ReturnStmt:
		rewriteList(s.Exprs)
	}
	return s
}

func rewriteList(list []ast.Expr) {
	for i, e := range list {
		list[i] = rewritten(e)
	}
}

// rewritten returns what stands for an expression; its parts are changed in place.
func rewritten(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.StringConcatOpExpr:
		return concatCall(e)
	case *ast.NumberExpr:
		rewriteNumber(e)
	case *ast.AttrGetExpr:
		e.Object, e.Key = rewritten(e.Object), rewritten(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			f.Key, f.Value = rewritten(f.Key), rewritten(f.Value)
		}
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = rewritten(e.Func), rewritten(e.Receiver)
		rewriteList(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = rewritten(e.Lhs), rewritten(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = rewritten(e.Lhs), rewritten(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = rewritten(e.Lhs), rewritten(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = rewritten(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = rewritten(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = rewritten(e.Expr)
	case *ast.FunctionExpr:
		rewriteBlock(e.Stmts)
	}
	return e
}

// maxOperands is how many operands one call of concat takes: they all stand in
// registers, of which a function has two hundred.
const maxOperands = 50

// concatCall makes one call of a chain of operators: a .. b .. c is one operation
// in Lua too. Its result is a single value, also at the end of a list.
func concatCall(e *ast.StringConcatOpExpr) ast.Expr {
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
		call.Args, operand = append(call.Args, single(rewritten(chain.Lhs))), chain.Rhs
	}
	call.Args = append(call.Args, single(rewritten(operand)))
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
	if f, ok := parseNumber(e.Value); ok {
		e.Value = strconv.FormatFloat(f, 'g', -1, 64)
	}
}
