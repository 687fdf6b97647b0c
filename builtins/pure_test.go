package builtins

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
)

// object is short for the tables below.
type object = action.Object

func TestValidate(t *testing.T) {
	ok := object{"ok": true, "reason": ""}
	no := func(reason string) object { return object{"ok": false, "reason": reason} }
	runRows(t, Config{}, nil, []row{
		{action: "validate.email", input: object{"text": "ann@example.com"}, want: ok},
		{action: "validate.email", input: object{"text": "Ann <ann@example.com>"}, want: no(`"Ann <ann@example.com>" is not an e-mail address such as ann@example.com`)},
		{action: "validate.email", input: object{"text": ""}, want: no(`"" is not an e-mail address such as ann@example.com`)},
		{action: "validate.ip", input: object{"text": "10.0.0.1"}, want: ok},
		{action: "validate.ip", input: object{"text": "fe80::1"}, want: ok},
		{action: "validate.ip", input: object{"text": "10.0.0.256"}, want: no(`"10.0.0.256" is not an IP address`)},
		{action: "validate.cidr", input: object{"text": "10.0.0.0/8"}, want: ok},
		{action: "validate.cidr", input: object{"text": "10.0.0.0/33"}, want: no(`"10.0.0.0/33" is not a network such as 10.0.0.0/8`)},
		{action: "validate.hostname", input: object{"text": "db-1.example.com"}, want: ok},
		{action: "validate.hostname", input: object{"text": "db_1"}, want: no(`"db_1" is not a host name`)},
		{action: "validate.url", input: object{"text": "https://example.com/a?b=c"}, want: ok},
		{action: "validate.url", input: object{"text": "ftp://example.com"}, want: no(`"ftp://example.com" is not a URL such as https://example.com/path`)},
		{action: "validate.url", input: object{"text": "https://example.com/" + strings.Repeat("a", 9000)}, want: no("it is 9020 bytes long, at most 8192 are allowed")},
		{action: "validate.url", input: object{}, kind: action.InvalidInput, says: `"text" is missing`},
	})
}

func TestJSONEncode(t *testing.T) {
	deep := any("x")
	for range maxJSONDepth + 1 {
		deep = []any{deep}
	}
	runRows(t, Config{}, nil, []row{
		{action: "json.encode", input: object{"value": object{"b": []any{1.0, nil, true}, "a": "<&>"}}, want: object{"text": `{"a":"<&>","b":[1,null,true]}`}},
		{action: "json.encode", input: object{"value": object{"a": []any{}}, "pretty": true}, want: object{"text": "{\n  \"a\": []\n}"}},
		{action: "json.encode", input: object{}, want: object{"text": "null"}},
		{action: "json.encode", input: object{"value": 1e15}, want: object{"text": "1000000000000000"}},
		{action: "json.encode", input: object{"value": math.NaN()}, kind: action.InvalidInput, says: "NaN"},
		{action: "json.encode", input: object{"value": deep}, kind: action.Limit, says: "200 levels"},
		{
			action: "json.encode", input: object{"value": object{"a": []any{action.Secret{Name: "TOKEN"}}}},
			kind: action.InvalidInput, says: `"value.a[1]" does not take a secret, got ‹secret TOKEN›`,
		},
	})
}

