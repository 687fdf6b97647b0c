package lua_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// TestAssignments: assignments that gopher-lua compiles wrongly do what Lua does. The
// expected values come from lua5.1.
func TestAssignments(t *testing.T) {
	m := newMachine(t)
	m.data["inputs"] = action.Object{}
	for script, want := range map[string]any{
		"local a, b = 1, 2 a, b = b, a return {a, b}":                                                                                      []any{2.0, 1.0},
		"local a, b = 0, 1 for i = 1, 10 do a, b = b, a + b end return a":                                                                  55.0,
		"local a, b = 48, 18 while b ~= 0 do a, b = b, a % b end return a":                                                                 6.0,
		"local user, name = {}, 'old' name = user.manager and user.manager.name return {name == nil}":                                      []any{true},
		"local s, done = {ok = false}, true done = s.ok and done return {done}":                                                            []any{false},
		"local n = 5 n = tonumber('x') and n return {n == nil}":                                                                            []any{true},
		"local x = 'old' x = ('abc'):match('z') and 1 return {x == nil}":                                                                   []any{true},
		"local x = 3 x = 1 + (x and x or 0) return x":                                                                                      4.0,
		"local x = nil x = not x return x":                                                                                                 true,
		"local x = 3 x = x == 3 return x":                                                                                                  true,
		"local t, total, n = {}, 1, 2 total, t.last = total + n, n return {total, t.last}":                                                 []any{3.0, 2.0},
		"local w, x = {} w.x, w = 5, nil return {w == nil}":                                                                                []any{true},
		"local i, a = 1, {} i, a[i] = i + 1, 20 return {i, a[1], a[2] == nil}":                                                             []any{2.0, 20.0, true},
		"local function two() return 1, 2 end local a, b, c a, b, c = two() return {a, b, c == nil}":                                       []any{1.0, 2.0, true},
		"local function two() return 1, 2 end local a, b = 0 a, b = (two()) return {a, b == nil}":                                          []any{1.0, true},
		"local function f(x) x = (tostring(x)) return x end return f(7)":                                                                   "7",
		"local calls, a, b = '', 1 local function f(x) calls = calls .. x return x end a, b = f('x'), f('y'), f('z') return {calls, a, b}": []any{"xyz", "x", "y"},
		"x, y = 1, 2 x, y = y, x return {x, y}":                                                                                            []any{2.0, 1.0},
		"local a, b = 1, 2 local function swap() a, b = b, a end swap() return {a, b}":                                                     []any{2.0, 1.0},
		"local a, b, n = 1, 2, 0 for i = 1, 3 do if i == 2 then goto continue end a, b = b, a n = n + 1 ::continue:: end return {a, b, n}": []any{1.0, 2.0, 2.0},
		`local head
for i = 1, 4 do head = {value = i, next = head} end
local prev
while head do head.next, prev, head = prev, head, head.next end
local values = {}
while prev do values[#values + 1] = prev.value prev = prev.next end
return values`: []any{1.0, 2.0, 3.0, 4.0},

		// The second of two loops begins at the first key again.
		"local n, t = 0, {5, 6} for k in next, t do n = n + k break end for k in next, t do n = n + k end return n":                                                      4.0,
		"local n, f = 0, function(_, at) if at ~= 3 then return (at or 0) + 1 end end for k in f do n = n + k break end for k in f do n = n + k end return n":            7.0,
		"local n, f = 0, function(_, at) if at ~= 3 then return (at or 0) + 1 end end for k, v in f do n = n + k break end for k, v in f do n = n + k end return n":      7.0,
		"local n, f = 0, function() return next, {5, 6} end for k in (f()) do end return n":                                                                              nil,
		"local n, f, t = 0, next, {5, 6} local function g() return t end for k in f, g() do n = n + k break end for k in f, g() do n = n + k end return n":               4.0,
		"local n = 0 for k, v in next, {5, 6}, nil, error do n = n + k * v end return n":                                                                                 17.0,
		"local function all(...) local n = 0 for k, v in ... do n = n + v end for k, v in ... do n = n + v end return n end return all(next, {5, 6})":                    22.0,
		"local n = 0 for _, t in pairs({{1}, {2, 3}}) do for _, v in next, t do if v == 2 then break end n = n + v end end for k in next, {1} do n = n + k end return n": 2.0,
	} {
		if want == nil {
			m.mustFail(t, script, action.Script, "")
			continue
		}
		if diff := cmp.Diff(want, m.value(t, script)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
	if f := m.failure(t, "local a, b = 1, {}\n\na, b.x.y = 2, 3"); f.Line != 12 {
		t.Errorf("got line %d, want 12", f.Line)
	}
}
