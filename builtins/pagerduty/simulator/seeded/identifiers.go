// Package seeded draws everything in the simulator that looks random: identifiers,
// keys, secrets and probabilities. All of it follows from a seed, so that two
// simulators with one configuration answer the same requests with the same bytes.
//
//   - [Identifiers] draws identifiers and keys that never repeat.
//   - [Fraction] draws a number between 0 and 1.
package seeded

import (
	"crypto/sha256"
	"fmt"
)

// Alphabets of identifiers and secrets.
const (
	Hexadecimal  = "0123456789abcdef"
	Alphanumeric = upperAlphanumeric + "abcdefghijklmnopqrstuvwxyz"

	upperAlphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	// The pd command line accepts API keys that match ^[0-9a-zA-Z_\-\+\/=]{20}$.
	apiKeyAlphabet = Alphanumeric + "_-+"
	apiKeyLength   = 20
)

// ServiceKeyLength is the number of characters of an integration key.
const ServiceKeyLength = 32

// Identifiers draws identifiers that look random, follow from the seed alone and
// never repeat. It is not safe for concurrent use.
type Identifiers struct {
	seed   int64
	drawn  map[string]int
	issued map[string]bool
}

// New returns the identifiers of a seed.
func New(seed int64) *Identifiers {
	return &Identifiers{seed: seed, drawn: map[string]int{}, issued: map[string]bool{}}
}

// Reserve keeps an identifier that the caller chose from being drawn.
func (s *Identifiers) Reserve(id string) { s.issued[id] = true }

// Resource returns an identifier for a user, a contact method or a notification rule: P
// and six characters.
func (s *Identifiers) Resource() string { return s.Of("P", "P", 6) }

// Incident returns an identifier for an incident: Q and 13 characters.
func (s *Identifiers) Incident() string { return s.Of("Q", "Q", 13) }

// APIKey returns an API key of 20 characters.
func (s *Identifiers) APIKey() string {
	return s.Draw("api key", apiKeyAlphabet, apiKeyLength)
}

// ServiceKey returns an integration key of 32 hexadecimal digits.
func (s *Identifiers) ServiceKey() string {
	return s.Draw("service key", Hexadecimal, ServiceKeyLength)
}

// IncidentKey returns the key of an incident whose event has no key: a UUID without
// its dashes.
func (s *Identifiers) IncidentKey() string {
	return s.Draw("incident key", Hexadecimal, 32)
}

// Request returns the identifier of a request.
func (s *Identifiers) Request() string {
	return s.Draw("request", Hexadecimal, 32)
}

// Of returns a new identifier of a kind: the prefix and length characters. It draws until the
// identifier is new, because six characters do collide.
func (s *Identifiers) Of(kind, prefix string, length int) string {
	for {
		id := prefix + s.Draw(kind, upperAlphanumeric, length)
		if !s.issued[id] {
			s.issued[id] = true
			return id
		}
	}
}

// Draw returns the next text of a kind: length characters of the alphabet, at most 32
// (the length of a SHA-256 digest). Each kind has its own counter, so that one more
// request does not change the identifier of the next incident.
func (s *Identifiers) Draw(kind, alphabet string, length int) string {
	s.drawn[kind]++
	digest := sha256.Sum256(fmt.Appendf(nil, "%d %s %d", s.seed, kind, s.drawn[kind]))
	characters := make([]byte, length)
	for i := range characters {
		characters[i] = alphabet[int(digest[i])%len(alphabet)]
	}
	return string(characters)
}
