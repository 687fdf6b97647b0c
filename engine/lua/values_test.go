package lua_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestValuesRoundTrip: a value of an input or an action passes through a script
// unchanged.
func TestValuesRoundTrip(t *testing.T) {
	for name, value := range map[string]any{
		"text":                  "grüße, 世界",
		"empty text":            "",
		"number":                1.5,
		"whole number":          9007199254740992.0,
		"negative":              -3.0,
		"true":                  true,
		"false":                 false,
		"empty list":            []any{},
		"empty object":          action.Object{},
		"list":                  []any{1.0, "a", true},
		"null in a list":        []any{1.0, nil, 3.0},
		"only nulls":            []any{nil, nil},
		"null at the end":       []any{1.0, nil},
		"nested":                action.Object{"a": []any{action.Object{"b": []any{}}, []any{action.Object{}}}},
		"names like numbers":    action.Object{"1": "one", "2": "two"},
		"a name that is empty":  action.Object{"": 1.0},
		"a long list of lists":  []any{[]any{1.0}, []any{}, []any{nil}},
		"an integer beyond":     "9007199254740993",
		"a name with any signs": action.Object{"a.b c\n": "x"},
		"a reference":           action.Object{"token": action.Secret{Name: "TOKEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, echo())
			m.data["inputs"] = action.Object{"v": value}
			if diff := cmp.Diff(value, m.value(t, "return inputs.v")); diff != "" {
				t.Errorf("an input (-want +got):\n%s", diff)
			}
			if _, isList := value.([]any); isList { // the schema of value is any: a table is taken as it is
				if diff := cmp.Diff(value, m.value(t, "return demo.echo(inputs.v).value")); diff != "" {
					t.Errorf("through an action (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestValuesOfScripts: a script's value becomes data by the rules for lists and objects.
func TestValuesOfScripts(t *testing.T) {
	tests := map[string]struct {
		script string
		want   any
	}{
		"nothing":                 {"", nil},
		"nil":                     {"return nil", nil},
		"an object":               {"return {a = 1, b = 'x'}", action.Object{"a": 1.0, "b": "x"}},
		"a list":                  {"return {1, 2, 3}", []any{1.0, 2.0, 3.0}},
		"an empty table":          {"return {}", action.Object{}},
		"an empty list":           {"return list{}", []any{}},
		"list without a table":    {"return list()", []any{}},
		"a filled list":           {"local l = list{} l[1] = 'a' return l", []any{"a"}},
		"nil in an object":        {"return {a = nil, b = 1}", action.Object{"b": 1.0}},
		"null in an object":       {"return {a = json.null, b = 1}", action.Object{"b": 1.0}},
		"null in a list":          {"return {1, json.null, 3}", []any{1.0, nil, 3.0}},
		"an emptied input":        {"local l = inputs.l l[1] = nil return l", []any{}},
		"a list with a name":      {"local l = inputs.l l[1] = nil l.x = 1 return l", action.Object{"x": 1.0}},
		"the same table twice":    {"local t = {1} return {t, t}", []any{[]any{1.0}, []any{1.0}}},
		"metatables are not data": {"return setmetatable({a = 1}, {__index = {b = 2}})", action.Object{"a": 1.0}},
		"null is not nil":         {"return {json.null == nil, inputs.n[1] == json.null, type(getmetatable(json.null))}", []any{false, true, "nil"}},
		"pairs is sorted":         {"local s = '' for k in pairs(inputs.o) do s = s .. k end return s", "abcdefgh"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			json := act("json.noop", action.Pure, nil) // with it there is a module json
			m := newMachine(t, json)
			m.data["inputs"] = action.Object{
				"l": []any{1.0}, "n": []any{nil},
				"o": action.Object{"h": 1.0, "a": 1.0, "c": 1.0, "b": 1.0, "g": 1.0, "d": 1.0, "f": 1.0, "e": 1.0},
			}
			if diff := cmp.Diff(test.want, m.value(t, test.script)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.script, diff)
			}
		})
	}
}

// TestValuesRefused: a value that is not data is refused, with the path to it.
func TestValuesRefused(t *testing.T) {
	deep := "local t = {} local root = t for i = 1, 100 do t.t = {} t = t.t end return root"
	tests := map[string]struct {
		script  string
		kind    action.Kind
		message string
	}{
		"a function":         {"return print", action.InvalidInput, "outputs is a function, which is not data"},
		"a function inside":  {"return {rows = {{}, {}, {cb = print}}}", action.InvalidInput, "outputs.rows[3].cb is a function"},
		"a hole":             {"return {a = {1, nil, 3, nil}}", action.InvalidInput, "outputs.a is a list with holes"},
		"a far hole":         {"return {1, 2, [10] = 3}", action.InvalidInput, "outputs is a list with holes: 3 of 10 places are set; json.null keeps a place"},
		"mixed":              {"return {a = {1, x = 2}}", action.InvalidInput, "outputs.a mixes named fields with a list"},
		"a key zero":         {"return {[0] = 1}", action.InvalidInput, "has the key 0"},
		"a negative key":     {"return {[-1] = 1}", action.InvalidInput, "has the key -1"},
		"a broken key":       {"return {[1.5] = 1}", action.InvalidInput, "has the key 1.5"},
		"a key that is true": {"return {[true] = 1}", action.InvalidInput, "has a key that is a boolean"},
		"a cycle":            {"local t = {} t.a = {t} return t", action.InvalidInput, "outputs.a[1] contains itself"},
		"too deep":           {deep, action.Limit, "nests deeper than 64 levels"},
		"NaN":                {"return {a = 0/0}", action.InvalidInput, "outputs.a is NaN, which JSON cannot hold"},
		"infinity":           {"return {a = {1/0}}", action.InvalidInput, "outputs.a[1] is +Inf"},
		"bytes":              {`return {a = "\255"}`, action.InvalidInput, "outputs.a is not valid UTF-8 text"},
		"a name of bytes":    {`return {["\255"] = 1}`, action.InvalidInput, "has a name that is not valid UTF-8 text"},
		"too many":           {"local t = {} for i = 1, 200001 do t[i] = 1 end return t", action.Limit, "has more than 200000 values"},
		"a bomb":             {"local t = {1} for i = 1, 40 do t = {t, t} end return t", action.Limit, "has more than 200000 values"},
		"several":            {"return 1, 2", action.InvalidInput, "the script returned 2 values; return one table"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { newMachine(t).mustFail(t, test.script, test.kind, test.message) })
	}
}

// TestTooMuchText: the text of a value that leaves a script is limited.
func TestTooMuchText(t *testing.T) {
	m := newMachine(t)
	m.data["inputs"] = action.Object{"text": strings.Repeat("x", 1<<20)}
	m.mustFail(t, "local t = {} for i = 1, 9 do t[i] = inputs.text end return t", action.Limit, "holds more than 8MB of text")
}

// TestArgumentsAreChecked: an argument that is not data is an error of the call, and the
// error names the argument.
func TestArgumentsAreChecked(t *testing.T) {
	m := newMachine(t, echo(), act("demo.note", action.Pure, nil))
	got := m.failure(t, "\ndemo.note{text = 'a', map = {cb = print}}")
	if want := "map.cb is a function, which is not data"; got.Err.Message != want || got.Err.Action != "demo.note" || got.Line != 11 {
		t.Errorf("got %d: %+v, want line 11 and %q", got.Line, got.Err, want)
	}
	m.mustFail(t, "demo.note{'a'}", action.Script, "demo.note takes named inputs, not a list")
	m.mustFail(t, "demo.note('a')", action.Script, "demo.note takes one table of named inputs")
	m.mustFail(t, "demo.echo(1, 2)", action.Script, "demo.echo takes at most 1 arguments, got 2: demo.echo(value)")
}

// An impatientClock moves by a millisecond whenever it is read.
type impatientClock struct{ *virtualClock }

func (c impatientClock) Now() time.Time {
	c.now = c.now.Add(time.Millisecond)
	return c.virtualClock.Now()
}

// TestSlowTables: the time limit also ends the conversion of a value. A table from which
// most was deleted is slow to read, and the value has many of them.
func TestSlowTables(t *testing.T) {
	m := newMachine(t)
	m.env.Clock, m.env.Limits = impatientClock{newClock()}, workflow.Limits{Time: 30 * time.Millisecond}
	const script = "local h = {} h[4000] = 1 h[4000] = nil\nlocal many = {}\nfor i = 1, 3000 do many[i] = h end\n"
	m.mustFail(t, script+"return many", action.Limit, "computing for 30ms, its limit")
}

// TestUnknownInputs: an input with an unknown name is refused without being converted, and
// all inputs of a call share one limit.
func TestUnknownInputs(t *testing.T) {
	type threeIn struct {
		A any `json:"a" doc:"Anything."`
		B any `json:"b" doc:"Anything."`
	}
	take := action.New(action.Spec{Name: "demo.take", Summary: "Take.", Effect: action.Pure}, func(context.Context, threeIn) (nothing, error) { return nothing{}, nil })
	m := newMachine(t, take)
	m.mustFail(t, "demo.take{c = print}", action.InvalidInput, `unknown input "c"`)
	m.mustFail(t, "local big = {}\nfor i = 1, 150000 do big[i] = i end\ndemo.take{a = big, b = big}", action.Limit, "has more than 200000 values")
}
