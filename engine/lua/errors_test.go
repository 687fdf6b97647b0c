package lua_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/workflow"
)

func failing() *action.Action {
	return act("demo.fail", action.Reads, func(context.Context, anyIn) error {
		return &action.Error{Kind: action.RateLimited, Message: "slow down", Hint: "wait a little", Status: 429, Code: 2020, Action: "demo.fail"}
	})
}

// TestErrorsHaveTheirLine: a runtime error has the file and the line of the YAML,
// wherever it was raised.
func TestErrorsHaveTheirLine(t *testing.T) {
	tests := map[string]struct {
		script  string
		line    int
		message string
	}{
		"an index of nil":       {"local x = nil\n\nreturn x.y.z", 12, "attempt to index a non-table object(nil) with key 'y'"},
		"a call of nil":         {"local x = {}\nx.y()", 11, "attempt to call a non-function object"},
		"arithmetic":            {"return\n  1 + {}", 11, "cannot perform add operation between number and table"},
		"in a function":         {"local function f(x)\n  return x.y\nend\nf()", 11, "attempt to index a non-table object(nil) with key 'y'"},
		"a library":             {"local s\ns = string.rep()", 11, "bad argument #1 to rep (string expected, got no value)"},
		"error":                 {"\nerror('oh')", 11, "oh"},
		"error at its caller":   {"local function check(x)\n  error('not ' .. x, 2)\nend\ncheck('good')", 13, "not good"},
		"error without a place": {"\nerror('oh', 0)", 0, "oh"},
		"what looks like one":   {"\nerror('db:5432: refused', 0)", 0, "db:5432: refused"},
		"assert":                {"\nassert(false, 'oh')", 11, "oh"},
		"assert alone":          {"\nassert(nil)", 11, "assertion failed!"},
		"raised again":          {"local ok, e = pcall(function()\n  error('oh')\nend)\nerror(e, 0)", 11, "oh"},
		"a library directly":    {"\nlocal ok, e = pcall(string.rep)\nerror(e, 0)", 11, "bad argument #1 to (anonymous) (string expected, got no value)"},
		"a number":              {"error(42)", 0, "the script raised 42"},
		"nil":                   {"error(nil)", 0, "the script raised nil"},
		"a function":            {"error(print)", 0, "the script raised function"},
		"an empty table":        {"\nerror({})", 11, "the script raised a table without a message"},
		"a table":               {"\nerror({message = 'oh'})", 11, "oh"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := newMachine(t).failure(t, test.script)
			if got.File != "w.yaml" || got.Line != test.line || got.Err.Message != test.message || got.Err.Kind != action.Script {
				t.Errorf("got %s:%d: %s: %s\nwant w.yaml:%d: %s", got.File, got.Line, got.Err.Kind, got.Err.Message, test.line, test.message)
			}
		})
	}
}

// TestErrorsOfModules: an error in a module has the file of the module.
func TestErrorsOfModules(t *testing.T) {
	m := newMachine(t)
	compiled, findings := m.interpreter.Check(workflow.Chunk{Kind: workflow.Module, File: "lib/page.lua", Line: 1, Text: "return {\n  send = function(x) return x.y end }", Names: []string{"list"}})
	if compiled == nil {
		t.Fatal(findings)
	}
	m.env.Modules["page"] = compiled
	got := m.failure(t, "return require('page').send()")
	if got.File != "lib/page.lua" || got.Line != 2 {
		t.Errorf("got %s:%d, want lib/page.lua:2", got.File, got.Line)
	}
}

// TestErrorTable: a caught error of an action is a table with its kind, status and so on.
func TestErrorTable(t *testing.T) {
	m := newMachine(t, failing())
	want := any(action.Object{
		"ok": false, "text": "demo.fail: slow down",
		"err": action.Object{
			"kind": "rate_limited", "message": "slow down", "retryable": true, "action": "demo.fail", "status": 429.0, "code": 2020.0, "hint": "wait a little",
		},
	})
	got := m.value(t, "local ok, err = pcall(demo.fail, {}) return {ok = ok, err = err, text = tostring(err)}")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what a script sees (-want +got):\n%s", diff)
	}
}

