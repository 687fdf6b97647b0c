package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// refusal returns the error of a response that is not a success.
func refusal(r request, answer response) *Error {
	f := &Error{Op: r.op, StatusCode: answer.status, RequestID: r.keys.line(answer.header.Get("X-Request-Id"))}
	f.Code, f.Message, f.Details = decodeError(answer.body, r.keys)
	if f.Message == "" {
		f.Message = "PagerDuty answered " + strings.ToLower(http.StatusText(answer.status))
	}
	f.Kind = kindOf(r, f)
	if f.Kind == NotFound && !answer.saysNotFound() {
		f.Kind, f.Message = Unavailable, "the answer is 404, and not from PagerDuty"
	}
	if f.Kind == RateLimited {
		f.RetryAfter = resetOf(answer.header)
	}
	// A server can act and then fail. A 408 is the same: PagerDuty's table of errors
	// describes it as a request that took too long (code 2016).
	f.Sent = r.policy.writes && (answer.status >= 500 || answer.status == http.StatusRequestTimeout)
	if f.Hint = hintOf(r, f); f.Hint == "" && (answer.foreign() || answer.status == http.StatusNotFound && f.Kind != NotFound) {
		f.Hint = foreignHint
	}
	return f
}

// kindOf classifies a refusal by its status, and by its texts where one status has
// several meanings.
func kindOf(r request, f *Error) Kind {
	switch status := f.StatusCode; {
	case status == r.policy.throttleStatus:
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

// says reports whether PagerDuty's texts contain a phrase, ignoring case. PagerDuty
// uses one code for several failures; only the texts differ.
func (e *Error) says(phrase string) bool {
	return strings.Contains(strings.ToLower(e.Message+" "+strings.Join(e.Details, " ")), phrase)
}

// isLocked reports the only 400 that a retry can solve: another request changes users
// of the account at this moment (terraform-provider-pagerduty #1117).
func (e *Error) isLocked() bool { return e.says("could not be locked") }

// aboutRequester reports whether PagerDuty refused the From header.
func (e *Error) aboutRequester() bool {
	return e.says(`"from" header`) || e.says("requester user not found")
}

// hintOf returns what to try after a refusal, or an empty text.
func hintOf(r request, f *Error) string {
	switch {
	case f.StatusCode == http.StatusUnauthorized && integrationKeyPattern.MatchString(r.credential):
		return "the API key looks like an integration key (32 characters): use a REST API key (20 characters), from Integrations > API Access Keys"
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
	case f.StatusCode == http.StatusForbidden && r.priority >= writes:
		return "the API key may not do this: a read-only key cannot write, and the key of a user has the rights of this user"
	case r.method == http.MethodDelete && f.StatusCode == http.StatusBadRequest:
		return "take the user off open incidents, schedules and escalation policies first"
	case f.StatusCode >= 300 && f.StatusCode < 400:
		return "the base URL redirects; set it to the address that it redirects to"
	}
	return ""
}

// integrationKeyPattern matches integration keys. No REST API key matches it.
var integrationKeyPattern = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)

// decodeError reads the body of a refusal. It reads every known shape, of PagerDuty
// and of proxies in front of it, and ignores the content type. It quotes, shortened,
// what it cannot read. A field of an unexpected type does not hide other fields. All
// texts pass through keys, because a server may quote a key.
func decodeError(body []byte, keys *redactor) (code int, message string, details []string) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	var shape map[string]json.RawMessage
	if json.Unmarshal(body, &shape) != nil {
		if list := texts(body, keys); len(list) > 0 { // a text, or a list of texts, as JSON
			return 0, list[0], append([]string(nil), list[1:]...)
		}
		return 0, plainText(string(body), keys), nil
	}
	message, details = text(shape["message"], keys), texts(shape["errors"], keys)
	if message == "" {
		message = text(shape["status"], keys)
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(shape["error"], &inner) == nil {
		code, details = number(inner["code"]), append(details, texts(inner["errors"], keys)...)
		if words := text(inner["message"], keys); words != "" || code != 0 {
			message = words
		}
		return code, message, details
	}
	return number(shape["code"]), message, append(texts(shape["error"], keys), details...)
}

// text returns a text as it is, and any other value as JSON.
func text(raw json.RawMessage, keys *redactor) string { return strings.Join(texts(raw, keys), "; ") }

// number reads an error code. Some servers send it as a text.
func number(raw json.RawMessage) int {
	n, _ := strconv.Atoi(strings.Trim(string(raw), `"`))
	return n
}

// texts reads a text, a list of texts, or an object that has the texts about each
// field.
func texts(raw json.RawMessage, keys *redactor) []string {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return nil
	}
	switch value := value.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, item := range value[:min(len(value), maxTexts)] {
			out = append(out, line(item, keys))
		}
		return andMore(out, len(value))
	case map[string]any:
		var out []string
		for _, name := range slices.Sorted(maps.Keys(value))[:min(len(value), maxTexts)] {
			out = append(out, keys.line(keys.line(name)+" "+line(value[name], keys)))
		}
		return andMore(out, len(value))
	case string:
		if value == "" {
			return nil
		}
	}
	return []string{line(value, keys)}
}

// maxTexts bounds how many texts of one part of a refusal are kept. The others would only
// repeat them: a server once sent 5.7 MB.
const maxTexts = 10

// andMore adds how many texts of all are left out.
func andMore(out []string, all int) []string {
	if left := all - len(out); left > 0 {
		out = append(out, fmt.Sprintf("and %d more", left))
	}
	return out
}

// line writes a JSON value on one line. A text is written without quotation marks.
func line(value any, keys *redactor) string {
	if words, ok := value.(string); ok {
		return keys.line(words)
	}
	// The value is encoded again because the original may spell a key with escapes.
	again, _ := json.Marshal(keys.within(value))
	return keys.line(string(again))
}

// plainText returns a short text for a body that is not JSON. It never quotes HTML.
func plainText(body string, keys *redactor) string {
	trimmed := strings.TrimSpace(body)
	if strings.HasPrefix(trimmed, "<") {
		return "the answer is a web page and not from PagerDuty; a proxy or a load balancer may have sent it"
	}
	if strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, `"`) {
		return "the answer is not valid JSON; it may have been cut off"
	}
	return keys.line(trimmed)
}
