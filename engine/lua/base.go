package lua

import (
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
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
		return action.FormatNumber(float64(v))
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

// format is string.format without what gopher-lua's shows of tables, functions
// and secrets: their place in memory, and the Go value behind them.
func (lib *library) format(original *glua.LFunction) glua.LGFunction {
	return func(L *glua.LState) int {
		for i := 2; i <= L.GetTop(); i++ {
			switch v := L.Get(i); v.Type() {
			case glua.LTString, glua.LTNumber, glua.LTBool:
			default:
				L.Replace(i, glua.LString(lib.text(L, v)))
			}
		}
		return original.GFunction(L)
	}
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

// print logs its arguments, separated by blanks.
func (lib *library) print(L *glua.LState) int {
	parts := make([]string, L.GetTop())
	for i := range parts {
		parts[i] = lib.text(L, L.Get(i+1))
	}
	e := evaluationOf(L)
	if log, ok := e.interpreter.catalog.Lookup("log.info"); ok {
		e.call(L, log, action.Object{"message": strings.Join(parts, " ")})
	}
	return 0
}

// require runs a module the first time and returns what it returned from then on.
func require(L *glua.LState) int {
	L.Push(evaluationOf(L).require(L, L.CheckString(1)))
	return 1
}

// mathRandom draws from the attempt's own stream, so that a replay draws the
// same numbers.
func mathRandom(L *glua.LState) int {
	draw := evaluationOf(L).env.Random
	if draw == nil {
		L.RaiseError("there are no random numbers here")
	}
	low, high := 1.0, 0.0
	switch L.GetTop() {
	case 0:
		// 53 bits, as many as a float64 holds.
		L.Push(glua.LNumber(float64(draw()>>11) / (1 << 53)))
		return 1
	case 1:
		high = float64(L.CheckNumber(1))
	default:
		low, high = float64(L.CheckNumber(1)), float64(L.CheckNumber(2))
	}
	if !(high >= low) || high-low > 1<<53 {
		L.RaiseError("math.random: the interval is empty or too large")
	}
	L.Push(glua.LNumber(low + float64(draw()%(uint64(high-low)+1))))
	return 1
}

// evaluationOf returns the evaluation that a state belongs to.
func evaluationOf(L *glua.LState) *evaluation {
	b, ok := L.Context().(*budget)
	if !ok {
		panic(fmt.Sprintf("lua: a state has the context %T", L.Context()))
	}
	return b.evaluation
}
