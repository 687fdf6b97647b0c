package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// accountLockText is in what terraform-provider-pagerduty #1117 quotes: users
// that are created at the same time get in each other's way.
const accountLockText = "License error: Unable to perform request at this time. account could not be locked"

// respond makes the answer of a rule whose kind takes the account's place.
func (r *faultRule) respond(s *Simulator, x *exchange) response {
	answer := r.answerOf(s, x)
	if !slices.Contains(eventPaths, x.endpoint) && r.Do != RateLimitBare {
		answer = answer.withHeader("x-request-id", s.identifiers.request())
	}
	return r.adjust(answer)
}

func (r *faultRule) answerOf(s *Simulator, x *exchange) response {
	status := cmp.Or(r.Status, traitsOfFaults[r.Do].status)
	switch r.Do {
	case RateLimited:
		return s.tooMany(x)
	case RateLimitBare:
		return response{status: tooManyStatus(x), header: http.Header{}}
	case AnswerHTML:
		page := "<html><head><title>" + statusText(status) + "</title></head><body><h1>" + statusText(status) + "</h1></body></html>\n"
		return typed(status, "text/html; charset=utf-8", []byte(orDefault(r.Body, page)))
	case AnswerText:
		return plainText(status, orDefault(r.Body, invalidRoutingKey))
	case ErrorArray:
		return document(status, map[string]any{"error": []string{orDefault(r.Body, "links should have at most 50 item(s)")}})
	case ErrorsString:
		return document(status, map[string]any{"error": map[string]any{
			"message": "Invalid Input Provided", "code": codeInvalidInput, "errors": orDefault(r.Body, "Name is invalid"),
		}})
	case AccountLocked:
		return invalidInput(accountLockText)
	}
	return r.statusAnswer(x, status)
}

// statusAnswer answers with a status and the body that goes with it.
func (r *faultRule) statusAnswer(x *exchange, status int) response {
	switch {
	case status == http.StatusNoContent || status == http.StatusNotModified:
		return response{status: status, header: http.Header{}}
	case strings.HasPrefix(r.Body, "<"):
		return typed(status, "text/html; charset=utf-8", []byte(r.Body))
	case r.Body != "":
		return typed(status, "application/json", []byte(r.Body))
	case slices.Contains(eventPaths, x.endpoint):
		return document(status, eventError{Status: statusText(status), Message: statusText(status), Errors: []string{}})
	}
	known, ok := statusErrors[status]
	if !ok {
		known = errorDetail{Message: statusText(status), Code: codeInternal}
	}
	return document(status, errorDocument{known})
}

// statusErrors are what the REST API says with a status (developer documentation,
// "Errors").
var statusErrors = map[int]errorDetail{
	http.StatusBadRequest:      {Message: "Invalid Input Provided", Code: codeInvalidInput, Errors: []string{"Request is invalid"}},
	http.StatusUnauthorized:    {Message: "Authentication failed", Code: codeNotAuthenticated},
	http.StatusPaymentRequired: {Message: "Missing Account Ability", Code: codeMissingAbility},
	http.StatusForbidden:       {Message: "Access Denied", Code: codeAccessDenied},
	http.StatusNotFound:        {Message: "Not Found", Code: codeNotFound},
	http.StatusRequestTimeout:  {Message: "The request took too long to process. Please try again", Code: codeMissingFrom},
	http.StatusTooManyRequests: {Message: "Rate Limit Exceeded", Code: codeRateLimit},
}

// tooMany answers as if a limit had been exceeded.
func (s *Simulator) tooMany(x *exchange) response {
	status := tooManyStatus(x)
	if slices.Contains(eventPaths, x.endpoint) {
		return throttled(status)
	}
	window := s.windowOf(readCredential(x.header.Get("Authorization")).key, x.now)
	left := s.allowanceIn(window, x.now)
	left.remaining = 0
	return left.onto(limitExceeded())
}

// tooManyStatus is 403 for Events API v1 and 429 everywhere else.
func tooManyStatus(x *exchange) int {
	if x.endpoint == pathEventsV1 {
		return http.StatusForbidden
	}
	return http.StatusTooManyRequests
}

// adjust sets and removes the headers that a rule names.
func (r *faultRule) adjust(answer response) response {
	for _, name := range sortedNames(r.Headers) {
		answer = answer.withHeader(name, r.Headers[name])
	}
	for _, name := range r.Remove {
		answer.header.Del(name)
		answer.removed = append(answer.removed, http.CanonicalHeaderKey(name))
	}
	return answer
}
