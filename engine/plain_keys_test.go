package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// TestWrittenKeys: a key that a script holds as text is in no record; text that is no
// key is masked in its own call only, and blackens nothing that others read.
func TestWrittenKeys(t *testing.T) {
	const key = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
	var sent []string
	h := poster(&sent)
	redactor := &action.Redactor{}
	r := func(script string) *run.Result {
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
		result := r(fmt.Sprintf("local echo = demo.post{host = 'api.example.com', token = ('%s'):sub(1)}.echo\nreturn {hidden = not echo:find('%s', 1, true)}", text, text))
		mustSucceed(t, result)
		if hidden := result.Steps[0].Outputs.(action.Object)["hidden"]; hidden != true {
			t.Errorf("%s: the call's own output shows it", text)
		}
		for _, kind := range []run.EventKind{run.EventCallStarted, run.EventCallReturned} {
			if got := fmt.Sprint(h.calls(kind)[0].Input, h.calls(kind)[0].Output); strings.Contains(got, text) {
				t.Errorf("%s: it is in the record: %s", text, got)
			}
		}
	}
	for text, want := range map[string]bool{"ops@example.com": false, "success": false, "you sent": false, key: true} {
		if masked := redactor.Redact(text) != text; masked != want {
			t.Errorf("%s: got masked %v, want %v", text, masked, want)
		}
	}
	result := r("for i = 1, 100 do demo.post{host = 'api.example.com', token = ('a1b2c3d4e5f60718293a4b5c'):sub(1) .. i} end")
	if f := result.Error; f == nil || f.Kind != action.Limit || !strings.Contains(f.Message, "32 different keys") {
		t.Errorf("got %+v, want the limit of keys", f)
	}
	result = r("demo.post{host = 'api.example.com', token = ('x'):rep(5000)}")
	if f := result.Error; f == nil || f.Kind != action.InvalidInput {
		t.Errorf("got %+v, want that the key is too long", f)
	}
}

// TestManyCalls: a loop of calls ends.
func TestManyCalls(t *testing.T) {
	h := newHost(act("demo.note", action.Reads, func(context.Context, textIn) error { return nil }))
	result := h.run(t, "steps:\n- id: a\n  lua: |\n    while true do demo.note{} end\n")
	if f := result.Error; f == nil || f.Kind != action.Limit || !strings.Contains(f.Message, "has made 20000 calls") {
		t.Errorf("got %+v, want the limit of calls", f)
	}
}
