package lua

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/phrase"
	glua "github.com/yuin/gopher-lua"
)

// maxValueDepth and maxValueNodes bound a value that leaves a script, in addition to the
// limit for the bytes of its text.
const (
	maxValueDepth = 64
	maxValueNodes = 200_000
)

// toLua converts a value in the model of JSON to Lua's. Lists are marked, so that an empty
// list stays a list on the way back. Fields are set in sorted order, so that pairs is
// deterministic. Tables are reserved before they are made. When the budget does not
// have them, the result is nil and the script is stopped at its next instruction.
func (lib *library) toLua(L *glua.LState, v any) glua.LValue {
	b := limits.Of(L)
	defer b.Unpin(b.Pinned()) // the script cannot reach the tables before all are made
	return lib.made(L, v)
}

func (lib *library) made(L *glua.LState, v any) glua.LValue {
	switch v := v.(type) {
	case nil:
		return glua.LNil
	case bool:
		return glua.LBool(v)
	case float64:
		return glua.LNumber(v)
	case string:
		return glua.LString(v)
	case []any:
		return lib.listToLua(L, v)
	case map[string]any:
		if !limits.Of(L).ReservePinned(limits.TableBytes + limits.FieldBytes*int64(len(v))) {
			return glua.LNil
		}
		t := L.CreateTable(0, len(v))
		for _, name := range phrase.Names(v) {
			t.RawSetString(name, lib.made(L, v[name]))
		}
		return t
	case action.Secret:
		return &glua.LUserData{Value: v, Metatable: lib.secretMeta}
	}
	return glua.LString(fmt.Sprint(v))
}

func (lib *library) listToLua(L *glua.LState, list []any) glua.LValue {
	if !limits.Of(L).ReservePinned(limits.TableBytes + limits.ItemBytes*int64(len(list))) {
		return glua.LNil
	}
	t := L.CreateTable(len(list), 0)
	t.Metatable = lib.listMeta
	for i, item := range list {
		value := lib.made(L, item)
		if value == glua.LNil {
			value = lib.null // a null inside a list keeps its place
		}
		t.RawSetInt(i+1, value)
	}
	return t
}

// A converter turns Lua values into the model of JSON, within limits.
type converter struct {
	lib          *library
	budget       *limits.Budget
	root         string // names the value in errors
	nodes, bytes int64
	most         int64     // bytes of text that the value may hold
	lenient      bool      // what is not data becomes a note
	path         []segment // to the current value
}

// A segment is a table on the path to a value, and the place of the value in it.
type segment struct {
	table *glua.LTable
	name  string
	index int // in a list, from 1; 0 for a field
}

// fromLua converts a value that leaves a script. Errors call it by the name root.
func (lib *library) fromLua(b *limits.Budget, v glua.LValue, root string, lenient bool) (any, error) {
	switch v := v.(type) { // the common cases need no converter
	case glua.LBool:
		return bool(v), nil
	case *glua.LNilType:
		return nil, nil
	}
	return lib.converter(b, lenient).value(v, root)
}

// maxLenientText is how many bytes of text the input of a lenient action may hold.
const maxLenientText = 1 << 20

// converter returns a converter. A lenient one refuses nothing: it makes notes of what is
// not data, shortens text beyond its limit, and keeps text that is not UTF-8.
func (lib *library) converter(b *limits.Budget, lenient bool) *converter {
	c := &converter{lib: lib, budget: b, most: b.MaxOutput(), lenient: lenient}
	if lenient {
		c.most = maxLenientText
	}
	return c
}

// value converts a value within what is left of the limits.
func (c *converter) value(v glua.LValue, root string) (any, error) {
	c.root = root
	defer c.budget.Unpin(c.budget.Pinned())
	value, err := c.convert(v)
	if err == nil && !c.budget.Spend(c.bytes/limits.BytesPerStep) {
		return nil, c.budget.Err()
	}
	return value, err
}

// place names the current value.
func (c *converter) place() string {
	path := c.root
	for _, s := range c.path {
		if s.index > 0 {
			path += "[" + strconv.Itoa(s.index) + "]"
		} else {
			path += "." + s.name
		}
	}
	return path
}

func (c *converter) fail(format string, args ...any) error {
	return action.Errorf(action.InvalidInput, "%s %s", c.place(), fmt.Sprintf(format, args...))
}

// convert converts a value. In a lenient converter, only the limits of the script are an
// error.
func (c *converter) convert(v glua.LValue) (any, error) {
	depth := len(c.path)
	value, err := c.strict(v)
	if err == nil || !c.lenient || c.budget.Stopped() != nil {
		return value, err
	}
	c.path = c.path[:depth]
	return action.Note(c.reason(err)), nil
}

// reason returns what is wrong with a value, without its place.
func (c *converter) reason(err error) string {
	_, reason, _ := strings.Cut(action.AsError(err).Message, c.place()+" ")
	return reason
}

func (c *converter) strict(v glua.LValue) (any, error) {
	if c.nodes++; c.nodes > maxValueNodes {
		return nil, c.tooMany()
	}
	switch v := v.(type) {
	case *glua.LNilType:
		return nil, nil
	case glua.LBool:
		return bool(v), nil
	case glua.LNumber:
		return c.number(float64(v))
	case glua.LString:
		return c.text(string(v))
	case *glua.LTable:
		return c.table(v)
	case *glua.LUserData:
		return c.userData(v)
	}
	return nil, c.fail("is a %s, which is not data", v.Type())
}

func (c *converter) limit(format string, args ...any) *action.Error {
	err := action.AsError(c.fail(format, args...))
	err.Kind = action.Limit
	return err
}

