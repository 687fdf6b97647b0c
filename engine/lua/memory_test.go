package lua_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
)

// together runs scripts at the same time, each in an attempt of its own, and returns how
// each of them ended.
func together(t *testing.T, m *machine, scripts ...string) []error {
	t.Helper()
	errs := make([]error, len(scripts))
	var group sync.WaitGroup
	for i, script := range scripts {
		compiled := m.compile(t, workflow.Script, script)
		env := m.env
		env.Data = func(string) (any, bool) { return nil, false }
		group.Go(func() { _, errs[i] = m.interpreter.Open(context.Background(), env).Eval(compiled) })
	}
	group.Wait()
	return errs
}

func repeated(n int, script string) []string {
	scripts := make([]string, n)
	for i := range scripts {
		scripts[i] = script
	}
	return scripts
}

// holding returns a script that holds this many megabytes of text.
func holding(megabytes int) string {
	return fmt.Sprintf("local t = {} for i = 1, %d do t[i] = string.rep('x', 2^20 - 1) .. (i %% 10) end return #t", megabytes)
}

// TestA22OwnMemory: a script ends only for memory that it holds itself, whatever other
// scripts of the process hold at the same time.
func TestA22OwnMemory(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	m := newMachine(t)
	for name, scripts := range map[string][]string{
		"two that hold 40 MB":     repeated(2, holding(40)),
		"fifty that hold 5 MB":    repeated(50, holding(5)),
		"a counter, an allocator": {"local n = 0 for i = 1, 1000000 do n = n + 1 end return n", holding(60)},
		"a list, an allocator":    {"local t = {} for i = 1, 20000 do t[i] = {i} end return #t", holding(60)},
		"one that drops it":       {"local t for n = 1, 10 do t = {} for i = 1, 10 do t[i] = string.rep('x', 2^20) end end return #t", holding(60)},
		"one that is too large": {
			"local t = {} for i = 1, 5 do t[i] = string.rep('x', 2^20) end for i = 1, 200000 do t[1] = {i} end return #t",
			"return pcall(function() local t = {} for i = 1, 1000 do t[i] = string.rep('x', 2^20) end end)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range rounds {
				if name != "two that hold 40 MB" && round == 4 {
					return
				}
				for i, err := range together(t, m, scripts...) {
					if tooLarge := name == "one that is too large" && i == 1; (err != nil) != tooLarge {
						t.Fatalf("round %d, script %d: got %v", round, i, err)
					}
				}
			}
		})
	}
}

// oneByOne skips the rest of a slow test of scripts that run one by one, in which the race
// detector has nothing to find. CI runs the tests without the race detector too.
func oneByOne(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it is slow, and scripts run one by one")
	}
}

// takers are scripts that take memory, each in another way. % is how much of it: with 1 a
// script stays below 8 MB, with 8 it goes beyond 16 MB.
var takers = map[string]string{
	"long texts":            "local t = {} for i = 1, 4 * % do t[i] = string.rep('x', 2^20) end",
	"short texts":           "local t = {} for i = 1, 80000 * % do t[i] = 'text ' .. i end",
	"numbers":               "local t = {} for i = 1, 90000 * % do t[i] = i + 0.5 end",
	"numbers in few blocks": "local t, n = {}, 0 for i = 1, 90000 * % do for j = 1, 3 do n = i + j / 3 end t[i] = n end",
	"numbers set again":     "local t = {} for i = 1, 90000 * % do t[i] = true end for i = 1, 90000 * % do t[i] = i * 1.5 end",
	"numbers as keys":       "local t = {} for i = 1, 15000 * % do t[-i] = true end",
	"tables":                "local t = {} for i = 1, 20000 * % do t[i] = {} end",
	"lists":                 "local t = {} for i = 1, 24000 * % do t[i] = {i} end",
	"objects":               "local t = {} for i = 1, 4000 * % do t[i] = {a = i, b = i} end",
	"objects by assignment": "local t = {} for i = 1, 4000 * % do t[i] = {} t[i].a = i end",
	"fields":                "local t = {} for i = 1, 20000 * % do t['k' .. i] = i end",
	"fields that are gone":  "local t = {} for i = 1, 20000 * % do t['k' .. i] = i end for i = 1, 20000 * % do t['k' .. i] = nil end",
	"tables as keys":        "local t = {} for i = 1, 10000 * % do t[{}] = true end",
	"closures":              "local t = {} for i = 1, 16000 * % do t[i] = function() return i end end",
	"variables":             "local t = {} for i = 1, 5000 * % do local a, b, c, d, e, f = i+.5, i+.5, i+.5, i+.5, i+.5, i+.5 t[i] = function() return a, b, c, d, e, f end end",
	"far keys":              "local t = {} for i = 1, % do t[i] = {} t[i][2^18] = 1 end",
	"all results":           "local t = {} for i = 1, 60 * % do t[i] = {string.byte(string.rep('x', 4000), 1, -1)} end",
	"varargs":               "local function f(...) return {...} end local t = {} for i = 1, 60 * % do t[i] = f(string.byte(string.rep('x', 4000), 1, -1)) end",
	"a list, by insert":     "local t = {} for i = 1, 64000 * % do table.insert(t, i + .5) end",
	"a list, by rawset":     "local t = {} for i = 1, 20000 * % do rawset(t, 'k' .. i, i) end",
	"behind __newindex":     "local real = {} local p = setmetatable({}, {__newindex = real}) for i = 1, 20000 * % do p['k' .. i] = i end",
	"globals":               "for i = 1, 20000 * % do _G['k' .. i] = i end",
	"parts of texts":        "local t = {} for i = 1, 30000 * % do t[i] = ('0123456789'):rep(20):sub(i % 7, i % 7 + 90) end",
	"captures":              "local t = {} for i = 1, 30000 * % do t[i] = ('0123456789'):rep(20):match('%d+') end",
	"iterators":             "local t = {} for i = 1, 4 * % do t[i] = string.rep('x', 2^20):gmatch('y') end",
	"errors":                "local t = {} for i = 1, 4 * % do local _, e = pcall(error, {text = string.rep('x', 2^20)}) t[i] = e end",
	"in a pcall":            "pcall(function() local t = {} for i = 1, 4 * % do t[i] = string.rep('x', 2^20) end end)",
	"across pcalls":         "local t = {} for i = 1, 4 * % do pcall(function() t[i] = string.rep('x', 2^20) end) end",
	"in variables outside":  "local a local function add(i) local before, text = a, string.rep('x', 2^20) a = function() return before, text end end for i = 1, 4 * % do add(i) end",
	"in metatables":         "local t = {} for i = 1, 4 * % do t = setmetatable({}, {t, string.rep('x', 2^20)}) end",
	"in recursion":          "local function f(n) local text = string.rep('x', 2^20) if n > 1 then return f(n - 1), text end return text end local a = f(4 * %)",
	"sorts in sorts":        "local t = {} for i = 1, 20000 do t[i] = i end local function s(n) table.sort(t, function(a, b) if n > 1 then n = n - 1 s(n) end return a < b end) end s(5 * %)",
	"gsub in gsub":          "local function g(n) return (('ab'):gsub('.', function(c) if n < 1 then return 'x' end if c == 'b' then n = n - 1 g(n) end return string.rep('x', 2^19) end)) end g(6 * %)",
	"what a function made":  "local t = {} for i = 1, 3 * % do t[i] = demo.echo(string.rep('x', 2^20)) end",
	"deep":                  "local t = {} for i = 1, 20000 * % do t = {t} end",
}

