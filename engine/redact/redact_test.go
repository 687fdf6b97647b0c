package redact_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/redact"
)

func redactorOf(secrets ...string) *redact.Redactor {
	r := &redact.Redactor{}
	r.Add(secrets...)
	return r
}

// TestRedact: a secret is masked wherever it stands, in texts, lists, and the values and
// names of objects. Other values stay, and the value that is given is not changed.
func TestRedact(t *testing.T) {
	r := redactorOf("hunter22")
	in := map[string]any{"n": 1.0, "list": []any{true, nil, "a hunter22, b hunter22"}, "x-hunter22": struct{}{}}
	want := map[string]any{"n": 1.0, "list": []any{true, nil, "a ‹redacted›, b ‹redacted›"}, "x-‹redacted›": struct{}{}}
	if diff := cmp.Diff(any(want), r.RedactValue(in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if in["list"].([]any)[2] != "a hunter22, b hunter22" {
		t.Error("the value itself was changed")
	}
}

// TestRedactNothing: a nil redactor, the zero one, and one with short texts mask nothing.
func TestRedactNothing(t *testing.T) {
	var none *redact.Redactor
	none.Add("anything")
	for _, r := range []*redact.Redactor{none, {}, redactorOf("", "a", "12345")} {
		if got := r.Redact("anything 12345 a"); got != "anything 12345 a" {
			t.Errorf("got %q", got)
		}
		if diff := cmp.Diff(any([]any{"anything"}), r.RedactValue([]any{"anything"})); diff != "" {
			t.Error(diff)
		}
	}
}

// TestRedactNames: two names of an object that are masked to the same text keep their
// values.
func TestRedactNames(t *testing.T) {
	r := redactorOf("hunter22", "secret-two")
	got := r.RedactValue(map[string]any{"secret-two": "b", "hunter22": "a", "c": "c", "‹redacted› (2)": "d"})
	want := map[string]any{"‹redacted›": "a", "‹redacted› (3)": "b", "c": "c", "‹redacted› (2)": "d"}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRedactOverlap: where secrets overlap, all of each is masked.
func TestRedactOverlap(t *testing.T) {
	for _, test := range []struct {
		secrets    []string
		text, want string
	}{
		{[]string{"secret", "secret-and-more"}, "a secret-and-more b", "a ‹redacted› b"},
		{[]string{"secret", "my-secret-and-more"}, "a my-secret-and-more b", "a ‹redacted› b"},
		{[]string{"secret", "my-secret-and-more"}, "a my-secret-and b", "a my-‹redacted›-and b"},
		{[]string{"one-two", "two-three"}, "a one-two-three b", "a ‹redacted› b"},
		{[]string{"abcabc"}, "abcabcabc abcab abcabcabcabcab", "‹redacted› abcab ‹redacted›ab"},
		{[]string{"aaaaaa"}, strings.Repeat("a", 1000) + " b", "‹redacted› b"},
		{[]string{"hunter22"}, "hunter22hunter22", "‹redacted›‹redacted›"},
	} {
		if got := redactorOf(test.secrets...).Redact(test.text); got != test.want {
			t.Errorf("%q in %q: got %q, want %q", test.secrets, test.text, got, test.want)
		}
	}
}

// TestRedactCut: the beginning of a secret is masked where a message cuts it off, if it is
// long enough to be told from other text.
func TestRedactCut(t *testing.T) {
	secret := "canary-token+5f0e8d"
	for _, test := range []struct{ text, want string }{
		{`"canary-to…" is not a date`, `"‹redacted›…" is not a date`},
		{`canary-to… canary…`, `‹redacted›… ‹redacted›…`},
		{`canar… canary-to`, `canar… canary-to`},
		{`the base64 Y2FuYXJ5LXRva2V…`, `the base64 ‹redacted›…`},
		{`the base64 Y2FuYX…`, `the base64 Y2FuYX…`},
		{`the hex 63616e6172792d746f6…`, `the hex ‹redacted›…`},
		{"canary-tok\u2027", "canary-tok\u2027"},
	} {
		if got := redactorOf(secret).Redact(test.text); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

// TestRedactorIsSilent: printing a redactor prints no secret.
func TestRedactorIsSilent(t *testing.T) {
	r := redactorOf("hunter22")
	if got := fmt.Sprintf("%v %+v %#v %s %x", r, r, r, r, r); strings.Contains(got, "hunter22") || strings.Contains(got, "68756e74") {
		t.Error(got)
	}
}

// TestRedactConcurrently: texts may be masked while secrets are added.
func TestRedactConcurrently(t *testing.T) {
	r := &redact.Redactor{}
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
