package rewrite

import (
	"github.com/yuin/gopher-lua/ast"
)

// What a jump leaves behind must be closed: a local that a function captured gets a
// place of its own, and others stay where the function and its maker share them.
// gopher-lua closes nothing where break stands in a block inside of the loop, so that
// the function reads whatever comes to stand in the local's place; and everything for
// a goto, so that what is shared is so no more.

// afterLoop is the label behind a loop that break goes to. No source can have it.
const afterLoop = "(break)"

// jump is a goto that closes what it leaves, in a block that gopher-lua treats so: it
// has a local that a function captures, of which nothing is ever made.
func jump(to string, at ast.PositionHolder) ast.Stmt {
	b := &localBlock{}
	locate(&b.block, at)
	captured := b.declare(1, nil, at)
	leave := &ast.GotoStmt{Label: to}
	locate(leave, at)
	b.block.Stmts = append(b.block.Stmts, leave)
	capture := &ast.ReturnStmt{Exprs: captured}
	locate(capture, at)
	function := &ast.FunctionExpr{ParList: &ast.ParList{}, Stmts: []ast.Stmt{capture}}
	locate(function, at)
	b.declare(1, []ast.Expr{function}, at)
	return &b.block
}

// leaving is a loop of which the body is to be broken off from blocks inside of it:
// these go to a label behind it.
func leaving(loop ast.Stmt, body []ast.Stmt) ast.Stmt {
	if !divert(body, false) {
		return loop
	}
	b := &ast.DoBlockStmt{}
	locate(b, loop)
	label := &ast.LabelStmt{Name: afterLoop}
	label.SetLine(endLine(loop))
	b.Stmts = []ast.Stmt{loop, label}
	return b
}

// divert replaces each break of a loop that stands in a block inside of its body, and
// reports whether there is one. Loops inside of it have had theirs replaced.
func divert(body []ast.Stmt, inside bool) (found bool) {
	for i, s := range body {
		switch s := s.(type) {
		case *ast.BreakStmt:
			if inside {
				body[i], found = jump(afterLoop, s), true
			}
		case *ast.DoBlockStmt:
			found = divert(s.Stmts, true) || found
		case *ast.IfStmt:
			found = divert(s.Then, true) || found
			found = divert(s.Else, true) || found
		}
	}
	return found
}

// A gotoPlace is where a goto stands.
type gotoPlace struct {
	block []ast.Stmt
	at    int
}

// leave replaces the goto by one that closes what it leaves.
func (p gotoPlace) leave() {
	statement := p.block[p.at].(*ast.GotoStmt)
	p.block[p.at] = jump(statement.Label, statement)
}
