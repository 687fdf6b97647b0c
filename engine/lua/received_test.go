package lua_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

// A bodyOut is an output with a large text.
type bodyOut struct {
	Body  string   `json:"body" doc:"The text."`
	Parts []string `json:"parts" doc:"More texts."`
}

// constant is a large text that is part of the test binary.
const (
	line     = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	lines    = line + line + line + line + line + line + line + line
	constant = lines + lines + lines + lines
)

// fetching returns a machine whose fetch.body returns a new megabyte each time.
func fetching(t *testing.T) *machine {
	fetch := action.New(action.Spec{Name: "fetch.body", Summary: "Fetch.", Effect: action.Reads}, func(context.Context, nothing) (bodyOut, error) {
		return bodyOut{Body: strings.Repeat("x", 1<<20), Parts: []string{constant, strings.Repeat("y", 2000)}}, nil
	})
	m := newMachine(t, fetch)
	m.env.Limits.Memory = 16 << 20
	return m
}

// TestReceivedTextsCount: texts that a script receives from calls count as memory for as
// long as the script holds them, and no longer.
func TestReceivedTextsCount(t *testing.T) {
	m := fetching(t)
	for _, script := range []string{
		"local t = {}\nfor i = 1, 40 do t[i] = fetch.body{}.body end",
		"local t = {}\nfor i = 1, 40 do t[i] = fetch.body{} end",
		"local t = {}\nfor i = 1, 40 do pcall(function() t[i] = fetch.body{} end) end",
	} {
		m.mustFail(t, script, action.Limit, "the script was stopped after taking 16MB of memory, its limit")
	}
	for _, script := range []string{
		"local last\nfor i = 1, 200 do last = fetch.body{} end\nreturn {n = #last.body, parts = #last.parts[1]}",
		"local n, parts = 0, {}\nfor i = 1, 100 do local got = fetch.body{}; n = #got.body; parts[i] = got.parts[2] end\nreturn {n = n, parts = 48 + #parts + 1900}",
	} {
		got, _ := m.value(t, script).(action.Object)
		if got["n"] != float64(1<<20) || got["parts"] != 2048.0 {
			t.Errorf("%s: got %v", script, got)
		}
	}
}

// TestOutputsStay: a change that a script makes to the output of a call does not reach the
// output that the engine records.
func TestOutputsStay(t *testing.T) {
	m, outputs := fetching(t), []action.Object{}
	call := m.env.Call
	m.env.Call = func(ctx context.Context, a *action.Action, input action.Object) (action.Object, error) {
		output, err := call(ctx, a, input)
		outputs = append(outputs, output)
		return output, err
	}
	m.value(t, "local got = fetch.body{}\ngot.body = nil\ngot.parts[1] = nil\nreturn {n = #got.parts}")
	if parts, _ := outputs[0]["parts"].([]any); len(outputs[0]["body"].(string)) != 1<<20 || len(parts) != 2 || parts[0] != constant {
		t.Error("the output was changed")
	}
}
