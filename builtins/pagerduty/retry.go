package pagerduty

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstDelay = 500 * time.Millisecond
	maxDelay   = 30 * time.Second
	// maxReset caps `ratelimit-reset`: the windows of the REST API are a minute
	// (PagerDuty's documentation, "REST API Rate Limits"), so a longer wait is a
	// mistake of the header.
	maxReset = 60 * time.Second
	// throttleBudget is how long events v1 are tried against its 403, which says
	// "throttled" but could also mean something that waiting does not help.
	throttleBudget = 30 * time.Second
)

// A policy says which failures of a request are tried again.
type policy struct {
	writes bool // a lost answer leaves the outcome unknown
	// resend: a request that was written to the network may be sent again.
	resend    bool
	server    bool // 5xx
	timeout   bool // 408
	throttled int  // the status that asks to slow down
	locked    bool // a 400 that says that the account could not be locked
	repeated  int  // a status that means success on a repeat
}

var (
	reads       = policy{resend: true, server: true, timeout: true, throttled: http.StatusTooManyRequests}
	deletes     = policy{writes: true, resend: true, server: true, timeout: true, throttled: http.StatusTooManyRequests, repeated: http.StatusNotFound}
	createsUser = policy{writes: true, timeout: true, throttled: http.StatusTooManyRequests, locked: true}
	eventsV1    = policy{writes: true, resend: true, server: true, throttled: http.StatusForbidden}
	eventsV2    = policy{writes: true, resend: true, server: true, throttled: http.StatusTooManyRequests}
)

// send tries the request until it succeeds, cannot succeed, or time is over. A
// body is sent whole on every try.
func (c *Client) send(ctx context.Context, r request) (response, error) {
	start := c.config.Now()
	ambiguous := false // an earlier try may have been acted on
	for try := 0; ; try++ {
		answer, sent, err := c.try(ctx, r)
		if err == nil && r.succeeded(answer.status, ambiguous) {
			return answer, nil
		}
		failure := c.failure(ctx, r, answer, sent, err)
		failure.Sent = failure.Sent || ambiguous
		ambiguous = failure.Sent
		wait := c.delay(try, failure)
		if !r.again(failure, sent, err) || c.config.Now().Sub(start)+wait > c.budget(r, failure) {
			return response{}, failure
		}
		if err := c.config.Sleep(ctx, wait); err != nil {
			return response{}, interrupted(ctx, failure, err)
		}
	}
}

// succeeded reports whether a status is what the request was made for. After a try
// that may have been acted on, that can be the status of finding it done.
func (r request) succeeded(status int, ambiguous bool) bool {
	return status >= 200 && status < 300 || ambiguous && r.policy.repeated != 0 && status == r.policy.repeated
}

// again reports whether another try may help and can do no harm.
func (r request) again(f *Error, sent bool, err error) bool {
	p := r.policy
	if err != nil {
		return f.Kind != Cancelled && (!sent || p.resend)
	}
	switch {
	case f.StatusCode == p.throttled, f.StatusCode == http.StatusRequestTimeout && p.timeout:
		return true
	case f.StatusCode >= 500:
		return p.server
	case f.StatusCode == http.StatusBadRequest && p.locked:
		return strings.Contains(strings.Join(f.Details, " "), "could not be locked")
	}
	return false
}

// budget is the time for all tries, by what the last of them met.
func (c *Client) budget(r request, f *Error) time.Duration {
	if f.StatusCode == http.StatusForbidden && r.policy.throttled == http.StatusForbidden {
		return min(throttleBudget, c.config.RetryBudget)
	}
	return c.config.RetryBudget
}

// delay is how long to wait: what the service asks for, else exponential, with
// full jitter so that many clients do not come back together.
func (c *Client) delay(try int, f *Error) time.Duration {
	if f.RetryAfter > 0 {
		return f.RetryAfter + time.Duration(c.config.Jitter()*float64(firstDelay))
	}
	ceiling := min(firstDelay<<min(try, 10), maxDelay)
	return time.Duration(c.config.Jitter() * float64(ceiling))
}

// resetOf reads the wait that a throttled answer asks for.
func resetOf(header http.Header) time.Duration {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(header.Get("Ratelimit-Reset")), 64)
	if err != nil || !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, maxReset.Seconds()) * float64(time.Second))
}

// failure describes a try that failed.
func (c *Client) failure(ctx context.Context, r request, answer response, sent bool, err error) *Error {
	if err == nil {
		return statusError(r, answer)
	}
	f := &Error{Kind: Unavailable, Op: r.op, Sent: sent && r.policy.writes, Err: r.keys.cause(err)}
	var network net.Error
	switch {
	case ctx.Err() != nil:
		f.Kind, f.Message = ending(ctx, ctx.Err())
	case errors.As(err, &network) && network.Timeout():
		f.Kind, f.Message = Timeout, "PagerDuty did not answer in time"
	case sent:
		f.Message = "the connection to PagerDuty broke before it answered"
	default:
		f.Message = "PagerDuty could not be reached: " + r.keys.line(reason(err))
	}
	return f
}

// interrupted describes a wait between two tries that was cut short. What the last
// try met stays in view: it is why there was a wait.
func interrupted(ctx context.Context, last *Error, err error) *Error {
	ended := *last
	kind, message := ending(ctx, err)
	ended.Kind, ended.Message = kind, message+" while waiting to try again; the last try failed with: "+last.Message
	ended.Err = err
	return &ended
}

// ending classifies the end of a context: its deadline, or somebody's wish.
func ending(ctx context.Context, err error) (Kind, string) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return Timeout, "the time for it ran out"
	}
	return Cancelled, "it was cancelled"
}

// reason says in a few words why no connection came about.
func reason(err error) string {
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
