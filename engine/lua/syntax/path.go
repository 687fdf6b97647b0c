package syntax

import (
	"slices"
	"strings"

	"github.com/yuin/gopher-lua/ast"
)

// Most expressions of a workflow are paths, such as inputs.email or
// steps.lookup.outputs.user.id. They are read and evaluated without Lua's parser,
// compiler and machine, which would take a hundred times as long. When anything is
// unusual, Lua evaluates the path, so that the errors are Lua's.

// keywords are the words of Lua that cannot be names.
var keywords = []string{
	"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
	"repeat", "return", "then", "true", "until", "while",
}

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
		if !isName(name) {
			return nil
		}
	}
	return names
}

func isName(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != "" && !slices.Contains(keywords, text)
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