// TestErrorsPassedOn: an error that a script raises again is still the error of the action,
// with the place of the call.
func TestErrorsPassedOn(t *testing.T) {
	tests := map[string]struct {
		script  string
		message string
		kind    action.Kind
	}{
		"not caught":      {"\ndemo.fail{}", "slow down", action.RateLimited},
		"raised again":    {"local ok, err = pcall(function()\n  demo.fail{} end)\nerror(err)", "slow down", action.RateLimited},
		"raised at 0":     {"local ok, err = pcall(function()\n  demo.fail{} end)\nerror(err, 0)", "slow down", action.RateLimited},
		"called directly": {"\nlocal ok, err = pcall(demo.fail, {})\nerror(err)", "slow down", action.RateLimited},
		"asserted":        {"assert(pcall(function()\n  demo.fail{} end))", "slow down", action.RateLimited},
		"through xpcall":  {"local ok, err = xpcall(function()\n  demo.fail{} end, function(e) return e end)\nerror(err)", "slow down", action.RateLimited},
		"another message": {"local ok, err = pcall(function()\n  demo.fail{} end)\nerr.message = 'team db: ' .. err.message\nerror(err)", "team db: slow down", action.RateLimited},
		"another kind":    {"local ok, err = pcall(function()\n  demo.fail{} end)\nerr.kind = 'not_found'\nerror(err)", "slow down", action.NotFound},
		"an unknown kind": {"local ok, err = pcall(function()\n  demo.fail{} end)\nerr.kind = 'strange'\nerror(err)", "slow down", action.RateLimited},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := newMachine(t, failing()).failure(t, test.script)
			if got.Err.Kind != test.kind || got.Err.Message != test.message || got.Err.Action != "demo.fail" || got.Err.Status != 429 || got.Line != 11 {
				t.Errorf("got line %d: %+v\nwant line 11, %s: %s with its action and status", got.Line, got.Err, test.kind, test.message)
			}
		})
	}
}

// TestOwnErrors: error{kind = ...} fails the step with that kind.
func TestOwnErrors(t *testing.T) {
	m := newMachine(t)
	got := m.failure(t, "\nerror{kind = 'not_found', message = 'no such team'}")
	if got.Err.Kind != action.NotFound || got.Err.Message != "no such team" || got.Line != 11 {
		t.Errorf("got line %d: %+v, want not_found in line 11", got.Line, got.Err)
	}
	m.mustFail(t, "error{kind = 'strange', message = 'oh'}", action.Script, "oh")
	m.mustFail(t, "error{message = ('x'):rep(100000)}", action.Script, "…")
	if got := m.failure(t, "error(('x'):rep(100000))"); len(got.Err.Message) > 5000 {
		t.Errorf("got a message of %d bytes, want it cut", len(got.Err.Message))
	}
}

// TestManyErrors: after many caught errors, the last one still has its kind and place.
func TestManyErrors(t *testing.T) {
	m := newMachine(t, failing())
	m.mustFail(t, "for i = 1, 1000 do pcall(demo.fail, {}) end demo.fail{}", action.RateLimited, "slow down")
}

// TestErrorsUnwrap: errors.Is finds the error that the action returned.
func TestErrorsUnwrap(t *testing.T) {
	cause := errors.New("the cause")
	m := newMachine(t, act("demo.fail", action.Reads, func(context.Context, anyIn) error { return cause }))
	_, err := m.eval(t, "demo.fail{}")
	var place *attempt.ScriptError
	if !errors.Is(err, cause) || !errors.As(err, &place) || !strings.Contains(err.Error(), "the cause") {
		t.Errorf("got %v, want the error of the action with its place", err)
	}
}
