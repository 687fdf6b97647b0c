package syntax_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A checker is an interpreter with one action, demo.echo, that checks chunks.
type checker struct {
	interpreter *lua.Interpreter
	modules     []string
}

type anyIn struct {
	Value any           `json:"value" doc:"Anything."`
	Text  string        `json:"text" doc:"Some text."`
	List  []any         `json:"list" doc:"A list."`
	Map   action.Object `json:"map" doc:"An object."`
}

type anyOut struct {
	Value any `json:"value" doc:"Anything."`
}

func newChecker(t testing.TB) *checker {
	t.Helper()
	echo := action.New(action.Spec{Name: "demo.echo", Summary: "Echo.", Effect: action.Pure, Args: []string{"value"}},
		func(_ context.Context, in anyIn) (anyOut, error) { return anyOut{in.Value}, nil })
	catalog, err := action.NewCatalog(echo)
	if err != nil {
		t.Fatal(err)
	}
	return &checker{interpreter: lua.New(catalog), modules: catalog.Modules()}
}

// chunk returns source that begins in line 10 of a workflow.
func (c *checker) chunk(kind workflow.ChunkKind, source string) workflow.Chunk {
	names := append([]string{"inputs", "steps", "run", "coalesce"}, c.modules...)
	if kind != workflow.Expression {
		names = append(names, "secrets", "list", "require", "print")
	}
	return workflow.Chunk{Kind: kind, File: "w.yaml", Line: 10, Text: source, Names: names}
}

// check returns the findings as `severity line: message (hint)`.
func (c *checker) check(kind workflow.ChunkKind, text string) []string {
	var list []string
	_, findings := c.interpreter.Check(c.chunk(kind, text))
	for _, f := range findings {
		severity := f.Severity
		if severity == "" {
			severity = source.SeverityError
		}
		list = append(list, fmt.Sprintf("%s %d: %s (%s)", severity, f.Line, f.Message, f.Hint))
	}
	return list
}

// TestCheckNames: names that nothing defines are reported before a script runs, with a
// suggestion.
func TestCheckNames(t *testing.T) {
	tests := map[string]struct{ script, want string }{
		"a misspelled variable": {"local email = 1\nreturn emial", `error 11: nothing is called "emial" here ()`},
		"a misspelled module":   {"\nreturn dmeo.echo(1)", `error 11: nothing is called "dmeo" here (did you mean "demo"?)`},
		"a misspelled data":     {"return input.email", `error 10: nothing is called "input" here (did you mean "inputs"?)`},
		"a misspelled base":     {"return tostrin(1)", `error 10: nothing is called "tostrin" here (did you mean "tostring"?)`},
		"a blind function":      {"local f = function(n)\n  return f(n) end", `error 11: nothing is called "f" here (a function that calls itself is written local function f(...))`},
		"null":                  {"return null", `error 10: nothing is called "null" here (Lua writes nil)`},
		"None":                  {"return None", `error 10: nothing is called "None" here (Lua writes nil)`},
		"len":                   {"return len({})", `error 10: nothing is called "len" here (Lua writes #value)`},
		"raise":                 {"raise('x')", `error 10: nothing is called "raise" here (Lua writes error("..."))`},
		"sleep":                 {"sleep(5)", `error 10: nothing is called "sleep" here (write time.sleep("5s"))`},
		"no such function":      {"return math.sine(1)", `error 10: math has no function "sine" (did you mean "sin"?)`},
		"no near function":      {"return table.lenght({})", `error 10: table has no function "lenght" (it has: concat, getn, insert, maxn, remove, sort)`},
		"what is not there":     {"return io.open('x')", `error 10: nothing is called "io" here (scripts cannot read files)`},
		"loadstring":            {"return loadstring('x')", `error 10: nothing is called "loadstring" here (scripts cannot load code)`},
		"a global":              {"\n\ncount = 1 return count", `warning 12: "count" is assigned without local: it is global until the script ends (write local count = ...)`},
		"a built-in name":       {"string = 1", `warning 10: "string" is assigned and hides the built-in name (write local string = ...)`},
		"a computed require":    {"local n = 'a' return require(n)", `error 10: require takes one literal name, as in require("name") (modules are read together with the workflow, not while it runs)`},
		"out of scope":          {"do local x = 1 end\nreturn x", `error 11: nothing is called "x" here ()`},
		"before it is local":    {"local y = y", `error 10: nothing is called "y" here ()`},
		"a loop's own":          {"for i = 1, 2 do end\nreturn i", `error 11: nothing is called "i" here ()`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string{test.want}, newChecker(t).check(workflow.Script, test.script)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.script, diff)
			}
		})
	}
}

