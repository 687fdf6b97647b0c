package attempt

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
)

const (
	// maxCredential is how many bytes a key may have. No service takes a key that long.
	maxCredential = 4 << 10
	// maxPlainKeys is how many different keys the scripts of a run may hold as text.
	// Each makes every later masking a little slower.
	maxPlainKeys = 32
	// Keys of the services that we know have 20 to a few hundred characters.
	shortestKey, longestKey = 20, 256
)

// plainKeys are the keys that scripts of a run passed to calls as plain text.
type plainKeys struct {
	mutex sync.Mutex
	known map[string]bool
}

// hide returns what masks the keys of a call that its input has as plain text. A text
// that looks like a key is also added to the redactor of the run, which masks it
// wherever it appears later. Any other text is masked in this call only, so that a
// script cannot mask ordinary words in everything that the process writes.
func (k *plainKeys) hide(keys []string, redactor *redact.Redactor) (*redact.Redactor, error) {
	hidden := &redact.Redactor{}
	for _, text := range keys {
		if len(text) > maxCredential {
			return nil, action.Errorf(action.InvalidInput, "a key has %d bytes; a key has at most %d", len(text), maxCredential)
		}
		hidden.Add(text)
		if !looksLikeKey(text) {
			continue
		}
		if !k.add(text) {
			return nil, &action.Error{
				Kind: action.Limit, Message: fmt.Sprintf("the run has used %d different keys that its scripts hold as text, the most that a run may use", maxPlainKeys),
				Hint: "declare them under `secrets:`",
			}
		}
		redactor.Add(text)
	}
	return hidden, nil
}

// add adds a key and reports whether there was room for it.
func (k *plainKeys) add(key string) bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.known[key] {
		return true
	}
	if len(k.known) >= maxPlainKeys {
		return false
	}
	if k.known == nil {
		k.known = map[string]bool{}
	}
	k.known[key] = true
	return true
}

// looksLikeKey tells a key from words, names and addresses: a key is long and mixes
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
