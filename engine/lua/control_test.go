package lua_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestControl: scripts for which gopher-lua jumps to the wrong place, closes the wrong
// locals or stores items in the wrong place do what Lua does. The expected values come
// from lua5.1, and for goto from Lua 5.2.
func TestControl(t *testing.T) {
	m := newMachine(t)
	var many strings.Builder
	for i := range 260 {
		fmt.Fprintf(&many, "%d.5, ", i)
	}
	constants := "local numbers = {" + many.String() + "} "
	fifty := strings.Repeat("0, ", 49) + "0"
	for script, want := range map[string]any{
		// break from a block in the loop
		"local t = {} for _, v in ipairs({5, 6}) do if v == 6 then local r = v t.get = function() return r end break end end local a, b, c, d, e, f, g, h = 1, 2, 3, 4, 5, 6, 7, 8 return t.get()": 6.0,
		"local f while true do do local x = 1 f = function() return x end break end end local y = 99 return f()":                                                                                   1.0,
		"local s = 0 local function add(x) s = s + x end for i = 1, 4 do if i == 3 then do break end end add(i) end s = s + 100 add(1) return s":                                                   104.0,
		// goto
		"local n = 0 local function f() n = n + 1 end f() goto out ::out:: f() return n":                                                                                                 2.0,
		"local n = 0 local function f() n = n + 1 end for i = 1, 3 do f() if i > 0 then goto continue end n = 100 ::continue:: end f() return n":                                         4.0,
		"local n, i = 0, 0 local function f() n = n + 1 return n end ::top:: f() i = i + 1 if i < 3 then goto top end return {n, f()}":                                                   []any{3.0, 4.0},
		"local fs = {} for i = 1, 3 do local x = i if i == 2 then goto continue end fs[#fs + 1] = function() x = x + 1 return x end ::continue:: end return {fs[1](), fs[1](), fs[2]()}": []any{2.0, 3.0, 4.0},
		"local n = 0 ::top:: if true then n = n + 1 end if n < 3 then goto top end return n":                                                                                             3.0,
		// the place to which a loop jumps back
		"local n = 0 for i = 1, 3 do for k in pairs({1, 2}) do break end n = n + 1 end return n":                  3.0,
		"local n = 0 while true do while false do n = n + 100 end n = n + 1 if n > 5 then break end end return n": 6.0,
		"local i = 0 repeat if nil then i = 100 i = 101 end i = i + 1 until i > 5 return i":                       6.0,
		"local i, x = 0 while (nil and x) or i < 3 do i = i + 1 end return i":                                     3.0,
		"local n = 0 for k in pairs({1, 2, 3}) do local x = true or n n = n + k end return n":                     6.0,
		"local n = 0 while not false do if not nil then n = n + 1 end if n > 2 then break end end return n":       3.0,
		"local n = 0 repeat ::a:: while true do n = n + 1 if n % 3 == 0 then break end end until n > 8 return n":  9.0,
		"local function two() return 7, 8 end return {true and two(), nil or two(), (false or two())}":            []any{7.0, 7.0, 7.0},
		"local function f(...) local x, y = 1, 2 x = (...) return {x, y} end return f(5, 6)":                      []any{5.0, 2.0},
		// a loop in a function with more than 255 constants
		constants + "local n = 0 for w in ('a b c'):sub(1):gmatch('%w') do n = n + 1 end return n":                                   3.0,
		constants + "local n = 0 for w in ('a b c'):gmatch('%w') do n = n + 1 end return n":                                          3.0,
		constants + "local n, o = 0, {f = function() return {all = pairs} end} for k in o.f().all({1, 2}) do n = n + 1 end return n": 2.0,
		// the name of a function inside it
		"local f f = 5 local f = function() return f end return f()":                            5.0,
		"local tostring = function(x) return 'a ' .. tostring(x) end return tostring(1)":        "a 1",
		"local function f(n) if n == 0 then return 'end' end return f(n - 1) end return f(3)":   "end",
		"local f = 7 local function f(n) return n == 0 and type(f) or f(n - 1) end return f(2)": "function",
		// constructors
		"local function two() return 7, 8 end local t = {1, x = two()} return {#t, t.x}":                                  []any{1.0, 7.0},
		"local function f(...) local t = {1, x = ...} return {#t, t.x} end return f(7, 8)":                                []any{1.0, 7.0},
		"local function two() return 7, 8 end local t = {" + fifty + ", two()} return {#t, t[1], t[51], t[52]}":           []any{52.0, 0.0, 7.0, 8.0},
		"local function two() return 7, 8 end local t = {" + fifty + ", x = two(), y = 1, 5} return {#t, t[1], t.x, t.y}": []any{51.0, 0.0, 7.0, 1.0},
		"local function two() return 7, 8 end local t = {" + fifty + ", x = 1, two()} return {#t, t[1], t.x, t[52]}":      []any{52.0, 0.0, 1.0, 8.0},
		"local function two() return 7, 8 end local t = {" + fifty[3:] + ", two(), x = 1} return {#t, t[1], t[50], t.x}":  []any{50.0, 0.0, 7.0, 1.0},
	} {
		if diff := cmp.Diff(want, m.value(t, script)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
}

// TestControlAsLua compares random loops, branches and closures.
func TestControlAsLua(t *testing.T) {
	o, c := newOracle(t), newCases(10)
	for range programs(6_000) {
		o.compare("local n, steps, fs = 0, 0, {} local function add(x) n = n + x return n end "+c.block(3, false)+
			" local p, q, r = 91, 92, 93 local s = '' for i = 1, #fs do s = s .. fs[i]() .. ' ' .. fs[i]() .. ' ' end return n, steps, s, p + q + r", 0)
	}
}

// block returns a block of statements. In a loop it may end with break.
func (c cases) block(depth int, loop bool) string {
	var b strings.Builder
	for range c.IntN(4) {
		b.WriteString(c.statement(depth, loop) + " ")
	}
	if loop && c.IntN(4) == 0 {
		b.WriteString("break ")
	}
	return b.String()
}

func (c cases) statement(depth int, loop bool) string {
	switch kind := c.IntN(12); {
	case kind < 2:
		return fmt.Sprintf("n = n + %d", c.IntN(9))
	case kind == 2:
		return fmt.Sprintf("add(%d)", c.IntN(9))
	case kind == 3:
		return "local v = n fs[#fs + 1] = function() v = v + 1 return v end"
	case kind == 4 || depth == 0:
		return fmt.Sprintf("local a%d, b = %s, n", c.IntN(3), c.condition())
	case kind == 5:
		return "do " + c.block(depth-1, loop) + "end"
	case kind < 8:
		return "if " + c.condition() + " then " + c.block(depth-1, loop) + "else " + c.block(depth-1, loop) + "end"
	case kind == 8:
		return "for i = 1, 3 do " + c.block(depth-1, true) + "end"
	case kind == 9:
		return "for " + c.pick("_, w in ipairs({4, 5})", "w in pairs({6, 7})", "w in next, {7, 8}", "w in add and next, {9}") + " do " + c.block(depth-1, true) + "end"
	case kind == 10:
		return "while " + c.pick("true", c.condition()) + " do " + c.pick("", c.statement(depth-1, true)+" ") + "steps = steps + 1 if steps > 40 then break end " + c.block(depth-1, true) + "end"
	default: // a block of its own, because nothing may follow break
		return "repeat do " + c.block(depth-1, true) + "end steps = steps + 1 until steps > 40 or " + c.condition()
	}
}

func (c cases) condition() string {
	return c.pick("n % 3 == 1", "n % 2 == 0", "true", "false", "nil", "not nil", "nil or n > 9", "1 and n % 5 < 3", "false and add(1)", "add(1) % 2 == 0", "not (n > 7)", "true or add(1)")
}

// TestConstructorsAsLua compares constructors whose number of items is near a multiple of
// the number that gopher-lua stores at a time.
func TestConstructorsAsLua(t *testing.T) {
	o, c := newOracle(t), newCases(11)
	for range programs(1_500) {
		var fields []string
		for i := range c.IntN(4)*50 + c.IntN(5) + 46 {
			fields = append(fields, c.pick(fmt.Sprint(i), fmt.Sprint(i), fmt.Sprint(i), "two()"))
			if c.IntN(20) == 0 {
				fields = append(fields, c.pick("x = 1", "y = two()", "[3.5] = 'z'"))
			}
		}
		o.compare("local function two() return 'a', 'b' end local t = {"+strings.Join(fields, ", ")+"} return #t, table.concat(t, ' '), t.x, t.y, t[3.5]", 0)
	}
}
