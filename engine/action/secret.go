package action

import (
	"context"
	"encoding/json"
	"fmt"
)

// A Secret is a value known by its name only. Its text stays with the run that
// resolves it, and an action gets at it with [Credential.Reveal] or
// [RevealSecret] at the moment of sending, for one [Destination].
type Secret struct {
	// Name is the name under `secrets:`, or "inputs.NAME" for an input that is
	// declared secret.
	Name string
}

// String returns what stands for the secret in every text.
func (s Secret) String() string { return "‹secret " + s.Name + "›" }

// GoString keeps %#v as silent as %v.
func (s Secret) GoString() string { return s.String() }

// MarshalJSON writes a reference, {"$secret": NAME}: this is how digests, keys
// and the journal see a secret.
func (s Secret) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"$secret": s.Name})
}

// A Destination is where the text of a secret is about to go: a host name, or
// one of the two constants below.
type Destination string

// ToInput returns the destination of inputs that are declared [Field.Bindable]
// under a name.
func ToInput(name string) Destination { return Destination("(" + name + ")") }

const (
	// ToEvents is PagerDuty's events service, as the service key of an event.
	ToEvents Destination = "(service_key)"
	// InProcess is a computation that does not let the text out, such as the
	// key of an HMAC.
	InProcess Destination = "(process)"
)

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
	// text is nil when there is none. It is a pointer because fmt calls no
	// methods of values in unexported fields: whoever prints a struct that holds
	// a credential there sees an address.
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

// Reveal returns the text for a destination. Plain text is made known to the
// call's [Redactor] first, so that nothing of the call shows it.
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