func TestJSONDecode(t *testing.T) {
	runRows(t, Config{}, nil, []row{
		{
			action: "json.decode", input: object{"text": ` {"a": null, "b": [1, null, 2.5], "c": {"d": null}} `},
			want: object{"value": object{"b": []any{1.0, nil, 2.5}, "c": object{}}},
		},
		{action: "json.decode", input: object{"text": "null"}, want: object{}},
		{action: "json.decode", input: object{"text": "9007199254740992"}, want: object{"value": 9007199254740992.0}},
		{action: "json.decode", input: object{"text": "9007199254740993"}, want: object{"value": "9007199254740993"}},
		{action: "json.decode", input: object{"text": "-9007199254740993"}, want: object{"value": "-9007199254740993"}},
		{action: "json.decode", input: object{"text": "12345678901234567890123"}, want: object{"value": "12345678901234567890123"}},
		{action: "json.decode", input: object{"text": "1e3"}, want: object{"value": 1000.0}},
		{action: "json.decode", input: object{"text": "1e999"}, kind: action.InvalidInput, says: "the number 1e999 is too large"},
		{action: "json.decode", input: object{"text": ""}, kind: action.InvalidInput, says: "empty"},
		{action: "json.decode", input: object{"text": "{\n  \"ä\": nope}"}, kind: action.InvalidInput, says: "line 2, column 9"},
		{action: "json.decode", input: object{"text": "[1,"}, kind: action.InvalidInput, says: "line 1, column 4: it ends too early"},
		{action: "json.decode", input: object{"text": "1 2"}, kind: action.InvalidInput, says: "column 3: there is more text"},
		{action: "json.decode", input: object{"text": strings.Repeat("[", 300) + strings.Repeat("]", 300)}, kind: action.Limit, says: "200 levels"},
		{action: "json.decode", input: object{"text": strings.Repeat(" ", maxJSONText+1)}, kind: action.Limit, says: "at most 4194304"},
	})
}

// FuzzJSONDecode holds what is decoded to the model of values, and to itself when
// it is written and read again.
func FuzzJSONDecode(f *testing.F) {
	for _, seed := range []string{"null", `{"a":[1,null,{"b":null}]}`, "9007199254740993", "-0", "1e-400", `"\ud800"`, "[[[", "1e999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := call(Config{}, nil, "json.decode", object{"text": text})
		if err != nil {
			return
		}
		checkModel(t, first["value"])
		written, err := call(Config{}, nil, "json.encode", object{"value": first["value"]})
		if err != nil {
			t.Fatalf("what was decoded from %q cannot be encoded: %v", text, err)
		}
		second, err := call(Config{}, nil, "json.decode", object{"text": written["text"]})
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
			t.Errorf("%v is no number", v)
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
		t.Errorf("%v is no value of ours", v)
	default:
		t.Errorf("a %T is no value of ours", v)
	}
}

func TestBase64(t *testing.T) {
	runRows(t, Config{}, nil, []row{
		{action: "base64.encode", input: object{"text": "aÿ?"}, want: object{"base64": "YcO/Pw=="}},
		{action: "base64.encode", input: object{"text": "aÿ?", "url_safe": true}, want: object{"base64": "YcO_Pw"}},
		{action: "base64.encode", input: object{"text": 1.0}, kind: action.InvalidInput, says: `"text" must be a string`},
		{action: "base64.decode", input: object{"text": "YcO/Pw=="}, want: object{"text": "aÿ?"}},
		{action: "base64.decode", input: object{"text": "YcO/\r\nPw"}, want: object{"text": "aÿ?"}},
		{action: "base64.decode", input: object{"text": "YcO_Pw", "url_safe": true}, want: object{"text": "aÿ?"}},
		{action: "base64.decode", input: object{"text": "YcO_Pw"}, kind: action.InvalidInput, says: "url_safe = true"},
		{action: "base64.decode", input: object{"text": "Y*"}, kind: action.InvalidInput, says: "character 2"},
		{action: "base64.decode", input: object{"text": "YcO/", "url_safe": true}, kind: action.InvalidInput, says: "leave out url_safe"},
		{action: "base64.decode", input: object{"text": "/w=="}, kind: action.InvalidInput, says: "not UTF-8"},
	})
}