func (c *converter) tooMany() error { return c.limit("has more than %d values", maxValueNodes) }

func (c *converter) number(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, c.fail("is %v, which JSON cannot hold", f)
	}
	return f, nil
}

func (c *converter) text(s string) (any, error) {
	left := c.most - c.bytes
	switch err := c.count(s); {
	case err == nil:
	case !c.lenient:
		return nil, err
	default:
		return fmt.Sprintf("%s… (%s)", s[:max(left, 0)], phrase.Bytes(int64(len(s)))), nil
	}
	if !c.lenient && !utf8.ValidString(s) {
		return nil, c.fail("is not valid UTF-8 text")
	}
	return s, nil
}

// count counts text against the output limit.
func (c *converter) count(s string) error {
	if c.bytes += int64(len(s)); c.bytes <= c.most {
		return nil
	}
	err := c.limit("holds more than %s of text, its limit", phrase.Bytes(c.most))
	err.Hint = "hold less text in it, or raise `limits: {output: ...}`"
	return err
}

func (c *converter) userData(v *glua.LUserData) (any, error) {
	if v == c.lib.null {
		return nil, nil
	}
	if secret, ok := v.Value.(action.Secret); ok {
		return secret, nil
	}
	return nil, c.fail("is not data")
}

func (c *converter) table(t *glua.LTable) (any, error) {
	if slices.ContainsFunc(c.path, func(s segment) bool { return s.table == t }) {
		return nil, c.fail("contains itself")
	}
	if len(c.path) >= maxValueDepth {
		return nil, c.limit("nests deeper than %d levels", maxValueDepth)
	}
	// Charge for a table before reading it: a table from which most was deleted is slow to
	// read, and there may be many of them.
	if !c.budget.ReservePinned(limits.ObjectBytes) {
		return nil, c.budget.Err()
	}
	isList, err := c.isList(t)
	switch {
	case err != nil && c.lenient && c.budget.Stopped() == nil:
		return c.object(t)
	case err != nil:
		return nil, err
	case isList:
		return c.list(t)
	}
	return c.object(t)
}

// isList tells lists from objects. A list has the keys 1..n and no others, or is empty and
// marked as a list.
func (c *converter) isList(t *glua.LTable) (bool, error) {
	length, count, names := t.Len(), 0, 0
	if length > maxValueNodes {
		return false, c.tooMany()
	}
	for key, _ := t.Next(glua.LNil); key != glua.LNil; key, _ = t.Next(key) {
		switch key := key.(type) {
		case glua.LString:
			names++
		case glua.LNumber:
			if index := float64(key); index != math.Trunc(index) || index < 1 || index > float64(length) {
				return false, c.fail("has the key %s and a list of %d items; a list has the keys 1, 2, 3, ... only", phrase.Number(index), length)
			}
			count++
		default:
			return false, c.fail("has a key that is a %s; keys are text, or 1, 2, 3, ...", key.Type())
		}
		if names+count > maxValueNodes {
			return false, c.tooMany()
		}
		if names > 0 && count > 0 {
			return false, c.fail("mixes named fields with a list")
		}
	}
	if count > 0 && count != length {
		return false, c.fail("is a list with holes: %d of %d places are set; json.null keeps a place", count, length)
	}
	return count > 0 || names == 0 && t.Metatable == c.lib.listMeta, nil
}

func (c *converter) list(t *glua.LTable) (any, error) {
	list := make([]any, t.Len())
	if !c.budget.Spend(int64(len(list))) {
		return nil, c.budget.Err()
	}
	for i := range list {
		c.path = append(c.path, segment{table: t, index: i + 1})
		v, err := c.convert(t.RawGetInt(i + 1))
		if err != nil {
			return nil, err
		}
		list[i] = v
		c.path = c.path[:len(c.path)-1]
		if c.full() {
			return list[:i+1], nil // the last item is a note
		}
	}
	return list, nil
}

// full reports whether a lenient converter has met its limit of values. The first value
// beyond it is a note, and nothing follows.
func (c *converter) full() bool { return c.nodes > maxValueNodes }

func (c *converter) object(t *glua.LTable) (any, error) {
	o := action.Object{}
	if !c.budget.Spend(int64(t.Len())) {
		return nil, c.budget.Err()
	}
	for key, value := t.Next(glua.LNil); key != glua.LNil; key, value = t.Next(key) {
		name, err := c.name(t, key)
		if err != nil {
			return nil, err
		}
		c.path = append(c.path, segment{table: t, name: name})
		v, err := c.convert(value)
		if err != nil {
			return nil, err
		}
		if v != nil {
			o[name] = v
		}
		c.path = c.path[:len(c.path)-1]
		if c.full() {
			break
		}
	}
	return o, nil
}

// name returns the name of a field. In a lenient converter every key has a name.
func (c *converter) name(t *glua.LTable, key glua.LValue) (string, error) {
	name := keyName(key)
	c.path = append(c.path, segment{table: t, name: name})
	defer func() { c.path = c.path[:len(c.path)-1] }()
	if !c.lenient && !utf8.ValidString(name) {
		return "", c.fail("has a name that is not valid UTF-8 text")
	}
	if err := c.count(name); err != nil && !c.lenient {
		return "", err
	}
	return name, nil
}

// keyName returns a key of a table as text, without the address of a table or a function.
func keyName(key glua.LValue) string {
	switch key := key.(type) {
	case glua.LString:
		return string(key)
	case glua.LNumber:
		return phrase.Number(float64(key))
	}
	return "(a key that is a " + key.Type().String() + ")"
}
