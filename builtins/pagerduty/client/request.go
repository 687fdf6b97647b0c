package client

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// request describes the HTTP request of one call. Every try of the call sends it in
// the same way.
type request struct {
	op      string // names the call in errors, such as "create user"
	method  string
	url     string
	header  http.Header
	in      any    // becomes the body as JSON; nil: no body
	maxBody int    // largest body in bytes; 0: no limit
	body    []byte // set by prepare
	policy  policy
	keys    *redactor // the keys that must not appear in an error
	// verdict reads an answer whose status is a success, and returns why PagerDuty refuses
	// the request all the same; nil: the status is enough.
	verdict func(response) *Error
	empty   reflect.Value // the result before an answer was decoded into it
	// host and credential identify the rate limit that the request counts against.
	host, credential string
	priority         priority
}

// tokenPattern matches account and user API keys. Any other key is sent as an OAuth
// token (the pd command line decides in the same way).
var tokenPattern = regexp.MustCompile(`^[0-9a-zA-Z_\-+/=]{20}$`)

// rest returns a request of the REST API with the headers that the API requires. in
// becomes the body; nil means no body. from is the e-mail address of the user on
// whose behalf the call is made; it may be empty.
func (c *Client) rest(op, method, path string, p policy, in any, from string) request {
	scheme := "Bearer "
	if tokenPattern.MatchString(c.config.APIKey) {
		scheme = "Token token="
	}
	r := request{
		op: op, method: method, url: c.config.APIURL + path, policy: p, in: in, keys: c.keys(""),
		header: http.Header{
			"Accept":        {"application/vnd.pagerduty+json;version=2"},
			"Content-Type":  {"application/json"},
			"Authorization": {scheme + c.config.APIKey},
		},
		host: c.config.APIURL, credential: c.config.APIKey, priority: lookups,
	}
	if p.writes {
		r.priority = writes
	}
	if from != "" {
		r.header.Set("From", from)
	}
	return r
}

// event returns a request of an Events API. Its integration key is in the body, not
// in a header.
func (c *Client) event(op, path, key string, p priority, retry policy, in any) request {
	r := request{
		op: op, method: http.MethodPost, url: c.config.EventsURL + path, policy: retry, in: in, maxBody: event.MaxBytes,
		header: http.Header{"Content-Type": {"application/json"}}, keys: c.keys(key),
		host: c.config.EventsURL, credential: key, priority: p,
	}
	r.verdict = r.eventVerdict
	return r
}

// prepare writes the body. It refuses a request without a key.
func (r *request) prepare() (err error) {
	switch {
	case r.credential == "":
		return &Error{
			Kind: Unauthorized, Op: r.op, Message: "this call needs a PagerDuty API key: set PAGERDUTY_API_KEY",
			Hint: "add --simulate to run offline, without a key",
		}
	case r.in != nil:
		r.body, err = encode(r.op, r.in, r.maxBody)
	}
	return err
}

// encode writes a body as JSON of at most limit bytes; 0 means no limit.
func encode(op string, in any, limit int) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, &Error{Kind: InvalidInput, Op: op, Message: "the request cannot be written as JSON: " + err.Error(), Err: err}
	}
	if limit > 0 && len(body) > limit {
		return nil, invalid(op, "send less data, for example in details", "the request has %s bytes; PagerDuty takes at most %s", grouped(len(body)), grouped(limit))
	}
	return body, nil
}
