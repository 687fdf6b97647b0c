package syntax

import (
	"regexp"
	"slices"
	"sync"
)

// A habitRule finds the syntax of another language and says how Lua writes it.
type habitRule struct {
	pattern *regexp.Regexp
	lua     string
}

// habits are the rules for a line that the parser refuses. The first rule that matches
// gives the hint, so special rules come before general ones. The rules are compiled at
// the first error, because most processes never need them.
var habits = sync.OnceValue(func() []habitRule {
	return []habitRule{
		{regexp.MustCompile(`\belse\s+if\b|\belif\b|\belsif\b`), "Lua writes elseif"},
		{regexp.MustCompile(`===`), "Lua writes =="},
		{regexp.MustCompile(`!=`), "Lua writes ~="},
		{regexp.MustCompile(`&&`), "Lua writes and"},
		{regexp.MustCompile(`\|\|`), "Lua writes or"},
		{regexp.MustCompile(`\?\?`), "Lua writes x or y"},
		{regexp.MustCompile(`\?\.`), "Lua writes x and x.y"},
		{regexp.MustCompile(`^\s*for\s*\(`), "Lua writes for i = 1, n do ... end"},
		{regexp.MustCompile(`^\s*(if|while)\b.*\{\s*$`), "Lua writes if ... then ... end, and while ... do ... end"},
		{regexp.MustCompile(`^\s*(if|for|while|else|def)\b.*:\s*$`), "Lua writes if ... then ... end, for ... do ... end, function f(x) ... end"},
		{regexp.MustCompile(`\bfunction\b.*\)\s*\{|^\s*(def|func|fn)\s`), "Lua writes function f(x) ... end"},
		{regexp.MustCompile(`=>`), "Lua writes function(x) return ... end"},
		{regexp.MustCompile(`\+\+|\+=`), "Lua writes x = x + 1"},
		{regexp.MustCompile(`-=`), "Lua writes x = x - 1"},
		{regexp.MustCompile(`\*=|/=|\.\.=`), "Lua writes x = x * 2"},
		{regexp.MustCompile(`^\s*(const|let|var)\s`), "Lua writes local x = ..."},
		{regexp.MustCompile(`^\s*(import|from|using|include)\s`), `Lua writes local x = require("x")`},
		{regexp.MustCompile(`^\s*continue\b`), "Lua 5.1 has no continue: put the rest of the loop into an if"},
		{regexp.MustCompile(`^\s*(raise|throw)\b`), `Lua writes error("...")`},
		{regexp.MustCompile(`^\s*try\b`), "Lua writes local ok, err = pcall(function() ... end)"},
		{regexp.MustCompile(`^\s*//|\s//\s*[A-Z]`), "Lua writes comments with --"},
		{regexp.MustCompile(`//`), "Lua writes comments with --, and math.floor(a / b)"},
		{regexp.MustCompile(`^\s*#`), "Lua writes comments with --"},
		{regexp.MustCompile(`<<|>>|[^~]~[^=]`), "Lua 5.1 has no operators for bits"},
		{regexp.MustCompile(`\?.*:`), "Lua writes condition and a or b"},
		{regexp.MustCompile(`[{,]\s*["']?\w+["']?\s*:`), "Lua writes {name = value}"},
		{regexp.MustCompile(`(=|\breturn|\(|,)\s*\[`), "Lua writes lists as {1, 2}"},
		{regexp.MustCompile("`"), `Lua writes "text " .. value`},
		{regexp.MustCompile(`!\s*[\w(]`), "Lua writes not"},
	}
})

// blockHabits are the rules for lines that leave a block open, which the parser notices
// only at the end of the source.
var blockHabits = sync.OnceValue(func() []habitRule {
	return []habitRule{
		{regexp.MustCompile(`\belse\s+if\b`), "Lua writes elseif"},
		{regexp.MustCompile(`^\s*(if|while|for|function)\b.*\{\s*$`), "Lua writes if ... then ... end, while ... do ... end, function f(x) ... end"},
	}
})

// habit returns how Lua writes a line of another language, or "".
func habit(rules []habitRule, lines ...string) string {
	for _, h := range rules {
		if slices.ContainsFunc(lines, h.pattern.MatchString) {
			return h.lua
		}
	}
	return ""
}

// foreignWords are the hints for names of other languages, and for names that Lua has but
// scripts do not.
var foreignWords = map[string]string{
	"null": "Lua writes nil", "None": "Lua writes nil", "undefined": "Lua writes nil", "nill": "Lua writes nil",
	"True": "Lua writes true", "False": "Lua writes false", "TRUE": "Lua writes true", "FALSE": "Lua writes false",
	"len": "Lua writes #value", "str": "Lua writes tostring(value)", "int": "Lua writes tonumber(text)", "float": "Lua writes tonumber(text)",
	"raise": `Lua writes error("...")`, "throw": `Lua writes error("...")`,
	"try": "Lua writes local ok, err = pcall(function() ... end)", "catch": "Lua writes local ok, err = pcall(function() ... end)",
	"console": "write print(...) or log.info(...)", "printf": "write print(string.format(...))", "echo": "write print(...)",
	"sleep": `write time.sleep("5s")`, "now": "write time.now()", "Date": "write time.now()",
	"fetch": "write http.get{url = ...}", "requests": "write http.get{url = ...}", "curl": "write http.get{url = ...}",
	"JSON": "write json.encode and json.decode", "re": "write text.match", "regex": "write text.match",
	"exit": "write return, or error(...) to fail the step", "self": "a script has no self; functions take it as their first parameter",
	"env": "a workflow reads inputs and secrets, not the environment", "getenv": "a workflow reads inputs and secrets, not the environment",
	"io": "scripts cannot read files", "debug": "scripts have no debug library", "coroutine": "scripts have no coroutines",
	"package": `write require("name")`, "module": "a module is a file that returns a table",
	"dofile": `write require("name")`, "loadfile": `write require("name")`, "loadstring": "scripts cannot load code", "load": "scripts cannot load code",
	"setfenv": "scripts have one environment", "getfenv": "scripts have one environment",
}
