package limits

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	glua "github.com/yuin/gopher-lua"
)

// gopher-lua does not show how much a table has reserved, what a state's stack holds, or
// its table of instructions. The types here have the layout of its own types, so that a
// pointer to one can be read as the other. [checkLayout] compares the two before any
// source is compiled: another release of gopher-lua cannot be read wrongly.

// tableLayout is the layout of a table.
type tableLayout struct {
	Metatable glua.LValue

	array   []glua.LValue
	dict    map[glua.LValue]glua.LValue
	strdict map[string]glua.LValue
	keys    []glua.LValue
	k2i     map[glua.LValue]int
}

// stateLayout is the layout of a state, up to its context.
type stateLayout struct {
	G       *glua.Global
	Parent  *glua.LState
	Env     *glua.LTable
	Panic   func(*glua.LState)
	Dead    bool
	Options glua.Options

	stop         int32
	reg          *stackLayout
	stack        [2]unsafe.Pointer
	alloc        unsafe.Pointer
	currentFrame *frameLayout
	wrapped      bool
	uvcache      *glua.Upvalue
	hasErrorFunc bool
	mainLoop     func(*glua.LState, *frameLayout)
	ctx          context.Context
}

// stackLayout is the layout of a state's registers.
type stackLayout struct {
	array []glua.LValue
	top   int
}

// frameLayout is the layout of a call of a function.
type frameLayout struct {
	Idx       int
	Fn        *glua.LFunction
	Parent    *frameLayout
	Pc        int
	Base      int
	LocalBase int
}

func layoutOf(L *glua.LState) *stateLayout { return (*stateLayout)(unsafe.Pointer(L)) }
func contentOf(t *glua.LTable) *tableLayout {
	return (*tableLayout)(unsafe.Pointer(t))
}

// checkLayout panics unless the types of gopher-lua have the layouts of this file.
var checkLayout = sync.OnceFunc(func() {
	for _, pair := range [][2]reflect.Type{
		{reflect.TypeFor[tableLayout](), reflect.TypeFor[glua.LTable]()},
		{reflect.TypeFor[stateLayout](), reflect.TypeFor[glua.LState]()},
	} {
		if err := sameLayout(pair[0], pair[1]); err != nil {
			panic("lua: this release of gopher-lua cannot be used: " + err.Error())
		}
	}
})

// sameLayout returns an error unless every field of our type is in the same place, and of
// the same kind, as in theirs.
func sameLayout(ours, theirs reflect.Type) error {
	for i := range ours.NumField() {
		if i >= theirs.NumField() {
			return fmt.Errorf("the field %s of %s is missing", ours.Field(i).Name, theirs)
		}
		our, their := ours.Field(i), theirs.Field(i)
		if our.Name != their.Name || our.Offset != their.Offset || our.Type.Size() != their.Type.Size() {
			return fmt.Errorf("the field %s of %s is not where it was", our.Name, theirs)
		}
		pointer := our.Type.Kind() == reflect.Pointer && their.Type.Kind() == reflect.Pointer
		if pointer && our.Type != their.Type && our.Type != ours && our.Type.Elem().Kind() == reflect.Struct && our.Name != "Parent" {
			if err := sameLayout(our.Type.Elem(), their.Type.Elem()); err != nil {
				return err
			}
		}
	}
	return nil
}
