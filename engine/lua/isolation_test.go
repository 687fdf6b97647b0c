package lua_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// probe is a script that shows whether the library is unchanged.
const probe = `
local got = {string.rep("ab", 2), ("x"):upper(), table.concat({1, 2}, ","), math.floor(1.5), type(pairs), tostring(1)}
if POISON ~= nil then got[#got + 1] = "POISON" end
return table.concat(got, " ")`

const clean = "abab X 1,2 1 function 1"

// TestNothingOutlivesAScript: no change that a script makes to its globals or to the
// library reaches the next script, or an expression of the same attempt.
func TestNothingOutlivesAScript(t *testing.T) {
	for name, script := range map[string]string{
		"a global":                    "POISON = 1",
		"through _G":                  "_G.POISON = 1 _G.pairs = nil _G.string = nil",
		"rawset of _G":                "rawset(_G, 'POISON', 1) rawset(_G, 'tostring', nil)",
		"a library":                   "string = nil table = {} math = 1",
		"a function of a library":     "string.rep = nil table.concat = function() return 'evil' end math.floor = nil",
		"rawset of a library":         "rawset(string, 'rep', nil) rawset(table, 'concat', print)",
		"a base function":             "pairs = nil tostring = function() return 'evil' end",
		"the metatable of strings":    "pcall(function() getmetatable('').__index = {upper = print} end)",
		"metatables of globals":       "pcall(setmetatable, _G, {__index = function() return 'evil' end})",
		"metatables of libraries":     "pcall(setmetatable, string, {__index = function() return 'evil' end})",
		"list() of a library":         "pcall(list, string) pcall(list, _G)",
		"metatables of other types":   "pcall(setmetatable, 0, {__index = print}) pcall(setmetatable, print, {__call = 1})",
		"the proxy of a library":      "for k in pairs(string) do string[k] = nil end",
		"what an iterator is made of": "local f, s = pairs({}) pcall(rawset, s, 'a', 1) f = nil",
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			if _, err := m.eval(t, script); err != nil {
				t.Fatal(err)
			}
			if got := m.value(t, probe); got != clean {
				t.Errorf("got %q in the next state, want %q", got, clean)
			}
			attempt := m.open()
			if _, err := attempt.Eval(m.compile(t, workflow.Script, script)); err != nil {
				t.Fatal(err)
			}
			expression := `string.rep("ab", 2) .. ("x"):upper() .. table.concat({1}) .. math.floor(1.5) .. tostring(1)`
			if got, err := attempt.Eval(m.compile(t, workflow.Expression, expression)); got != "ababX111" || err != nil {
				t.Errorf("got %v, %v in an expression after it, want ababX111", got, err)
			}
		})
	}
}

// TestProtectedMetatables: scripts can neither see nor change the metatables of the
// library.
func TestProtectedMetatables(t *testing.T) {
	m := newMachine(t, act("demo.fail", action.Pure, func(context.Context, anyIn) error { return action.Errorf(action.NotFound, "no") }))
	m.data["inputs"] = action.Object{"l": []any{1.0}}
	m.data["secrets"] = action.Object{"TOKEN": action.Secret{Name: "TOKEN"}}
	for _, value := range []string{"''", "_G", "string", "demo", "secrets.TOKEN", "inputs.l", "select(2, pcall(demo.fail, {}))"} {
		if got := m.value(t, "return getmetatable("+value+") == false"); got != true {
			t.Errorf("the metatable of %s can be seen", value)
		}
	}
	for _, value := range []string{"_G", "string", "demo", "select(2, pcall(demo.fail, {}))"} {
		for _, change := range []string{"setmetatable(%, {})", "setmetatable(%, nil)", "list(%)"} {
			m.mustFail(t, strings.ReplaceAll(change, "%", value), action.Script, "cannot change a protected metatable")
		}
	}
	for _, value := range []string{"1", "print", "'x'", "true", "nil"} {
		m.mustFail(t, "setmetatable("+value+", {})", action.Script, "table expected")
	}
}

