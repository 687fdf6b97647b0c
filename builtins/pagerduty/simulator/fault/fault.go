// Package fault makes a simulated PagerDuty go wrong on purpose.
//
// The nouns:
//
//   - A [Fault] is a rule: what goes wrong, and with which requests (its [Match]). Its
//     [Kind] says what goes wrong (fault.go).
//   - A [Plan] is the JSON document of faults, in order (plan.go).
//   - The [Injector] stands between a request and the API. [Injector.Answer] chooses the
//     first rule that applies, counts it, and makes or changes the answer (injector.go,
//     answer.go). [Injector.Send] sends the answer as completely and as fast as the rule
//     allows (send.go).
//   - A [Rule] is a fault with its counters.
//
// To add a kind: a constant, a line in kinds and in traits, a case in spoil, answerOf or
// Send, and a line in docs/simulator.md.
package fault

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
)

// Fault is a rule: what goes wrong, and with which requests. Rules are tried in order. The
// first rule that applies to a request is used.
type Fault struct {
	Name    string            `json:"name,omitempty"` // in records and counters; "fault 1", "fault 2" ... by position when empty
	Match   Match             `json:"match,omitzero"`
	Do      Kind              `json:"do"`
	Status  int               `json:"status,omitempty"`  // of the answer, if the kind makes one
	Body    string            `json:"body,omitempty"`    // of the answer, or a text inside it
	Headers map[string]string `json:"headers,omitempty"` // to set on the answer
	Remove  []string          `json:"remove,omitempty"`  // headers to leave out of the answer
	Delay   Duration          `json:"delay,omitempty"`   // of a slow answer, of a stale read, or of a jump of the clock
}

// Match says for which requests a rule is. A field that is empty matches all requests; all
// others must match. Nth, Every, Times and Probability count the requests that reach the
// rule and match the other fields.
type Match struct {
	Endpoint    string  `json:"endpoint,omitempty"` // a path such as /users/{id}, or "rest" or "events"
	Method      string  `json:"method,omitempty"`
	Key         string  `json:"key,omitempty"`         // the key of the request, see api.Request
	Nth         int     `json:"nth,omitempty"`         // only this one, counted from 1
	Every       int     `json:"every,omitempty"`       // only every nth one
	Times       int     `json:"times,omitempty"`       // at most this number of requests
	Probability float64 `json:"probability,omitempty"` // drawn from the seed; 0 means always
}

// Kind says what goes wrong.
type Kind string

// The kinds of faults. The first group answers in place of the account, which does not
// handle the request. The second lets the account answer and changes the answer. The third
// gives no answer. The fourth changes what the account does.
const (
	AnswerStatus  Kind = "status"          // Status, with Body or else the documented body
	RateLimited   Kind = "rate_limit"      // 429, and 403 from Events API v1, as in the documentation
	RateLimitBare Kind = "rate_limit_bare" // the same without headers and body
	AnswerHTML    Kind = "html"            // an HTML page, as sent by proxies (502)
	AnswerText    Kind = "plain_text"      // a text that is not JSON (400)
	ErrorArray    Kind = "error_array"     // {"error": [Body]} (400)
	ErrorsString  Kind = "errors_string"   // {"error": {..., "errors": Body}} (400)
	AccountLocked Kind = "account_lock"    // 400 with code 2001 that can be retried

	ChangeHeaders Kind = "headers"        // Headers set, Remove left out
	SlowHeader    Kind = "slow_header"    // Delay before the answer
	SlowBody      Kind = "slow_body"      // Delay in the middle of the body
	TruncatedBody Kind = "truncated_body" // half of the body, then a reset of the connection

	ResetBefore   Kind = "reset_before"   // the connection breaks, the request has not taken effect
	ResetAfter    Kind = "reset_after"    // the connection breaks, the request has taken effect
	TimeoutBefore Kind = "timeout_before" // no answer, the request has not taken effect
	TimeoutAfter  Kind = "timeout_after"  // no answer, the request has taken effect

	Duplicate Kind = "duplicate"  // the request arrives twice; the first answer is sent
	StaleRead Kind = "stale_read" // a read sees the account as it was Delay ago
	ClockJump Kind = "clock_jump" // the time of the account moves forward by Delay
)

// Duration is a time.Duration whose text is "250ms" or "1m30s".
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("%s is not a duration; expected one such as 250ms, 2s or 1m30s", strictjson.Quote(string(text)))
	}
	*d = Duration(parsed)
	return nil
}

// traits are the parameters and the effects of a kind.
type traits struct {
	parameters  []string // the fields of Fault that it uses
	required    []string // the fields that it needs
	status      int      // of its answer when the rule sets no status
	unprocessed bool     // the account does not handle the request
	unanswered  bool     // the client gets no complete answer
}

// answering are the fields that the kinds with an answer of their own use.
var answering = []string{"status", "body", "headers", "remove"}

// kinds is in the order in which messages list them.
var kinds = []Kind{
	AnswerStatus, RateLimited, RateLimitBare, AnswerHTML, AnswerText, ErrorArray, ErrorsString, AccountLocked,
	ChangeHeaders, SlowHeader, SlowBody, TruncatedBody,
	ResetBefore, ResetAfter, TimeoutBefore, TimeoutAfter,
	Duplicate, StaleRead, ClockJump,
}

var traitsOf = map[Kind]traits{
	AnswerStatus:  {parameters: answering, required: []string{"status"}, unprocessed: true},
	RateLimited:   {parameters: []string{"headers", "remove"}, status: 429, unprocessed: true},
	RateLimitBare: {status: 429, unprocessed: true},
	AnswerHTML:    {parameters: answering, status: 502, unprocessed: true},
	AnswerText:    {parameters: answering, status: 400, unprocessed: true},
	ErrorArray:    {parameters: answering, status: 400, unprocessed: true},
	ErrorsString:  {parameters: answering, status: 400, unprocessed: true},
	AccountLocked: {parameters: []string{"headers", "remove"}, status: 400, unprocessed: true},
	ChangeHeaders: {parameters: []string{"headers", "remove"}},
	SlowHeader:    {parameters: []string{"delay"}, required: []string{"delay"}},
	SlowBody:      {parameters: []string{"delay"}, required: []string{"delay"}},
	TruncatedBody: {unanswered: true},
	ResetBefore:   {unprocessed: true, unanswered: true},
	ResetAfter:    {unanswered: true},
	TimeoutBefore: {unprocessed: true, unanswered: true},
	TimeoutAfter:  {unanswered: true},
	Duplicate:     {},
	StaleRead:     {parameters: []string{"delay"}, required: []string{"delay"}},
	ClockJump:     {parameters: []string{"delay"}, required: []string{"delay"}},
}
