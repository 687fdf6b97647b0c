package simulator

import (
	"fmt"
	"time"
)

// Fault is a rule: what goes wrong, and with which requests. Rules stand in
// order; each request goes down the list to the first rule that applies to it.
type Fault struct {
	Name    string            `json:"name,omitempty"` // in records and counters; "fault 1" and so on when empty
	Match   Match             `json:"match,omitzero"`
	Do      FaultKind         `json:"do"`
	Status  int               `json:"status,omitempty"`  // of the answer, where the kind makes one
	Body    string            `json:"body,omitempty"`    // of the answer, or the text in it
	Headers map[string]string `json:"headers,omitempty"` // to set on the answer
	Remove  []string          `json:"remove,omitempty"`  // headers to leave out of the answer
	Delay   Duration          `json:"delay,omitempty"`   // how slow, how stale, how far to jump
}

// Match is which requests a rule is for. What is empty matches all; what is not
// must hold together. Nth, Every, Times and Probability count the requests that
// reach the rule and match the rest of it.
type Match struct {
	Endpoint    string  `json:"endpoint,omitempty"` // a path such as /users/{id}, or "rest" or "events"
	Method      string  `json:"method,omitempty"`
	Key         string  `json:"key,omitempty"`         // the request's idempotent key, see Request.Key
	Nth         int     `json:"nth,omitempty"`         // only this one, counted from 1
	Every       int     `json:"every,omitempty"`       // only every so manyth
	Times       int     `json:"times,omitempty"`       // at most so often
	Probability float64 `json:"probability,omitempty"` // of the seed; 0 is always
}

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults. The first group answers in place of the account, which
// does not see the request. The second lets the account answer and spoils the
// answer. The third gives no answer. The fourth changes what the account does.
const (
	AnswerStatus  FaultKind = "status"          // Status, with the documented body or Body
	RateLimited   FaultKind = "rate_limit"      // 429, and 403 from Events API v1, as in the documentation
	RateLimitBare FaultKind = "rate_limit_bare" // the same without headers and body
	AnswerHTML    FaultKind = "html"            // an HTML page, as proxies send it (502)
	AnswerText    FaultKind = "plain_text"      // a sentence that is no JSON (400)
	ErrorArray    FaultKind = "error_array"     // {"error": [Body]} (400)
	ErrorsString  FaultKind = "errors_string"   // {"error": {..., "errors": Body}} (400)
	AccountLocked FaultKind = "account_lock"    // 400/2001 that is worth a retry

	ChangeHeaders FaultKind = "headers"        // Headers set, Remove left out
	SlowHeader    FaultKind = "slow_header"    // Delay before the answer
	SlowBody      FaultKind = "slow_body"      // Delay in the middle of the body
	TruncatedBody FaultKind = "truncated_body" // half of the body, then a reset

	ResetBefore   FaultKind = "reset_before"   // the connection breaks, the request had no effect
	ResetAfter    FaultKind = "reset_after"    // the connection breaks, the request had its effect
	TimeoutBefore FaultKind = "timeout_before" // silence, the request had no effect
	TimeoutAfter  FaultKind = "timeout_after"  // silence, the request had its effect

	Duplicate FaultKind = "duplicate"  // the request arrives twice; the first answer is sent
	StaleRead FaultKind = "stale_read" // a read sees the account as it was Delay ago
	ClockJump FaultKind = "clock_jump" // the account's time moves on by Delay
)

// Duration is a time.Duration whose text is "250ms" or "1m30s".
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("%s is no duration; expected one such as 250ms, 2s or 1m30s", quoted(string(text)))
	}
	*d = Duration(parsed)
	return nil
}

// faultTraits are what a kind of fault needs and does.
type faultTraits struct {
	parameters  []string // fields of Fault that mean something to it
	required    []string // and those that it cannot do without
	status      int      // of its answer when the rule has none
	unprocessed bool     // the account does not see the request
	unanswered  bool     // the client gets no whole answer
}

// answering are the parameters of the kinds that make an answer.
var answering = []string{"status", "body", "headers", "remove"}

// kindsOfFaults is in the order of the constants, which is that of complaints.
var kindsOfFaults = []FaultKind{
	AnswerStatus, RateLimited, RateLimitBare, AnswerHTML, AnswerText, ErrorArray, ErrorsString, AccountLocked,
	ChangeHeaders, SlowHeader, SlowBody, TruncatedBody,
	ResetBefore, ResetAfter, TimeoutBefore, TimeoutAfter,
	Duplicate, StaleRead, ClockJump,
}

var traitsOfFaults = map[FaultKind]faultTraits{
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
