package text

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func TestText(t *testing.T) {
	text := func(s string) object { return object{"text": s} }
	parts := func(s ...any) object { return object{"parts": append([]any{}, s...)} }
	result := func(b bool) object { return object{"result": b} }
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{Action: "text.split", Input: object{"text": "a, b,,c", "separator": ","}, Want: parts("a", " b", "", "c")},
		{Action: "text.split", Input: object{"text": "", "separator": ","}, Want: parts("")},
		{Action: "text.split", Input: object{"text": "abc", "separator": ""}, Kind: action.InvalidInput, Says: "at least 1"},
		{Action: "text.split", Input: object{"text": strings.Repeat(",", maxItems), "separator": ","}, Kind: action.Limit, Says: "more than 100000 parts"},
		{Action: "text.lines", Input: text("a\r\nb\n\nc\n"), Want: parts("a", "b", "", "c")},
		{Action: "text.lines", Input: text(""), Want: parts()},
		{Action: "text.lines", Input: text("\n"), Want: parts("")},
		{Action: "text.trim", Input: text(" \t ä \n"), Want: text("ä")},
		{Action: "text.trim", Input: object{"text": "--a-b--", "characters": "-"}, Want: text("a-b")},
		{Action: "text.starts_with", Input: object{"text": "db-1", "part": "db"}, Want: result(true)},
		{Action: "text.ends_with", Input: object{"text": "db-1", "part": "db"}, Want: result(false)},
		{Action: "text.contains", Input: object{"text": "db-1", "part": "-"}, Want: result(true)},
		{Action: "text.truncate", Input: object{"text": "äöü", "length": 3.0}, Want: text("äöü")},
		{Action: "text.truncate", Input: object{"text": "äöüß", "length": 3.0}, Want: text("äö…")},
		{Action: "text.truncate", Input: object{"text": "abcdef", "length": 2.0, "ending": "..."}, Want: text("..")},
		{Action: "text.truncate", Input: object{"text": "abcdef", "length": 0.0}, Want: text("")},
		{Action: "text.truncate", Input: object{"text": "abc", "length": -1.0}, Kind: action.InvalidInput, Says: "0 or more"},
	})
}

func TestTextPatterns(t *testing.T) {
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{
			Action: "text.match", Input: object{"text": "host db-07 is down", "pattern": `(?P<name>[a-z]+)-(\d+)(x)?`},
			Want: object{"match": "db-07", "captures": []any{"db", "07", nil}, "named": object{"name": "db"}},
		},
		{Action: "text.match", Input: object{"text": "abc", "pattern": "x*$"}, Want: object{"match": "", "captures": []any{}, "named": object{}}},
		{Action: "text.match", Input: object{"text": "abc", "pattern": "x"}, Want: object{"captures": []any{}, "named": object{}}},
		{Action: "text.match", Input: object{"text": "abc", "pattern": "(a"}, Kind: action.InvalidInput, Says: `the pattern "(a" is wrong: missing closing )`},
		{Action: "text.match", Input: object{"text": "abc", "pattern": "(%d"}, Kind: action.InvalidInput, Says: "not a Lua pattern"},
		{
			Action: "text.find_all", Input: object{"text": "a=1 b=2", "pattern": `(\w)=(\d)`},
			Want: object{"matches": []any{"a=1", "b=2"}, "captures": []any{[]any{"a", "1"}, []any{"b", "2"}}},
		},
		{Action: "text.find_all", Input: object{"text": "a", "pattern": "x"}, Want: object{"matches": []any{}, "captures": []any{}}},
		{Action: "text.find_all", Input: object{"text": strings.Repeat("a", maxItems), "pattern": ""}, Kind: action.Limit, Says: "more than 100000 matches"},
		{Action: "text.replace", Input: object{"text": "a1 b2", "pattern": `(?P<l>\w)(\d)`, "with": "${2}${l}$$"}, Want: object{"text": "1a$ 2b$"}},
		{Action: "text.replace", Input: object{"text": "^bc", "pattern": "^b", "with": "x"}, Want: object{"text": "^bc"}},
		{Action: "text.replace", Input: object{"text": "a.b.c", "pattern": ".", "with": "$1", "literal": true}, Want: object{"text": "a$1b$1c"}},
		{Action: "text.replace", Input: object{"text": strings.Repeat("a", 5000), "pattern": "a", "with": strings.Repeat("b", 1000)}, Kind: action.Limit, Says: "longer than"},
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
