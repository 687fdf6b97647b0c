package stdlib

import (
	"strings"

	"github.com/pdflow/pdflow/engine/lua/limits"
	glua "github.com/yuin/gopher-lua"
)

// slotsPerStep is how many values of a table are moved for one step.
const slotsPerStep = 16

// Table returns the functions of the module table. As in Lua 5.1, they use a table
// itself and not its metamethods.
func Table() map[string]glua.LGFunction {
	return map[string]glua.LGFunction{
		"concat": tableConcat, "getn": tableLength, "insert": tableInsert, "maxn": tableMaximum, "remove": tableRemove, "sort": tableSort,
	}
}

func tableLength(L *glua.LState) int {
	return Push(L, glua.LNumber(tableArgument(L, 1).Len()))
}

// tableMaximum is table.maxn: the largest number among the keys.
func tableMaximum(L *glua.LState) int {
	t, b := tableArgument(L, 1), limits.Of(L)
	most := glua.LNumber(0)
	for key, _ := t.Next(glua.LNil); key != glua.LNil; key, _ = t.Next(key) {
		b.Charge(L, 1)
		if n, ok := key.(glua.LNumber); ok && n > most {
			most = n
		}
	}
	return Push(L, most)
}

// tableInsert is table.insert(t, value) and table.insert(t, place, value).
func tableInsert(L *glua.LState) int {
	t := tableArgument(L, 1)
	length := t.Len()
	switch L.GetTop() {
	case 2:
		if length+1 >= limits.MaxArrayIndex { // later values could not be read
			L.RaiseError("the list is full: it has %d items, which is the limit", length)
		}
		limits.Append(L, t, L.Get(2))
	case 3:
		insertAt(L, t, length, integerArgument(L, 2), L.Get(3))
	default:
		L.RaiseError("wrong number of arguments to 'insert' (table, value or table, place, value expected)")
	}
	return 0
}

// insertAt inserts a value at a place and moves the values from there on up by one. A place
// outside the list is not an error in Lua 5.1.
func insertAt(L *glua.LState, t *glua.LTable, length, at int, value glua.LValue) {
	b := limits.Of(L)
	if at >= 1 && at <= length && value != glua.LNil && length+1 < limits.MaxArrayIndex {
		b.Charge(L, int64(length-at)/slotsPerStep)
		limits.Insert(L, t, at, value)
		return
	}
	for i := max(length+1, at); i > at; i-- {
		b.Charge(L, 1)
		limits.Set(L, t, glua.LNumber(i), t.RawGet(glua.LNumber(i-1)))
	}
	// A place far beyond the others fills the array up to it.
	if at < limits.MaxArrayIndex && !b.Reserve(limits.ItemBytes*int64(max(at-length, 0))) {
		b.Raise(L)
	}
	limits.Set(L, t, glua.LNumber(at), value)
}

// tableRemove is table.remove(t, place): it removes the value at a place, by default the
// last, and returns it.
func tableRemove(L *glua.LState) int {
	t := tableArgument(L, 1)
	length := t.Len()
	at := optionalInteger(L, 2, length)
	if at < 1 || at > length {
		return 0
	}
	limits.Of(L).Charge(L, int64(length-at)/slotsPerStep)
	return Push(L, t.Remove(at))
}

// tableConcat is table.concat(t, separator, first, last).
func tableConcat(L *glua.LState) int {
	t, separator := tableArgument(L, 1), ""
	if L.Get(2) != glua.LNil {
		separator = textArgument(L, 2)
	}
	first := optionalInteger(L, 3, 1)
	last := optionalInteger(L, 4, t.Len())
	b := limits.Of(L)
	size := 0
	for i := first; i <= last; i++ {
		b.Charge(L, 1)
		size += len(partText(L, t, i))
		if i < last {
			size += len(separator)
		}
		if size > limits.MaxString {
			break
		}
	}
	b.Allocate(L, int64(size))
	var out strings.Builder
	out.Grow(size)
	for i := first; i <= last; i++ {
		out.WriteString(partText(L, t, i))
		if i < last {
			out.WriteString(separator)
		}
	}
	return Push(L, glua.LString(out.String()))
}

func partText(L *glua.LState, t *glua.LTable, at int) string {
	v := t.RawGet(glua.LNumber(at))
	text, ok := partOf(v)
	if !ok {
		L.RaiseError("invalid value (%s) at index %d in table for 'concat'", v.Type(), at)
	}
	return text
}
