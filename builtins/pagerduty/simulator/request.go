package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is the record of one answered request. It never holds a key.
//
// Its JSON is that of the command line's report. The control API adds the rest.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`            // with the query
	Status int    `json:"status"`          // 0 when no whole answer was sent
	Fault  string `json:"fault,omitempty"` // the name of the rule that applied

	At        time.Time `json:"-"`
	Endpoint  string    `json:"-"` // the path of its route, such as /users/{id}; empty when there is none
	Key       string    `json:"-"` // what makes a repeat the same request, see idempotentKey
	BodyHash  string    `json:"-"` // SHA-256 of the body, in hexadecimal; empty without one
	Processed bool      `json:"-"` // whether the account saw it: a fault may have kept it away
}

// newRecord begins the record of a request.
func (s *Simulator) newRecord(x *exchange) Request {
	record := Request{
		Method:   x.method,
		Path:     s.withoutKeys(x.target, x),
		At:       x.now,
		Endpoint: x.endpoint,
		Key:      s.withoutKeys(x.idempotentKey(), x),
	}
	if len(x.body) > 0 {
		digest := sha256.Sum256(x.body)
		record.BodyHash = hex.EncodeToString(digest[:])
	}
	return record
}

// note adds what a rule did to the request.
func (r *Request) note(rule *faultRule, status int) {
	traits := traitsOfFaults[rule.Do]
	r.Fault, r.Status, r.Processed = rule.Name, status, !traits.unprocessed
	if traits.unanswered {
		r.Status = 0
	}
}

// idempotentKey is what a request is about: the incident key of an event or of an
// incident to open, the e-mail address of a user to create, and else the
// identifier in the path. Two requests with one method, endpoint and key mean the
// same thing.
func (x *exchange) idempotentKey() string {
	if x.id != "" {
		return x.id
	}
	fields, ok := parseObject(x.body)
	if !ok {
		return ""
	}
	for _, at := range []struct{ outer, name string }{
		{"", "incident_key"},
		{"", "dedup_key"},
		{"incident", "incident_key"},
		{"user", "email"},
	} {
		found := fields
		if at.outer != "" {
			found, _ = fields.object(at.outer)
		}
		if key, _ := found.text(at.name); key != "" {
			return key
		}
	}
	return ""
}

// shortestSecret is the fewest characters that are blanked: fewer would blank
// ordinary words.
const shortestSecret = 6

// withoutKeys blanks keys in what will be recorded. They have no business there,
// which is why someone will put one there: those of the account, the one that the
// request was made with, known or not, and any in a parameter made for keys.
func (s *Simulator) withoutKeys(text string, x *exchange) string {
	given := readCredential(x.header.Get("Authorization")).key
	for _, key := range append(s.keys(), given, x.header.Get("Authorization")) {
		if len(key) < shortestSecret {
			continue
		}
		text = strings.ReplaceAll(text, key, redacted)
		text = strings.ReplaceAll(text, percentEncoded(key), redacted)
	}
	return withoutKeyParameters(text)
}

const redacted = "REDACTED"

// keyParameters are names under which clients have been seen to send keys.
var keyParameters = []string{"access_token", "api_key", "apikey", "integration_key", "key", "routing_key", "service_key", "token"}

// withoutKeyParameters blanks the values of those parameters in a target.
func withoutKeyParameters(target string) string {
	path, query, found := strings.Cut(target, "?")
	if !found {
		return target
	}
	parameters := strings.Split(query, "&")
	for i, parameter := range parameters {
		name, value, _ := strings.Cut(parameter, "=")
		plain, err := url.QueryUnescape(name)
		if err == nil && value != "" && slices.Contains(keyParameters, strings.ToLower(plain)) {
			parameters[i] = name + "=" + redacted
		}
	}
	return path + "?" + strings.Join(parameters, "&")
}

// keys lists the keys of the account, the longest first, so that a key inside
// another one leaves no remainder behind.
func (s *Simulator) keys() []string {
	keys := append(s.services.keys(), s.webhooks.secrets()...)
	for key := range s.tokens {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return keys
}
