package pagerduty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A Kind classifies a failure for machines.
type Kind string

// The kinds of failure.
const (
	InvalidInput Kind = "invalid_input"
	Unauthorized Kind = "unauthorized"
	Forbidden    Kind = "forbidden"
	NotFound     Kind = "not_found"
	Conflict     Kind = "conflict"
	RateLimited  Kind = "rate_limited"
	Unavailable  Kind = "unavailable"
	Timeout      Kind = "timeout"
	Cancelled    Kind = "cancelled"
)

// An Error is a call that failed.
type Error struct {
	Kind       Kind
	Op         string // what was tried, such as "create user"
	StatusCode int    // HTTP's, when there was an answer
	Code       int    // PagerDuty's own; it overloads them, so go by Kind
	Message    string
	Details    []string // what PagerDuty lists under `errors`
	RequestID  string   // for PagerDuty's support
	Hint       string   // what to try; may be empty
	RetryAfter time.Duration
	// Sent says that the request may have been acted on although it failed.
	Sent bool
	Err  error
}

// Error returns what was tried and why it failed.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.Message)
	if len(e.Details) > 0 {
		b.WriteString(": " + strings.Join(e.Details, "; "))
	}
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, " (HTTP %d", e.StatusCode)
		if e.RequestID != "" {
			b.WriteString(", request " + e.RequestID)
		}
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// statusError describes an answer that is no success.
func statusError(r request, answer response) *Error {
	f := &Error{Op: r.op, StatusCode: answer.status, RequestID: oneLine(answer.header.Get("X-Request-Id"))}
	f.Code, f.Message, f.Details = decodeError(answer.body)
	if f.Message == "" {
		f.Message = "PagerDuty answered " + strings.ToLower(http.StatusText(answer.status))
	}
	f.Kind = kindOf(r, f)
	if f.Kind == RateLimited {
		f.RetryAfter = resetOf(answer.header)
	}
	// A failure of the server may come after it acted.
	f.Sent = r.policy.writes && answer.status >= 500
	f.Hint = hintOf(r, f)
	return f
}

func kindOf(r request, f *Error) Kind {
	switch status := f.StatusCode; {
	case status == r.policy.throttled:
		return RateLimited
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
	case status == http.StatusBadRequest && f.says("could not be locked"), status >= 500, status < 400:
		return Unavailable
	}
	return InvalidInput
}

// says reports whether PagerDuty's texts hold a phrase. Its codes are overloaded;
// the texts are what tells failures apart.
func (e *Error) says(phrase string) bool {
	return strings.Contains(strings.ToLower(e.Message+" "+strings.Join(e.Details, " ")), phrase)
}

func hintOf(r request, f *Error) string {
	switch {
	case f.StatusCode == http.StatusUnauthorized:
		return "check the API key; an EU account needs the region eu (PAGERDUTY_SERVICE_REGION=eu)"
	case f.says(`"from" header`), f.says("requester user not found"):
		return "From must be the e-mail of a user of this account: set from_email, or PAGERDUTY_FROM_EMAIL"
	case f.says("routing key"), f.says("routing_key"), f.says("service key"):
		return "check the integration key of the service; a key of an Events API v2 integration needs events API v2 (PAGERDUTY_EVENTS_API=v2)"
	case f.StatusCode == http.StatusPaymentRequired:
		return "the plan of the account does not include this"
	case r.method == http.MethodDelete && f.StatusCode == http.StatusBadRequest:
		return "take the user off open incidents, schedules and escalation policies first"
	case f.StatusCode >= 300 && f.StatusCode < 400:
		return "the base URL redirects; set it to where it redirects to"
	}
	return ""
}

// maxErrorText bounds what is quoted of an answer that is not PagerDuty's JSON.
const maxErrorText = 200

// decodeError reads every shape of error that PagerDuty and what stands before it
// are known to send; what cannot be read is quoted, shortened.
func decodeError(body []byte) (code int, message string, details []string) {
	var shape struct {
		Error   json.RawMessage `json:"error"`
		Status  string          `json:"status"`
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return 0, plainText(string(body)), nil
	}
	message, details = shape.Message, texts(shape.Errors)
	if message == "" {
		message = shape.Status
	}
	var inner struct {
		Message string          `json:"message"`
		Code    json.Number     `json:"code"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(shape.Error, &inner) == nil && inner.Message+inner.Code.String() != "" {
		number, _ := inner.Code.Int64()
		return int(number), oneLine(inner.Message), append(details, texts(inner.Errors)...)
	}
	if list := texts(shape.Error); len(list) > 0 {
		details = append(list, details...)
	}
	return 0, oneLine(message), details
}

// texts reads a text, or a list of texts.
func texts(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{oneLine(one)}
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, item := range list {
		if json.Unmarshal(item, &one) != nil {
			one = string(item)
		}
		out = append(out, oneLine(one))
	}
	return out
}

// plainText makes a sentence of a body that is not JSON: never a page of HTML.
func plainText(body string) string {
	trimmed := strings.TrimSpace(body)
	if strings.HasPrefix(trimmed, "<") {
		return "the answer is a web page, not PagerDuty's; a proxy or a load balancer may stand in between"
	}
	if strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		return "the answer broke off in the middle of its JSON"
	}
	return oneLine(trimmed)
}

// oneLine shortens a text and takes control characters out of it.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(strings.TrimSpace(text)); len(runes) > maxErrorText {
		return string(runes[:maxErrorText]) + "…"
	}
	return strings.TrimSpace(text)
}
