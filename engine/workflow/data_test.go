package workflow_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestScalars proves what one plain scalar means, and which are refused since
// readers of YAML differ on them.
func TestScalars(t *testing.T) {
	refused := map[string]string{
		"0777": "read differently", "0o17": "read differently", "0x1F": "read differently", "0b1": "read differently", "1_000": "read differently",
		"+5": "read differently", "+1e3": "read differently", ".5": "read differently", "5.": "read differently", "00": "read differently",
		".inf": "read differently", "-.INF": "read differently", ".nan": "read differently", "01.5": "read differently",
		"9007199254740993": "beyond 2^53", "-9007199254740993": "beyond 2^53", "1e999": "too large",
		"!!int abc": "the tag !!int does not fit", "!!bool yes": "the tag !!bool does not fit", "!!int 1.5": "does not fit", "!!seq {}": "does not fit",
		"!!timestamp 2026-01-01": "has no meaning here", "!x 1": "has no meaning here",
	}
	for text, want := range refused {
		if _, err := workflow.ParseData("d.yaml", []byte("v: "+text+"\n")); err == nil || !strings.HasPrefix(err.Error(), "d.yaml:1:4: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	for _, test := range []struct {
		text string
		want any
	}{
		{"no", "no"},
		{"yes", "yes"},
		{"on", "on"},
		{"True", "True"},
		{"true", true},
		{"false", false},
		{"null", nil},
		{"~", nil},
		{"", nil},
		{"'null'", "null"},
		{`"1"`, "1"},
		{"!!str 1", "1"},
		{"!!str", ""},
		{"0", 0.0},
		{"-1", -1.0},
		{"1.50", 1.5},
		{"1e3", 1000.0},
		{"1E-2", 0.01},
		{"!!float 1", 1.0},
		{"!!int 1", 1.0},
		{"9007199254740992", float64(1 << 53)},
		{"'9007199254740993'", "9007199254740993"},
		{"2026-01-01", "2026-01-01"},
		{"12:30:45", "12:30:45"},
		{"1.2.3", "1.2.3"},
		{"1e", "1e"},
		{"0.1.1", "0.1.1"},
		{"5s", "5s"},
		{"|\n  a\n  b", "a\nb\n"},
		{">-\n  a\n  b", "a b"},
		{"[1, null, {}]", []any{1.0, nil, action.Object{}}},
	} {
		v, err := workflow.ParseData("d.yaml", []byte("v: "+test.text+"\n"))
		want := action.Object{"v": test.want}
		if test.want == nil { // a null field is absent
			want = action.Object{}
		}
		if diff := cmp.Diff(any(want), v); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", test.text, err, diff)
		}
	}
}

// TestMerges proves which entry wins where mappings are merged.
func TestMerges(t *testing.T) {
	v, err := workflow.ParseData("d.yaml", []byte(`
one: &one {a: 1, b: 1}
two: &two {b: 2, c: 2}
own_first: {a: 0, <<: *one}
own_last: {<<: *one, a: 0}
list: {<<: [*one, *two]}
chain: &chain {<<: *two, d: 3}
chained: {<<: *chain}
text: {"<<": x}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := action.Object{
		"one": action.Object{"a": 1.0, "b": 1.0}, "two": action.Object{"b": 2.0, "c": 2.0},
		"own_first": action.Object{"a": 0.0, "b": 1.0}, "own_last": action.Object{"a": 0.0, "b": 1.0},
		"list":  action.Object{"a": 1.0, "b": 1.0, "c": 2.0},
		"chain": action.Object{"b": 2.0, "c": 2.0, "d": 3.0}, "chained": action.Object{"b": 2.0, "c": 2.0, "d": 3.0},
		"text": action.Object{"<<": "x"},
	}
	if diff := cmp.Diff(any(want), v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSyntaxLines proves that a fault of YAML is reported in the line where it is,
// also deep inside a file of many lines.
func TestSyntaxLines(t *testing.T) {
	good := "  - {uses: uuid.new, if: inputs.a == inputs.b}\n"
	for _, test := range []struct{ name, line string }{
		{"quote", "  - id: \"a\n"},
		{"bracket", "  - id: [a\n"},
		{"brace", "  - {id: a\n"},
		{"colon", "  - id: a: b\n"},
		{"alias", "  - *nobody\n"},
		{"tab", "\t- id: a\n"},
		{"percent", "  - %x\n"},
		{"escape", "  - \"\\q\"\n"},
	} {
		for _, before := range []int{0, 1, 800} {
			source := "steps:\n" + strings.Repeat(good, before) + test.line + strings.Repeat(good, 800-before)
			_, err := workflow.Parse("s.yaml", []byte(source))
			d, ok := err.(workflow.Diagnostics)
			if !ok || len(d) != 1 || d[0].Rule != "yaml-syntax" || d[0].Line != before+2 {
				t.Errorf("%s in line %d: got %v", test.name, before+2, err)
			}
		}
	}
}

// TestJSONData proves that JSON as machines write it is read too, escapes that
// YAML does not have included.
func TestJSONData(t *testing.T) {
	v, err := workflow.ParseData("d.json", []byte("{\n\t\"a\": [1, -2.5e3, true, null],\n\t\"b\": {\"c\\/\": \"\\u00e9\\n\\\\/\"},\n"+
		"\t\"pair\": \"\\ud83d\\ude00!\", \"half\": \"\\ud83dx\", \"plain\": \"\\\\ud83d\"\n}\n"))
	want := action.Object{
		"a": []any{1.0, -2500.0, true, nil}, "b": action.Object{"c/": "é\n\\/"}, "pair": "😀!", "half": "\ufffdx", "plain": `\ud83d`,
	}
	if diff := cmp.Diff(any(want), v); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for source, want := range map[string]string{
		`{"a": 1, "a": 2}`:         `d.json:1:10: the file has the key "a" twice`,
		`{"a": 12345678901234567}`: "d.json:1:7: the whole number 12345678901234567 is beyond 2^53",
	} {
		if _, err := workflow.ParseData("d.json", []byte(source)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
}
