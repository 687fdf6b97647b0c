package stdlib

import (
	"math"

	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/number"
	glua "github.com/yuin/gopher-lua"
)

// The functions here read arguments as Lua 5.1 does: text that spells a number is
// accepted as a number, and a number as text.

// Push pushes the results of a function and returns how many there are.
func Push(L *glua.LState, results ...glua.LValue) int {
	for _, v := range results {
		L.Push(v)
	}
	return len(results)
}

// textArgument returns an argument that must be text.
func textArgument(L *glua.LState, n int) string {
	text, ok := partOf(L.Get(n))
	if !ok {
		wrongType(L, n, "string")
	}
	return text
}

// numberArgument returns an argument that must be a number.
func numberArgument(L *glua.LState, n int) float64 {
	f, ok := chargedNumber(L, L.Get(n))
	if !ok {
		wrongType(L, n, "number")
	}
	return f
}

// chargedNumber is numberOf, and charges for the text that it reads.
func chargedNumber(L *glua.LState, v glua.LValue) (float64, bool) {
	if text, ok := v.(glua.LString); ok {
		limits.Of(L).Charge(L, int64(len(text))/limits.BytesPerStep)
	}
	return numberOf(v)
}

// integerArgument returns a number without its fraction. NaN and numbers beyond every
// place of a string or table become plus or minus farthest.
func integerArgument(L *glua.LState, n int) int {
	return toInteger(numberArgument(L, n))
}

// optionalInteger is integerArgument for an argument that may be left out.
func optionalInteger(L *glua.LState, n, otherwise int) int {
	if L.Get(n) == glua.LNil {
		return otherwise
	}
	return integerArgument(L, n)
}

// farthest is beyond every place, and small enough that sums do not overflow.
const farthest = 1 << 53

func toInteger(f float64) int {
	switch {
	case f >= farthest:
		return farthest
	case f > -farthest:
		return int(f)
	}
	return -farthest // and NaN
}

// numberOf returns the number that a value is or spells.
func numberOf(v glua.LValue) (float64, bool) {
	switch v := v.(type) {
	case glua.LNumber:
		return float64(v), true
	case glua.LString:
		return number.Parse(string(v))
	}
	return math.NaN(), false
}

func tableArgument(L *glua.LState, n int) *glua.LTable {
	t, ok := L.Get(n).(*glua.LTable)
	if !ok {
		wrongType(L, n, "table")
	}
	return t
}

// wrongType raises an error for an argument that is not of the expected type.
func wrongType(L *glua.LState, n int, expected string) {
	got := "no value"
	if n <= L.GetTop() {
		got = L.Get(n).Type().String()
	}
	L.ArgError(n, expected+" expected, got "+got)
}
