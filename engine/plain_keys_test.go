package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
)

// A key that a script holds as plain text is masked everywhere. Text in the place of a key
// that does not look like a key is masked only in its own call.
func TestKeysInPlainText(t *testing.T) {
	const key = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
	var sent []string
	h := poster(&sent)
	redactor := &redact.Redactor{}
	runScript := func(script string) *run.Result {
		local, plan := h.compile(t, secretHead+"steps:\n- id: a\n  lua: |\n    "+strings.ReplaceAll(script, "\n", "\n    ")+"\n- id: b\n  uses: demo.post\n  with: {host: api.example.com, token: \"${{ secrets.TOKEN }}\"}\n")
		local.Redactor = redactor
		result, err := local.Run(t.Context(), plan, engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	for _, text := range []string{"ops@example.com", "success", "you sent", key} {
		h.events = nil
		result := runScript(fmt.Sprintf("local echo = demo.post{host = 'api.example.com', token = ('%s'):sub(1)}.echo\nreturn {hidden = not echo:find('%s', 1, true)}", text, text))
		wantSuccess(t, result)
		if hidden := result.Steps[0].Outputs.(action.Object)["hidden"]; hidden != true {
			t.Errorf("%s: the output of the call contains it", text)
		}
		for _, kind := range []run.EventKind{run.EventCallStarted, run.EventCallReturned} {
			if got := fmt.Sprint(h.calls(kind)[0].Input, h.calls(kind)[0].Output); strings.Contains(got, text) {
				t.Errorf("%s: the event contains it: %s", text, got)
			}
		}
	}
	for text, want := range map[string]bool{"ops@example.com": false, "success": false, "you sent": false, key: true} {
		if masked := redactor.Redact(text) != text; masked != want {
			t.Errorf("%s: got masked %v, want %v", text, masked, want)
		}
	}
	result := runScript("for i = 1, 100 do demo.post{host = 'api.example.com', token = ('a1b2c3d4e5f60718293a4b5c'):sub(1) .. i} end")
	if f := result.Error; f == nil || f.Kind != action.Limit || !strings.Contains(f.Message, "32 different keys") {
		t.Errorf("got %+v, want the limit of 32 keys", f)
	}
	result = runScript("demo.post{host = 'api.example.com', token = ('x'):rep(5000)}")
	if f := result.Error; f == nil || f.Kind != action.InvalidInput {
		t.Errorf("got %+v, want an error, since the key is too long", f)
	}
}

// A script that makes calls in an endless loop is stopped.
func TestEndlessCalls(t *testing.T) {
	h := newHarness(act("demo.note", action.Reads, func(context.Context, textIn) error { return nil }))
	result := h.run(t, "steps:\n- id: a\n  lua: |\n    while true do demo.note{} end\n")
	if f := result.Error; f == nil || f.Kind != action.Limit || !strings.Contains(f.Message, "has made 20000 calls") {
		t.Errorf("got %+v, want the limit of 20000 calls", f)
	}
}
