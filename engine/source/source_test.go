package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/source"
)

// read returns the value of a document.
func read(name string, text []byte) (any, error) {
	data, err := source.ReadData(name, text)
	return data.Value, err
}

// TestScalars proves the value of each kind of plain scalar, and which are refused
// because readers of YAML disagree on them.
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
		if _, err := read("d.yaml", []byte("v: "+text+"\n")); err == nil || !strings.HasPrefix(err.Error(), "d.yaml:1:4: ") || !strings.Contains(err.Error(), want) {
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
		{"[1, null, {}]", []any{1.0, nil, map[string]any{}}},
	} {
		v, err := read("d.yaml", []byte("v: "+test.text+"\n"))
		want := map[string]any{"v": test.want}
		if test.want == nil { // a null field is absent
			want = map[string]any{}
		}
		if diff := cmp.Diff(any(want), v); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", test.text, err, diff)
		}
	}
}

// TestMerges proves which entry wins where mappings are merged.
func TestMerges(t *testing.T) {
	v, err := read("d.yaml", []byte(`
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
	want := map[string]any{
		"one": map[string]any{"a": 1.0, "b": 1.0}, "two": map[string]any{"b": 2.0, "c": 2.0},
		"own_first": map[string]any{"a": 0.0, "b": 1.0}, "own_last": map[string]any{"a": 0.0, "b": 1.0},
		"list":  map[string]any{"a": 1.0, "b": 1.0, "c": 2.0},
		"chain": map[string]any{"b": 2.0, "c": 2.0, "d": 3.0}, "chained": map[string]any{"b": 2.0, "c": 2.0, "d": 3.0},
		"text": map[string]any{"<<": "x"},
	}
	if diff := cmp.Diff(any(want), v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSyntaxLines proves that a syntax error is reported in its true line, also deep in
// a file of many lines.
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
			text := "steps:\n" + strings.Repeat(good, before) + test.line + strings.Repeat(good, 800-before)
			_, err := read("s.yaml", []byte(text))
			d, ok := err.(source.Problems)
			if !ok || len(d) != 1 || d[0].Rule != "yaml-syntax" || d[0].Line != before+2 {
				t.Errorf("%s in line %d: got %v", test.name, before+2, err)
			}
		}
	}
}

// TestJSONData proves that JSON is read too, including escapes that YAML does not have.
func TestJSONData(t *testing.T) {
	v, err := read("d.json", []byte("{\n\t\"a\": [1, -2.5e3, true, null],\n\t\"b\": {\"c\\/\": \"\\u00e9\\n\\\\/\"},\n"+
		"\t\"pair\": \"\\ud83d\\ude00!\", \"half\": \"\\ud83dx\", \"plain\": \"\\\\ud83d\"\n}\n"))
	want := map[string]any{
		"a": []any{1.0, -2500.0, true, nil}, "b": map[string]any{"c/": "é\n\\/"}, "pair": "😀!", "half": "\ufffdx", "plain": `\ud83d`,
	}
	if diff := cmp.Diff(any(want), v); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{
		`{"a": 1, "a": 2}`:         `d.json:1:10: the file has the key "a" twice`,
		`{"a": 12345678901234567}`: "d.json:1:7: the whole number 12345678901234567 is beyond 2^53",
	} {
		if _, err := read("d.json", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestYAML proves what plain scalars, aliases and merges mean.
func TestYAML(t *testing.T) {
	v, err := read("d.yaml", []byte("\ufeff"+`no: no
yes: yes
date: 2026-01-01
time: 12:30:45
float: 1e3
negative: -0.5
null_a: ~
empty:
quoted: "0777"
tagged: !!str 5
base: &base {a: 1, b: 2}
merged: {<<: *base, b: 3}
list: [1, null, *base]
`))
	if err != nil {
		t.Fatal(err)
	}
	base := map[string]any{"a": 1.0, "b": 2.0}
	want := map[string]any{
		"no": "no", "yes": "yes", "date": "2026-01-01", "time": "12:30:45", "float": 1000.0, "negative": -0.5,
		"quoted": "0777", "tagged": "5", "base": base, "merged": map[string]any{"a": 1.0, "b": 3.0}, "list": []any{1.0, nil, base},
	}
	if diff := cmp.Diff(any(want), v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBombs proves that small files which grow without end are refused.
func TestBombs(t *testing.T) {
	laughs := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'i'; c++ {
		laughs += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 10) + "x]\n"
	}
	for name, text := range map[string]string{
		"laughs": laughs, "itself": "a: &a [*a]\n", "deep": strings.Repeat("[", 500) + strings.Repeat("]", 500),
		"large": strings.Repeat("# comment\n", 500_000), "encoding": "a: \xff\n",
	} {
		if _, err := read(name, []byte(text)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestPlaces proves that a path inside a document leads to the line and column of
// its value, and a path that does not exist to the last part that does.
func TestPlaces(t *testing.T) {
	data, err := source.ReadData("w.yaml", []byte(`
users:
  - {name: Ann}
  - name: Bob
    emails: [b@example.com]
net:
  "db.example.com:22": [open, closed]
base: &base {role: user}
other: *base
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path  string
		first int
		want  source.Position
	}{
		{"users[1].emails[0]", 0, source.Position{Line: 5, Column: 14}},
		{"users[2].emails[1]", 1, source.Position{Line: 5, Column: 14}},
		{`net["db.example.com:22"][2]`, 1, source.Position{Line: 7, Column: 31}},
		{"users[0].age", 0, source.Position{Line: 3, Column: 5}},
		{"users[7].name", 0, source.Position{Line: 3, Column: 3}},
		{"users[0].name", 1, source.Position{Line: 3, Column: 3}},
		{"other.role", 0, source.Position{Line: 8, Column: 20}},
		{"nothing", 0, source.Position{Line: 2, Column: 1}},
		{"", 0, source.Position{Line: 2, Column: 1}},
	} {
		if got := data.Tree.Place(test.path, test.first); got != test.want {
			t.Errorf("%s from %d: got %v, want %v", test.path, test.first, got, test.want)
		}
	}
	if got, want := data.Tree.PlaceOfName("users[1].emails", 0), (source.Position{Line: 5, Column: 5}); got != want {
		t.Errorf("the name: got %v, want %v", got, want)
	}
	data.Report(data.Tree.Place("users[0].name", 0), "bad-input", "the name is wrong", "write another")
	if got, want := data.Err().Error(), "w.yaml:3:12: the name is wrong (write another)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestKeys proves what is reported for unknown keys, and that Apart keeps problems from
// the document.
func TestKeys(t *testing.T) {
	d := source.Read("k.yaml", []byte("urll: x\nretries: 5\nhots: y\nevery: -1\n"))
	root, _ := d.Root()
	var apart source.Problems
	root.Mapping("the file",
		source.Key{Name: "url", Read: func(source.Node) { t.Error("url is read") }},
		source.Key{Name: "host", Read: func(source.Node) {}, Refused: true},
		source.Key{Name: "every", Read: func(n source.Node) { apart = d.Apart(func() { n.Duration("every") }) }},
	)
	want := `k.yaml:1:1: the file has no key "urll" (did you mean "url"?)
k.yaml:2:1: the file has no key "retries" (known: url, every)
k.yaml:3:1: the file has no key "hots" (did you mean "host"?)`
	if diff := cmp.Diff(want, d.Err().Error()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if len(apart) != 1 || apart[0].Line != 4 {
		t.Errorf("got %v apart, want the duration in line 4", apart)
	}
}

// FuzzReadData proves that no text makes the reader panic, and that every problem
// has a place.
func FuzzReadData(f *testing.F) {
	f.Add([]byte("a: &a [*a]\nb: {<<: *a}\n"))
	f.Add([]byte(`{"a\/": "\ud83d"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := source.ReadData("fuzz.yaml", text)
		if problems, ok := err.(source.Problems); err != nil && (!ok || len(problems) == 0) {
			t.Fatalf("got %T %v", err, err)
		} else {
			for _, p := range problems {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Errorf("got %+v", p)
				}
			}
		}
	})
}
