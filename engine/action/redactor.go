package action

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// redacted replaces the text of a secret.
const redacted = "‹redacted›"

// MinSecretLength is the smallest length of a secret's text in bytes. Shorter text would
// be masked in the middle of ordinary words.
const MinSecretLength = 6

// A Redactor masks known secret texts in other texts. The zero Redactor and a nil one
// mask nothing. It is safe for concurrent use; masking takes no lock.
type Redactor struct {
	mu       sync.Mutex
	values   map[string]bool
	replacer atomic.Pointer[strings.Replacer]
}

// Add adds secret texts and the forms in which they are sent: JSON text, parts of a URL,
// and base64 in both alphabets, padded or not. Texts shorter than [MinSecretLength] are
// ignored.
func (r *Redactor) Add(texts ...string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := false
	for _, text := range texts {
		if len(text) < MinSecretLength || r.values[text] {
			continue
		}
		if r.values == nil {
			r.values = map[string]bool{}
		}
		r.values[text], changed = true, true
	}
	if changed {
		r.rebuild()
	}
}

// Redact returns s with every known secret text masked.
func (r *Redactor) Redact(s string) string {
	if r == nil {
		return s
	}
	replacer := r.replacer.Load()
	if replacer == nil {
		return s
	}
	return replacer.Replace(s)
}

// RedactValue returns v with every text in it masked, including the keys of objects. v
// itself is not changed.
func (r *Redactor) RedactValue(v any) any {
	if r == nil || r.replacer.Load() == nil {
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
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[r.Redact(name)] = r.RedactValue(item)
		}
		return out
	}
	return v
}

func (r *Redactor) rebuild() {
	forms := map[string]bool{}
	for text := range r.values {
		for _, form := range sentForms(text) {
			forms[form] = true
		}
	}
	// The longest comes first, so that a secret which contains another is masked whole.
	sorted := slices.SortedFunc(maps.Keys(forms), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	pairs := make([]string, 0, 2*len(sorted))
	for _, form := range sorted {
		pairs = append(pairs, form, redacted)
	}
	r.replacer.Store(strings.NewReplacer(pairs...))
}

func sentForms(text string) []string {
	return []string{
		text,
		url.QueryEscape(text),
		url.PathEscape(text),
		quoted(text, true),
		quoted(text, false),
		base64.StdEncoding.EncodeToString([]byte(text)),
		base64.RawStdEncoding.EncodeToString([]byte(text)),
		base64.URLEncoding.EncodeToString([]byte(text)),
		base64.RawURLEncoding.EncodeToString([]byte(text)),
	}
}

// quoted returns text as JSON writes it, without the quotes. Some encoders escape the
// characters that are special in HTML.
func quoted(text string, escapeHTML bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(text) // text can always be written
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}
