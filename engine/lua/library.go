package lua

import (
	"math"
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

// json.null is the value of a null that keeps its place.
const nullModule, nullName = "json", "null"

// A library is the set of Go functions that scripts can call. Its tables are
// built once and never written again, so that states on several goroutines can
// share them: a function of Go has no part that belongs to a state.
type library struct {
	base       *glua.LTable            // the global functions of expressions
	scriptBase *glua.LTable            // those of scripts
	modules    map[string]*glua.LTable // string, table, math, os, json, pagerduty, ...
	stringMeta *glua.LTable            // the metatable of all strings
	listMeta   *glua.LTable            // marks a table as a list
	secretMeta *glua.LTable            // of secrets
	errorMeta  *glua.LTable            // of the errors that actions raise
	proxyMetas map[string]*glua.LTable // the metatable of a module's proxy in a state
	pureMeta   *glua.LTable            // of the global table of expressions
	globalMeta *glua.LTable            // of that of scripts
	null       *glua.LUserData         // json.null
	shield     *glua.LFunction         // what a protected call begins with
	concat     *glua.Upvalue           // what chunks call for ..

	scriptNames     []string // the globals that scripts have, modules of the catalogue aside
	expressionNames []string
	standard        map[string][]string // the functions of string, table, math and os
}

// baseNames are the functions of Lua's base library that scripts keep. What
// loads code, reads files, changes environments or shows the host is left out.
var baseNames = []string{"getmetatable", "ipairs", "next", "pairs", "rawequal", "rawget", "type"}

// pureModules are the modules that expressions have too.
var pureModules = []string{"string", "table", "math"}

func newLibrary(catalog *action.Catalog) *library {
	L := glua.NewState(glua.Options{SkipOpenLibs: true, RegistrySize: 256, CallStackSize: 64}) // it runs nothing
	defer L.Close()
	lib := &library{modules: map[string]*glua.LTable{}, proxyMetas: map[string]*glua.LTable{}, null: &glua.LUserData{Metatable: glua.LNil}}
	lib.openStandard(L)
	lib.listMeta = protected(L, nil)
	lib.stringMeta = protected(L, lib.modules["string"])
	for event, compute := range operators {
		lib.stringMeta.RawSetString(event, L.NewFunction(operator(event, compute)))
	}
	lib.secretMeta = lib.opaqueMeta(L)
	lib.errorMeta = lib.newErrorMeta(L)
	lib.openActions(L, catalog)
	if json := lib.modules[nullModule]; json != nil {
		json.RawSetString(nullName, lib.null)
	}
	for name, module := range lib.modules {
		lib.proxyMetas[name] = protected(L, module)
	}
	lib.standard = map[string][]string{}
	for _, name := range append(slices.Clone(pureModules), "os") {
		lib.standard[name] = tableNames(lib.modules[name])
	}
	lib.pureMeta, lib.globalMeta = protected(L, lib.base), protected(L, lib.scriptBase)
	lib.expressionNames = append(tableNames(lib.base), pureModules...)
	lib.scriptNames = append(append(tableNames(lib.scriptBase), pureModules...), "os", "_G")
	return lib
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

// openStandard makes the standard libraries. Of gopher-lua's functions only those
// stay that do little and have no bounds to keep.
func (lib *library) openStandard(L *glua.LState) {
	glua.OpenBase(L)
	lib.base, lib.scriptBase = L.NewTable(), L.NewTable()
	for _, name := range baseNames {
		lib.base.RawSetString(name, L.GetGlobal(name))
	}
	for name, function := range lib.ownBase() {
		lib.base.RawSetString(name, L.NewFunction(function))
	}
	lib.base.ForEach(lib.scriptBase.RawSet)
	for name, function := range lib.ownScriptBase() {
		lib.scriptBase.RawSetString(name, L.NewFunction(function))
	}
	lib.shield = L.NewFunction(shield)
	lib.concat = newConcat(L)
	lib.modules["string"] = module(L, lib.stringFunctions())
	lib.modules["table"] = module(L, lib.tableFunctions())
	lib.modules["math"] = module(L, mathFunctions())
	lib.modules["math"].RawSetString("pi", glua.LNumber(math.Pi))
	lib.modules["math"].RawSetString("huge", glua.LNumber(math.Inf(1)))
}

func module(L *glua.LState, functions map[string]glua.LGFunction) *glua.LTable {
	t := L.CreateTable(0, len(functions))
	for name, function := range functions {
		t.RawSetString(name, L.NewFunction(function))
	}
	return t
}

// opaqueMeta is the metatable of secrets: they print their name, and nothing can
// be made of them.
func (lib *library) opaqueMeta(L *glua.LState) *glua.LTable {
	meta := protected(L, nil)
	meta.RawSetString("__tostring", L.NewFunction(func(L *glua.LState) int {
		L.Push(glua.LString(secretText(L.Get(1))))
		return 1
	}))
	refuse := L.NewFunction(func(L *glua.LState) int {
		v := L.Get(1)
		if _, ok := v.(*glua.LUserData); !ok {
			v = L.Get(2)
		}
		L.RaiseError("%s is opaque: it can be given to an action, and nothing else", secretText(v))
		return 0
	})
	for _, event := range []string{"__concat", "__index", "__newindex", "__call", "__len", "__lt", "__le", "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__unm"} {
		meta.RawSetString(event, refuse)
	}
	return meta
}

func secretText(v glua.LValue) string {
	if data, ok := v.(*glua.LUserData); ok {
		if secret, ok := data.Value.(action.Secret); ok {
			return secret.String()
		}
	}
	return "a secret"
}
