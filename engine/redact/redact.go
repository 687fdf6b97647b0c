// Package redact masks the texts of secrets in other texts.
//
// A secret is masked in every form in which programs commonly write a text: as it is,
// with escapes (of JSON, of URLs, of HTML), as base64, and in hexadecimal. The escapes
// may be mixed and nested, and only some of the characters may be escaped. docs/language.md
// says what masking cannot find.
//
// Three readings look at a text, each from left to right and once:
//
//   - The text as characters. An escape is read as the character that it stands for.
//   - The text as base64. Line breaks between its characters are passed over.
//   - The text as hexadecimal digits. Separators between the digits are passed over.
//
// A reading looks for words: the secret in its own alphabet (forms.go). All words of a
// reading are found by one automaton (automaton.go), so the time does not grow with the
// number of secrets. Where an escape begins, the automaton takes both ways (scan.go):
// through the escape, and through its characters, since a secret may begin within what
// looks like an escape (escape.go).
package redact

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Mask replaces the text of a secret.
const Mask = "‹redacted›"

// MinLength is the smallest length of a secret in bytes. Shorter text would be masked in
// the middle of ordinary words.
const MinLength = 6

// A Redactor masks known secret texts in other texts. The zero Redactor and a nil one
// mask nothing. It is safe for concurrent use; masking takes no lock.
type Redactor struct {
	mu       sync.Mutex
	texts    map[string]bool
	readings atomic.Pointer[[]*reading]
}

// Format writes no secret, whatever the verb is.
func (r *Redactor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// Add adds secret texts. Texts shorter than [MinLength] are ignored.
func (r *Redactor) Add(texts ...string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := false
	for _, text := range texts {
		if len(text) < MinLength || r.texts[text] {
			continue
		}
		if r.texts == nil {
			r.texts = map[string]bool{}
		}
		r.texts[text], changed = true, true
	}
	if changed {
		readings := readingsOf(slices.Sorted(maps.Keys(r.texts)))
		r.readings.Store(&readings)
	}
}

// Redact returns s with every known secret text masked. Without one, it returns s itself.
func (r *Redactor) Redact(s string) string {
	if r == nil || len(s) < MinLength {
		return s
	}
	readings := r.readings.Load()
	if readings == nil {
		return s
	}
	var found []span
	for _, reading := range *readings {
		found = reading.find(s, found)
	}
	if len(found) == 0 {
		return s
	}
	return masked(s, found)
}

// RedactValue returns v with every text in it masked, including the keys of objects. v
// itself is not changed. If two keys of an object become the same, the later one gets a
// number, so that no value is lost.
func (r *Redactor) RedactValue(v any) any {
	if r == nil || r.readings.Load() == nil {
		return v
	}
	switch v := v.(type) {
	case string:
		return r.Redact(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.RedactValue(item)
		}
		return out
	case map[string]any:
		return r.redactObject(v)
	}
	return v
}

func (r *Redactor) redactObject(o map[string]any) map[string]any {
	out := make(map[string]any, len(o))
	var hidden []string // the names with a secret
	for name, item := range o {
		if r.Redact(name) == name {
			out[name] = r.RedactValue(item)
		} else {
			hidden = append(hidden, name)
		}
	}
	slices.Sort(hidden)
	for _, name := range hidden {
		shown := r.Redact(name)
		for n := 2; has(out, shown); n++ {
			shown = fmt.Sprintf("%s (%d)", r.Redact(name), n)
		}
		out[shown] = r.RedactValue(o[name])
	}
	return out
}

func has(o map[string]any, name string) bool {
	_, ok := o[name]
	return ok
}

// masked replaces the parts of a text. Parts that overlap become one.
func masked(text string, parts []span) string {
	slices.SortFunc(parts, func(a, b span) int { return a.start - b.start })
	var b strings.Builder
	done := 0
	for i := 0; i < len(parts); {
		part := parts[i]
		for i++; i < len(parts) && parts[i].start < part.end; i++ {
			part.end = max(part.end, parts[i].end)
		}
		b.WriteString(text[done:part.start])
		b.WriteString(Mask)
		done = part.end
	}
	b.WriteString(text[done:])
	return b.String()
}
