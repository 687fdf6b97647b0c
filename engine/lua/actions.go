package lua

import (
	"fmt"
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/stdlib"
	glua "github.com/yuin/gopher-lua"
)

// openActions makes a Lua function of every action, and the module os of the actions
// time.now and time.format.
func (lib *library) openActions(L *glua.LState, catalog *action.Catalog) {
	for _, a := range catalog.All() {
		module := lib.modules[a.Module()]
		if module == nil {
			module = L.NewTable()
			lib.modules[a.Module()] = module
		}
		module.RawSetString(a.Function(), L.NewFunction(lib.function(a)))
	}
	lib.modules["os"] = fill(L, L.NewTable(), stdlib.OS(lib.clock(catalog)))
}

// clock is what os.time and os.date use: the actions time.now and time.format, as far as
// the catalogue has them.
func (lib *library) clock(catalog *action.Catalog) (c stdlib.Clock) {
	if now, ok := catalog.Lookup("time.now"); ok {
		c.Now = func(L *glua.LState) any {
			return evaluationOf(L).call(L, now, nil)[now.Out.Fields[0].Name]
		}
	}
	if format, ok := catalog.Lookup("time.format"); ok {
		c.Format = func(L *glua.LState, layout string, at any) glua.LValue {
			input := action.Object{"layout": layout, "time": at}
			return lib.toLua(L, evaluationOf(L).call(L, format, input)[format.Out.Fields[0].Name])
		}
	}
	return c
}

// function returns the Lua function of an action.
func (lib *library) function(a *action.Action) glua.LGFunction {
	return func(L *glua.LState) int {
		input := lib.input(L, a)
		output := evaluationOf(L).call(L, a, input)
		if !a.Spread {
			if len(a.Out.Fields) == 0 {
				return 0
			}
			result := lib.toLua(L, output)
			if a.Lists.Items != "" {
				makeIterable(L, a, result, input, output)
			}
			return stdlib.Push(L, result)
		}
		for _, f := range a.Out.Fields {
			L.Push(lib.toLua(L, output[f.Name]))
		}
		return len(a.Out.Fields)
	}
}

// input reads the arguments: one table of named inputs, or inputs by position where the
// action takes them.
func (lib *library) input(L *glua.LState, a *action.Action) action.Object {
	top := L.GetTop()
	if top == 0 {
		return nil
	}
	if named, ok := L.Get(1).(*glua.LTable); ok && top == 1 && !takesTable(a) {
		return lib.named(L, a, named)
	}
	if top > len(a.Args) && !a.Lenient {
		L.RaiseError("%s", usage(a, top))
	}
	input := make(action.Object, top)
	for i := range top {
		name := argumentName(a, i)
		v, err := lib.fromLua(limits.Of(L), L.Get(i+1), name, a.Lenient)
		if err != nil {
			refuse(L, a, err)
		}
		if v != nil {
			input[name] = v
		}
	}
	return input
}

// argumentName returns the input that an argument by position is. A lenient action takes
// every argument, the first one as the input that it needs most.
func argumentName(a *action.Action, i int) string {
	if i < len(a.Args) {
		return a.Args[i]
	}
	at := slices.IndexFunc(a.In.Fields, func(f action.Field) bool { return f.Required })
	if i == 0 && at >= 0 {
		return a.In.Fields[at].Name
	}
	return fmt.Sprintf("argument %d", i+1)
}

// takesTable reports whether the first input by position may be a table itself.
func takesTable(a *action.Action) bool {
	if len(a.Args) == 0 {
		return false
	}
	f, _ := a.In.Field(a.Args[0])
	return f.Type.Name == action.AnyType || f.Type.Name == action.ListType || f.Type.Name == action.ObjectType
}

func usage(a *action.Action, given int) string {
	if len(a.Args) == 0 {
		return fmt.Sprintf("%s takes one table of named inputs: %s", a.Name, a.Signature())
	}
	return fmt.Sprintf("%s takes at most %d arguments, got %d: %s", a.Name, len(a.Args), given, a.Signature())
}

func (lib *library) named(L *glua.LState, a *action.Action, t *glua.LTable) action.Object {
	if a.Lenient {
		return lib.anyNamed(L, a, t)
	}
	input, c := action.Object{}, lib.converter(limits.Of(L), false)
	for key, value := t.Next(glua.LNil); key != glua.LNil; key, value = t.Next(key) {
		name, ok := key.(glua.LString)
		if !ok {
			L.RaiseError("%s takes named inputs, not a list: %s", a.Name, a.Signature())
		}
		if _, known := a.In.Field(string(name)); !known {
			input[string(name)] = true // the action refuses the name, whatever the value
			continue
		}
		v, err := c.value(value, string(name))
		if err != nil {
			refuse(L, a, err)
		}
		if v != nil {
			input[string(name)] = v
		}
	}
	return input
}

// maxUnknown is how many inputs a lenient action gets that it does not have.
const maxUnknown = 20

// anyNamed reads the table of a lenient action. Each input has limits of its own, so that a
// large one takes no room from the others.
func (lib *library) anyNamed(L *glua.LState, a *action.Action, t *glua.LTable) action.Object {
	input := action.Object{}
	read := func(name string, value glua.LValue) {
		v, err := lib.fromLua(limits.Of(L), value, name, true)
		if err != nil {
			refuse(L, a, err)
		}
		if v != nil {
			input[name] = v
		}
	}
	for i := range a.In.Fields {
		name := a.In.Fields[i].Name
		read(name, t.RawGetString(name))
	}
	unknown := 0
	for key, value := t.Next(glua.LNil); key != glua.LNil && unknown < maxUnknown; key, value = t.Next(key) {
		name := keyName(key)
		if _, known := a.In.Field(name); !known {
			unknown++
			read(name, value)
		}
	}
	return input
}

// refuse raises the error of an argument of an action.
func refuse(L *glua.LState, a *action.Action, err error) {
	typed := *action.AsError(err)
	typed.Action = a.Name
	evaluationOf(L).raise(L, &typed)
}
