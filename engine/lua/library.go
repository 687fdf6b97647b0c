package lua

import (
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

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

	scriptNames     []string // the globals that scripts have, modules of the catalogue aside
	expressionNames []string
	standard        map[string][]string // the functions of string, table, math and os
}

// baseNames are the functions of Lua's base library that scripts keep. What
// loads code, reads files, changes environments or shows the host is left out.
var baseNames = []string{
	"getmetatable", "ipairs", "next", "pairs", "rawequal", "rawget", "rawset", "select", "tonumber", "type", "unpack",
}

// pureModules are the modules that expressions have too.
var pureModules = []string{"string", "table", "math"}

func newLibrary(catalog *action.Catalog) *library {
	L := glua.NewState(glua.Options{SkipOpenLibs: true, RegistrySize: 256, CallStackSize: 64}) // it runs nothing
	defer L.Close()
	lib := &library{modules: map[string]*glua.LTable{}, proxyMetas: map[string]*glua.LTable{}, null: &glua.LUserData{Metatable: glua.LNil}}
	lib.openStandard(L)
	lib.listMeta = protected(L, nil)
	lib.stringMeta = protected(L, lib.modules["string"])
	lib.secretMeta = lib.opaqueMeta(L)
	lib.errorMeta = lib.newErrorMeta(L)
	lib.openActions(L, catalog)
	if json := lib.modules["json"]; json != nil {
		json.RawSetString("null", lib.null)
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

// openStandard takes what scripts may have from Lua's own libraries.
func (lib *library) openStandard(L *glua.LState) {
	glua.OpenBase(L)
	glua.OpenString(L)
	glua.OpenTable(L)
	glua.OpenMath(L)
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
	lib.modules["string"] = without(L, "string", "dump")
	lib.modules["string"].RawSetString("format", L.NewFunction(lib.format(lib.modules["string"].RawGetString("format").(*glua.LFunction))))
	lib.modules["table"] = without(L, "table")
	lib.modules["math"] = without(L, "math", "randomseed")
	lib.modules["math"].RawSetString("random", L.NewFunction(mathRandom))
}

// without copies a module of the throw-away state, leaving functions out.
func without(L *glua.LState, module string, left ...string) *glua.LTable {
	out := L.NewTable()
	L.GetGlobal(module).(*glua.LTable).ForEach(func(key, value glua.LValue) {
		if !slices.Contains(left, key.String()) {
			out.RawSet(key, value)
		}
	})
	return out
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
	for _, event := range []string{"__concat", "__index", "__newindex", "__call", "__len", "__lt", "__le", "__add", "__sub", "__mul", "__div"} {
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
