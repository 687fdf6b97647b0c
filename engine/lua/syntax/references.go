package syntax

import (
	"slices"
	"strconv"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/yuin/gopher-lua/ast"
)

// chain reads a name and the constant fields after it. It returns the reference, or nil
// for a local. A key that is not constant is an expression of its own.
func (w *walker) chain(e ast.Expr) *workflow.Reference {
	var path []string
	for length := 0; w.depth+length <= maxDepth; length++ {
		switch node := e.(type) {
		case *ast.AttrGetExpr:
			if key, ok := node.Key.(*ast.StringExpr); ok {
				path = append(path, key.Value)
				w.constant(key.Value)
			} else {
				w.expression(node.Key)
				path = path[:0] // the fields of an unknown field are unknown too
			}
			e = node.Object
		case *ast.IdentExpr:
			if w.isLocal(node.Value) {
				return nil
			}
			path = append(path, node.Value)
			w.constant(node.Value)
			slices.Reverse(path)
			return w.refer(path, node.Line())
		default:
			w.expression(e)
			return nil
		}
	}
	w.tooDeep = true
	return nil
}

func (w *walker) refer(path []string, line int) *workflow.Reference {
	if len(path) >= 2 && path[0] == NullModule && path[1] == NullName {
		w.useGlobal(path[:2]) // a value of the module, not an action
		return nil
	}
	w.references = append(w.references, workflow.Reference{Path: path, Line: w.line + line})
	w.useGlobal(path)
	return &w.references[len(w.references)-1]
}

// useGlobal notes which parts of a global the chunk needs when it runs.
func (w *walker) useGlobal(path []string) {
	at := slices.IndexFunc(w.globals, func(g Global) bool { return g.Name == path[0] })
	if at < 0 {
		at = len(w.globals)
		w.globals = append(w.globals, Global{Name: path[0]})
	}
	g := &w.globals[at]
	switch {
	case len(path) == 1:
		g.Whole = true
	case !slices.Contains(g.Fields, path[1]):
		g.Fields = append(g.Fields, path[1])
	}
}

func (w *walker) call(e *ast.FuncCallExpr) {
	if e.Receiver != nil { // receiver:method(...)
		w.expression(e.Receiver)
		w.expressions(e.Args)
		return
	}
	var reference *workflow.Reference
	switch e.Func.(type) {
	case *ast.IdentExpr, *ast.AttrGetExpr:
		reference = w.chain(e.Func)
	default:
		w.expression(e.Func)
	}
	if reference == nil {
		w.expressions(e.Args)
		return
	}
	reference.Called = true
	if slices.Equal(reference.Path, []string{"pcall"}) && len(e.Args) == 2 && w.protectedCall(e.Args[0], e.Args[1]) {
		return
	}
	if len(e.Args) == 1 {
		inputOf(reference, e.Args[0])
	}
	w.requireCall(reference, e)
	w.expressions(e.Args)
}

// protectedCall notes `pcall(f, {...})` as the call `f{...}`, if f is a name.
func (w *walker) protectedCall(f, argument ast.Expr) bool {
	switch f.(type) {
	case *ast.IdentExpr, *ast.AttrGetExpr:
	default:
		return false
	}
	if reference := w.chain(f); reference != nil {
		reference.Called = true
		inputOf(reference, argument)
	}
	w.expressions([]ast.Expr{argument})
	return true
}

// inputOf reads the only argument of a call as its input, if it is a literal table.
func inputOf(r *workflow.Reference, argument ast.Expr) {
	if t, ok := argument.(*ast.TableExpr); ok {
		r.Input, r.Open = literalTable(t)
	}
}

// requireCall notes a call of require. The name must be literal, because modules are read
// together with the workflow.
func (w *walker) requireCall(r *workflow.Reference, e *ast.FuncCallExpr) {
	if len(r.Path) != 1 || r.Path[0] != "require" {
		return
	}
	if len(e.Args) == 1 {
		if name, ok := e.Args[0].(*ast.StringExpr); ok {
			w.requires = append(w.requires, workflow.Require{Name: name.Value, Line: r.Line})
			return
		}
	}
	w.findings = append(w.findings, workflow.Finding{
		Rule: "require-literal", Line: r.Line, Token: "require", Message: "require takes one literal name, as in require(\"name\")",
		Hint: "modules are read together with the workflow, not while it runs",
	})
}

// literalTable reads a table constructor with named fields as the input of an action. It
// returns nil for a list. open says that a field has a computed name.
func literalTable(t *ast.TableExpr) (input action.Object, open bool) {
	input = action.Object{}
	for _, f := range t.Fields {
		key, ok := f.Key.(*ast.StringExpr)
		if f.Key == nil {
			return nil, false
		}
		if !ok {
			open = true
			continue
		}
		input[key.Value] = literalValue(f.Value)
	}
	return input, open
}

// literalValue returns the value of a literal, and Dynamic for everything else. An empty
// table and a list are Dynamic too, because only the schema can tell them apart.
func literalValue(e ast.Expr) any {
	switch e := e.(type) {
	case *ast.TableExpr:
		if input, open := literalTable(e); len(input) > 0 && !open {
			return input
		}
	case *ast.StringExpr:
		return e.Value
	case *ast.TrueExpr:
		return true
	case *ast.FalseExpr:
		return false
	case *ast.NilExpr:
		return nil
	case *ast.NumberExpr:
		if f, err := strconv.ParseFloat(e.Value, 64); err == nil {
			return f
		}
	}
	return action.Dynamic
}
