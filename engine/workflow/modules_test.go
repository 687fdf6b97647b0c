package workflow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// compileWith compiles a workflow in a folder with files.
func (l language) compileWith(source string, files map[string]string) (*workflow.Plan, error) {
	parsed, _ := workflow.Parse("dir/w.yaml", []byte(source))
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	parsed.Files = folder
	return workflow.Compile(parsed, l.catalog, l.interpreter)
}

// TestModuleReads proves that a module can read the results of steps in every step that
// requires it, and not only in the first.
func TestModuleReads(t *testing.T) {
	l := newLanguage(t)
	plan, err := l.compileWith(`
steps:
  - id: first
    lua: |
      return {n = 1}
  - id: second
    lua: |
      return {n = require("outer")() + 1}
  - id: third
    lua: |
      return {n = require("outer")() + 2}
outputs: {second: "${{ steps.second.outputs.n }}", third: "${{ steps.third.outputs.n }}"}
`, map[string]string{
		"outer.lua":     `return require("inner")`,
		"lib/inner.lua": `return function() return steps.first.outputs.n end`,
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := (&engine.Local{Interpreter: l.interpreter}).Run(context.Background(), plan, engine.Request{})
	if err != nil || result.Error != nil {
		t.Fatal(err, result.Error)
	}
	if diff := cmp.Diff(action.Object{"second": 2.0, "third": 3.0}, result.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// TestModuleOrder proves that a module which reads a step is refused where that
// step has not run, and that a circle of modules does not hang the check.
func TestModuleOrder(t *testing.T) {
	const source = `
steps:
  - id: early
    lua: |
      return require("a")
  - id: late
    lua: |
      return {}
`
	_, err := newLanguage(t).compileWith(source, map[string]string{"a.lua": "local b = require('b')\nreturn steps.late.outputs", "b.lua": `return require("a")`})
	want := `dir/a.lua:2:1: the step "late" does not run before the step "early" (a step sees the steps above it)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestModuleNames proves that a module may read the names that exist in each step
// that requires it, at its own place, and that what it reads counts for the plan.
func TestModuleNames(t *testing.T) {
	const step = "steps:\n- id: s\n  %s: %s\n  lua: |\n    return require('m')\non_failure:\n- id: told\n  lua: |\n    return require('f')\n"
	for name, test := range map[string]struct{ key, value, module, failing, want string }{
		"item in a loop":        {"for_each", "[1]", "return item + index", "return 1", ""},
		"item elsewhere":        {"timeout", "5s", "local x\nreturn item", "return 1", "dir/m.lua:2:1: there is no `item` in the step \"s\""},
		"failure in on_failure": {"timeout", "5s", "return 1", "return failure.message", ""},
		"failure in a step":     {"timeout", "5s", "return failure.message", "return 1", "dir/m.lua:1:1: there is no `failure` in the step \"s\""},
		"a misspelled field":    {"timeout", "5s", "return previous.outputs", "return failure.mesage", `dir/f.lua:1:1: failure has no field "mesage"`},
		"an action":             {"timeout", "5s", "\nreturn pagerduty.delete_user_by_id{id = 'P1'}", "return 1", "dir/m.lua:2:1: the workflow may not call pagerduty.delete_user_by_id"},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := newLanguage(t).compileWith(fmt.Sprintf(step, test.key, test.value), map[string]string{"m.lua": test.module, "f.lua": test.failing})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if plan != nil && plan.ReadsPrevious {
				t.Error("the plan reads previous")
			}
		})
	}
	plan, err := newLanguage(t).compileWith(fmt.Sprintf(step, "timeout", "5s"), map[string]string{"m.lua": "return previous", "f.lua": ""})
	if err != nil || !plan.ReadsPrevious {
		t.Errorf("got %v, want a plan that reads previous", err)
	}
}

// TestFilesOutside proves that scripts and modules are read from the folder of the
// workflow only, and which problem is reported for other paths.
func TestFilesOutside(t *testing.T) {
	files := map[string]string{"page.lua": "return {}", "lib/m.lua": "return 1", "big.lua": strings.Repeat("-- x\n", 100_000), "dir.lua/x.lua": ""}
	script := func(name string) string { return "steps: [{id: a, lua_file: \"" + name + "\"}]" }
	module := func(name string) string {
		return "steps:\n  - id: a\n    lua: |\n      return require(\"" + name + "\")\n"
	}
	for _, test := range []struct{ name, source, err string }{
		{"beside", script("page.lua"), ""},
		{"beside, with a dot", script("./page.lua"), ""},
		{"in a folder", script("lib/m.lua"), ""},
		{"module in lib", module("m"), ""},
		{"above", script("../page.lua"), "../page.lua is not a path inside the folder of the workflow"},
		{"absolute", script("/etc/page.lua"), "/etc/page.lua is not a path inside"},
		{"out and in", script("lib/../../page.lua"), "is not a path inside"},
		{"other type", script("page.txt"), `"page.txt" is not a .lua file`},
		{"missing", script("pages.lua"), "there is no file pages.lua"},
		{"a folder", script("dir.lua"), "dir.lua is a folder; expected a file"},
		{"too large", script("big.lua"), "big.lua has 500000 bytes, at most 262144 are read"},
		{"module above", module("../page"), "../page.lua is not a path inside the folder"},
		{"missing module", module("nope"), "it looks for nope.lua and lib/nope.lua"},
	} {
		_, err := newLanguage(t).compileWith(test.source, files)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.err)
		}
	}
}

// TestA3ForeignScript: what is said of a Lua file that has nothing of Lua quotes nothing of it.
func TestA3ForeignScript(t *testing.T) {
	const secret = "Tr0ub4dor"
	for name, text := range map[string]string{
		"a key":       "u+" + secret + "xyz123\n",
		"a word":      secret + "\n",
		"digits":      "0123456789abcdef" + secret + "\n",
		"passwords":   "root:" + secret + ":19000:0:99999:7:root (of all):/usr/local/bin\nend:*:19000\n",
		"variables":   "# " + secret + "\nTOKEN=" + secret + "\n" + secret + "=1\n",
		"names":       "token = " + secret + "\n",
		"a PEM key":   "-----BEGIN PRIVATE KEY-----\n" + secret + "==\n-----END PRIVATE KEY-----\n",
		"an ini file": "[core]\n\ttoken = " + secret + "\n",
		"JSON":        "{\"password\": \"" + secret + "\"}\n",
		"YAML":        "return: " + secret + "\nlocal: " + secret + "\n",
		"a quote":     "\"" + secret + "\n",
		"not text":    "\x00\xff" + secret,
		"a label":     "goto " + secret + "\n",
	} {
		for _, source := range []string{"steps: [{id: a, lua_file: m.lua}]\n", "steps:\n  - id: a\n    lua: |\n      return require(\"m\")\n"} {
			_, err := newLanguage(t).compileWith(source, map[string]string{"m.lua": text})
			if err == nil || !strings.Contains(err.Error(), "dir/m.lua:1:1: the file is not a Lua script") || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: got %v, want that the file is not a Lua script, without its text", name, err)
			}
		}
	}
	// A script with a mistake is told which.
	for text, want := range map[string]string{
		"local x = 1\nreturn y\n":     `nothing is called "y" here`,
		"log.info{message = \"a\" b}": `near "b"`,
		"  if x then\n":               "the source ends too early",
		"x = function() end\nz()\n":   `nothing is called "z" here`,
	} {
		_, err := newLanguage(t).compileWith("steps: [{id: a, lua_file: m.lua}]\n", map[string]string{"m.lua": text})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// TestCallsOfModules proves that Calls returns the calls of required modules, and
// nothing that is not a call of an action.
func TestCallsOfModules(t *testing.T) {
	plan, err := newLanguage(t).compileWith(`
inputs: {key: {type: string}}
steps:
  - id: a
    lua: |
      return {key = require("m")(inputs.key), text = string.upper(run.id)}
`, map[string]string{"m.lua": `return function(key) return pagerduty.send_resolve_event{incident_key = key, description = "ok"} end`})
	if err != nil {
		t.Fatal(err)
	}
	want := []workflow.PlannedCall{{Action: "pagerduty.send_resolve_event", Inputs: []string{"description", "incident_key"}}}
	if diff := cmp.Diff(want, plan.Calls()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestA8ManyLuaFiles: the Lua files of a workflow are bounded together, each time that a step runs one. Sixty
// modules of 256 KB took 2.9 GB to compile.
func TestA8ManyLuaFiles(t *testing.T) {
	l := newLanguage(t)
	large := "local t = {}\n" + strings.Repeat("t.a = 1\n", 31_000) // 248 KB
	for name, source := range map[string]string{
		"modules": "steps:\n  - lua: |\n      require('m0') require('m1') require('m2') require('m3') require('m4')\n",
		"steps":   "steps:\n" + strings.Repeat("  - lua_file: m0.lua\n", 5),
	} {
		files := map[string]string{}
		for i := range 5 {
			files[fmt.Sprintf("m%d.lua", i)] = large
		}
		_, err := l.compileWith(source, files)
		if err == nil || strings.Count(err.Error(), "the Lua files of the workflow have more than 1 MB together") != 1 {
			t.Errorf("%s: got %v, want one error about the files together", name, err)
		}
	}
}
