package client

import (
	"fmt"
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
