package lua

import (
	"fmt"
	"math"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

// openActions makes a function of every action, and os.time and os.date of the
// two that they stand for.
func (lib *library) openActions(L *glua.LState, catalog *action.Catalog) {
	for _, a := range catalog.All() {
		module := lib.modules[a.Module()]
		if module == nil {
			module = L.NewTable()
			lib.modules[a.Module()] = module
		}
		module.RawSetString(a.Function(), L.NewFunction(lib.function(a)))
	}
	system := L.NewTable()
	if now, ok := catalog.Lookup("time.now"); ok {
		system.RawSetString("time", L.NewFunction(lib.time(now)))
		if format, ok := catalog.Lookup("time.format"); ok {
			system.RawSetString("date", L.NewFunction(lib.date(now, format)))
		}
	}
	lib.modules["os"] = system
}

// function is the Lua function of an action.
func (lib *library) function(a *action.Action) glua.LGFunction {
	return func(L *glua.LState) int {
		input := lib.input(L, a)
		output := evaluationOf(L).call(L, a, input)
		if !a.Spread {
			if len(a.Out.Fields) == 0 {
				return 0
			}
			answer := lib.toLua(L, output)
			if a.Lists.Items != "" {
				lib.iterable(L, a, answer, input, output)
			}
			L.Push(answer)
			return 1
		}
		for _, f := range a.Out.Fields {
			L.Push(lib.toLua(L, output[f.Name]))
		}
		return len(a.Out.Fields)
	}
}

// input reads the arguments: one table of named inputs, or, where the action
// takes them, inputs by position.
func (lib *library) input(L *glua.LState, a *action.Action) action.Object {
	top := L.GetTop()
	if top == 0 {
		return nil
	}
	if named, ok := L.Get(1).(*glua.LTable); ok && top == 1 && !takesTable(a) {
		return lib.named(L, a, named)
	}
	if top > len(a.Args) {
		L.RaiseError("%s", usage(a, top))
	}
	input := make(action.Object, top)
	for i := range top {
		if v := lib.argument(L, a, L.Get(i+1), a.Args[i]); v != nil {
			input[a.Args[i]] = v
		}
	}
	return input
}

// takesTable reports whether the first input by position may itself be a table.
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
	input, c := action.Object{}, lib.converter(budgetOf(L))
	for key, value := t.Next(glua.LNil); key != glua.LNil; key, value = t.Next(key) {
		name, ok := key.(glua.LString)
		if !ok {
			L.RaiseError("%s takes named inputs, not a list: %s", a.Name, a.Signature())
		}
		if _, known := a.In.Field(string(name)); !known {
			input[string(name)] = true // it is refused by its name, whatever its value
			continue
		}
		v, err := c.value(value, string(name))
		if err != nil {
			lib.refuse(L, a, err)
		}
		if v != nil {
			input[string(name)] = v
		}
	}
	return input
}

func (lib *library) argument(L *glua.LState, a *action.Action, value glua.LValue, name string) any {
	v, err := lib.fromLua(budgetOf(L), value, name)
	if err != nil {
		lib.refuse(L, a, err)
	}
	return v
}

// refuse raises what is wrong with an argument of an action.
func (lib *library) refuse(L *glua.LState, a *action.Action, err error) {
	typed := *action.AsError(err)
	typed.Action = a.Name
	evaluationOf(L).raise(L, &typed)
}

// time is os.time(): now, in whole seconds, or the time of a date.
func (lib *library) time(now *action.Action) glua.LGFunction {
	return func(L *glua.LState) int {
		if t, ok := L.Get(1).(*glua.LTable); ok {
			L.Push(timeOf(L, t))
			return 1
		}
		seconds, _ := evaluationOf(L).call(L, now, nil)[now.Out.Fields[0].Name].(float64)
		L.Push(glua.LNumber(math.Floor(seconds)))
		return 1
	}
}

// date is os.date(format, time). A time that is not given is now, and every time is in
// UTC, with and without the "!" that asks for it.
func (lib *library) date(now, format *action.Action) glua.LGFunction {
	return func(L *glua.LState) int {
		e := evaluationOf(L)
		layout := "%Y-%m-%d %H:%M:%S"
		if L.Get(1) != glua.LNil {
			layout = textArgument(L, 1)
		}
		if len(layout) > maxDateLayout {
			L.RaiseError("os.date: the layout has %d bytes, at most %d are read", len(layout), maxDateLayout)
		}
		layout = strings.TrimPrefix(layout, "!")
		var at any
		if L.Get(2) != glua.LNil {
			at = numberArgument(L, 2)
		} else {
			at = e.call(L, now, nil)[now.Out.Fields[0].Name]
		}
		if seconds, ok := at.(float64); ok && strings.HasPrefix(layout, "*t") {
			L.Push(dateTable(L, seconds))
			return 1
		}
		input := action.Object{"layout": layout, "time": at}
		L.Push(lib.toLua(L, e.call(L, format, input)[format.Out.Fields[0].Name]))
		return 1
	}
}
