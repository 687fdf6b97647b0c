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

// sender is a host with an action demo.send, which is Keyed and fails as often as
// it is told to. It keeps the keys that it was sent with.
type sender struct {
	keys  []string
	scope []string // the keys as the scope tells them
	fail  int
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

// send runs a script and returns the keys that its calls had.
func send(t *testing.T, runID string, fail int, source string) []string {
	t.Helper()
	s := &sender{fail: fail}
	h := newHost(s.action())
	h.id = runID
	mustSucceed(t, h.run(t, source))
	if diff := cmp.Diff(s.keys, s.scope); diff != "" {
		t.Errorf("the input and the scope tell different keys:\n%s", diff)
	}
	for i, c := range h.calls(run.EventCallStarted) {
		if c.Key != s.keys[i] || len(c.Key) != 32 {
			t.Errorf("call %d was recorded with the key %q and sent with %q", i+1, c.Key, s.keys[i])
		}
	}
	return s.keys
}

const sendOnce = "steps:\n- id: one\n  lua: |\n    demo.send{text = 'a'}\n"

func TestKeysOfARepeat(t *testing.T) {
	again := "steps:\n- id: one\n  lua: |\n    while not pcall(demo.send, {text = 'a'}) do end\n    demo.send{text = 'a'}\n"
	got := send(t, "R1", 2, again)
	// Three tries of one message have one key; what is sent after it was
	// delivered is another message.
	if len(got) != 4 || got[0] != got[1] || got[1] != got[2] || got[2] == got[3] {
		t.Errorf("got the keys %v, want three alike and another", got)
	}
	if first := send(t, "R1", 0, sendOnce); first[0] != got[0] {
		t.Errorf("got %s in another process, want %s as before", first[0], got[0])
	}
}

func TestKeysDiffer(t *testing.T) {
	seen := map[string]string{}
	for name, test := range map[string]struct{ run, source string }{
		"the call":            {"R1", sendOnce},
		"another run":         {"R2", sendOnce},
		"another step":        {"R1", "steps:\n- id: two\n  lua: |\n    demo.send{text = 'a'}\n"},
		"another input":       {"R1", "steps:\n- id: one\n  lua: |\n    demo.send{text = 'b'}\n"},
		"another after it":    {"R3", "steps:\n- id: one\n  uses: demo.send\n  with: {text: a}\n"},
		"a longer, same text": {"R1", "steps:\n- id: one\n  lua: |\n    demo.send{text = 'a\\0'}\n"},
	} {
		key := send(t, test.run, 0, test.source)[0]
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have the same key", name, other)
		}
		seen[key] = name
	}
}

// TestKeysOfUsesAndScript: the way in which a call is written does not matter.
func TestKeysOfUsesAndScript(t *testing.T) {
	script := send(t, "R1", 0, sendOnce)
	uses := send(t, "R1", 0, "steps:\n- id: one\n  uses: demo.send\n  with: {text: a}\n")
	if !slices.Equal(script, uses) {
		t.Errorf("got %v and %v, want the same key", script, uses)
	}
}

// TestKeyOfOthers: only Keyed actions get one.
func TestKeyOfOthers(t *testing.T) {
	var got []string
	s := &sender{}
	h := newHost(s.action(), act("demo.note", action.Once, func(ctx context.Context, _ textIn) error {
		got = append(got, action.ScopeOf(ctx).Key)
		return nil
	}))
	mustSucceed(t, h.run(t, "steps:\n- lua: |\n    demo.send{text = 'a'}\n    demo.note{text = 'a'}\n"))
	if len(got) != 1 || got[0] != "" {
		t.Errorf("got %q, want no key", got)
	}
}
