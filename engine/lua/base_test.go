package lua_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/workflow"
)

type logIn struct {
	Message string `json:"message" required:"true" doc:"What to say."`
}

// TestTextShowsNoAddresses: no text shows an address of memory, which would differ from
// run to run.
func TestTextShowsNoAddresses(t *testing.T) {
	var printed []string
	log := action.New(action.Spec{Name: "log.info", Summary: "Log.", Effect: action.Pure},
		func(_ context.Context, in logIn) (nothing, error) {
			printed = append(printed, in.Message)
			return nothing{}, nil
		})
	m := newMachine(t, log, act("demo.fail", action.Pure, func(context.Context, anyIn) error { return action.Errorf(action.NotFound, "no") }))
	m.data["secrets"] = action.Object{"TOKEN": action.Secret{Name: "TOKEN"}}
	address := regexp.MustCompile(`0x[0-9a-f]{6,}|&\{`)
	for _, value := range []string{
		"{}", "print", "function() end", "string", "_G", "pairs", "json", "secrets.TOKEN", "select(2, pcall(demo.fail, {}))",
		"(function() local ok, err = pcall(demo.fail, {}) err.message = {err} return err end)()",
		"setmetatable({}, {__tostring = function() return {} end})", "setmetatable({}, {__tostring = 1})", "nil", "1e300",
	} {
		script := strings.ReplaceAll(`
			local v = VALUE
			local texts = {}
			local function try(f, ...) local ok, text = pcall(f, ...) texts[#texts + 1] = select(2, pcall(tostring, text)) end
			try(tostring, v) try(string.format, "%s %v %d %q %x", v, v, v, v, v) try(function() return v .. "" end)
			try(function() return v + 1 end) try(function() return v.a.b end) try(function() return v() end) try(error, v) try(table.concat, {v})
			try(string.rep, v) try(function() return v < v end) try(function() return #v end) try(unpack, v) try(tonumber, v)
			pcall(print, v, 1)
			return table.concat(texts, "\n")`, "VALUE", value)
		for _, text := range []string{m.value(t, script).(string), strings.Join(printed, "\n")} {
			if found := address.FindString(text); found != "" {
				t.Errorf("%s shows %q in:\n%s", value, found, text)
			}
		}
	}
}

