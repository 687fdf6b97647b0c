package rewrite

import (
	"github.com/yuin/gopher-lua/ast"
)

// declareValues corrects for ... in. Such a loop begins with three values. gopher-lua does
// not set a missing value to nil, but leaves what an earlier loop put there, so that
// for k in next, t continues where the earlier loop ended. It does take all values of a
// single call correctly, as in for k, v in pairs(t); except for a method of a call's
// result, as in text():gmatch("%w"), in a function with more than 255 constants.
func declareValues(s *ast.GenericForStmt) ast.Stmt {
	if call, ok := s.Exprs[0].(*ast.FuncCallExpr); len(s.Exprs) == 1 && manyValues(s.Exprs[0]) && (!ok || plain(call.Func) && plain(call.Receiver)) {
		return s
	}
	b := &localBlock{}
	located(&b.block, s)
	s.Exprs = b.declare(3, s.Exprs, s)
	b.block.Stmts = append(b.block.Stmts, s)
	return &b.block
}

// plain reports whether an expression is nil, a name, a text, or a field of these.
func plain(e ast.Expr) bool {
	switch e := e.(type) {
	case nil, *ast.IdentExpr, *ast.StringExpr:
		return true
	case *ast.AttrGetExpr:
		return plain(e.Object) && plain(e.Key)
	}
	return false
}

// When a jump leads to another jump, gopher-lua shortens it to the final target. If the
// other jump is earlier in the code, it mistakes an offset for the number of a label and
// jumps anywhere. Jumps back come from the end of a loop and from goto. So the code that
// they lead to must not begin with a jump. A condition begins with a jump when it
// begins with a literal; folded and negated remove all of these but the literals that
// are the whole condition.

// folded returns the value of an operation whose first operand is a literal, or the
// operation itself.
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

// negated returns the value of `not` on a literal, or the operation itself.
func negated(e *ast.UnaryNotOpExpr) ast.Expr {
	isTrue, literal := truth(e.Expr)
	switch {
	case !literal:
		return e
	case isTrue:
		return located(&ast.FalseExpr{}, e)
	}
	return located(&ast.TrueExpr{}, e)
}

// truth returns whether a literal is true as a condition.
func truth(e ast.Expr) (isTrue, literal bool) {
	switch e.(type) {
	case *ast.TrueExpr, *ast.NumberExpr, *ast.StringExpr:
		return true, true
	case *ast.FalseExpr, *ast.NilExpr:
		return false, true
	}
	return false, false
}

// padJump puts a declaration in front of a block that may begin with a jump.
func padJump(block []ast.Stmt) {
	if len(block) > 0 && jumpsFirst(block) {
		padded := &localBlock{}
		located(&padded.block, block[0])
		padded.declare(1, nil, block[0])
		padded.block.Stmts = append(padded.block.Stmts, block[0])
		block[0] = &padded.block
	}
}

// jumpsFirst reports whether a block may begin with a jump, or is empty.
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

// A jump out of a block must close the locals of the block: a local that a function
// captured moves out of its register, so that the function keeps it. Locals outside the
// block must stay shared. gopher-lua closes nothing for a break in a block inside the
// loop, so the function reads whatever is put into the register next. For a goto it
// closes everything, so shared variables become separate.

// afterLoop is the label behind a loop to which break jumps. No source can use it.
const afterLoop = "(break)"

// closingGoto returns a goto that closes the locals of the blocks that it leaves. It is in
// a block with a captured local, for which gopher-lua closes correctly. The function that
// captures the local is never made, because the goto comes first.
func closingGoto(to string, at ast.PositionHolder) ast.Stmt {
	b := &localBlock{}
	located(&b.block, at)
	captured := b.declare(1, nil, at)
	b.block.Stmts = append(b.block.Stmts, located(&ast.GotoStmt{Label: to}, at))
	capture := located(&ast.ReturnStmt{Exprs: captured}, at)
	function := located(&ast.FunctionExpr{ParList: &ast.ParList{}, Stmts: []ast.Stmt{capture}}, at)
	b.declare(1, []ast.Expr{function}, at)
	return &b.block
}

// closeBreaks returns a loop whose breaks in inner blocks jump to a label behind the loop.
func closeBreaks(loop ast.Stmt, body []ast.Stmt) ast.Stmt {
	if !replaceBreaks(body, false) {
		return loop
	}
	label := &ast.LabelStmt{Name: afterLoop}
	label.SetLine(endLine(loop))
	return located(&ast.DoBlockStmt{Stmts: []ast.Stmt{loop, label}}, loop)
}

// replaceBreaks replaces each break of a loop in a block inside its body, and reports
// whether there is one. The breaks of inner loops were replaced before.
func replaceBreaks(body []ast.Stmt, inside bool) (found bool) {
	for i, s := range body {
		switch s := s.(type) {
		case *ast.BreakStmt:
			if inside {
				body[i], found = closingGoto(afterLoop, s), true
			}
		case *ast.DoBlockStmt:
			found = replaceBreaks(s.Stmts, true) || found
		case *ast.IfStmt:
			found = replaceBreaks(s.Then, true) || found
			found = replaceBreaks(s.Else, true) || found
		}
	}
	return found
}

// A gotoPlace is the place of a goto in its block.
type gotoPlace struct {
	block []ast.Stmt
	at    int
}

// replace replaces the goto by one that closes what it leaves.
func (p gotoPlace) replace() {
	statement := p.block[p.at].(*ast.GotoStmt)
	p.block[p.at] = closingGoto(statement.Label, statement)
}
