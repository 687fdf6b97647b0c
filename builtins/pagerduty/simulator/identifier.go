package simulator

import (
	"crypto/sha256"
	"fmt"
)

const (
	upperAlphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowerHexadecimal  = "0123456789abcdef"
	// apiKeyAlphabet is within what the pd command line takes for an API
	// key: ^[0-9a-zA-Z_\-\+\/=]{20}$.
	apiKeyAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-+"

	apiKeyLength     = 20
	serviceKeyLength = 32
)

// identifierSource makes identifiers that look random, follow from the seed
// alone and never repeat.
type identifierSource struct {
	seed   int64
	drawn  map[string]int
	issued map[string]bool
}

func newIdentifierSource(seed int64) *identifierSource {
	return &identifierSource{seed: seed, drawn: map[string]int{}, issued: map[string]bool{}}
}

// reserve keeps an identifier chosen by the caller from being generated.
func (s *identifierSource) reserve(id string) { s.issued[id] = true }

// resource returns an identifier shaped like those of users and their contact
// methods: P and six characters.
func (s *identifierSource) resource() string { return s.unique("P", 6) }

// incident returns an identifier shaped like those of incidents.
func (s *identifierSource) incident() string { return s.unique("Q", 13) }

func (s *identifierSource) apiKey() string {
	return s.draw("api key", apiKeyAlphabet, apiKeyLength)
}

func (s *identifierSource) serviceKey() string {
	return s.draw("service key", lowerHexadecimal, serviceKeyLength)
}

// incidentKey returns the key of an incident whose event brought none: a UUID
// without its dashes.
func (s *identifierSource) incidentKey() string {
	return s.draw("incident key", lowerHexadecimal, 32)
}

func (s *identifierSource) request() string {
	return s.draw("request", lowerHexadecimal, 32)
}

// unique returns an identifier whose kind is its prefix.
func (s *identifierSource) unique(prefix string, length int) string {
	return s.of(prefix, prefix, length)
}

// of draws until the identifier is new: six characters do collide.
func (s *identifierSource) of(kind, prefix string, length int) string {
	for {
		id := prefix + s.draw(kind, upperAlphanumeric, length)
		if !s.issued[id] {
			s.issued[id] = true
			return id
		}
	}
}

// draw returns the next identifier of its kind. Kinds count separately, so that
// one more request does not change the identifier of the next incident. The
// length is at most that of a SHA-256 digest, 32.
func (s *identifierSource) draw(kind, alphabet string, length int) string {
	s.drawn[kind]++
	digest := sha256.Sum256(fmt.Appendf(nil, "%d %s %d", s.seed, kind, s.drawn[kind]))
	characters := make([]byte, length)
	for i := range characters {
		characters[i] = alphabet[int(digest[i])%len(alphabet)]
	}
	return string(characters)
}
