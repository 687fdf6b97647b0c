package client

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// redacted stands where a key was.
const redacted = "‹redacted›"

// maxErrorText bounds what an error quotes of a text that came from elsewhere.
const maxErrorText = 200

// concealed says whether there is a key, and not which.
func concealed(key string) string {
	if key == "" {
		return "none"
	}
	return redacted
}

// A redactor takes the keys of a request out of the texts of its errors: servers
// and proxies quote what they were sent.
type redactor []string

// Format keeps the keys out of every verb of fmt.
func (r redactor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// text replaces every key. The longest comes first, as a key may be a part of
// another one.
func (r redactor) text(s string) string {
	for _, key := range slices.SortedFunc(slices.Values(r), func(a, b string) int { return len(b) - len(a) }) {
		if key != "" {
			s = strings.ReplaceAll(s, key, redacted)
		}
	}
	return s
}

// line makes a short text on one line. Keys go first: cutting could leave a part
// of one, which would not be recognized.
func (r redactor) line(s string) string {
	s = strings.TrimSpace(strings.Map(visible, strings.ToValidUTF8(r.text(s), "?")))
	if runes := []rune(s); len(runes) > maxErrorText {
		return string(runes[:maxErrorText]) + "…"
	}
	return s
}

// visible turns what could move a terminal's cursor into a space.
func visible(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// within replaces the keys in the texts of a JSON value.
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

// cause returns an error of the transport, or only its words where it quotes a
// key.
func (r redactor) cause(err error) error {
	if clean := r.text(err.Error()); clean != err.Error() {
		return errors.New(clean)
	}
	return err
}
