package lua

import (
	"math"
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/stdlib"
	"github.com/pdflow/pdflow/engine/lua/syntax"
	glua "github.com/yuin/gopher-lua"
)

// A library is the set of Go functions that scripts can call. Its tables are built once
// and never written again, so that states on several goroutines can share them. A
// function of Go has no part that belongs to a state.
type library struct {
	base       *glua.LTable            // the global functions of expressions
	scriptBase *glua.LTable            // the global functions of scripts
	modules    map[string]*glua.LTable // string, table, math, os, and the modules of the catalogue
	stringMeta *glua.LTable            // the metatable of all strings
	listMeta   *glua.LTable            // marks a table as a list
	secretMeta *glua.LTable            // the metatable of secrets
	errorMeta  *glua.LTable            // the metatable of the errors that actions raise
	proxyMetas map[string]*glua.LTable // the metatable of a module's proxy in a state
	pureMeta   *glua.LTable            // the metatable of the globals of expressions
	globalMeta *glua.LTable            // the metatable of the globals of scripts
	null       *glua.LUserData         // json.null
	shield     *glua.LFunction         // the function that begins a protected call
	concat     *glua.Upvalue           // the function that chunks call for ..
	metas      map[*glua.LTable]bool   // all metatables: they are not a script's
	names      syntax.Names            // the globals, without the modules of the catalogue
}

// stockNames are the functions of gopher-lua's base library that chunks keep, because
// they do little and need no bounds. Functions that load code, read files, change
// environments or show the host are left out.
var stockNames = []string{"getmetatable", "ipairs", "next", "pairs", "rawequal", "rawget", "type"}

// pureModules are the modules that expressions have too.
var pureModules = []string{"string", "table", "math"}

// null is the value of json.null.
type null struct{}

// String returns the text of json.null.
func (null) String() string { return "null" }

func newLibrary(catalog *action.Catalog) *library {
	L := glua.NewState(glua.Options{SkipOpenLibs: true, RegistrySize: 256, CallStackSize: 64}) // it runs nothing
	defer L.Close()
	lib := &library{modules: map[string]*glua.LTable{}, proxyMetas: map[string]*glua.LTable{}, null: &glua.LUserData{Value: null{}, Metatable: glua.LNil}}
	lib.openStandard(L)
	lib.listMeta = protected(L, nil)
	lib.stringMeta = protected(L, lib.modules["string"])
	fill(L, lib.stringMeta, stdlib.StringMetamethods())
	lib.secretMeta = newSecretMeta(L)
	lib.errorMeta = newErrorMeta(L)
	lib.openActions(L, catalog)
	if json := lib.modules[syntax.NullModule]; json != nil {
		json.RawSetString(syntax.NullName, lib.null)
	}
	for name, module := range lib.modules {
		lib.proxyMetas[name] = protected(L, module)
	}
	lib.pureMeta, lib.globalMeta = protected(L, lib.base), protected(L, lib.scriptBase)
	lib.metas = map[*glua.LTable]bool{lib.stringMeta: true, lib.listMeta: true, lib.secretMeta: true, lib.errorMeta: true, lib.pureMeta: true, lib.globalMeta: true}
	for _, meta := range lib.proxyMetas {
		lib.metas[meta] = true
	}
	lib.names.Functions = map[string][]string{}
	for _, name := range append(slices.Clone(pureModules), "os") {
		lib.names.Functions[name] = tableNames(lib.modules[name])
	}
	lib.names.Expression = append(tableNames(lib.base), pureModules...)
	lib.names.Script = append(append(tableNames(lib.scriptBase), pureModules...), "os", "_G")
	return lib
}

