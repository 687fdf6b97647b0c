package action_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
)

// TestCredentialIsSilent checks that no verb of fmt prints a key.
func TestCredentialIsSilent(t *testing.T) {
	const key = "0123456789abcdef"
	c := action.NewCredential(key)
	inside := struct{ Key action.Credential }{c}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{c, &c, inside} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, key) || strings.Contains(text, fmt.Sprintf("%x", key)) {
				t.Errorf("%s of %T prints the key: %s", verb, v, text)
			}
		}
	}
	if text, err := json.Marshal(inside); err != nil || strings.Contains(string(text), key) {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestSecretIsAReference(t *testing.T) {
	s := action.Secret{Name: "CHAT_TOKEN"}
	text, err := json.Marshal(action.Object{"a": s})
	if err != nil || string(text) != `{"a":{"$secret":"CHAT_TOKEN"}}` {
		t.Errorf("got %s, %v", text, err)
	}
	if got := fmt.Sprintf("%v %#v", s, s); got != "‹secret CHAT_TOKEN› ‹secret CHAT_TOKEN›" {
		t.Errorf("got %s", got)
	}
}

// TestCredentialInside checks that a key is not printed from an unexported field either,
// where fmt cannot call its methods.
func TestCredentialInside(t *testing.T) {
	const key = "0123456789abcdef"
	type client struct {
		key  action.Credential
		keys []action.Credential
		byID map[string]action.Credential
	}
	c := client{action.NewCredential(key), []action.Credential{action.NewCredential(key)}, map[string]action.Credential{"a": action.NewCredential(key)}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{c, &c} {
			text := fmt.Sprintf(verb, v)
			if strings.Contains(text, key) || strings.Contains(text, fmt.Sprintf("%x", key)) {
				t.Errorf("%s of %T prints the key: %s", verb, v, text)
			}
		}
	}
	if c.key.IsZero() || !action.NewCredential("").IsZero() {
		t.Error("which credentials are empty is wrong")
	}
}

// TestReveal checks that plain text is revealed as it is and masked from then on, and that a
// secret is revealed only by the run, for its destination.
func TestReveal(t *testing.T) {
	type in struct {
		Key action.Credential `json:"key" doc:"A key."`
	}
	type out struct {
		Text string `json:"text" doc:"The text."`
	}
	a := action.New(action.Spec{Name: "test.reveal", Effect: action.Pure}, func(ctx context.Context, in in) (o out, err error) {
		o.Text, err = in.Key.Reveal(ctx, action.Place("service_key"))
		return o, err
	})
	scope := action.Scope{Redactor: &redact.Redactor{}, Reveal: func(s action.Secret, to action.Destination) (string, error) {
		if s.Name != "BOUND" {
			return "", action.Errorf(action.Permission, "not for %s", to)
		}
		return "of the secret", nil
	}}
	for _, test := range []struct {
		key   any
		scope action.Scope
		want  string
		err   string
	}{
		{"plain-key", scope, "plain-key", ""},
		{"plain-key", action.Scope{}, "plain-key", ""},
		{nil, scope, "", ""},
		{action.Secret{Name: "BOUND"}, scope, "of the secret", ""},
		{action.Secret{Name: "OTHER"}, scope, "", "not for (service_key)"},
		{action.Secret{Name: "BOUND"}, action.Scope{}, "", "secret BOUND cannot be read outside of a run"},
	} {
		call, err := a.Prepare(action.Object{"key": test.key})
		if err != nil {
			t.Fatal(err)
		}
		got, err := call.Do(action.WithScope(t.Context(), test.scope), nil)
		if test.err != "" {
			if err == nil || err.Error() != test.err || action.AsError(err).Kind != action.Permission {
				t.Errorf("%v: got %v, want %s", test.key, err, test.err)
			}
			continue
		}
		if err != nil || got["text"] != test.want {
			t.Errorf("%v: got %v, %v, want %s", test.key, got, err, test.want)
		}
	}
	if got := scope.Redactor.Redact("plain-key"); got != "‹redacted›" {
		t.Errorf("got %q: a key that was used is not masked", got)
	}
}
