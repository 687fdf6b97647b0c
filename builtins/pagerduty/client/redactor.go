package client

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"

	"github.com/pdflow/pdflow/engine/redact"
)

// redacted replaces a key in a text.
const redacted = redact.Mask

// maxErrorText is how many characters an error quotes of a text from a server.
const maxErrorText = 200

// concealed reports whether a key is set, without showing it.
func concealed(key string) string {
	if key == "" {
		return "none"
	}
	return redacted
}

// redactor removes the keys of a request from the texts of its errors, in every form in
// which servers and proxies quote what they received. A nil redactor removes nothing.
type redactor struct {
	keys  []string
	known func() *redact.Redactor // has the keys
}

// keys returns what removes the keys of the client and one more, which may be one of
// them or empty.
func (c *Client) keys(more string) *redactor {
	if more == "" || more == c.config.ServiceKey {
		return &redactor{c.config.keys(), c.known}
	}
	return newRedactor(append(c.config.keys(), more)...)
}

// keys returns the keys of the configuration.
func (c Config) keys() []string { return []string{c.APIKey, c.ServiceKey} }

func newRedactor(keys ...string) *redactor {
	return &redactor{keys, sync.OnceValue(func() *redact.Redactor { // most requests have no error
		known := &redact.Redactor{}
		known.Add(keys...)
		return known
	})}
}

// Format implements [fmt.Formatter]: no verb prints the keys.
func (r *redactor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// text replaces every key.
func (r *redactor) text(s string) string {
	if r == nil {
		return s
	}
	s = r.known().Redact(s)
	for _, key := range r.keys {
		if key != "" && len(key) < redact.MinLength {
			s = strings.ReplaceAll(s, key, redacted)
		}
	}
	return s
}

// line returns a short text on one line. It replaces the keys before it shortens the
// text, because a part of a key would not be found.
func (r *redactor) line(s string) string {
	s = strings.TrimSpace(strings.Map(visible, strings.ToValidUTF8(r.text(s), "?")))
	return clip(s, maxErrorText)
}

// clip shortens a text to a number of characters.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// visible replaces control characters by spaces: they could move a terminal's cursor.
func visible(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// within replaces the keys in all texts of a JSON value.
func (r *redactor) within(value any) any {
	switch value := value.(type) {
	case string:
		return r.text(value)
	case []any:
		for i, item := range value {
			value[i] = r.within(item)
		}
	case map[string]any:
		clean := make(map[string]any, len(value))
		for name, item := range value {
			clean[r.text(name)] = r.within(item)
		}
		return clean
	}
	return value
}

// cause returns an error of the transport. If the error quotes a key, cause returns
// only its text, without the key.
func (r *redactor) cause(err error) error {
	if clean := r.text(err.Error()); clean != err.Error() {
		return errors.New(clean)
	}
	return err
}
