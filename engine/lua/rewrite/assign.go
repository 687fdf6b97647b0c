package rewrite

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// assignment keeps gopher-lua from mistakes in assignments to variables that are
// there already. It computes values in the places of the variables, also where what
// comes after still reads them: a, b = b, a gives both the value of b, and x = y and x
// keeps x when y is false. Where that may happen, the values go by way of new locals,
// whose declarations it compiles rightly.
func assignment(s *ast.AssignStmt) ast.Stmt {
	if len(s.Lhs) > 1 || len(s.Rhs) > 1 {
		return byLocals(s)
	}
	if _, variable := s.Lhs[0].(*ast.IdentExpr); !variable {
		return s
	}
	switch value := s.Rhs[0].(type) {
	case *ast.FuncCallExpr:
		// For the one value of a call, as in x = (f(x)), it puts f into the place of x
		// before it reads x; not so where all values count.
		value.AdjustRet = false
	case *ast.Comma3Expr:
		value.AdjustRet = false // for which it takes the values to be none
	case *ast.LogicalOpExpr, *ast.UnaryNotOpExpr, *ast.RelationalOpExpr:
		return byLocals(s)
	default:
		if decides(value) {
			return byLocals(s)
		}
	}
	return s
}

// decides reports whether a value depends on an operator that jumps.
func decides(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.LogicalOpExpr, *ast.UnaryNotOpExpr, *ast.RelationalOpExpr:
		return true
	case *ast.ArithmeticOpExpr:
		return decides(e.Lhs) || decides(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		return decides(e.Expr)
	case *ast.UnaryLenOpExpr:
		return decides(e.Expr)
	case *ast.AttrGetExpr:
		return decides(e.Object) || decides(e.Key)
	}
	return false
}

// LocalFunction is the function of local function f() ... end, which sees itself; nil
// for any other declaration. That of local f = function() ... end looks the same, but
// the parser does not say where it ends.
func LocalFunction(s *ast.LocalAssignStmt) *ast.FunctionExpr {
	if len(s.Names) != 1 || len(s.Exprs) != 1 || s.LastLine() == 0 {
		return nil
	}
	function, _ := s.Exprs[0].(*ast.FunctionExpr)
	return function
}

// apart keeps the function of local f = function() ... end from seeing itself, as
// gopher-lua has it: f is what was called so before. Of two values that takes care.
func apart(s *ast.LocalAssignStmt) {
	if len(s.Names) != 1 || len(s.Exprs) != 1 || LocalFunction(s) != nil {
		return
	}
	if function, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
		other := &ast.NilExpr{}
		locate(other, function)
		s.Exprs = append(s.Exprs, other)
	}
}

// byLocals is the assignment as a block: objects and keys of the targets and then all
// values become locals, as Lua evaluates them, and the targets get them one by one from
// the right, as Lua assigns them.
func byLocals(s *ast.AssignStmt) ast.Stmt {
	b := &localBlock{}
	locate(&b.block, s)
	for i, target := range s.Lhs {
		if field, ok := target.(*ast.AttrGetExpr); ok {
			s.Lhs[i] = b.captured(field)
		}
	}
	values := b.declare(len(s.Lhs), s.Rhs, s)
	for i := len(s.Lhs) - 1; i >= 0; i-- {
		one := &ast.AssignStmt{Lhs: []ast.Expr{s.Lhs[i]}, Rhs: []ast.Expr{values[i]}}
		locate(one, s)
		b.block.Stmts = append(b.block.Stmts, one)
	}
	return &b.block
}

// loopOver keeps gopher-lua from a mistake in for ... in: of the three values that such a
// loop begins with, those that are not given are not nil, but what the loop before left
// there, so that for k in next, t goes on where that one broke off. All values of a
// single call, as in for k, v in pairs(t), are taken rightly, unless what is called is
// itself what a call returns, as in text():gmatch("%w"): from its 256th constant on, a
// function loses that.
func loopOver(s *ast.GenericForStmt) ast.Stmt {
	if call, ok := s.Exprs[0].(*ast.FuncCallExpr); len(s.Exprs) == 1 && manyValues(s.Exprs[0]) && (!ok || plain(call.Func) && plain(call.Receiver)) {
		return s
	}
	b := &localBlock{}
	locate(&b.block, s)
	s.Exprs = b.declare(3, s.Exprs, s)
	b.block.Stmts = append(b.block.Stmts, s)
	return &b.block
}

// plain reports that an expression is a name or text, or fields of one; or nothing.
func plain(e ast.Expr) bool {
	switch e := e.(type) {
	case nil, *ast.IdentExpr, *ast.StringExpr:
		return true
	case *ast.AttrGetExpr:
		return plain(e.Object) && plain(e.Key)
	}
	return false
}

// A localBlock is a block with locals of names that no source can have.
type localBlock struct {
	block ast.DoBlockStmt
	count int
}

// captured is a field of an object and a key that are evaluated now.
func (b *localBlock) captured(field *ast.AttrGetExpr) ast.Expr {
	object := b.declare(1, []ast.Expr{field.Object}, field)[0]
	key := field.Key
	switch key.(type) {
	case *ast.StringExpr, *ast.NumberExpr:
	default:
		key = b.declare(1, []ast.Expr{field.Key}, field)[0]
	}
	own := &ast.AttrGetExpr{Object: object, Key: key}
	locate(own, field)
	return own
}

// declare makes locals of values, and returns the expressions that read them.
func (b *localBlock) declare(count int, values []ast.Expr, at ast.PositionHolder) []ast.Expr {
	locals := &ast.LocalAssignStmt{Exprs: values}
	locate(locals, at)
	reads := make([]ast.Expr, count)
	for i := range reads {
		b.count++
		name := "(" + strconv.Itoa(b.count) + ")"
		locals.Names = append(locals.Names, name)
		read := &ast.IdentExpr{Value: name}
		locate(read, at)
		reads[i] = read
	}
	b.block.Stmts = append(b.block.Stmts, locals)
	return reads
}

// locate gives a node the lines of another.
func locate(node, at ast.PositionHolder) {
	node.SetLine(at.Line())
	node.SetLastLine(endLine(at))
}

// endLine is the last line of a node, which not all nodes have.
func endLine(at ast.PositionHolder) int { return max(at.LastLine(), at.Line()) }
