// Package stdlib is the part of Lua's standard library that needs nothing but a state
// and its budget: the modules string, table, math and os, the operators on text, and
// some of the global functions.
//
// It replaces gopher-lua's own library, which is wrong in places, has no bounds and
// charges nothing. Every function behaves as in Lua 5.1, charges the budget of its
// state before it works, and shows no address of memory. The tests of package lua
// compare it with PUC Lua 5.1.
//
// base.go has the global functions, string.go with format.go and search.go the module
// string, table.go with sort.go the module table, math.go and os.go the modules of
// these names, and operators.go the operators. arguments.go reads the arguments of
// all of them.
package stdlib

import (
	"fmt"

	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/number"
	glua "github.com/yuin/gopher-lua"
)

// maxResults is how many values one function can return, as in Lua.
const maxResults = 8000

// Base returns the global functions.
func Base() map[string]glua.LGFunction {
	return map[string]glua.LGFunction{
		"coalesce": coalesce,
		"rawset":   rawSet,
		"select":   selectValues,
		"tonumber": toNumber,
		"tostring": toString,
		"unpack":   unpack,
	}
}

// toString is tostring(value).
func toString(L *glua.LState) int {
	return Push(L, glua.LString(Text(L, L.CheckAny(1))))
}

// Text returns a value as tostring writes it. It shows no addresses of memory, which
// differ from run to run. User data is written by the String method of its value.
func Text(L *glua.LState, v glua.LValue) string {
	switch v := v.(type) {
	case glua.LNumber:
		return number.Text(float64(v))
	case *glua.LFunction:
		return "function"
	case *glua.LTable:
		function, ok := L.GetMetaField(v, "__tostring").(*glua.LFunction)
		if !ok {
			return "table"
		}
		result := call(L, function, v)
		if !glua.LVCanConvToString(result) {
			L.RaiseError("__tostring must return text, got a %s", result.Type())
		}
		return Text(L, result)
	case *glua.LUserData:
		if value, ok := v.Value.(fmt.Stringer); ok {
			return value.String()
		}
		return "userdata"
	}
	return v.String()
}

// call calls a function and returns its first result.
func call(L *glua.LState, function glua.LValue, arguments ...glua.LValue) glua.LValue {
	L.Push(function)
	for _, v := range arguments {
		L.Push(v)
	}
	L.Call(len(arguments), 1)
	result := L.Get(-1)
	L.Pop(1)
	return result
}

// rawSet is rawset(t, key, value), which returns the table.
func rawSet(L *glua.LState) int {
	t := tableArgument(L, 1)
	key := L.CheckAny(2)
	limits.Set(L, t, key, L.CheckAny(3))
	return Push(L, t)
}

// selectValues is select("#", ...) and select(n, ...).
func selectValues(L *glua.LState) int {
	count := L.GetTop() - 1
	if text, ok := L.Get(1).(glua.LString); ok && text == "#" {
		return Push(L, glua.LNumber(count))
	}
	first := integerArgument(L, 1)
	if first < 0 {
		first += count + 1
	}
	if first < 1 {
		L.ArgError(1, "index out of range")
	}
	return max(count-first+1, 0)
}

// coalesce returns its first argument that is not nil.
func coalesce(L *glua.LState) int {
	for i := 1; i <= L.GetTop(); i++ {
		if v := L.Get(i); v != glua.LNil {
			return Push(L, v)
		}
	}
	return 0
}

// toNumber is tonumber(value, base). It returns nil for what is not a number.
func toNumber(L *glua.LState) int {
	base, value, ok := optionalInteger(L, 2, 10), 0.0, false
	if base == 10 {
		value, ok = chargedNumber(L, L.CheckAny(1))
	} else {
		text := textArgument(L, 1)
		if base < 2 || base > 36 {
			L.ArgError(2, "base out of range")
		}
		limits.Of(L).Charge(L, int64(len(text))/limits.BytesPerStep)
		value, ok = number.ParseBase(text, base)
	}
	if !ok {
		return Push(L, glua.LNil)
	}
	return Push(L, glua.LNumber(value))
}

// unpack is unpack(t, first, last).
func unpack(L *glua.LState) int {
	t := tableArgument(L, 1)
	first := optionalInteger(L, 2, 1)
	last := optionalInteger(L, 3, t.Len())
	if first > last {
		return 0
	}
	count := last - first + 1
	if count >= maxResults {
		L.RaiseError("stack overflow (too many results to unpack: %d, at most %d)", count, maxResults-1)
	}
	limits.Of(L).Charge(L, int64(count))
	for i := first; i <= last; i++ {
		L.Push(t.RawGet(glua.LNumber(i)))
	}
	return count
}
