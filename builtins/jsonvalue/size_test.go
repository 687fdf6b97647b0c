package jsonvalue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// randomValue returns a value with at most a number of levels.
func randomValue(random *rand.Rand, levels int) any {
	texts := []string{"", "a", "\"\\", "\n\b\x01", "é\u2028<&>\x7f", "[,]{:}", "\uFFFD", "\\\"", "\U0001F600"}
	switch kind := random.IntN(6); {
	case kind == 0:
		return nil
	case kind == 1:
		return random.IntN(2) == 0
	case kind == 2:
		return math.Round(random.NormFloat64()*100) * math.Pow10(random.IntN(60)-30)
	case kind == 3 || levels == 0:
		return randomText(random, texts, 3)
	case kind == 4:
		list := make([]any, random.IntN(4))
		for i := range list {
			list[i] = randomValue(random, levels-1)
		}
		return list
	}
	o := object{}
	for range random.IntN(4) {
		o[randomText(random, texts, 2)] = randomValue(random, levels-1)
	}
	return o
}

// countValues counts the values, and the objects with fields among them.
func countValues(v any) (values, objects int) {
	values = 1
	add := func(v any) {
		more, objectsIn := countValues(v)
		values, objects = values+more, objects+objectsIn
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			add(item)
		}
	case object:
		if len(v) > 0 {
			objects++
		}
		for _, field := range v {
			add(field)
		}
	}
	return values, objects
}

// TestCounts checks that the computed size of a JSON text and number of its values are the
// real ones.
func TestCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		v := randomValue(random, 4)
		text, err := Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, text, "", "  "); err != nil {
			t.Fatal(err)
		}
		if got := sizeOf(v, false, math.MaxInt); got != len(text) {
			t.Fatalf("%s: got a size of %d, want %d", text, got, len(text))
		}
		if got := sizeOf(v, true, math.MaxInt); got != pretty.Len() {
			t.Fatalf("%s: got a size of %d, want %d", pretty.String(), got, pretty.Len())
		}
		wantValues, wantObjects := countValues(v)
		for _, form := range []string{string(text), pretty.String()} {
			if values, objects := count(form); values != wantValues || objects != wantObjects {
				t.Fatalf("%s: got %d values and %d objects, want %d and %d", form, values, objects, wantValues, wantObjects)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	list := func(item string, count int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", count), ",") + "]"
	}
	ones := make([]any, 150_000)
	for i := range ones {
		ones[i] = 1.0
	}
	deep := any(ones)
	for range 20 {
		deep = []any{deep}
	}
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{Action: "json.decode", Input: object{"text": list("0", maxValues)}, Kind: action.Limit, Says: "more than 200000 values"},
		{Action: "json.decode", Input: object{"text": list("[]", maxValues)}, Kind: action.Limit, Says: "more than 200000 values"},
		{Action: "json.decode", Input: object{"text": list(`{"a":1}`, maxValues/2)}, Kind: action.Limit, Says: "one page"},
		{Action: "json.encode", Input: object{"value": strings.Repeat("\x01", maxText/6+1)}, Kind: action.Limit, Says: "longer than 4194304"},
		{Action: "json.encode", Input: object{"value": deep, "pretty": true}, Kind: action.Limit, Says: "the parts of the value"},
	})
	got, err := actiontest.Call(Actions(), action.Scope{}, "json.decode", object{"text": list("0", maxValues-1)})
	if values, _ := got["value"].([]any); err != nil || len(values) != maxValues-1 {
		t.Errorf("got %d values, %v", len(values), err)
	}
	written, err := actiontest.Call(Actions(), action.Scope{}, "json.encode", object{"value": deep})
	if text, _ := written["text"].(string); err != nil || len(text) != 2*len(ones)+1+2*20 {
		t.Errorf("got a text of %d bytes, %v", len(text), err)
	}
	long := strings.Repeat("x", maxText-2)
	if written, err = actiontest.Call(Actions(), action.Scope{}, "json.encode", object{"value": long}); err != nil || written["text"] != `"`+long+`"` {
		t.Errorf("got an error: %v", err)
	}
}

// FuzzCountJSON checks that a text has no more values than were counted.
func FuzzCountJSON(f *testing.F) {
	for _, seed := range []string{"null", `{"a":[1,null,{"b":null}]}`, `["\\\"",[],{}]`, "[[[", `{"`, `"\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, objects := count(text)
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		wantValues, wantObjects := countValues(v)
		if values < wantValues || objects < wantObjects { // a name that occurs twice is kept once
			t.Errorf("%s: got %d values and %d objects, want %d and %d", text, values, objects, wantValues, wantObjects)
		}
	})
}

func randomText(random *rand.Rand, parts []string, most int) string {
	var b strings.Builder
	for range random.IntN(most + 1) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

// TestEndedCallsDoNothing checks that nothing is read or written after the end of the call.
func TestEndedCallsDoNothing(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	end()
	for name, input := range map[string]object{"json.decode": {"text": "[1]"}, "json.encode": {"value": "x"}} {
		invocation, err := actiontest.Prepare(Actions(), name, input)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := invocation.Do(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want the end of the context", name, err)
		}
	}
}
