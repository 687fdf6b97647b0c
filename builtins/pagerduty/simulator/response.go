package simulator

import (
	"encoding/json"
	"net/http"
)

// Error codes of the REST API, from the table "Errors" of PagerDuty's developer
// documentation and from answers quoted in public issue threads. The service
// uses some for several things.
const (
	codeAlreadyResolved   = 1001
	codeRequesterNotFound = 1008 // pygerduty #64
	codeMalformedFrom     = 1028 // go-pagerduty #336
	codeInternal          = 2000
	codeInvalidInput      = 2001 // terraform-provider-pagerduty #845
	codeMissingArguments  = 2003
	codeNotAuthenticated  = 2006
	codeAccessDenied      = 2010
	codeMissingAbility    = 2014
	codeMissingFrom       = 2016 // go-pagerduty #32; the table says "took too long"
	codeRateLimit         = 2020
	codeNotFound          = 2100 // terraform-provider-pagerduty #153
)

// response is an answer before it goes out.
type response struct {
	status  int
	header  http.Header
	removed []string // headers that net/http shall not add
	body    []byte
}

// document answers with value as JSON. Clients look at the beginning of the
// content type before they decode an error (go-pagerduty), so it is exact.
func document(status int, value any) response {
	body, err := json.Marshal(value)
	if err != nil {
		return failure(http.StatusInternalServerError, codeInternal, "Internal Server Error")
	}
	return typed(status, "application/json", body)
}

func plainText(status int, text string) response {
	return typed(status, "text/plain; charset=utf-8", []byte(text))
}

func noContent() response {
	return response{status: http.StatusNoContent, header: http.Header{}}
}

func typed(status int, contentType string, body []byte) response {
	return response{status: status, header: http.Header{}, body: body}.
		withHeader("Content-Type", contentType)
}

// errorDocument is the body of a failed REST request.
type errorDocument struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Message string   `json:"message"`
	Code    int      `json:"code"`
	Errors  []string `json:"errors,omitempty"`
}

// failure answers with an error of the REST API.
func failure(status, code int, message string, details ...string) response {
	return document(status, errorDocument{errorDetail{Message: message, Code: code, Errors: details}})
}

func invalidInput(details ...string) response {
	return failure(http.StatusBadRequest, codeInvalidInput, "Invalid Input Provided", details...)
}

func notFound() response {
	return failure(http.StatusNotFound, codeNotFound, "Not Found")
}

// unauthorized answers 401. The code is from the documented table, the text is
// [unknown, safe reading].
func unauthorized() response {
	return failure(http.StatusUnauthorized, codeNotAuthenticated, "Authentication failed")
}

// withHeader adds a header and returns the response.
func (r response) withHeader(name, value string) response {
	r.header.Set(name, value)
	return r
}

// accessDenied answers 403, which the documented table has for it.
func accessDenied() response {
	return failure(http.StatusForbidden, codeAccessDenied, "Access Denied")
}
