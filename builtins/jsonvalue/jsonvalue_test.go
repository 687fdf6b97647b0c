package jsonvalue

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func TestEncode(t *testing.T) {
	deep := any("x")
	for range MaxDepth + 1 {
		deep = []any{deep}
	}
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{Action: "json.encode", Input: object{"value": object{"b": []any{1.0, nil, true}, "a": "<&>"}}, Want: object{"text": `{"a":"<&>","b":[1,null,true]}`}},
		{Action: "json.encode", Input: object{"value": object{"a": []any{}}, "pretty": true}, Want: object{"text": "{\n  \"a\": []\n}"}},
		{Action: "json.encode", Input: object{}, Want: object{"text": "null"}},
		{Action: "json.encode", Input: object{"value": 1e15}, Want: object{"text": "1000000000000000"}},
		{Action: "json.encode", Input: object{"value": math.NaN()}, Kind: action.InvalidInput, Says: "NaN"},
		{Action: "json.encode", Input: object{"value": deep}, Kind: action.Limit, Says: "200 levels"},
		{
			Action: "json.encode", Input: object{"value": object{"a": []any{action.Secret{Name: "TOKEN"}}}},
			Kind: action.InvalidInput, Says: `"value.a[1]" does not take a secret, got ‹secret TOKEN›`,
		},
	})
}

func TestDecode(t *testing.T) {
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{
			Action: "json.decode", Input: object{"text": ` {"a": null, "b": [1, null, 2.5], "c": {"d": null}} `},
			Want: object{"value": object{"b": []any{1.0, nil, 2.5}, "c": object{}}},
		},
		{Action: "json.decode", Input: object{"text": "null"}, Want: object{}},
		{Action: "json.decode", Input: object{"text": "9007199254740992"}, Want: object{"value": 9007199254740992.0}},
		{Action: "json.decode", Input: object{"text": "9007199254740993"}, Want: object{"value": "9007199254740993"}},
		{Action: "json.decode", Input: object{"text": "-9007199254740993"}, Want: object{"value": "-9007199254740993"}},
		{Action: "json.decode", Input: object{"text": "12345678901234567890123"}, Want: object{"value": "12345678901234567890123"}},
		{Action: "json.decode", Input: object{"text": "1e3"}, Want: object{"value": 1000.0}},
		{Action: "json.decode", Input: object{"text": "1e999"}, Kind: action.InvalidInput, Says: "the number 1e999 is too large"},
		{Action: "json.decode", Input: object{"text": ""}, Kind: action.InvalidInput, Says: "empty"},
		{Action: "json.decode", Input: object{"text": "{\n  \"ä\": nope}"}, Kind: action.InvalidInput, Says: "line 2, column 9"},
		{Action: "json.decode", Input: object{"text": "[1,"}, Kind: action.InvalidInput, Says: "line 1, column 4: it ends too early"},
		{Action: "json.decode", Input: object{"text": "1 2"}, Kind: action.InvalidInput, Says: "column 3: there is more text"},
		{Action: "json.decode", Input: object{"text": strings.Repeat("[", 300) + strings.Repeat("]", 300)}, Kind: action.Limit, Says: "200 levels"},
		{Action: "json.decode", Input: object{"text": strings.Repeat(" ", maxText+1)}, Kind: action.Limit, Says: "at most 4194304"},
	})
}

// FuzzJSONDecode checks that a decoded value is in the model of values, and stays the same
// when it is encoded and decoded again.
func FuzzJSONDecode(f *testing.F) {
	for _, seed := range []string{"null", `{"a":[1,null,{"b":null}]}`, "9007199254740993", "-0", "1e-400", `"\ud800"`, "[[[", "1e999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := actiontest.Call(Actions(), action.Scope{}, "json.decode", object{"text": text})
		if err != nil {
			return
		}
		checkModel(t, first["value"])
		written, err := actiontest.Call(Actions(), action.Scope{}, "json.encode", object{"value": first["value"]})
		if err != nil {
			t.Fatalf("what was decoded from %q cannot be encoded: %v", text, err)
		}
		second, err := actiontest.Call(Actions(), action.Scope{}, "json.decode", object{"text": written["text"]})
		if err != nil {
			t.Fatalf("what was encoded as %q cannot be decoded: %v", written["text"], err)
		}
		// A number beyond 2^53 is written as an integer, and that is read as text.
		large := cmp.FilterValues(func(x, y any) bool { return isLarge(x) || isLarge(y) }, cmp.Ignore())
		if diff := cmp.Diff(first, second, large); diff != "" {
			t.Fatalf("%q changed on the way (-first +second):\n%s", text, diff)
		}
	})
}

func isLarge(v any) bool {
	f, ok := v.(float64)
	return ok && math.Abs(f) > maxExactInteger
}

func checkModel(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil, bool, string:
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%v is not a number", v)
		}
	case []any:
		for _, item := range v {
			checkModel(t, item)
		}
	case object:
		for name, field := range v {
			if field == nil {
				t.Errorf("the field %q is null", name)
			}
			checkModel(t, field)
		}
	case json.Number:
		t.Errorf("%v is not in the model of values", v)
	default:
		t.Errorf("a %T is not in the model of values", v)
	}
}
