package action_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// TestRedactorForms proves that no usual encoder lets a secret through, whatever
// stands around it.
func TestRedactorForms(t *testing.T) {
	plainJSON := func(s string) string {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(s)
		return b.String()
	}
	for name, encode := range map[string]func(string) string{
		"text":              func(s string) string { return s },
		"JSON":              func(s string) string { text, _ := json.Marshal(s); return string(text) },
		"JSON without HTML": plainJSON,
		"query":             func(s string) string { return url.Values{"k": {s}}.Encode() },
		"path": func(s string) string {
			return (&url.URL{Scheme: "https", Host: "h", Path: "/"}).String() + url.PathEscape(s)
		},
		"base64":                func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 unpadded":       func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
		"base64 of URLs":        func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
		"base64 of URLs, short": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	} {
		for _, secret := range []string{"0123456789abcdef", `p<a&s>s"w\ö?rd/+`, "a b\nc\td", "??>>~~~", "123456"} {
			r := &action.Redactor{}
			r.Add(secret)
			form := encode(secret)
			got := r.Redact("before " + form + " after")
			if !strings.Contains(got, "‹redacted›") || strings.Contains(got, form) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
				t.Errorf("%s of %q: got %q", name, secret, got)
			}
		}
	}
}

// TestRedactorLength proves that what is shorter than six bytes is left out, since
// it would be found in ordinary words, and that nothing else is touched.
func TestRedactorLength(t *testing.T) {
	r := &action.Redactor{}
	r.Add("", "a", "12345", "123456")
	if got, want := r.Redact("a 12345 1234567"), "a 12345 ‹redacted›7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	in := map[string]any{"n": 1.0, "list": []any{true, nil, "123456"}, "123456": action.Secret{Name: "S"}}
	want := map[string]any{"n": 1.0, "list": []any{true, nil, "‹redacted›"}, "‹redacted›": action.Secret{Name: "S"}}
	if diff := cmp.Diff(any(want), r.RedactValue(in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if in["list"].([]any)[2] != "123456" {
		t.Error("the value itself was changed")
	}
}

// TestCredentialInside proves that a key is silent also where fmt cannot call its
// methods: in a field that is not exported.
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

// TestReveal proves who gets the text of a credential: text as it is, masked from
// then on; a secret only from the run, for the destination.
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
	scope := action.Scope{Redactor: &action.Redactor{}, Reveal: func(s action.Secret, to action.Destination) (string, error) {
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
