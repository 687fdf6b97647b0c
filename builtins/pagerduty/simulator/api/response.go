package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// Response is an answer before it is sent.
type Response struct {
	Status  int
	Header  http.Header
	Removed []string // headers that net/http must not add
	Body    []byte
}

// Document answers with value as JSON. Clients look at the beginning of the content type
// before they decode an error (go-pagerduty), so it is exact.
func Document(status int, value any) Response {
	body, err := json.Marshal(value)
	if err != nil {
		return failure(http.StatusInternalServerError, codeInternal, "Internal Server Error")
	}
	return Typed(status, "application/json", body)
}

// PlainText answers with a text.
func PlainText(status int, text string) Response {
	return Typed(status, "text/plain; charset=utf-8", []byte(text))
}

// Empty answers without a body.
func Empty(status int) Response { return Response{Status: status, Header: http.Header{}} }

// Typed answers with a body of a content type.
func Typed(status int, contentType string, body []byte) Response {
	return Response{Status: status, Header: http.Header{}, Body: body}.
		WithHeader("Content-Type", contentType)
}

// WithHeader sets a header and returns the response.
func (r Response) WithHeader(name, value string) Response {
	r.Header.Set(name, value)
	return r
}

// Write sends the status and the headers, and part of the body.
func (r Response) Write(writer http.ResponseWriter, part []byte) {
	for name, values := range r.Header {
		writer.Header()[name] = values
	}
	for _, name := range r.Removed {
		writer.Header()[name] = nil // net/http adds Date unless its value is nil
	}
	writer.WriteHeader(r.Status)
	if len(part) > 0 {
		_, _ = writer.Write(part) // an error means that the client has gone
	}
}

// Error codes of the REST API, from the table "Errors" of PagerDuty's developer
// documentation and from answers quoted in public issue threads. The service uses some of
// them for several things.
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

// errorDetail is the error of a failed REST request.
type errorDetail struct {
	Message string   `json:"message"`
	Code    int      `json:"code"`
	Errors  []string `json:"errors,omitempty"`
}

// statusErrors are the errors that the REST API has for a status (developer
// documentation, "Errors"). The text of 401 is [unknown, safe reading].
var statusErrors = map[int]errorDetail{
	http.StatusBadRequest:      {Message: "Invalid Input Provided", Code: codeInvalidInput, Errors: []string{"Request is invalid"}},
	http.StatusUnauthorized:    {Message: "Authentication failed", Code: codeNotAuthenticated},
	http.StatusPaymentRequired: {Message: "Missing Account Ability", Code: codeMissingAbility},
	http.StatusForbidden:       {Message: "Access Denied", Code: codeAccessDenied},
	http.StatusNotFound:        {Message: "Not Found", Code: codeNotFound},
	http.StatusRequestTimeout:  {Message: "The request took too long to process. Please try again", Code: codeMissingFrom},
	http.StatusTooManyRequests: {Message: "Rate Limit Exceeded", Code: codeRateLimit},
}

// failure answers with an error of the REST API.
func failure(status, code int, message string, details ...string) Response {
	return single(status, "error", errorDetail{Message: message, Code: code, Errors: details})
}

// standard answers with the error that the REST API has for a status.
func standard(status int, details ...string) Response {
	return failure(status, statusErrors[status].Code, statusErrors[status].Message, details...)
}

// InvalidInput answers 400 with what is wrong with a request to the REST API.
func InvalidInput(details ...string) Response { return standard(http.StatusBadRequest, details...) }

// ErrorsString answers with an error of the REST API whose errors are one string, as some
// real answers have it.
func ErrorsString(status int, text string) Response {
	return single(status, "error", document{{"code", codeInvalidInput}, {"errors", text}, {"message", "Invalid Input Provided"}})
}

func notFound() Response { return refuse(account.ErrNotFound) }

// refuse answers with an error of package account.
func refuse(err error) Response {
	status, detail := refusal(err)
	return single(status, "error", detail)
}

// refusal returns the status and the error of the REST API for an error of package
// account. Code 1001 is from the documented table.
func refusal(err error) (status int, detail errorDetail) {
	var invalid account.Invalid
	var ability account.MissingAbility
	status = http.StatusNotFound
	switch {
	case errors.Is(err, account.ErrAlreadyResolved):
		return http.StatusBadRequest, errorDetail{Message: "Incident Already Resolved", Code: codeAlreadyResolved}
	case errors.As(err, &ability):
		status, invalid = http.StatusPaymentRequired, account.Invalid{err.Error()}
	case errors.As(err, &invalid):
		status = http.StatusBadRequest
	}
	detail = statusErrors[status]
	detail.Errors = invalid
	return status, detail
}

// single answers with one resource under its name, as every REST answer has it.
func single(status int, name string, resource any) Response {
	return Document(status, document{{name, resource}})
}