// openStandard makes the global functions and Lua's own modules, except os.
func (lib *library) openStandard(L *glua.LState) {
	glua.OpenBase(L)
	lib.base = L.NewTable()
	for _, name := range stockNames {
		lib.base.RawSetString(name, L.GetGlobal(name))
	}
	fill(L, lib.base, stdlib.Base())
	fill(L, lib.base, map[string]glua.LGFunction{
		"assert": assert, "error": raiseValue, "pcall": pcall, "xpcall": xpcall, "setmetatable": lib.setMetatable, "list": lib.list,
	})
	lib.scriptBase = L.NewTable()
	lib.base.ForEach(lib.scriptBase.RawSet)
	fill(L, lib.scriptBase, map[string]glua.LGFunction{"print": printLine, "require": require})
	lib.shield = L.NewFunction(shield)
	lib.concat = newConcat(L)
	lib.modules["string"] = fill(L, L.NewTable(), stdlib.String())
	lib.modules["table"] = fill(L, L.NewTable(), stdlib.Table())
	lib.modules["math"] = fill(L, L.NewTable(), stdlib.Math(func(L *glua.LState) func() uint64 { return evaluationOf(L).env.Random }))
	lib.modules["math"].RawSetString("pi", glua.LNumber(math.Pi))
	lib.modules["math"].RawSetString("huge", glua.LNumber(math.Inf(1)))
}

// fill adds functions to a table, and returns it.
func fill(L *glua.LState, t *glua.LTable, functions map[string]glua.LGFunction) *glua.LTable {
	for name, function := range functions {
		t.RawSetString(name, L.NewFunction(function))
	}
	return t
}

// newConcat returns the variable that all chunks share. It is closed and never assigned
// to, so that states on several goroutines can read it.
func newConcat(L *glua.LState) *glua.Upvalue {
	variable := &glua.Upvalue{}
	variable.Close()
	variable.SetValue(L.NewFunction(stdlib.Concat))
	return variable
}

// protected returns a metatable that scripts can neither read nor replace.
func protected(L *glua.LState, index *glua.LTable) *glua.LTable {
	meta := L.NewTable()
	meta.RawSetString("__metatable", glua.LFalse)
	if index != nil {
		meta.RawSetString("__index", index)
	}
	return meta
}

func tableNames(t *glua.LTable) []string {
	var names []string
	t.ForEach(func(key, _ glua.LValue) { names = append(names, key.String()) })
	slices.Sort(names)
	return names
}

// newSecretMeta returns the metatable of secrets. A secret can be printed as its name;
// every other operation is refused.
func newSecretMeta(L *glua.LState) *glua.LTable {
	meta := protected(L, nil)
	fill(L, meta, map[string]glua.LGFunction{"__tostring": func(L *glua.LState) int {
		return stdlib.Push(L, glua.LString(stdlib.Text(L, L.Get(1))))
	}})
	refuse := L.NewFunction(func(L *glua.LState) int {
		v := L.Get(1)
		if _, ok := v.(*glua.LUserData); !ok {
			v = L.Get(2)
		}
		L.RaiseError("%s is opaque: it can be given to an action, and nothing else", stdlib.Text(L, v))
		return 0
	})
	for _, event := range []string{"__concat", "__index", "__newindex", "__call", "__len", "__lt", "__le", "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__unm"} {
		meta.RawSetString(event, refuse)
	}
	return meta
}

// setMetatable is setmetatable(t, meta). It takes tables only: a metatable for all
// numbers or functions would outlive the script.
func (lib *library) setMetatable(L *glua.LState) int {
	t := L.CheckTable(1)
	meta := L.Get(2)
	if _, ok := meta.(*glua.LTable); !ok && meta != glua.LNil {
		L.ArgError(2, "nil or table expected")
	}
	lib.mustBeOpen(L, t)
	t.Metatable = meta
	return stdlib.Push(L, t)
}

// mustBeOpen refuses a table whose metatable is protected. The metatable of a list is
// only a mark, and can be replaced.
func (lib *library) mustBeOpen(L *glua.LState, t *glua.LTable) {
	if old, ok := t.Metatable.(*glua.LTable); ok && old != lib.listMeta && old.RawGetString("__metatable") != glua.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
}

// list is list(t). It marks a table as a list, so that an empty one does not become an
// object.
func (lib *library) list(L *glua.LState) int {
	t := L.OptTable(1, nil)
	if t == nil {
		t = L.CreateTable(0, 0)
	}
	lib.mustBeOpen(L, t)
	t.Metatable = lib.listMeta
	return stdlib.Push(L, t)
}

// require is require(name). It runs a module the first time, and from then on returns
// what the module returned.
func require(L *glua.LState) int {
	return stdlib.Push(L, evaluationOf(L).require(L, L.CheckString(1)))
}
