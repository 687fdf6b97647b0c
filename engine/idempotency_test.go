package engine_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// sendInput takes the idempotency key of its call.
type sendInput struct {
	Text string `json:"text" doc:"What to send."`
	Key  string `json:"key" doc:"The key."`
}

// A sender has the Keyed action demo.send, and keeps the keys of its calls.
type sender struct {
	keys  []string // of the inputs
	scope []string // of the scopes
	fail  int      // how many calls fail
}

func (s *sender) action() *action.Action {
	return action.New(action.Spec{Name: "demo.send", Summary: "Send.", Effect: action.Keyed, Key: "key"},
		func(ctx context.Context, in sendInput) (nothing, error) {
			s.keys, s.scope = append(s.keys, in.Key), append(s.scope, action.ScopeOf(ctx).Key)
			if s.fail > 0 {
				s.fail--
				return nothing{}, &action.Error{Kind: action.Timeout, Message: "no answer", Ambiguous: true}
			}
			return nothing{}, nil
		})
}

// send runs a workflow and returns the keys of its calls.
func send(t *testing.T, runID string, fail int, source string) []string {
	t.Helper()
	s := &sender{fail: fail}
	h := newHarness(s.action())
	h.id = runID
	wantSuccess(t, h.run(t, source))
	if diff := cmp.Diff(s.keys, s.scope); diff != "" {
		t.Errorf("the input and the scope have different keys:\n%s", diff)
	}
	for i, c := range h.calls(run.EventCallStarted) {
		if c.Key != s.keys[i] || len(c.Key) != 32 {
			t.Errorf("call %d was recorded with the key %q and sent with %q", i+1, c.Key, s.keys[i])
		}
	}
	return s.keys
}

const sendOnce = "steps:\n- id: one\n  lua: |\n    demo.send{text = 'a'}\n"

// A call that is repeated after an error has the same key. A call after a success has another
// key, even with the same input.
func TestKeysOfRepeats(t *testing.T) {
	again := "steps:\n- id: one\n  lua: |\n    while not pcall(demo.send, {text = 'a'}) do end\n    demo.send{text = 'a'}\n"
	got := send(t, "R1", 2, again)
	if len(got) != 4 || got[0] != got[1] || got[1] != got[2] || got[2] == got[3] {
		t.Errorf("got the keys %v, want three equal keys and another one", got)
	}
	if first := send(t, "R1", 0, sendOnce); first[0] != got[0] {
		t.Errorf("got %s in another process, want %s as in the first", first[0], got[0])
	}
}

// Calls of other runs and steps, and calls with another input, have other keys.
func TestKeysDiffer(t *testing.T) {
	seen := map[string]string{}
	for name, test := range map[string]struct{ run, source string }{
		"a call":        {"R1", sendOnce},
		"another run":   {"R2", sendOnce},
		"another step":  {"R1", "steps:\n- id: two\n  lua: |\n    demo.send{text = 'a'}\n"},
		"another input": {"R1", "steps:\n- id: one\n  lua: |\n    demo.send{text = 'b'}\n"},
		"a uses step":   {"R3", "steps:\n- id: one\n  uses: demo.send\n  with: {text: a}\n"},
		"a longer text": {"R1", "steps:\n- id: one\n  lua: |\n    demo.send{text = 'a\\0'}\n"},
	} {
		key := send(t, test.run, 0, test.source)[0]
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have the same key", name, other)
		}
		seen[key] = name
	}
}

// A uses step has the same key as the same call in a script.
func TestKeysOfUsesAndScript(t *testing.T) {
	script := send(t, "R1", 0, sendOnce)
	uses := send(t, "R1", 0, "steps:\n- id: one\n  uses: demo.send\n  with: {text: a}\n")
	if !slices.Equal(script, uses) {
		t.Errorf("got %v and %v, want the same key", script, uses)
	}
}

// Only Keyed actions get a key.
func TestOnlyKeyedActionsGetKeys(t *testing.T) {
	var got []string
	s := &sender{}
	h := newHarness(s.action(), act("demo.note", action.Once, func(ctx context.Context, _ textIn) error {
		got = append(got, action.ScopeOf(ctx).Key)
		return nil
	}))
	wantSuccess(t, h.run(t, "steps:\n- lua: |\n    demo.send{text = 'a'}\n    demo.note{text = 'a'}\n"))
	if len(got) != 1 || got[0] != "" {
		t.Errorf("got %q, want no key", got)
	}
}
