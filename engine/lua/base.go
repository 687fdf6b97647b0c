package lua

import (
	glua "github.com/yuin/gopher-lua"
)

// ownBase are the global functions that replace Lua's or are ours. Those that make
// calls or run files are not for expressions: see ownScriptBase.
func (lib *library) ownBase() map[string]glua.LGFunction {
	return map[string]glua.LGFunction{
		"assert":       assert,
		"error":        raiseValue,
		"pcall":        pcall,
		"xpcall":       xpcall,
		"tostring":     lib.tostring,
		"setmetatable": lib.setmetatable,
		"coalesce":     coalesce,
		"list":         lib.list,
		"rawset":       rawSet,
		"select":       selectValues,
		"tonumber":     toNumber,
		"unpack":       unpack,
	}
}

// ownScriptBase are the global functions that scripts have beside those.
func (lib *library) ownScriptBase() map[string]glua.LGFunction {
	return map[string]glua.LGFunction{"print": lib.print, "require": require}
}

// tostring shows no addresses of the heap: they differ from run to run.
func (lib *library) tostring(L *glua.LState) int {
	L.Push(glua.LString(lib.text(L, L.CheckAny(1))))
	return 1
}

func (lib *library) text(L *glua.LState, v glua.LValue) string {
	switch v := v.(type) {
	case glua.LNumber:
		return numberText(float64(v))
	case *glua.LFunction:
		return "function"
	case *glua.LTable:
		if function, ok := L.GetMetaField(v, "__tostring").(*glua.LFunction); ok {
			L.Push(function)
			L.Push(v)
			L.Call(1, 1)
			result := L.Get(-1)
			L.Pop(1)
			if !glua.LVCanConvToString(result) {
				L.RaiseError("__tostring must return text, got a %s", result.Type())
			}
			return lib.text(L, result)
		}
		return "table"
	case *glua.LUserData:
		if v == lib.null {
			return "null"
		}
		return secretText(v)
	}
	return v.String()
}

// setmetatable takes tables only; a metatable for all numbers or functions would
// outlive the script.
func (lib *library) setmetatable(L *glua.LState) int {
	t := L.CheckTable(1)
	meta := L.Get(2)
	if _, ok := meta.(*glua.LTable); !ok && meta != glua.LNil {
		L.ArgError(2, "nil or table expected")
	}
	lib.mustBeOpen(L, t)
	t.Metatable = meta
	L.Push(t)
	return 1
}

// mustBeOpen refuses a table whose metatable is protected; a list's is a mark
// only.
func (lib *library) mustBeOpen(L *glua.LState, t *glua.LTable) {
	if old, ok := t.Metatable.(*glua.LTable); ok && old != lib.listMeta && old.RawGetString("__metatable") != glua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
}

// rawSet is rawset(t, key, value), which returns the table.
func rawSet(L *glua.LState) int {
	t := tableArgument(L, 1)
	L.RawSet(t, L.CheckAny(2), L.CheckAny(3))
	L.Push(t)
	return 1
}

// selectValues is select("#", ...) and select(n, ...).
func selectValues(L *glua.LState) int {
	count := L.GetTop() - 1
	if text, ok := L.Get(1).(glua.LString); ok && text == "#" {
		L.Push(glua.LNumber(count))
		return 1
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
			L.Push(v)
			return 1
		}
	}
	return 0
}

// list marks a table as a list, so that an empty one is not taken for an object.
func (lib *library) list(L *glua.LState) int {
	t := L.OptTable(1, nil)
	if t == nil {
		t = L.CreateTable(0, 0)
	}
	lib.mustBeOpen(L, t)
	t.Metatable = lib.listMeta
	L.Push(t)
	return 1
}

// require runs a module the first time and returns what it returned from then on.
func require(L *glua.LState) int {
	L.Push(evaluationOf(L).require(L, L.CheckString(1)))
	return 1
}

// evaluationOf returns the evaluation that a state belongs to.
func evaluationOf(L *glua.LState) *evaluation { return budgetOf(L).evaluation }
