package main

import (
	"strings"
	"testing"

	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// compileTexts compiles the Lua in a decoded file: scripts, conditions and expressions.
func compileTexts(b *testing.B, v any) {
	b.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			text, ok := item.(string)
			switch {
			case ok && name == "lua":
				compileBare(b, text)
			case ok && name == "if":
				compileBare(b, "return "+text)
			default:
				compileTexts(b, item)
			}
		}
	case []any:
		for _, item := range v {
			compileTexts(b, item)
		}
	case string:
		for _, part := range strings.Split(v, "${{")[1:] {
			expression, _, _ := strings.Cut(part, "}}")
			compileBare(b, "return "+expression)
		}
	}
}

func compileBare(b *testing.B, source string) {
	b.Helper()
	statements, err := parse.Parse(strings.NewReader(source), "w.yaml")
	if err == nil {
		_, err = glua.Compile(statements, "w.yaml")
	}
	if err != nil {
		b.Fatal(err)
	}
}
