package syntax

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/yuin/gopher-lua/ast"
)

// TestPathOf: names with dots between them are a path, and nothing else is.
func TestPathOf(t *testing.T) {
	for text, want := range map[string][]string{
		"inputs.email": {"inputs", "email"}, " steps.a.outputs.x_1 ": {"steps", "a", "outputs", "x_1"}, "item": {"item"}, "_": {"_"},
		"": nil, ".": nil, "a.": nil, ".a": nil, "a..b": nil, "a.1": nil, "1.5": nil, "a.b()": nil, "a[1]": nil, "a.end": nil, "nil": nil, "true": nil,
		"not.x": nil, "a.b or c": nil, "a .b": nil, "a-b": nil, "ä": nil, "#a": nil, "a.b -- c": nil,
	} {
		if diff := cmp.Diff(want, pathOf(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// TestPathStatements: the tree of a path is the same as the parser's.
func TestPathStatements(t *testing.T) {
	for _, text := range []string{"inputs", "inputs.email", "steps.lookup.outputs.user.id"} {
		parsed, finding := parse(workflow.Chunk{Kind: workflow.Expression, Text: text, Line: 1})
		if finding != nil {
			t.Fatal(finding)
		}
		if diff := cmp.Diff(parsed, pathStatements(pathOf(text)), cmpopts.IgnoreUnexported(ast.Node{}), cmp.AllowUnexported(ast.StmtBase{}, ast.ExprBase{})); diff != "" {
			t.Errorf("%s (-parsed +made):\n%s", text, diff)
		}
	}
}

// FuzzPath: a text that is taken for a path is the same path to Lua's parser.
func FuzzPath(f *testing.F) {
	f.Add("inputs.email")
	f.Add("a.b.end")
	f.Fuzz(func(t *testing.T, text string) {
		path := pathOf(text)
		if path == nil {
			return
		}
		parsed, finding := parse(workflow.Chunk{Kind: workflow.Expression, Text: text, Line: 1})
		if finding != nil {
			t.Fatalf("%q is not an expression: %v", text, finding)
		}
		if diff := cmp.Diff(parsed, pathStatements(path), cmpopts.IgnoreUnexported(ast.Node{}), cmp.AllowUnexported(ast.StmtBase{}, ast.ExprBase{})); diff != "" {
			t.Errorf("%q (-parsed +made):\n%s", text, diff)
		}
	})
}
