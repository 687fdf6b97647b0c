package client

import (
	"encoding/json"
	"errors"
	"fmt"
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
	// large says that the body is left out because it has more than [maxResponse].
	large bool
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
	var err error
	if !a.large {
		if err = json.Unmarshal(a.body, out); err == nil && (complete == nil || complete()) {
			return nil
		}
	}
	problem := "lacks the data that was asked for"
	switch {
	case a.large:
		problem = fmt.Sprintf("has more than %d MB", maxResponse>>20)
	case errors.Is(err, errTooMany):
		problem = "has more entries than were asked for"
	case err != nil:
		problem = "is not valid JSON"
	}
	return &Error{
		Kind: Unavailable, Op: r.op, StatusCode: a.status, RequestID: r.keys.line(a.header.Get("X-Request-Id")),
		Message: "PagerDuty reported success, but its answer " + problem, Hint: "check the base URL: a proxy may have answered instead of PagerDuty", Sent: r.policy.writes,
	}
}