// TestCheckKnowsScopes: names that Lua knows in their scope are not reported.
func TestCheckKnowsScopes(t *testing.T) {
	for _, script := range []string{
		"local function f(n) return n == 0 or f(n - 1) end return f(1)",
		"local x = 1 do local x = 2 end return x",
		"for i, v in ipairs({}) do local w = i + v end",
		"repeat local done = true until done",
		"local t = {} function t:add(x) self.n = x end function t.new(...) return ... end return t",
		"local a, b = 1, 2 return function(...) local c = a + b return select('#', ...) + c end",
		"goto out do local z = 1 end ::out:: return 1",
		"return demo.echo(inputs.x).value, steps, run, secrets, list{}, print, os, _G, math.pi, coalesce(1)",
		"return #inputs.l, -inputs.n, not inputs.b, inputs.a .. 'x', inputs.a and 1 or 2, inputs.a < 1",
	} {
		if got := newChecker(t).check(workflow.Script, script); len(got) > 0 {
			t.Errorf("%s\ngot %v, want nothing", script, got)
		}
	}
}

// TestExpressionsCallNothing: expressions have no functions that make calls.
func TestExpressionsCallNothing(t *testing.T) {
	c := newChecker(t)
	for _, source := range []string{"print(1)", "require('x')", "os.time()", "_G.x", "secrets.TOKEN"} {
		if got := c.check(workflow.Expression, source); len(got) != 1 || !strings.Contains(got[0], "nothing is called") {
			t.Errorf("%s: got %v, want it to be unknown", source, got)
		}
	}
}

// TestCheckSyntax: a syntax error has its line in the file. Where a line has the syntax of
// another language, the hint says how Lua writes it.
func TestCheckSyntax(t *testing.T) {
	tests := map[string]struct {
		script string
		line   int
		hint   string
	}{
		"!=":             {"local a = 1\nif a != 2 then end", 11, "Lua writes ~="},
		"&&":             {"\n\nreturn a && b", 12, "Lua writes and"},
		"||":             {"return a || b", 10, "Lua writes or"},
		"+=":             {"local a = 1\na += 1", 11, "Lua writes x = x + 1"},
		"++":             {"local a = 1\na++", 11, "Lua writes x = x + 1"},
		"//":             {"\n// a comment", 11, "Lua writes comments with --"},
		"whole division": {"return 7 // 2", 10, "Lua writes comments with --, and math.floor(a / b)"},
		"elif":           {"if true then\nelif false then\nend", 11, "Lua writes elseif"},
		"??":             {"return inputs.a ?? 1", 10, "Lua writes x or y"},
		"?.":             {"return inputs?.a", 10, "Lua writes x and x.y"},
		"? :":            {"return inputs.a ? 1 : 2", 10, "Lua writes condition and a or b"},
		"for (":          {"for (i = 0; i < 3; i++) { }", 10, "Lua writes for i = 1, n do ... end"},
		"if {":           {"if (inputs.a) {\n}", 11, "an `end`, a bracket or a quote may be missing; Lua writes if ... then ... end, while ... do ... end, function f(x) ... end"},
		"if :":           {"if inputs.a:\n  return 1", 11, "Lua writes if ... then ... end, for ... do ... end, function f(x) ... end"},
		"function {":     {"function f(x) { return x }", 10, "Lua writes function f(x) ... end"},
		"def":            {"def f(x)\nend", 10, "Lua writes function f(x) ... end"},
		"=>":             {"local f = (x) => x", 10, "Lua writes function(x) return ... end"},
		"const":          {"const a = 1", 10, "Lua writes local x = ..."},
		"import":         {"import json", 10, `Lua writes local x = require("x")`},
		"continue":       {"while true do\n  continue\nend", 12, "Lua 5.1 has no continue: put the rest of the loop into an if"},
		"raise":          {"raise Problem", 10, `Lua writes error("...")`},
		"# comment":      {"\n# a comment", 11, "Lua writes comments with --"},
		"<<":             {"return 1 << 2", 10, "Lua 5.1 has no operators for bits"},
		"{a: 1}":         {"return {a: 1}", 10, "Lua writes {name = value}"},
		"[1, 2]":         {"return [1, 2]", 10, "Lua writes lists as {1, 2}"},
		"a template":     {"return `a`", 10, `Lua writes "text " .. value`},
		"!":              {"return !inputs.a", 10, "Lua writes not"},
		"===":            {"return 1 === 2", 10, "Lua writes =="},
		"else if":        {"if true then\nelse if false then\nend", 12, "an `end`, a bracket or a quote may be missing; Lua writes elseif"},
		"no end":         {"for i = 1, 2 do\n  local x\n\n", 11, "an `end`, a bracket or a quote may be missing"},
		"a bracket":      {"return {1, 2", 10, "an `end`, a bracket or a quote may be missing"},
		"a stray end":    {"local x = 1\n\nend", 12, ""},
		"break outside":  {"\nbreak", 11, ""},
		"no label":       {"\n\ngoto nowhere\n\n", 12, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newChecker(t)
			compiled, findings := c.interpreter.Check(c.chunk(workflow.Script, test.script))
			if compiled != nil || len(findings) != 1 {
				t.Fatalf("got %v, %v, want one finding", compiled, findings)
			}
			f := findings[0]
			if f.Line != test.line || f.Hint != test.hint || f.Rule != workflow.RuleLuaSyntax || !strings.HasPrefix(f.Message, "this is not valid Lua: ") {
				t.Errorf("got line %d: %s (%s), want line %d (%s)", f.Line, f.Message, f.Hint, test.line, test.hint)
			}
		})
	}
}

