package client

import (
	"encoding/json"
	"net/http"
)

// response is the result of one try.
type response struct {
	status int
	header http.Header
	body   []byte // the whole body
	// sent says that the request was written to the network. PagerDuty may then have
	// acted on it.
	sent bool
	// err says why the response is missing or incomplete. status, header and body are
	// then zero.
	err error
}

// decode decodes a success into out. A nil out discards the body. complete reports
// whether out has what the call asked for: JSON of another shape decodes without an
// error, and would look like an empty result. A nil complete checks nothing.
func (a response) decode(r request, out any, complete func() bool) error {
	if out == nil {
		return nil
	}
	err := json.Unmarshal(a.body, out)
	if err == nil && (complete == nil || complete()) {
		return nil
	}
	message := "PagerDuty reported success, but its answer lacks the data that was asked for"
	if err != nil {
		message = "PagerDuty reported success, but its answer is not valid JSON"
	}
	return &Error{
		Kind: Unavailable, Op: r.op, StatusCode: a.status, RequestID: r.keys.line(a.header.Get("X-Request-Id")),
		Message: message, Hint: "check the base URL: a proxy may have answered instead of PagerDuty", Sent: r.policy.writes,
	}
}
