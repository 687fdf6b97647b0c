package action

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// A Secret is a value that is known by its name only. The run keeps its text. An
// action gets the text with [Credential.Reveal] or [RevealSecret] when it sends it, for
// one [Destination].
type Secret struct {
	// Name is the name under `secrets:`, or "inputs.NAME" for an input that is
	// declared secret.
	Name string
}

// String returns the text that replaces the secret wherever it is shown.
func (s Secret) String() string { return "‹secret " + s.Name + "›" }

// GoString returns the same text for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalJSON writes the reference {"$secret": NAME}. Digests, idempotency keys and the
// journal contain this reference.
func (s Secret) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"$secret": s.Name})
}

// A Destination is where the text of a secret is sent: a host name, [InProcess], or a
// [Place].
type Destination string

// InProcess is the destination of a secret that is used in a computation and does not
// leave the process, such as the key of an HMAC.
const InProcess Destination = "(process)"

// Place returns the destination with a name that a [Module] declares in Places. A
// workflow binds a secret to it with `secrets: {SECRET: {NAME: true}}`.
func Place(name string) Destination { return Destination("(" + name + ")") }

// Place returns the name of a destination that [Place] made; ok is false for all others.
func (d Destination) Place() (name string, ok bool) {
	if d == InProcess || !strings.HasPrefix(string(d), "(") {
		return "", false
	}
	return strings.Trim(string(d), "()"), true
}

// RevealSecret returns the text of a secret for a destination, or an error of
// kind permission when the secret is not bound to it.
func RevealSecret(ctx context.Context, s Secret, to Destination) (string, error) {
	scope := ScopeOf(ctx)
	if scope.Reveal == nil {
		return "", Errorf(Permission, "secret %s cannot be read outside of a run", s.Name)
	}
	return scope.Reveal(s, to)
}

// A Credential is an input field that takes text or a [Secret]. It never prints
// its text.
type Credential struct {
	// text is nil without a plain text. It is a pointer because fmt does not call methods
	// of unexported fields: it then prints an address, and not the text.
	text   *string
	secret Secret
}

// NewCredential returns a credential of plain text.
func NewCredential(text string) Credential {
	if text == "" {
		return Credential{}
	}
	return Credential{text: &text}
}

// IsZero reports whether no credential was given.
func (c Credential) IsZero() bool { return c.text == nil && c.secret.Name == "" }

// String masks the text.
func (c Credential) String() string {
	switch {
	case c.secret.Name != "":
		return c.secret.String()
	case c.text != nil:
		return "‹credential›"
	}
	return ""
}

// GoString masks the text.
func (c Credential) GoString() string { return c.String() }

// Format masks the text under every verb.
func (c Credential) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.String())) }

// Reveal returns the text for a destination. Plain text is added to the call's
// redactor first, so that it is masked in everything that the call shows.
func (c Credential) Reveal(ctx context.Context, to Destination) (string, error) {
	if c.secret.Name != "" {
		return RevealSecret(ctx, c.secret, to)
	}
	if c.text == nil {
		return "", nil
	}
	ScopeOf(ctx).Redactor.Add(*c.text)
	return *c.text, nil
}

// A Text is an input field that takes text, or a [Secret] whose text is the whole value. Text
// that was given is not secret.
type Text struct {
	text   string
	secret Secret
}

// NewText returns a text that is not secret.
func NewText(text string) Text { return Text{text: text} }

// Secret returns the secret that was given; ok is false for text.
func (t Text) Secret() (s Secret, ok bool) { return t.secret, t.secret.Name != "" }

// String returns the text, or the reference to the secret.
func (t Text) String() string {
	if t.secret.Name != "" {
		return t.secret.String()
	}
	return t.text
}
