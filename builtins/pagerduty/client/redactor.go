package client

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// redacted replaces a key in a text.
const redacted = "‹redacted›"

// maxErrorText is how many characters an error quotes of a text from a server.
const maxErrorText = 200

// concealed reports whether a key is set, without showing it.
func concealed(key string) string {
	if key == "" {
		return "none"
	}
	return redacted
}

// redactor removes the keys of a request from the texts of its errors. Servers and
// proxies quote what they received.
type redactor []string

// Format implements [fmt.Formatter]: no verb prints the keys.
func (r redactor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// text replaces every key. It replaces the longest key first, because one key may be
// a part of another.
func (r redactor) text(s string) string {
	for _, key := range slices.SortedFunc(slices.Values(r), func(a, b string) int { return len(b) - len(a) }) {
		if key != "" {
			s = strings.ReplaceAll(s, key, redacted)
		}
	}
	return s
}

// line returns a short text on one line. It replaces the keys before it shortens the
// text, because a part of a key would not be found.
func (r redactor) line(s string) string {
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
func (r redactor) within(value any) any {
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
func (r redactor) cause(err error) error {
	if clean := r.text(err.Error()); clean != err.Error() {
		return errors.New(clean)
	}
	return err
}