func TestHash(t *testing.T) {
	revealed := ""
	scope := &action.Scope{Reveal: func(s action.Secret, to action.Destination) (string, error) {
		revealed = s.Name + " " + string(to)
		return "key", nil
	}}
	// The HMACs of "The quick brown fox jumps over the lazy dog" under "key" are
	// published in many places.
	const fox = "The quick brown fox jumps over the lazy dog"
	secret := action.Secret{Name: "KEY"}
	runRows(t, Config{}, scope, []row{
		{action: "hash.sha256", input: object{"text": ""}, want: object{"hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
		{action: "hash.sha256", input: object{"text": true}, kind: action.InvalidInput, says: "must be a string"},
		{action: "hash.hmac", input: object{"key": secret, "text": fox}, want: object{"signature": "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"}},
		{action: "hash.hmac", input: object{"key": "key", "text": fox, "algorithm": "sha1"}, want: object{"signature": "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"}},
		{action: "hash.hmac", input: object{"key": "key", "text": fox, "algorithm": "sha1", "encoding": "base64"}, want: object{"signature": "3nybhbi3iqa8ino29wqQcBydtNk="}},
		{action: "hash.hmac", input: object{"key": "key", "text": fox, "algorithm": "md5"}, kind: action.InvalidInput, says: `"algorithm" cannot be "md5"`},
		{action: "hash.hmac", input: object{"text": fox}, kind: action.InvalidInput, says: `"key" is missing`},
	})
	if revealed != "KEY (process)" {
		t.Errorf("got %q revealed, want the key for the process", revealed)
	}
	sha512, err := call(Config{}, scope, "hash.hmac", object{"key": "key", "text": fox, "algorithm": "sha512"})
	if text, _ := sha512["signature"].(string); err != nil || !strings.HasPrefix(text, "b42af09057bac1e2d41708e48a902e09") {
		t.Errorf("got %v, %v", sha512, err)
	}
}

func TestText(t *testing.T) {
	text := func(s string) object { return object{"text": s} }
	parts := func(s ...any) object { return object{"parts": append([]any{}, s...)} }
	result := func(b bool) object { return object{"result": b} }
	runRows(t, Config{}, nil, []row{
		{action: "text.split", input: object{"text": "a, b,,c", "separator": ","}, want: parts("a", " b", "", "c")},
		{action: "text.split", input: object{"text": "", "separator": ","}, want: parts("")},
		{action: "text.split", input: object{"text": "abc", "separator": ""}, kind: action.InvalidInput, says: "at least 1"},
		{action: "text.split", input: object{"text": strings.Repeat(",", maxItems), "separator": ","}, kind: action.Limit, says: "more than 100000 parts"},
		{action: "text.lines", input: text("a\r\nb\n\nc\n"), want: parts("a", "b", "", "c")},
		{action: "text.lines", input: text(""), want: parts()},
		{action: "text.lines", input: text("\n"), want: parts("")},
		{action: "text.trim", input: text(" \t ä \n"), want: text("ä")},
		{action: "text.trim", input: object{"text": "--a-b--", "characters": "-"}, want: text("a-b")},
		{action: "text.starts_with", input: object{"text": "db-1", "part": "db"}, want: result(true)},
		{action: "text.ends_with", input: object{"text": "db-1", "part": "db"}, want: result(false)},
		{action: "text.contains", input: object{"text": "db-1", "part": "-"}, want: result(true)},
		{action: "text.truncate", input: object{"text": "äöü", "length": 3.0}, want: text("äöü")},
		{action: "text.truncate", input: object{"text": "äöüß", "length": 3.0}, want: text("äö…")},
		{action: "text.truncate", input: object{"text": "abcdef", "length": 2.0, "ending": "..."}, want: text("..")},
		{action: "text.truncate", input: object{"text": "abcdef", "length": 0.0}, want: text("")},
		{action: "text.truncate", input: object{"text": "abc", "length": -1.0}, kind: action.InvalidInput, says: "0 or more"},
	})
}

func TestTextPatterns(t *testing.T) {
	runRows(t, Config{}, nil, []row{
		{
			action: "text.match", input: object{"text": "host db-07 is down", "pattern": `(?P<name>[a-z]+)-(\d+)(x)?`},
			want: object{"match": "db-07", "captures": []any{"db", "07", nil}, "named": object{"name": "db"}},
		},
		{action: "text.match", input: object{"text": "abc", "pattern": "x*$"}, want: object{"match": "", "captures": []any{}, "named": object{}}},
		{action: "text.match", input: object{"text": "abc", "pattern": "x"}, want: object{"captures": []any{}, "named": object{}}},
		{action: "text.match", input: object{"text": "abc", "pattern": "(a"}, kind: action.InvalidInput, says: `the pattern "(a" is wrong: missing closing )`},
		{action: "text.match", input: object{"text": "abc", "pattern": "(%d"}, kind: action.InvalidInput, says: "no Lua pattern"},
		{
			action: "text.find_all", input: object{"text": "a=1 b=2", "pattern": `(\w)=(\d)`},
			want: object{"matches": []any{"a=1", "b=2"}, "captures": []any{[]any{"a", "1"}, []any{"b", "2"}}},
		},
		{action: "text.find_all", input: object{"text": "a", "pattern": "x"}, want: object{"matches": []any{}, "captures": []any{}}},
		{action: "text.find_all", input: object{"text": strings.Repeat("a", maxItems), "pattern": ""}, kind: action.Limit, says: "more than 100000 matches"},
		{action: "text.replace", input: object{"text": "a1 b2", "pattern": `(?P<l>\w)(\d)`, "with": "${2}${l}$$"}, want: object{"text": "1a$ 2b$"}},
		{action: "text.replace", input: object{"text": "^bc", "pattern": "^b", "with": "x"}, want: object{"text": "^bc"}},
		{action: "text.replace", input: object{"text": "a.b.c", "pattern": ".", "with": "$1", "literal": true}, want: object{"text": "a$1b$1c"}},
		{action: "text.replace", input: object{"text": strings.Repeat("a", 5000), "pattern": "a", "with": strings.Repeat("b", 1000)}, kind: action.Limit, says: "longer than"},
	})
}

func TestPatternCacheForgetsTheOldest(t *testing.T) {
	cache := newPatternCache()
	for i := range maxPatterns + 10 {
		if _, err := cache.compile(strings.Repeat("a", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	if len(cache.compiled) != maxPatterns || len(cache.order) != maxPatterns {
		t.Errorf("got %d patterns kept in an order of %d, want %d", len(cache.compiled), len(cache.order), maxPatterns)
	}
}

func TestLog(t *testing.T) {
	var lines []action.LogRecord
	scope := &action.Scope{Log: func(r action.LogRecord) { lines = append(lines, r) }}
	token := action.Secret{Name: "TOKEN"}
	for _, input := range []object{
		{"message": "hello", "fields": object{"n": 1.0, "token": []any{token}}},
		{"message": 3.0},
		{"message": false},
		{"message": object{"a": []any{"<", token}}},
		{"message": token},
		{"message": math.NaN()},
	} {
		if _, err := call(Config{}, scope, "log.warn", input); err != nil {
			t.Errorf("log.warn(%v): %v", input, err)
		}
	}
	want := []action.LogRecord{
		{Level: "warn", Message: "hello", Fields: object{"n": 1.0, "token": []any{"‹secret TOKEN›"}}},
		{Level: "warn", Message: "3"},
		{Level: "warn", Message: "false"},
		{Level: "warn", Message: `{"a":["<","‹secret TOKEN›"]}`},
		{Level: "warn", Message: "‹secret TOKEN›"},
		{Level: "warn", Message: "NaN"},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if _, err := call(Config{}, nil, "log.debug", object{"message": "nobody listens"}); err != nil {
		t.Error(err)
	}
	if _, err := call(Config{}, scope, "log.info", object{}); err == nil {
		t.Error("a log line without a message was taken")
	}
}

func TestUUID(t *testing.T) {
	draws := []uint64{0x0123456789abcdef, 0xffffffffffffffff}
	scope := &action.Scope{Random: func() uint64 {
		next := draws[0]
		draws = draws[1:]
		return next
	}}
	runRows(t, Config{}, scope, []row{
		{action: "uuid.new", want: object{"uuid": "01234567-89ab-4def-bfff-ffffffffffff"}},
	})
	runRows(t, Config{}, nil, []row{{action: "uuid.new", kind: action.Permission, says: "outside of a run"}})
}
