package rewrite

import (
	"slices"
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// assignment corrects an assignment to existing variables. gopher-lua computes a value
// directly in its variable, even when a later part still reads the variable: a, b = b, a
// gives both the value of b, and x = y and x keeps x when y is false. Where that may
// happen, the values are first put into new locals, which gopher-lua compiles
// correctly.
func assignment(s *ast.AssignStmt) ast.Stmt {
	if len(s.Lhs) > 1 || len(s.Rhs) > 1 {
		return byLocals(s)
	}
	if _, variable := s.Lhs[0].(*ast.IdentExpr); !variable {
		return s
	}
	switch value := s.Rhs[0].(type) {
	case *ast.FuncCallExpr:
		// For x = (f(x)), gopher-lua puts f into x before it reads x. Without the
		// parentheses it does not.
		value.AdjustRet = false
	case *ast.Comma3Expr:
		value.AdjustRet = false // gopher-lua would assign no value at all
	default:
		if decides(value) {
			return byLocals(s)
		}
	}
	return s
}

// decides reports whether a value depends on an operator that is compiled to jumps.
func decides(e ast.Expr) bool {
	switch e.(type) {
	case *ast.LogicalOpExpr, *ast.UnaryNotOpExpr, *ast.RelationalOpExpr:
		return true
	}
	return slices.ContainsFunc(Operands(e), func(operand *ast.Expr) bool { return decides(*operand) })
}

// LocalFunction returns the function of local function f() ... end, which can call itself;
// nil for any other declaration. The tree of local f = function() ... end is the same,
// except that the parser leaves out its last line.
func LocalFunction(s *ast.LocalAssignStmt) *ast.FunctionExpr {
	if len(s.Names) != 1 || len(s.Exprs) != 1 || s.LastLine() == 0 {
		return nil
	}
	function, _ := s.Exprs[0].(*ast.FunctionExpr)
	return function
}

// hideFunction corrects local f = function() ... end. In gopher-lua the function sees
// itself as f; in Lua it sees the outer f. With a second value, gopher-lua does as Lua.
func hideFunction(s *ast.LocalAssignStmt) {
	if len(s.Names) != 1 || len(s.Exprs) != 1 || LocalFunction(s) != nil {
		return
	}
	if function, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
		s.Exprs = append(s.Exprs, located(&ast.NilExpr{}, function))
	}
}

// byLocals returns the assignment as a block. First the objects and keys of the targets,
// then all values become locals, in the order in which Lua evaluates them. Then each
// target gets its value, from right to left, as Lua assigns them.
func byLocals(s *ast.AssignStmt) ast.Stmt {
	b := &localBlock{}
	located(&b.block, s)
	for i, target := range s.Lhs {
		if field, ok := target.(*ast.AttrGetExpr); ok {
			s.Lhs[i] = b.captured(field)
		}
	}
	values := b.declare(len(s.Lhs), s.Rhs, s)
	for i := len(s.Lhs) - 1; i >= 0; i-- {
		one := &ast.AssignStmt{Lhs: []ast.Expr{s.Lhs[i]}, Rhs: []ast.Expr{values[i]}}
		b.block.Stmts = append(b.block.Stmts, located(one, s))
	}
	return &b.block
}

// A localBlock is a block with locals whose names no source can use.
type localBlock struct {
	block ast.DoBlockStmt
	count int
}

// captured returns a field with its object and key in locals, so that they are evaluated
// now.
func (b *localBlock) captured(field *ast.AttrGetExpr) ast.Expr {
	object := b.declare(1, []ast.Expr{field.Object}, field)[0]
	key := field.Key
	switch key.(type) {
	case *ast.StringExpr, *ast.NumberExpr:
	default:
		key = b.declare(1, []ast.Expr{field.Key}, field)[0]
	}
	return located(&ast.AttrGetExpr{Object: object, Key: key}, field)
}

// declare puts values into new locals, and returns the expressions that read them.
func (b *localBlock) declare(count int, values []ast.Expr, at ast.PositionHolder) []ast.Expr {
	locals := located(&ast.LocalAssignStmt{Exprs: values}, at)
	reads := make([]ast.Expr, count)
	for i := range reads {
		b.count++
		name := "(" + strconv.Itoa(b.count) + ")"
		locals.Names = append(locals.Names, name)
		reads[i] = located(&ast.IdentExpr{Value: name}, at)
	}
	b.block.Stmts = append(b.block.Stmts, locals)
	return reads
}

// located gives a node the lines of another node, and returns it.
func located[Node ast.PositionHolder](node Node, at ast.PositionHolder) Node {
	node.SetLine(at.Line())
	node.SetLastLine(endLine(at))
	return node
}

// endLine returns the last line of a node. Not all nodes have one; then it is the first.
func endLine(at ast.PositionHolder) int { return max(at.LastLine(), at.Line()) }