// TestAbsent: functions that could reach the host do not exist.
func TestAbsent(t *testing.T) {
	m := newMachine(t)
	for _, name := range []string{
		"io", "debug", "package", "coroutine", "channel", "load", "loadstring", "loadfile", "dofile", "getfenv", "setfenv", "module",
		"newproxy", "collectgarbage", "_printregs", "string.dump", "math.randomseed", "os.execute", "os.exit", "os.getenv", "os.remove", "os.clock",
		"os.time", "os.date", // without the actions that they call
	} {
		if got := m.value(t, "return "+name+" == nil"); got != true {
			t.Errorf("%s is there", name)
		}
	}
}

// TestInputsArePrivate: a change that a script makes to its inputs does not reach the next
// script.
func TestInputsArePrivate(t *testing.T) {
	m := newMachine(t)
	m.data["inputs"] = action.Object{"l": []any{1.0, 2.0}, "o": action.Object{"a": 1.0}}
	m.value(t, "inputs.l[1] = 'x' inputs.o.a = nil inputs.new = 1 inputs = nil")
	want := any([]any{[]any{1.0, 2.0}, action.Object{"a": 1.0}, true})
	if diff := cmp.Diff(want, m.value(t, "return {inputs.l, inputs.o, inputs.new == nil}")); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
}

// TestStatesShareNothing: one chunk can run on many goroutines at the same time. The race
// detector finds shared data.
func TestStatesShareNothing(t *testing.T) {
	m := newMachine(t, echo(), act("demo.fail", action.Pure, func(context.Context, anyIn) error { return action.Errorf(action.NotFound, "no") }))
	m.data = nil
	env := m.env
	inputs := action.Object{"l": []any{1.0, nil}, "token": action.Secret{Name: "TOKEN"}}
	env.Data = func(name string) (any, bool) { return inputs, name == "inputs" }
	env.Modules = map[string]workflow.Program{"shared": m.compile(t, workflow.Module, "local M = {n = 0} function M.next() M.n = M.n + 1 return M.n end return M")}
	compiled := m.compile(t, workflow.Script, `
		string.rep = function() return "mine" end
		G = (G or 0) + 1
		local ok, err = pcall(demo.fail, {})
		err.kind = "changed"
		rawset(string, "x", {})
		local s = ""
		for k, v in pairs({1, 2, 3}) do s = s .. v end
		local again = demo.echo(inputs.l).value
		again[3] = require("shared").next()
		return {s, G, string.rep("a", 2), ("a"):rep(2), string.format("%d", 5), tostring(inputs.token), again, #inputs.l}`)
	want := any([]any{"123", 1.0, "mine", "aa", "5", "‹secret TOKEN›", []any{1.0, nil, 1.0}, 2.0})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				got, err := m.interpreter.Open(context.Background(), env).Eval(compiled)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("got %v (-want +got):\n%s", err, diff)
					return
				}
			}
		})
	}
	group.Wait()
}

// TestDataIsProvidedLazily: only data that a chunk names is read, and only the fields that
// the chunk reads are converted.
func TestDataIsProvidedLazily(t *testing.T) {
	m := newMachine(t)
	large := make([]any, 100_000)
	m.data = action.Object{"inputs": action.Object{"a": 1.0, "large": large}, "steps": action.Object{}, "run": action.Object{}}
	compiled := m.compile(t, workflow.Script, "return inputs.a")
	bytes := testing.AllocsPerRun(5, func() {
		if v, err := m.open().Eval(compiled); v != 1.0 || err != nil {
			t.Fatalf("got %v, %v, want 1", v, err)
		}
	})
	if bytes > 200 {
		t.Errorf("got %.0f allocations to read one small field, want at most 200", bytes)
	}
	for _, name := range m.asked {
		if name == "steps" || name == "run" || name == "secrets" {
			t.Errorf("%s was read, and the script does not name it", name)
		}
	}
	if got := m.value(t, "local n = 0 for _ in pairs(inputs) do n = n + 1 end return n"); got != 2.0 {
		t.Errorf("got %v fields, want both where the table itself is used", got)
	}
	if got := m.value(t, "local name = 'a' return inputs[name]"); got != 1.0 {
		t.Errorf("got %v through a computed name, want 1", got)
	}
}
