package syntax

import (
	"strings"

	"github.com/pdflow/pdflow/engine/source"
	"github.com/yuin/gopher-lua/ast"
)

// Most expressions of a workflow are paths, such as inputs.email or
// steps.lookup.outputs.user.id. They are read and evaluated without Lua's parser,
// compiler and machine, which would take a hundred times as long. When anything is
// unusual, Lua evaluates the path, so that the errors are Lua's.

// maxPath is how many names a path may have. Lua evaluates longer ones.
const maxPath = 32

// pathOf returns the names of an expression that is a path, and nil for every other
// expression.
func pathOf(text string) []string {
	names := strings.Split(strings.Trim(text, " \t"), ".")
	if len(names) > maxPath {
		return nil
	}
	for _, name := range names {
		if !source.IsIdentifier(name) || source.IsKeyword(name) {
			return nil
		}
	}
	return names
}

// pathStatements returns the syntax tree of a path, as the parser makes it.
func pathStatements(names []string) []ast.Stmt {
	place := func(n ast.PositionHolder) {
		n.SetLine(1)
		n.SetLastLine(1)
	}
	var value ast.Expr = &ast.IdentExpr{Value: names[0]}
	place(value)
	for _, name := range names[1:] {
		key := &ast.StringExpr{Value: name}
		place(key)
		value = &ast.AttrGetExpr{Object: value, Key: key}
		place(value)
	}
	statement := &ast.ReturnStmt{Exprs: []ast.Expr{value}}
	place(statement)
	return []ast.Stmt{statement}
}
