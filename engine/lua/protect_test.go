package lua_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProtectedCalls: pcall and xpcall do what they do in Lua 5.1. gopher-lua's own lose or
// mix up variables that closures share; protect.go says how.
func TestProtectedCalls(t *testing.T) {
	tests := map[string]struct {
		script string
		want   any
	}{
		"results":              {"return {pcall(function(...) return ... end, 1, 'a')}", []any{true, 1.0, "a"}},
		"no results":           {"return select('#', pcall(function() end))", 1.0},
		"nil among results":    {"return select('#', pcall(function() return nil, nil end))", 3.0},
		"a text":               {"local ok, e = pcall(error, 'oh', 0) return {ok, e}", []any{false, "oh"}},
		"a table":              {"local t = {} local ok, e = pcall(error, t) return e == t", true},
		"nil":                  {"local ok, e = pcall(error, nil) return {ok, e == nil}", []any{false, true}},
		"what is no function":  {"local ok, e = pcall(5) return {ok, type(e)}", []any{false, "string"}},
		"a callable table":     {"return {pcall(setmetatable({}, {__call = function(self, x) return x end}), 7)}", []any{true, 7.0}},
		"nested":               {"return {pcall(pcall, error, 'oh', 0)}", []any{true, false, "oh"}},
		"xpcall":               {"return {xpcall(function() error('oh', 0) end, function(e) return e .. '!' end)}", []any{false, "oh!"}},
		"xpcall that works":    {"return {xpcall(function(...) return 'a', ... end, print, 1, 2)}", []any{true, "a", 1.0, 2.0}},
		"a handler that fails": {"local ok, e = xpcall(error, function() error('again', 0) end) return {ok, e}", []any{false, "again"}},
		"after many errors":    {"local n = 0 for i = 1, 1000 do if not pcall(error) then n = n + 1 end end return n", 1000.0},

		"a counter outside": {`
			local n = 0
			local function count() n = n + 1 end
			count() pcall(error, 'x') count() xpcall(error, function() end) count()
			return n`, 3.0},
		"a counter inside": {`
			local tries = 0
			repeat
				local ok = pcall(function() tries = tries + 1 if tries < 3 then error('again') end end)
			until ok
			return tries`, 3.0},
		"two closures, one variable": {`
			local v, get, set = 1
			get, set = function() return v end, function(x) v = x end
			pcall(function() set(2) error('x') end)
			set(get() + 1)
			v = v + 10
			return get()`, 13.0},
		"a closure that escapes an error": {`
			local get
			local function fill(...) local a, b, c, d, e = 1, 2, 3, 4, 5 return ... end
			pcall(function() local v = 42 get = function() return v end error('x') end)
			fill(7, 8, 9)
			return get()`, 42.0},
		"a closure that escapes xpcall": {`
			local get
			local function fill(...) local a, b, c, d, e = 1, 2, 3, 4, 5 return ... end
			xpcall(function() local v = 42 get = function() return v end error('x') end, function(e) return e end)
			fill(7, 8, 9)
			return get()`, 42.0},
		"a closure that escapes an error of Go": {`
			local get
			local function fill(...) local a, b, c, d, e = 1, 2, 3, 4, 5 return ... end
			local ok, e = pcall(function() local v = 42 get = function() return v end return ('x'):rep({}) end)
			fill(7, 8, 9)
			return {ok, get()}`, []any{false, 42.0}},
		"an error in a callback": {`
			local n = 0
			local ok = pcall(table.sort, {3, 2, 1}, function() n = n + 1 error('x') end)
			n = n + 1
			return {ok, n}`, []any{false, 2.0}},
		"an error in a method of an object": {`
			local object = {n = 0}
			function object:add() self.n = self.n + 1 if self.n == 2 then error('x') end return self.n end
			pcall(object.add, object) pcall(object.add, object) pcall(object.add, object)
			return object.n`, 3.0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, newMachine(t).value(t, test.script)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.script, diff)
			}
		})
	}
}

// TestPcallReusesThreads: calls of pcall use the same thread again.
func TestPcallReusesThreads(t *testing.T) {
	m := newMachine(t)
	if got := testing.AllocsPerRun(5, func() { m.value(t, "for i = 1, 10000 do pcall(type, i) end return 1") }); got > 30_000 {
		t.Errorf("got %.0f allocations for 10,000 calls, want at most 30,000", got)
	}
}
