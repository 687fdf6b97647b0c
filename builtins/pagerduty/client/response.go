package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
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

// decode decodes a success into out, and returns why it is none. A status from 200 to 299
// is a success only with the answer that PagerDuty gives to the request: a proxy, a login
// page or another service may have answered. Then the request may have been done or not, so
// the answer counts as lost.
//
// A nil out expects no body. complete reports whether out has what the call asked for: JSON
// of another shape decodes without an error, and would look like an empty result.
func (a response) decode(r request, out any, complete func() bool) *Error {
	problem := "lacks the data that was asked for"
	switch {
	case a.large:
		problem = fmt.Sprintf("has more than %d MB", maxResponse>>20)
	case out == nil:
		if a.status == http.StatusNoContent {
			return nil
		}
		problem = fmt.Sprintf("has the status %d where PagerDuty answers 204", a.status)
	default:
		reflect.ValueOf(out).Elem().Set(r.empty)
		err := json.Unmarshal(a.body, out)
		if err == nil && r.verdict != nil {
			if refused := r.verdict(a); refused != nil {
				return refused
			}
		}
		switch {
		case err == nil && complete():
			return nil
		case errors.Is(err, errTooMany):
			problem = "has more entries than were asked for"
		case err != nil:
			problem = "is not valid JSON"
		}
	}
	return &Error{
		Kind: Unavailable, Op: r.op, StatusCode: a.status, RequestID: r.keys.line(a.header.Get("X-Request-Id")),
		Message: "the status reports success, but the answer " + problem, Hint: foreignHint, Sent: r.policy.writes,
	}
}

// foreignHint says why an answer may not come from PagerDuty.
const foreignHint = "check the base URL: a proxy or another service may have answered instead of PagerDuty"

// foreign reports whether a refusal did not come from PagerDuty: it is a web page, or JSON
// without an error. PagerDuty refuses some events with plain text.
func (a response) foreign() bool {
	body := bytes.TrimSpace(bytes.TrimPrefix(a.body, []byte("\ufeff")))
	var shape struct {
		Error, Errors, Message, Status json.RawMessage
	}
	switch {
	case len(body) == 0, body[0] == '<', bytes.Equal(body, []byte("null")):
		return true
	case json.Unmarshal(body, &shape) != nil:
		return body[0] == '{' || body[0] == '['
	}
	return shape.Error == nil && shape.Errors == nil && shape.Message == nil && shape.Status == nil
}

// saysNotFound reports whether a 404 is PagerDuty's: it has an error object. Other services
// answer a wrong path with a web page, or with JSON of their own.
func (a response) saysNotFound() bool {
	var body struct {
		Error struct{ Message string }
	}
	return json.Unmarshal(bytes.TrimPrefix(a.body, []byte("\ufeff")), &body) == nil && body.Error.Message != ""
}
