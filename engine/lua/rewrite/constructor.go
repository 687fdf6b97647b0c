package rewrite

import (
	"slices"

	"github.com/yuin/gopher-lua/ast"
)

const (
	// itemsPerFlush is how many items of a constructor gopher-lua stores at a time.
	itemsPerFlush = 50
	// MaxItems is how many items a constructor may list. gopher-lua stores items after the
	// 511th flush in the wrong place.
	MaxItems = 511 * itemsPerFlush
)

// constructor corrects three mistakes of gopher-lua in constructors:
//
//   - All values of a call become items when the call is the value of a key, as in
//     {1, x = f()}. The call is limited to one value.
//   - When a field with a key follows 50 items, the items are stored again, and one of
//     them in the wrong place. The field moves before the last of the 50.
//   - When a call with all its values follows a multiple of 50 items, the values are
//     stored as the first items. The item before them and the values are passed through
//     one call.
func constructor(e *ast.TableExpr) {
	for _, f := range e.Fields {
		if f.Key != nil {
			single(f.Value)
		}
	}
	if len(e.Fields) < itemsPerFlush {
		return
	}
	fields, items := make([]*ast.Field, 0, len(e.Fields)), 0
	for _, f := range e.Fields {
		if f.Key != nil && items > 0 && items%itemsPerFlush == 0 {
			last := len(fields) - 1
			single(fields[last].Value)
			fields = slices.Insert(fields, last, f)
			continue
		}
		fields = append(fields, f)
		if f.Key == nil {
			items++
		}
	}
	e.Fields = fields
	last := fields[len(fields)-1]
	if items > itemsPerFlush && (items-1)%itemsPerFlush == 0 && last.Key == nil && manyValues(last.Value) {
		before := fields[len(fields)-2] // an item: fields with keys were moved before it
		last.Value = together(single(before.Value), last.Value)
		e.Fields = slices.Delete(fields, len(fields)-2, len(fields)-1)
	}
}

// together returns a call that returns a value and all values after it.
func together(value, others ast.Expr) ast.Expr {
	all := located(&ast.Comma3Expr{}, others)
	result := located(&ast.ReturnStmt{Exprs: []ast.Expr{all}}, others)
	function := located(&ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: []ast.Stmt{result}}, others)
	return located(&ast.FuncCallExpr{Func: function, Args: []ast.Expr{value, others}}, others)
}

// manyValues reports whether an expression at the end of a list gives all its values.
func manyValues(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}