// TestA22EveryKindOfMemory: every way to take memory counts, and no script ends that holds
// less than its limit.
func TestA22EveryKindOfMemory(t *testing.T) {
	m := newMachine(t, echo())
	m.env.Limits.Memory = 16 << 20
	for name, script := range takers {
		t.Run(name, func(t *testing.T) {
			m.value(t, times(script, 1))
			oneByOne(t)
			m.mustFail(t, times(script, 8), action.Limit, "after taking 16MB of memory, its limit")
		})
	}
}

// times returns a taker that takes n times as much. A % of an operator stays.
func times(script string, n int) string {
	out := []byte{}
	for i := 0; i < len(script); i++ {
		if script[i] == '%' && (i+1 == len(script) || script[i+1] == ' ' || script[i+1] == ')') && script[i-1] == ' ' && !(i > 1 && script[i-2] == 'i') {
			out = fmt.Append(out, n)
			continue
		}
		out = append(out, script[i])
	}
	return string(out)
}

// TestA22DroppedMemory: memory that a script has dropped does not count, without waiting
// for a collection of garbage.
func TestA22DroppedMemory(t *testing.T) {
	oneByOne(t)
	m := newMachine(t, echo())
	m.env.Limits = workflow.Limits{Memory: 16 << 20, Instructions: 1 << 40}
	for name, script := range takers {
		t.Run(name, func(t *testing.T) {
			m.value(t, "for round = 1, 4 do (function() "+times(script, 1)+" end)() for k in pairs({}) do end end")
		})
	}
}

// TestA22Deterministic: a script that takes too much ends at the same place in every run,
// whatever else the process does.
func TestA22Deterministic(t *testing.T) {
	reached := func() (n float64) {
		m := newMachine(t, act("demo.count", action.Pure, func(_ context.Context, in anyIn) error {
			n = in.Value.(float64)
			return nil
		}))
		m.env.Limits.Memory = 4 << 20
		m.mustFail(t, "local t, n = {}, 0 while true do n = n + 1 t[n] = {'text ' .. n, n + 0.5, {a = n}} t[-n % 100] = nil demo.count{value = n} end", action.Limit, "memory")
		return n
	}
	first := reached()
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(t, newMachine(t), repeated(4, holding(30))...)
	}()
	for range 3 {
		if got := reached(); got != first {
			t.Errorf("got %v rounds, then %v", first, got)
		}
	}
	<-done
}

// TestA22Sizes: what is measured is about what the heap has grown by.
func TestA22Sizes(t *testing.T) {
	for name, script := range takers {
		switch name {
		case "in a pcall", "in recursion", "sorts in sorts", "gsub in gsub":
			continue // they hold nothing at the end
		}
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, echo())
			compiled := m.compile(t, workflow.Script, "local function keep(...) held = {...} end "+times(script, 1)+" keep(t, real, p, a) return 1")
			evaluation := m.open()
			before := heap()
			if _, err := evaluation.Eval(compiled); err != nil {
				t.Fatal(err)
			}
			grown, held := heap()-before, lua.Held(evaluation)
			runtime.KeepAlive(compiled)
			if held < grown*3/4 || held > grown*3/2+1<<17 {
				t.Errorf("measured %d KB, and the heap has grown by %d KB", held>>10, grown>>10)
			}
		})
	}
}

// heap returns how many bytes are alive.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return int64(memory.HeapAlloc)
}
