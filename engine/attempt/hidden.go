package attempt

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
)

const (
	// maxCredential is how many bytes a key may have: no service takes one as long.
	maxCredential = 4 << 10
	// maxWrittenKeys is how many different keys the scripts of a run may hold as
	// text. Each makes every later masking a little slower.
	maxWrittenKeys = 32
	// PagerDuty's keys have 20 or 32 characters, tokens of others up to some hundred.
	shortestKey, longestKey = 20, 256
)

// writtenKeys are the keys that scripts of a run gave to calls as plain text.
type writtenKeys struct {
	mutex sync.Mutex
	known map[string]bool
}

// hide keeps the keys that a script wrote as plain text out of the record of its
// call. What looks like a key is masked from then on wherever it shows up. Other
// text is masked in this call only: a script must not be able to blacken ordinary
// words in what the whole process reads and writes.
func (w *work) hide(credentials []string) error {
	w.hidden = &action.Redactor{}
	w.scope.Redactor = w.hidden // which the action adds to what it makes of keys
	for _, text := range credentials {
		if len(text) > maxCredential {
			return action.Errorf(action.InvalidInput, "a key has %d bytes, at most %d can be one", len(text), maxCredential)
		}
		w.hidden.Add(text)
		if !looksLikeKey(text) {
			continue
		}
		if !w.executor.written.add(text) {
			return &action.Error{
				Kind: action.Limit, Message: fmt.Sprintf("the run has used %d different keys that its scripts hold as text, the most that one may", maxWrittenKeys),
				Hint: "declare them under `secrets:`",
			}
		}
		w.executor.Redactor.Add(text)
	}
	return nil
}

// add reports whether there is room for the key.
func (k *writtenKeys) add(key string) bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.known[key] {
		return true
	}
	if len(k.known) >= maxWrittenKeys {
		return false
	}
	if k.known == nil {
		k.known = map[string]bool{}
	}
	k.known[key] = true
	return true
}

// looksLikeKey tells keys from words, names and addresses: one is long, and mixes
// letters with digits.
func looksLikeKey(text string) bool {
	if len(text) < shortestKey || len(text) > longestKey {
		return false
	}
	letters, digits := 0, 0
	for _, c := range text {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letters++
		case !strings.ContainsRune("+-_.~/=", c):
			return false
		}
	}
	return letters > 0 && digits > 0
}
