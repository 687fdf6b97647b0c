package lua_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/workflow"
)

// tables returns a script that builds four tables. Three bytes make a step. The tables get
// holes, mixed and odd keys, cycles, functions and every kind of value.
func tables(script []byte) string {
	keys := []string{"1", "2", "3", "7", "'a'", "'b'", "true", "-1", "1.5", "#t[%d] + 1", "'\\255'", "t[2]", "''", "2^40"}
	values := []string{
		"nil", "true", "1", "-0.5", "'x'", "t[1]", "t[2]", "t[3]", "t[4]", "0/0", "1/0", "print", "json.null", "list{}", "{}", "'\\255'", "inputs.token", "2^60", "{1, 2}",
		"setmetatable({}, {__index = t[1]})",
	}
	var b strings.Builder
	b.WriteString("local t = {{}, {}, list{}, {}}\n")
	for i := 0; i+2 < len(script) && i < 300; i += 3 {
		target := int(script[i]%4) + 1
		key := keys[int(script[i+1])%len(keys)]
		if strings.Contains(key, "%d") {
			key = fmt.Sprintf(key, target)
		}
		fmt.Fprintf(&b, "t[%d][%s] = %s\n", target, key, values[int(script[i+2])%len(values)])
	}
	b.WriteString("return t[1]\n")
	return b.String()
}

// FuzzValues: a random table is refused with an error, or becomes data that JSON can hold
// and that passes through another script unchanged.
func FuzzValues(f *testing.F) {
	f.Add([]byte{0, 0, 2, 0, 1, 5, 0, 4, 6})
	f.Add([]byte{0, 9, 12, 0, 9, 13, 0, 9, 7, 2, 9, 14})
	f.Add([]byte{0, 4, 6, 1, 4, 7, 2, 9, 8, 3, 5, 18})
	f.Add([]byte{0, 3, 2, 0, 6, 2, 0, 10, 15})
	f.Fuzz(func(t *testing.T, script []byte) {
		m := newMachine(t, act("json.noop", action.Pure, nil))
		m.data["inputs"] = action.Object{"token": action.Secret{Name: "TOKEN"}}
		v, err := m.eval(t, tables(script))
		if err != nil {
			var failure *attempt.ScriptError
			if !errors.As(err, &failure) || failure.Err.Message == "" {
				t.Fatalf("got %v, want an error that says what is wrong", err)
			}
			return
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatalf("got %v, which JSON cannot hold: %v", v, err)
		}
		m.data["inputs"] = action.Object{"v": v}
		if diff := cmp.Diff(v, m.value(t, "return inputs.v")); diff != "" {
			t.Errorf("the value changed on its way (-want +got):\n%s", diff)
		}
	})
}

// matching uses a subject and a pattern with every function that takes patterns.
const matching = `
local s, p = inputs.subject, inputs.pattern
pcall(string.find, s, p)
pcall(string.match, s, p, -3)
pcall(string.gsub, s, p, "%0%1")
pcall(function() for a, b in s:gmatch(p) do end end)
pcall(string.format, p, s, 1, 2.5, s)
return {found = (pcall(string.find, s, p, 1, true))}`

// FuzzPattern: matching any text with any pattern, and formatting with them, ends with a
// value or at the limit of instructions, after the same number of instructions each time.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"key=value", "(%w+)=(%w*)"},
		{"aaaa", "a-b"},
		{"f(a(b)c)", "%b()"},
		{"THE (quick) fox", "%f[%a]%a+"},
		{"abab", "(ab)%1"},
		{"x", "[^%]"},
		{"é", "[é-\xff]"},
		{"aaaaaaaaaaaaaaaa", "a*a*a*a*a*b"},
		{"", ""},
		{"a\x00b", "%z"},
		{"%d %5.3s %q", "%5.1f|%-10s|%x|%c|%i"},
		{"(", "((((((((((((((((((((((((((((((((("},
	} {
		f.Add(seed[0], seed[1])
	}
	m := newMachine(f)
	m.env.Limits = workflow.Limits{Instructions: 200_000}
	compiled := m.compile(f, workflow.Script, matching)
	f.Fuzz(func(t *testing.T, subject, pattern string) {
		m.env.Data = func(name string) (any, bool) {
			return action.Object{"subject": subject, "pattern": pattern}, name == "inputs"
		}
		first, second := m.open(), m.open()
		_, err := first.Eval(compiled)
		_, again := second.Eval(compiled)
		var failure *attempt.ScriptError
		if err != nil && (!errors.As(err, &failure) || failure.Err.Kind != action.Limit) {
			t.Fatalf("%q, %q: got %v, want a value or the limit", subject, pattern, err)
		}
		if fmt.Sprint(err) != fmt.Sprint(again) || first.Used().Instructions != second.Used().Instructions {
			t.Errorf("%q, %q: got %v after %d, then %v after %d", subject, pattern, err, first.Used().Instructions, again, second.Used().Instructions)
		}
	})
}
