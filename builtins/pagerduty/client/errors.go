package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Kind classifies a failure for programs.
type Kind string

// The kinds of failure.
const (
	InvalidInput Kind = "invalid_input" // PagerDuty does not take the request as it is
	Unauthorized Kind = "unauthorized"  // the key is missing or wrong
	Forbidden    Kind = "forbidden"     // the key or the plan does not allow the request
	NotFound     Kind = "not_found"
	Conflict     Kind = "conflict" // the present state does not allow the request
	RateLimited  Kind = "rate_limited"
	Unavailable  Kind = "unavailable" // PagerDuty was not reached, or failed
	Timeout      Kind = "timeout"
	Cancelled    Kind = "cancelled" // the context of the call was cancelled
)

// Error is the error of a call that failed. Its texts contain no key.
type Error struct {
	Kind       Kind
	Op         string        // the call, such as "create user"; may be empty
	StatusCode int           // HTTP status; 0 without a response
	Code       int           // PagerDuty's error code; one code can have several meanings, so use Kind
	Message    string        // what went wrong
	Details    []string      // the list `errors` of PagerDuty's answer
	RequestID  string        // to quote to PagerDuty's support; may be empty
	Hint       string        // what to try; may be empty
	RetryAfter time.Duration // wait that PagerDuty asked for; 0: it named none
	// Sent says that PagerDuty may have acted on the request although the call failed.
	Sent bool
	Err  error // the cause; may be nil
}

// Error returns the call and why it failed, on one line.
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

// failure returns the error of a try that did not succeed.
func (r request) failure(ctx context.Context, answer response) *Error {
	if answer.err == nil {
		return refusal(r, answer)
	}
	f := &Error{Kind: Unavailable, Op: r.op, Sent: answer.sent && r.policy.writes, Err: r.keys.cause(answer.err)}
	var network net.Error
	switch {
	case ctx.Err() != nil:
		f.Kind, f.Message = ending(ctx, ctx.Err())
	case errors.As(answer.err, &network) && network.Timeout():
		f.Kind, f.Message = Timeout, "PagerDuty did not answer in time"
	case answer.sent:
		f.Message = "the connection to PagerDuty broke before it answered"
	default:
		f.Message = "PagerDuty could not be reached: " + r.keys.line(connectionReason(answer.err))
	}
	return f
}

// ending returns why a context ended: at its deadline, or because it was cancelled.
func ending(ctx context.Context, err error) (Kind, string) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return Timeout, "the call ran out of time"
	}
	return Cancelled, "the call was cancelled"
}

// connectionReason says in a few words why the connection failed.
func connectionReason(err error) string {
	var lookup *net.DNSError
	var operation *net.OpError
	switch {
	case errors.As(err, &lookup):
		return "the name " + lookup.Name + " cannot be looked up"
	case errors.As(err, &operation) && operation.Err != nil:
		return operation.Err.Error()
	}
	return err.Error()
}
