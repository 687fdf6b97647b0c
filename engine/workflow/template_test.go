package workflow_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// run runs a workflow of pure steps and returns its outputs.
func (l language) run(t *testing.T, source string, inputs action.Object) (action.Object, *run.Failure) {
	t.Helper()
	plan, err := l.compile("t.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	result, err := (&engine.Local{Interpreter: l.interpreter}).Run(context.Background(), plan, engine.Request{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return result.Outputs, result.Error
}

// TestTemplates proves that a whole expression keeps its type, that text is
// joined in a readable form, and where an expression ends.
func TestTemplates(t *testing.T) {
	outputs, failure := newLanguage(t).run(t, templateSource, action.Object{"list": []any{1.0, nil, "x"}})
	if failure != nil {
		t.Fatal(failure)
	}
	want := action.Object{
		"number": 5.0, "boolean": true, "list": []any{1.0, nil, "x"}, "nothing": nil,
		"text": "Ann has 5 of 2.5true", "large": "n=9007199254740992", "braces": "}}",
		"table":  action.Object{"a": action.Object{"b": 1.0}},
		"nested": action.Object{"a": []any{5.0, action.Object{"b": "<Ann>"}}, "c": "plain"},
		"block":  "first\nAnn\n", "spaces": "Ann", "literal": 7.0,
	}
	if diff := cmp.Diff(want, outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

const templateSource = `
inputs: {n: {type: integer, default: 5}, list: {type: list}, name: {type: string, default: Ann}, flag: {type: boolean, default: true}, none: {type: string}}
steps: [{uses: uuid.new}]
outputs:
  number: ${{ inputs.n }}
  boolean: ${{ inputs.flag }}
  list: ${{ inputs.list }}
  nothing: ${{ inputs.none }}
  text: "${{ inputs.name }} has ${{ inputs.n }} of ${{ 10 / 4 }}${{ inputs.flag }}${{ inputs.none }}"
  large: "n=${{ 2^53 }}"
  braces: ${{ ({a = "}}"}).a }}
  table: ${{ {a = {b = 1}} }}
  nested: {a: ["${{ inputs.n }}", {b: "<${{ inputs.name }}>"}], c: plain}
  block: |
    first
    ${{ inputs.name }}
  spaces: ${{inputs.name}}
  literal: 7
`

func TestTemplatesThatFail(t *testing.T) {
	for _, test := range []struct{ output, want string }{
		{`"x ${{ {1, 2} }}"`, "a list cannot be joined with text"},
		{`"x ${{ {a = 1} }}"`, "an object cannot be joined with text"},
		{`${{ 0/0 }}`, "which JSON cannot hold"},
		{`${{ string.upper }}`, "is a function, which is not data"},
		{`${{ inputs.n.x.y }}`, "attempt to index"},
	} {
		_, failure := newLanguage(t).run(t, "inputs: {n: {type: integer}}\nsteps: [{uses: uuid.new}]\noutputs:\n  o: "+test.output+"\n", nil)
		if failure == nil || !strings.Contains(failure.Message, test.want) || !strings.Contains(failure.Message, `the output "o"`) {
			t.Errorf("%s: got %v, want %q", test.output, failure, test.want)
		}
	}
}

// TestWindowsLines proves that places are right in a file with CR LF.
func TestWindowsLines(t *testing.T) {
	source := strings.ReplaceAll("steps:\n  - id: a\n    lua: |\n      local x = 1\n      return txt.trim(x)\n", "\n", "\r\n")
	_, err := newLanguage(t).compile("w.yaml", source)
	if err == nil || !strings.HasPrefix(err.Error(), "w.yaml:5:14: ") {
		t.Errorf("got %v, want an error in line 5, column 14", err)
	}
}

// TestFiles proves that scripts and modules come from the folder of the workflow
// and that their texts are kept with the plan.
func TestFiles(t *testing.T) {
	l := newLanguage(t)
	parsed, _ := workflow.Parse("dir/f.yaml", []byte("steps:\n  - {id: a, lua_file: a.lua}\n  - {id: b, lua_file: a.lua}\n"))
	parsed.Files = fstest.MapFS{
		"a.lua":     {Data: []byte(`return require("m")`)},
		"lib/m.lua": {Data: []byte(`return require("n")`)},
		"n.lua":     {Data: []byte("local x = 1\nreturn nope")},
	}
	_, err := workflow.Compile(parsed, l.catalog, l.interpreter)
	if err == nil || !strings.Contains(err.Error(), `dir/n.lua:2:1: nothing is called "nope" here`) {
		t.Errorf("got %v, want the error of the module", err)
	}
	parsed.Files.(fstest.MapFS)["n.lua"].Data = []byte("return 1")
	plan, err := workflow.Compile(parsed, l.catalog, l.interpreter)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range plan.Sources {
		names = append(names, s.Name)
	}
	if got, want := strings.Join(names, " "), "dir/f.yaml a.lua lib/m.lua n.lua"; got != want {
		t.Errorf("got the sources %s, want %s", got, want)
	}
	for _, name := range []string{"../x.lua", "/etc/x.lua", "x.txt", "lib"} {
		parsed, _ := workflow.Parse("f.yaml", []byte("steps:\n  - {id: a, lua_file: "+name+"}\n"))
		parsed.Files = fstest.MapFS{"lib/m.lua": {}}
		if _, err := workflow.Compile(parsed, l.catalog, l.interpreter); err == nil {
			t.Errorf("%s is opened", name)
		}
	}
}
