package lua_test

import (
	"testing"

	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
)

// functionScripts call the functions of our library often enough that the rest of the
// time does not matter.
var functionScripts = []struct{ name, script string }{
	{"match", "for i = 1, 1000 do local a, b = ('key=value and more'):match('^(%w+)=(%w*)') end return 1"},
	{"find", "for i = 1, 1000 do local a = ('a long line of text with a word in it'):find('word') end return 1"},
	{"gsub", "local s = ('some words '):rep(20) for i = 1, 100 do local r = s:gsub('%w+', '<%0>') end return 1"},
	{"format", "for i = 1, 1000 do local s = string.format('%s has %d of %5.2f', 'name', i, 1.5) end return 1"},
	{"concat", "local t = {} for i = 1, 200 do t[i] = 'part ' .. i end for i = 1, 100 do local s = table.concat(t, ',') end return 1"},
	{"operator", "for i = 1, 1000 do local s = 'a' .. i .. 'b' .. i end return 1"},
	{"sort", "for n = 1, 20 do local t = {} for i = 1, 200 do t[i] = (i * 7919) % 1009 end table.sort(t) end return 1"},
	{"sort_function", "for n = 1, 10 do local t = {} for i = 1, 200 do t[i] = (i * 7919) % 1009 end table.sort(t, function(a, b) return a > b end) end return 1"},
	{"loop", "local n = 0 for i = 1, 100000 do n = n + i % 7 end return n"},
}

// BenchmarkFunctions compares the functions of our library with gopher-lua's own (stock).
// Ours charge and are bounded, and must not take longer.
func BenchmarkFunctions(b *testing.B) {
	for _, f := range functionScripts {
		b.Run(f.name+"/ours", func(b *testing.B) {
			m := newMachine(b)
			m.env.Limits = workflow.Limits{Instructions: 1 << 50}
			compiled := m.compile(b, workflow.Script, f.script)
			for b.Loop() {
				if _, err := m.open().Eval(compiled); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(f.name+"/stock", func(b *testing.B) {
			proto := compileBare(b, f.script)
			for b.Loop() {
				L := glua.NewState()
				L.Push(L.NewFunctionFromProto(proto))
				if err := L.PCall(0, 1, nil); err != nil {
					b.Fatal(err)
				}
				L.Close()
			}
		})
	}
}
