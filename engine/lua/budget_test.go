package lua_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/workflow"
)

// endless are scripts that do not end, each in another way.
var endless = map[string]string{
	"a loop":                 "while true do end",
	"goto":                   "::again:: goto again",
	"a tail call of itself":  "local function f() return f() end return f()",
	"a tail call of pcall":   "return pcall(function() while true do end end)",
	"a tail call of xpcall":  "return xpcall(function() while true do end end, function(e) return e end)",
	"a loop of pcall":        "while true do pcall(function() while true do end end) end",
	"nested pcall":           "local function n(d) if d > 0 then while true do pcall(n, d - 1) end end end n(60)",
	"a handler that loops":   "xpcall(error, function() while true do end end)",
	"a comparator":           "table.sort({3, 2, 1}, function() while true do end end)",
	"a replacement":          "return (('x'):gsub('x', function() while true do end end))",
	"a metamethod":           "return setmetatable({}, {__index = function() while true do end end}).x",
	"tostring":               "return tostring(setmetatable({}, {__tostring = function() while true do end end}))",
	"pairs that never ends":  "local t = {a = 1} while true do for k in pairs(t) do end end",
	"two that call by pcall": "local f, g f = function() return pcall(g) end g = function() return pcall(f) end while true do f() end",
}

// TestInstructionBudget: a script that does not end is stopped at its limit of
// instructions, and no pcall catches that.
func TestInstructionBudget(t *testing.T) {
	for name, script := range endless {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.env.Limits.Instructions = 100_000
			m.mustFail(t, script, action.Limit, "the script was stopped after 100000 instructions, its limit")
			if got := m.value(t, "return 1"); got != 1.0 {
				t.Errorf("got %v from the next script, want 1", got)
			}
		})
	}
}

// TestBudgetIsExact: a script is stopped at the same instruction every time, so that a
// limit that suffices once always suffices.
func TestBudgetIsExact(t *testing.T) {
	reached := func(limit int64) (n float64) {
		m := newMachine(t, act("demo.count", action.Pure, func(_ context.Context, in anyIn) error {
			n = in.Value.(float64)
			return nil
		}))
		m.env.Limits.Instructions = limit
		m.mustFail(t, "local n = 0 while true do n = n + 1 pcall(error) demo.count{value = n} end", action.Limit, "instructions")
		return n
	}
	first := reached(10_000)
	for range 5 {
		if got := reached(10_000); got != first {
			t.Fatalf("got %v rounds, then %v", first, got)
		}
	}
	if more := reached(20_000); more < first*1.9 || more > first*2.1 {
		t.Errorf("got %v rounds with twice the budget, want about twice %v", more, first)
	}
}

// TestPatternsInASmallBudget: a search takes only the steps that it needs, so it succeeds
// with few instructions left, and so does a function that it calls.
func TestPatternsInASmallBudget(t *testing.T) {
	for script, want := range map[string]any{
		`return ("a1"):match("%d")`:  "1",
		`return (("a1"):find("%d"))`: 2.0,
		`local n = 0 for c in ("a1b2"):gmatch("%d") do n = n + c end return n`:                          3.0,
		`local text = ("a1b2"):gsub("%d", function(d) return d + 1 end) return text`:                    "a2b3",
		`return (("ab"):gsub("%w", setmetatable({}, {__index = function(_, c) return c:upper() end})))`: "AB",
	} {
		m := newMachine(t)
		m.env.Limits.Instructions = 200
		if got := m.value(t, script); got != want {
			t.Errorf("%s: got %v, want %v", script, got, want)
		}
	}
	m := newMachine(t)
	m.env.Limits.Instructions = 200
	m.mustFail(t, `return ("a"):rep(1000):match(".-b")`, action.Limit, "the script was stopped after 200 instructions, its limit")
}

