package lua_test

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// overflows are scripts that fill the stack, each in another way.
var overflows = map[string]string{
	"a tail call with more values":    "local function f(...) return f(1, ...) end f()",
	"a call with more values":         "local function f(...) local a = f(1, ...) return a end f()",
	"two functions":                   "local f, g function f(...) return g(1, ...) end function g(...) return f(1, ...) end f()",
	"a method":                        "local o = {} function o:f(...) return self:f(1, ...) end o:f()",
	"select":                          "local function f(...) return f(select('#', ...), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...) end f()",
	"assert":                          "local function f(...) return f(assert(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...)) end f()",
	"coalesce":                        "local function f(...) return f(coalesce(1), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...) end f()",
	"an action":                       "local function f(...) return f(demo.echo{value = 1}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...) end f()",
	"parameters":                      "local function f(...) local a, b, c, d = ... return f(a, b, c, d, ...) end f(1)",
	"unpack":                          "local t = {} for i = 1, 7000 do t[i] = i end local function f() local a = {f(unpack(t))} return f(unpack(t)), a end f()",
	"bytes":                           "local s = string.rep('x', 7999) local function f(...) return f(string.byte(s, 1, 7999)) + 1 end f()",
	"recursion":                       "local function f() return f() + 1 end f()",
	"__call":                          "local t = setmetatable({}, {}) getmetatable(t).__call = function(self, ...) return self(1, ...) end t()",
	"__index":                         "local t = setmetatable({}, {}) getmetatable(t).__index = function(s, k) return s[k] end return t.x",
	"__concat":                        "local mt = {} mt.__concat = function(a, b) return a .. b end return setmetatable({}, mt) .. 'x'",
	"__lt":                            "local mt = {} mt.__lt = function(a, b) return a < b end return setmetatable({}, mt) < setmetatable({}, mt)",
	"__tostring":                      "local t = setmetatable({}, {}) getmetatable(t).__tostring = function(s) return tostring(s) end return tostring(t)",
	"a replacement":                   "local function f(...) local t = {...} return (('x'):gsub('x', function(c) f(c, unpack(t)) end)) end f()",
	"a comparator":                    "local function f(...) local t = {...} table.sort(t, function(a, b) f(1, unpack(t)) return a < b end) end f(1, 2, 3)",
	"an iterator":                     "local function f(...) for a in f(1, ...) do end end f()",
	"an error":                        "local function f(...) error(f(1, ...)) end f()",
	"the error of a protected call":   "local _, e = pcall(function() local function f(...) return f(1, ...) end f() end) error(e)",
	"a protected call that is within": "local function f(...) return f(1, ...) end local ok, e = pcall(f) if e.kind == 'limit' then f() end",
}

// TestA20FullStack: a script that fills the stack, however it does, ends with an error of
// kind limit.
func TestA20FullStack(t *testing.T) {
	m := newMachine(t, echo())
	m.env.Limits = workflow.Limits{Instructions: 2_000_000}
	for name, script := range overflows {
		// One value more in each call would take long.
		script = strings.ReplaceAll(script, "(1, ...)", "("+strings.Repeat("1, ", 60)+"...)")
		t.Run(name, func(t *testing.T) {
			m.mustFail(t, script, action.Limit, "stack overflow")
			if got := m.failure(t, script); got.File != "w.yaml" || got.Line != 10 {
				t.Errorf("got the place %s:%d, want w.yaml:10", got.File, got.Line)
			}
		})
	}
}

// TestA20AfterAFullStack: a script that catches the error continues with its variables.
func TestA20AfterAFullStack(t *testing.T) {
	oneByOne(t) // a value more in each call takes long
	m := newMachine(t)
	script := `
		local n, add = 0, nil
		do local mine = 1 add = function() mine = mine + 1 return mine end end
		local function f(...) n = n + 1 return f(1, ...) end
		local ok, err = pcall(f)
		local before = n
		local again = pcall(f)
		return {ok, err.kind, n == 2 * before, add() + add(), tostring(err)}`
	got := m.value(t, script).([]any)
	if got[0] != false || got[1] != "limit" || got[2] != true || got[3] != 5.0 {
		t.Errorf("got %v", got)
	}
}
