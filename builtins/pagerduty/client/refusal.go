package client

import (
	"net/http"
	"regexp"
	"strings"
)

// statusError describes an answer that is no success.
func statusError(r request, answer response) *Error {
	f := &Error{Op: r.op, StatusCode: answer.status, RequestID: r.keys.line(answer.header.Get("X-Request-Id"))}
	f.Code, f.Message, f.Details = decodeError(answer.body, r.keys)
	if f.Message == "" {
		f.Message = "PagerDuty answered " + strings.ToLower(http.StatusText(answer.status))
	}
	f.Kind = kindOf(r, f)
	if f.Kind == RateLimited {
		f.RetryAfter = resetOf(answer.header)
	}
	// A failure of the server may come after it acted, and so may a 408: PagerDuty's
	// table of errors calls it a request that took too long (code 2016).
	f.Sent = r.policy.writes && (answer.status >= 500 || answer.status == http.StatusRequestTimeout)
	f.Hint = hintOf(r, f)
	return f
}

// kindOf classifies an answer by its status, and by its text where the status is
// overloaded.
func kindOf(r request, f *Error) Kind {
	switch status := f.StatusCode; {
	case status == r.policy.throttled:
		return RateLimited
	case status == http.StatusBadRequest && f.isLocked():
		return Unavailable
	case status == http.StatusUnauthorized:
		return Unauthorized
	case status == http.StatusForbidden, status == http.StatusPaymentRequired:
		return Forbidden
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusConflict, f.says("already been taken"), status == http.StatusBadRequest && r.method == http.MethodDelete:
		return Conflict
	case status == http.StatusRequestTimeout:
		return Timeout
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status >= 500, status < 400:
		return Unavailable
	}
	return InvalidInput
}

// says reports whether PagerDuty's texts hold a phrase. Its codes are overloaded;
// the texts are what tells failures apart.
func (e *Error) says(phrase string) bool {
	return strings.Contains(strings.ToLower(e.Message+" "+strings.Join(e.Details, " ")), phrase)
}

// isLocked reports the one 400 that passes: somebody else changes users of the
// account at this moment (terraform-provider-pagerduty #1117).
func (e *Error) isLocked() bool { return e.says("could not be locked") }

// aboutRequester reports whether From is what PagerDuty refuses.
func (e *Error) aboutRequester() bool {
	return e.says(`"from" header`) || e.says("requester user not found")
}

// hintOf says what to try where that is known.
func hintOf(r request, f *Error) string {
	switch {
	case f.StatusCode == http.StatusUnauthorized && integrationKeyPattern.MatchString(r.credential):
		return "the API key looks like an integration key (32 characters): take a REST API key (20), from Integrations > API Access Keys"
	case f.StatusCode == http.StatusUnauthorized:
		return "check the API key; an EU account needs the region eu (PAGERDUTY_SERVICE_REGION=eu)"
	case f.aboutRequester():
		return "From must be the e-mail of a user of this account: set from_email, or PAGERDUTY_FROM_EMAIL"
	case f.isLocked():
		return "PagerDuty changes one user of an account at a time: lower max_parallel, or try again"
	case f.says("routing key"), f.says("routing_key"), f.says("service key"):
		return "check the integration key of the service; a key of an Events API v2 integration needs events API v2 (PAGERDUTY_EVENTS_API=v2)"
	case f.StatusCode == http.StatusPaymentRequired, f.says("missing account ability"):
		return "the plan of the account does not include this"
	case f.StatusCode == http.StatusForbidden && r.class >= writes:
		return "the API key may not do this: a read-only key cannot write, and the key of a user has that user's rights"
	case r.method == http.MethodDelete && f.StatusCode == http.StatusBadRequest:
		return "take the user off open incidents, schedules and escalation policies first"
	case f.StatusCode >= 300 && f.StatusCode < 400:
		return "the base URL redirects; set it to where it redirects to"
	}
	return ""
}

// integrationKeyPattern is the shape of an integration key, which no REST key has.
var integrationKeyPattern = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