// TestBudgetIsOfTheAttempt: all chunks of an attempt share one budget.
func TestBudgetIsOfTheAttempt(t *testing.T) {
	m := newMachine(t)
	m.env.Limits.Instructions = 3000
	script := m.compile(t, workflow.Script, "for i = 1, 1000 do end return 1")
	attempt := m.open()
	for range 2 {
		if _, err := attempt.Eval(script); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := attempt.Eval(script); err == nil {
		t.Error("a third time went beyond the budget and was not stopped")
	}
}

// TestTimeLimit: a script that computes for too long is stopped. A pure function moves the
// virtual clock, as if it computed.
func TestTimeLimit(t *testing.T) {
	clock := newClock()
	m := newMachine(t, act("demo.compute", action.Pure, func(context.Context, anyIn) error {
		clock.now = clock.now.Add(time.Second)
		return nil
	}))
	m.env.Clock, m.env.Limits.Time = clock, 5*time.Second
	m.mustFail(t, "while true do pcall(demo.compute, {}) end", action.Limit, "the script was stopped after computing for 5s, its limit")
	if got := m.value(t, "for i = 1, 5 do demo.compute{} end for i = 1, 10000 do end return 'done'"); got != "done" {
		t.Errorf("got %v, want a script within its time to end", got)
	}
}

// TestTimeIsPausedInCalls: time spent waiting in a call does not count against the time
// limit.
func TestTimeIsPausedInCalls(t *testing.T) {
	clock := newClock()
	m := newMachine(t, act("demo.wait", action.Reads, func(ctx context.Context, _ anyIn) error { return clock.Sleep(ctx, time.Hour) }),
		act("demo.compute", action.Pure, func(ctx context.Context, _ anyIn) error { return clock.Sleep(ctx, time.Second) }))
	m.env.Clock, m.env.Limits.Time = clock, 5*time.Second
	work := "for i = 1, 3 do demo.compute{} demo.wait{} for i = 1, 5000 do end end return 1"
	if got := m.value(t, work); got != 1.0 {
		t.Errorf("got %v, want 1", got)
	}
	m.mustFail(t, work+" + 0, "+"(function() while true do demo.compute{} demo.wait{} end end)()", action.Limit, "computing for 5s")
}

// TestCancellationCannotBeCaught: when the attempt ends during a call, the script ends
// with the same reason at the next instruction.
func TestCancellationCannotBeCaught(t *testing.T) {
	reason := &action.Error{Kind: action.Timeout, Message: "the step took too long"}
	for name, script := range map[string]string{
		"a loop of pcall": "while true do pcall(demo.stop, {}) end",
		"one pcall":       "local ok = pcall(demo.stop, {}) return ok",
		"a tail call":     "return pcall(demo.stop, {})",
		"a success":       "demo.stop{text = 'ok'} return 1",
		"computing":       "demo.stopped{} while true do end",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			calls := 0
			stop := func(_ context.Context, in anyIn) error {
				calls++
				cancel(reason)
				if in.Text == "ok" {
					return nil
				}
				return action.Errorf(action.Cancelled, "cut off")
			}
			m := newMachine(t, act("demo.stop", action.Reads, stop), act("demo.stopped", action.Pure, func(context.Context, anyIn) error { cancel(reason); return nil }))
			m.ctx = ctx
			_, err := m.eval(t, script)
			if !errors.Is(err, reason) || calls > 1 {
				t.Errorf("got %v after %d calls, want %v after one", err, calls, reason)
			}
		})
	}
}

// TestStoppedAtLine: the error of a script that was stopped has a line.
func TestStoppedAtLine(t *testing.T) {
	m := newMachine(t)
	m.env.Limits.Instructions = 1000
	got := m.failure(t, "local n = 0\nwhile true do\n  n = n + 1\nend")
	if got.File != "w.yaml" || got.Line < 11 || got.Line > 13 {
		t.Errorf("got %s:%d, want a line of the loop, 11 to 13", got.File, got.Line)
	}
}

// TestExpressionsAreLimited: expressions have the same limits as scripts.
func TestExpressionsAreLimited(t *testing.T) {
	m := newMachine(t)
	m.env.Limits.Instructions = 1000
	_, err := m.open().Eval(m.compile(t, workflow.Expression, "(function() while true do end end)()"))
	var failure *attempt.ScriptError
	if !errors.As(err, &failure) || failure.Err.Kind != action.Limit {
		t.Errorf("got %v, want it to be stopped", err)
	}
}

// TestExpressionIsOneValue: an expression gives the first value of a call, and a list of
// expressions is refused.
func TestExpressionIsOneValue(t *testing.T) {
	m := newMachine(t)
	for source, want := range map[string]any{
		`("a-b"):gsub("-", "_")`: "a_b", `string.find("abc", "b")`: 2.0, `1, 2`: nil, `nil`: nil, `(function() end)()`: nil, `{1, 2}`: []any{1.0, 2.0},
	} {
		compiled, findings := m.interpreter.Check(m.chunk(workflow.Expression, source))
		if source == "1, 2" {
			if compiled != nil || len(findings) != 1 {
				t.Errorf("got %v, want %q to be refused", findings, source)
			}
			continue
		}
		if got, err := m.open().Eval(compiled); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", source, got, err, want)
		}
	}
}

// TestStackLimits: endless recursion ends in an error that pcall can catch. It does not
// end the process.
func TestStackLimits(t *testing.T) {
	for name, script := range map[string]string{
		"a function":   "local function f() return 1 + f() end f()",
		"a metamethod": "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
		"a callback":   "local function f() return (('x'):gsub('x', f)) end f()",
		"unpack":       "local function f(...) return select('#', ...) end return f(unpack({}, 1, 1e6))",
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			kind := action.Limit
			if name == "unpack" {
				kind = action.Script
			}
			m.mustFail(t, script, kind, "overflow")
			if got := m.value(t, fmt.Sprintf("local ok = pcall(function() %s end) return ok", script)); got != false {
				t.Errorf("got %v, want pcall to catch it", got)
			}
		})
	}
	m := newMachine(t)
	if got := m.value(t, "local n = 0 local function f() n = n + 1 pcall(f) end f() return n"); got != 101.0 {
		t.Errorf("got pcall %v levels deep, want 101", got)
	}
}
