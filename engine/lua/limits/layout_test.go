package limits

import (
	"reflect"
	"testing"

	glua "github.com/yuin/gopher-lua"
)

// TestA22Layout: what is read of gopher-lua's types is where gopher-lua has it, and another
// layout is noticed.
func TestA22Layout(t *testing.T) {
	checkLayout()
	L := NewState()
	table := L.NewTable()
	table.RawSetString("a", glua.LTrue)
	table.Append(glua.LTrue)
	if got := shapeOf(table); got.items != 1 || got.keys != 1 || got.reserved < 1 {
		t.Errorf("got the shape %+v of a table with an item and a field", got)
	}
	L.Push(table)
	if stack := layoutOf(L).reg; stack.top != 1 || stack.array[0] != table {
		t.Errorf("got the stack %v", stack)
	}
	meta := reflect.StructField{Name: "Metatable", Type: reflect.TypeFor[glua.LValue]()}
	list := func(name string) reflect.StructField {
		return reflect.StructField{Name: name, PkgPath: "lua", Type: reflect.TypeFor[[]glua.LValue]()}
	}
	for _, other := range []reflect.Type{
		reflect.StructOf([]reflect.StructField{meta, list("keys"), list("array")}), // moved
		reflect.StructOf([]reflect.StructField{meta, list("list")}),                // renamed
		reflect.StructOf([]reflect.StructField{meta}),                              // missing
	} {
		if err := sameLayout(reflect.TypeFor[tableLayout](), other); err == nil {
			t.Errorf("%s counts as the same layout", other)
		}
	}
}

// TestA22Own: a number that is kept does not keep the block of numbers that it came from.
func TestA22Own(t *testing.T) {
	for _, v := range []glua.LValue{glua.LNumber(1.5), glua.LNumber(-1), glua.LNumber(1e9), glua.LNumber(5), glua.LString("x"), glua.LTrue, glua.LNil} {
		if got := Own(v); got != v {
			t.Errorf("got %v for %v", got, v)
		}
	}
}
