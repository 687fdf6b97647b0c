package lua_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

// A textOut is an output that is one text.
type textOut struct {
	Text string `json:"text" doc:"The text."`
}

// pureFunctions returns a machine with functions that compute much, and count their work
// before they do it.
func pureFunctions(t *testing.T) *machine {
	t.Helper()
	counts := func(count func(context.Context, int64) error) func(context.Context, anyIn) error {
		return func(ctx context.Context, in anyIn) error { return count(ctx, int64(in.Value.(float64))) }
	}
	text := action.New(action.Spec{Name: "demo.text", Summary: "Make text.", Effect: action.Pure, Args: []string{"value"}, Spread: true},
		func(_ context.Context, in anyIn) (textOut, error) {
			return textOut{strings.Repeat("x", int(in.Value.(float64)))}, nil
		})
	m := newMachine(t, act("demo.work", action.Pure, counts(action.Work)), act("demo.hold", action.Pure, counts(action.Hold)),
		act("demo.ask", action.Reads, counts(action.Work)), text)
	m.env.Limits.Instructions, m.env.Limits.Memory = 1_000_000, 16<<20
	return m
}

// TestPureFunctionsAreCharged: the work of a pure function counts as the script's, and
// pcall does not catch the error of a limit.
func TestPureFunctionsAreCharged(t *testing.T) {
	m := pureFunctions(t)
	const instructions, memory = "after 1000000 instructions, its limit", "after taking 16MB of memory, its limit"
	for script, message := range map[string]string{
		"demo.work{value = 2e6}":                                                         instructions,
		"for i = 1, 1000 do demo.work{value = 1e4} end":                                  instructions,
		"while true do pcall(demo.work, {value = 1e5}) end":                              instructions,
		"demo.hold{value = 20 * 2^20}":                                                   memory,
		"local t = {} for i = 1, 100 do t[i] = demo.text(1e6) end":                       memory,
		"local t = {} for i = 1, 100 do pcall(function() t[i] = demo.text(1e6) end) end": memory,
		"demo.text(17 * 2^20)":                                                           "a string of more than 16MB",
	} {
		m.mustFail(t, script, action.Limit, message)
	}
	for _, script := range []string{
		"demo.work{value = 9e5}",
		"for i = 1, 15 do demo.hold{value = 2^20} end",
		"local t for i = 1, 20 do t = demo.text(1e6) end",
		"demo.ask{value = 2e6}", // the work of a recorded call is not the script's
	} {
		m.value(t, script)
	}
}

// TestPureFunctionsEndWithTheAttempt: a timeout of the step or of the run ends a script
// in the middle of a pure function.
func TestPureFunctionsEndWithTheAttempt(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	did := 0
	m := newMachine(t, act("demo.search", action.Pure, func(ctx context.Context, _ anyIn) error {
		for did = range 1000 {
			if did == 10 {
				end()
			}
			if err := action.Work(ctx, 1); err != nil {
				return err
			}
		}
		return nil
	}))
	m.ctx = ctx
	m.mustFail(t, "pcall(demo.search, {})", action.Cancelled, "cancelled")
	if did != 10 {
		t.Errorf("got an end at piece %d of the work, want 10", did)
	}
}
