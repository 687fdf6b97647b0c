package rewrite

import (
	"github.com/yuin/gopher-lua/ast"
)

// gopher-lua shortens a jump to another jump by looking where that one goes. Of one
// that is before it in the code it takes an offset for the number of a label, and goes
// anywhere. What jumps back is the end of a loop, and goto; so what they go back to must
// begin with anything but a jump. A condition begins with one when it begins with a
// literal, of which the rewriter leaves none but those that stand alone.

// folded is an operation whose first operand is a literal: it is decided already.
func folded(e *ast.LogicalOpExpr) ast.Expr {
	isTrue, literal := truth(e.Lhs)
	switch {
	case !literal:
		return e
	case isTrue == (e.Operator == "and"):
		return single(e.Rhs)
	}
	return e.Lhs
}

// negated is not of an expression.
func negated(e *ast.UnaryNotOpExpr) ast.Expr {
	isTrue, literal := truth(e.Expr)
	var result ast.Expr
	switch {
	case !literal:
		return e
	case isTrue:
		result = &ast.FalseExpr{}
	default:
		result = &ast.TrueExpr{}
	}
	locate(result, e)
	return result
}

// truth is what a literal is as a condition.
func truth(e ast.Expr) (isTrue, literal bool) {
	switch e.(type) {
	case *ast.TrueExpr, *ast.NumberExpr, *ast.StringExpr:
		return true, true
	case *ast.FalseExpr, *ast.NilExpr:
		return false, true
	}
	return false, false
}

// landing makes a block begin with something that is no jump.
func landing(block []ast.Stmt) {
	if len(block) > 0 && jumpsFirst(block) {
		padded := &localBlock{}
		locate(&padded.block, block[0])
		padded.declare(1, nil, block[0])
		padded.block.Stmts = append(padded.block.Stmts, block[0])
		block[0] = &padded.block
	}
}

// jumpsFirst reports whether a block may begin with a jump, or is nothing.
func jumpsFirst(block []ast.Stmt) bool {
	if len(block) == 0 {
		return true
	}
	switch s := block[0].(type) {
	case *ast.BreakStmt:
		return true
	case *ast.IfStmt:
		_, literal := truth(s.Condition)
		return literal
	case *ast.WhileStmt:
		_, literal := truth(s.Condition)
		return literal
	case *ast.DoBlockStmt:
		return jumpsFirst(s.Stmts)
	case *ast.RepeatStmt:
		return jumpsFirst(s.Stmts)
	}
	return false
}
