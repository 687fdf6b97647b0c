package action_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
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

// TestRedactor checks that a text is masked in every form in which it is sent.
func TestRedactor(t *testing.T) {
	const secret = `pa/ss "wörd+1`
	quoted, _ := json.Marshal(secret)
	r := &action.Redactor{}
	r.Add(secret, "longer-"+"pa/ss", "short")
	for _, form := range []string{
		secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		if got := r.Redact("a " + form + " b"); got != "a ‹redacted› b" {
			t.Errorf("%s: got %q", form, got)
		}
	}
	if got := r.Redact("short words stay"); got != "short words stay" {
		t.Errorf("got %q", got)
	}
	v := r.RedactValue(map[string]any{secret: []any{"x" + secret, 5.0, nil}})
	if got, want := fmt.Sprint(v), "map[‹redacted›:[x‹redacted› 5 <nil>]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var none *action.Redactor
	none.Add("anything")
	if none.Redact("anything") != "anything" {
		t.Error("a nil redactor masks")
	}
}

// TestRedactorLongestFirst checks that a secret which begins with another secret is masked
// whole.
func TestRedactorLongestFirst(t *testing.T) {
	r := &action.Redactor{}
	r.Add("secret", "secret-and-more")
	if got := r.Redact("secret-and-more"); got != "‹redacted›" {
		t.Errorf("got %q", got)
	}
}

func TestRedactorConcurrently(t *testing.T) {
	r := &action.Redactor{}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			secret := fmt.Sprintf("secret-number-%d", i)
			r.Add(secret)
			if got := r.Redact(secret); got != "‹redacted›" {
				t.Errorf("got %q", got)
			}
		})
	}
	group.Wait()
}
