package api

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is the record of one answered request. It never holds a key.
//
// Its JSON is part of the report of a run. The control API adds the other fields.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`            // with the query
	Status int    `json:"status"`          // 0 when no complete answer was sent
	Fault  string `json:"fault,omitempty"` // the name of the rule that applied

	At        time.Time `json:"-"`
	Endpoint  string    `json:"-"` // the path of its route, such as /users/{id}; empty when there is none
	Key       string    `json:"-"` // what the request is about; a repeated request has the same key
	BodyHash  string    `json:"-"` // SHA-256 of the body, in hexadecimal; empty without one
	Processed bool      `json:"-"` // whether the account handled it; false when a fault answered instead
}

// Record returns the record of a request that has not been answered yet.
func (a *API) Record(x *Exchange) Request {
	record := Request{
		Method:   x.Method,
		Path:     a.withoutKeys(x.target, x),
		At:       x.Now,
		Endpoint: x.Endpoint,
		Key:      a.withoutKeys(x.idempotentKey(), x),
	}
	if len(x.body) > 0 {
		digest := sha256.Sum256(x.body)
		record.BodyHash = hex.EncodeToString(digest[:])
	}
	return record
}

// idempotentKey returns what a request is about: the identifier in the path, the incident
// key of an event or of an incident to create, or the e-mail address of a user to create.
// Two requests with the same method, endpoint and key mean the same thing.
func (x *Exchange) idempotentKey() string {
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

// shortestSecret is the length of the shortest key that is replaced. Shorter ones could be
// part of ordinary words.
const shortestSecret = 6

// withoutKeys replaces keys in a text that will be recorded, because clients send keys in
// wrong places: the keys of the account, the key of the request, known or not, and the
// values of parameters that are named like keys.
func (a *API) withoutKeys(text string, x *Exchange) string {
	given, _ := ReadCredential(x.header)
	for _, key := range append(a.keys(), given, x.header.Get("Authorization")) {
		if len(key) < shortestSecret {
			continue
		}
		text = strings.ReplaceAll(text, key, redacted)
		text = strings.ReplaceAll(text, percentEncoded(key), redacted)
	}
	return withoutKeyParameters(text)
}

const redacted = "REDACTED"

// keyParameters are the names of parameters in which clients have sent keys.
var keyParameters = []string{"access_token", "api_key", "apikey", "integration_key", "key", "routing_key", "service_key", "token"}

// withoutKeyParameters replaces the values of those parameters in a target.
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

// keys returns the keys of the account, the longest first, so that replacing a key that is
// part of another one leaves no remainder of the longer one.
func (a *API) keys() []string {
	keys := a.account.Keys()
	for _, v := range a.config.Webhooks.List() {
		keys = append(keys, v.Secret)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	return keys
}