// TestCheckLimits: source that is too large or nests too deep is refused.
func TestCheckLimits(t *testing.T) {
	const levels = 20_000
	for name, script := range map[string]string{
		"size":        "return '" + strings.Repeat("x", 256<<10) + "'",
		"unary minus": "return " + strings.Repeat("- ", levels) + "1",
		"not":         "return " + strings.Repeat("not ", levels) + "1",
		"functions":   strings.Repeat("return function() ", levels/2) + strings.Repeat(" end ", levels/2),
		"tables":      "return " + strings.Repeat("{", levels) + strings.Repeat("}", levels),
		"concat":      "return " + strings.Repeat("a..", levels) + "a",
		"fields":      "return a" + strings.Repeat(".b", levels),
		"calls":       "return print" + strings.Repeat("()", levels),
		"methods":     "return print" + strings.Repeat(":x()", levels),
		"blocks":      strings.Repeat("do ", levels) + strings.Repeat("end ", levels),
		"elseif":      "if a then " + strings.Repeat("elseif b then ", levels/2) + "end",
		"indexes":     "return " + strings.Repeat("a[", levels) + "1" + strings.Repeat("]", levels),
		"locals":      strings.Repeat("local a = 1 ", 300),
		"items":       "return {" + strings.Repeat("1, ", 25_551) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			c := newChecker(t)
			compiled, findings := c.interpreter.Check(c.chunk(workflow.Script, script))
			if compiled != nil || len(findings) == 0 {
				t.Errorf("got %v, want it to be refused", findings)
			}
		})
	}
}

// TestReferences: a chunk lists what it reads, with its calls and their literal inputs.
func TestReferences(t *testing.T) {
	c := newChecker(t)
	compiled, _ := c.interpreter.Check(c.chunk(workflow.Script, `local name = "x"
local user = inputs.user.email
demo.echo{value = 1, text = "a", list = {}, map = name, [name] = 2, list = nil}
demo.echo({text = inputs.text})
demo.echo{"a"}
steps[name].outputs.id = 1
string.format("x")
local r = require("page")`))
	var got []string
	for _, r := range compiled.References() {
		text := fmt.Sprintf("%d %s", r.Line, strings.Join(r.Path, "."))
		if r.Called {
			text += " called"
		}
		for _, field := range phrase.Names(r.Input) {
			value := fmt.Sprint(r.Input[field])
			if r.Input[field] == action.Dynamic {
				value = "?"
			}
			text += " " + field + "=" + value
		}
		if r.Open {
			text += " and others"
		}
		got = append(got, text)
	}
	want := []string{
		"11 inputs.user.email", "12 demo.echo called list=<nil> map=? text=a value=1 and others", "13 demo.echo called text=?",
		"13 inputs.text", "14 demo.echo called", "15 steps", "16 string.format called", "17 require called",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	if r := compiled.Requires(); len(r) != 1 || r[0] != (workflow.Require{Name: "page", Line: 17}) {
		t.Errorf("got %v, want page in line 17", r)
	}
}