// TestBaseFunctions: the global functions do what Lua's do.
func TestBaseFunctions(t *testing.T) {
	tests := map[string]any{
		"return {tostring(1), tostring(1.5), tostring(1e15), tostring(-0.0), tostring(nil), tostring(true)}": []any{"1", "1.5", "1000000000000000", "-0", "nil", "true"},
		"return tostring(setmetatable({}, {__tostring = function() return 'me' end}))":                       "me",
		"return coalesce(nil, nil, 3, 4)":                                         3.0,
		"return coalesce(nil, false)":                                             false,
		"return coalesce()":                                                       nil,
		"return coalesce(nil)":                                                    nil,
		"return {type(list), #list{1, 2}, #list()}":                               []any{"function", 2.0, 0.0},
		"return select('#', assert(1, 2, 3))":                                     3.0,
		"return string.format('%s %d %5.1f %q', 'a', 3, 1.25, 'b')":               `a 3   1.2 "b"`,
		"local t = setmetatable({}, {__len = function() return 7 end}) return #t": 7.0,
		"goto done ; ::done:: return 1":                                           1.0,
	}
	m := newMachine(t)
	for script, want := range tests {
		if diff := cmp.Diff(want, m.value(t, script)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
	m.mustFail(t, "list(5)", action.Script, "table expected")
}

// TestRandomComesFromTheAttempt: random numbers come from the stream of the attempt, so
// that a replay draws the same numbers.
func TestRandomComesFromTheAttempt(t *testing.T) {
	m := newMachine(t)
	draw := func() any {
		state := uint64(42)
		m.env.Random = func() uint64 { state = state*6364136223846793005 + 1442695040888963407; return state }
		return m.value(t, `
			local t = {}
			for i = 1, 50 do t[i] = math.random(6) end
			for i = 51, 100 do t[i] = math.random(-3, 3) end
			for i = 101, 120 do t[i] = math.random() end
			return t`)
	}
	first := draw()
	if diff := cmp.Diff(first, draw()); diff != "" {
		t.Errorf("the same stream gave other numbers:\n%s", diff)
	}
	for i, v := range first.([]any) {
		low, high := -3.0, 3.0
		if i < 50 {
			low, high = 1, 6
		} else if i >= 100 {
			low, high = 0, 1
		}
		if n := v.(float64); n < low || n > high || i < 100 && n != float64(int(n)) {
			t.Errorf("got %v, want a number from %v to %v", n, low, high)
		}
	}
	for _, script := range []string{"math.random(0)", "math.random(2, 1)", "math.random(0/0)", "math.random(1, 1e300)"} {
		m.mustFail(t, script, action.Script, "the interval is empty or too large")
	}
}

type timeIn struct {
	Time   any    `json:"time" doc:"When."`
	Layout string `json:"layout" doc:"How."`
}

// dateActions are the actions that os.time and os.date call.
func dateActions() []*action.Action {
	now := action.New(action.Spec{Name: "time.now", Summary: "Now.", Effect: action.Reads, Spread: true},
		func(context.Context, nothing) (anyOut, error) { return anyOut{86400.0}, nil })
	format := action.New(action.Spec{Name: "time.format", Summary: "Format.", Effect: action.Pure, Spread: true},
		func(_ context.Context, in timeIn) (anyOut, error) {
			return anyOut{in.Layout + "|" + phrase.Number(in.Time.(float64))}, nil
		})
	return []*action.Action{now, format}
}

// TestOsCallsActions: os.time and os.date call actions, so that the engine records their
// results.
func TestOsCallsActions(t *testing.T) {
	m := newMachine(t, dateActions()...)
	want := any([]any{86400.0, "%Y|86400", "%Y|5"})
	if diff := cmp.Diff(want, m.value(t, "return {os.time(), os.date('%Y'), os.date('%Y', 5)}")); diff != "" {
		t.Errorf("os (-want +got):\n%s", diff)
	}
}

// module compiles a module that scripts can require.
func (m *machine) module(t *testing.T, name, source string) {
	t.Helper()
	m.env.Modules[name] = m.compile(t, workflow.Module, source)
}

// TestRequire: a module runs once for each attempt, and its value is shared within it.
func TestRequire(t *testing.T) {
	m := newMachine(t)
	m.data["inputs"] = action.Object{"who": "Ann"}
	m.module(t, "counter", "local M = {n = 0} function M.add() M.n = M.n + 1 return M.n end return M")
	m.module(t, "greeting", "return {text = 'hello ' .. inputs.who}")
	m.module(t, "silent", "LOADED = (LOADED or 0) + 1")
	m.module(t, "one", "local two = require('two') return {name = 'one', two = two}")
	m.module(t, "two", "local one = require('one') return {name = 'two', one = one}")
	m.module(t, "broken", "error('cannot load', 0)")
	tests := map[string]any{
		"local c = require('counter') c.add() return require('counter').add()":                            2.0, // once, with its state
		"return require('greeting').text":                                                                 "hello Ann",
		"require('silent') require('silent') return {require('silent'), LOADED}":                          []any{true, 1.0},
		"return {require('one').two.name, require('one').two.one}":                                        []any{"two", true}, // modules that require each other see true
		"local a, b = pcall(require, 'broken') local c, d = pcall(require, 'broken') return {a, b, c, d}": []any{false, "cannot load", false, "cannot load"},
	}
	for script, want := range tests {
		if diff := cmp.Diff(want, m.value(t, script)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
	if got := m.value(t, "return require('counter').add()"); got != 1.0 {
		t.Errorf("got %v, want the state of a module to end with its attempt", got)
	}
	m.mustFail(t, "local name = 'nowhere' return require(name)", action.Script, `there is no module "nowhere" next to the workflow`)
}

// TestBadIndexInALongPath: the message of a bad index shows no address, however long the
// path of the file is.
func TestBadIndexInALongPath(t *testing.T) {
	m := newMachine(t)
	c := m.chunk(workflow.Script, "local a = 1 local ok, text = pcall(function() return a[{}] end) return text")
	c.File = strings.Repeat("long/", 60) + "w.yaml"
	compiled, findings := m.interpreter.Check(c)
	if compiled == nil {
		t.Fatal(findings)
	}
	v, err := m.open().Eval(compiled)
	if text, _ := v.(string); err != nil || strings.Contains(text, "0x") || !strings.Contains(text, "attempt to index") {
		t.Errorf("got %v, %v", v, err)
	}
}
