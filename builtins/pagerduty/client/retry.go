package client

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
	final     bool // nothing is tried again
}

var (
	reads       = policy{resend: true, server: true, timeout: true, throttled: http.StatusTooManyRequests}
	glances     = policy{throttled: http.StatusTooManyRequests, final: true} // for what can be done without
	deletes     = policy{writes: true, resend: true, server: true, timeout: true, throttled: http.StatusTooManyRequests, repeated: http.StatusNotFound, locked: true}
	createsUser = policy{writes: true, timeout: true, throttled: http.StatusTooManyRequests, locked: true}
	updates     = policy{writes: true, resend: true, server: true, timeout: true, throttled: http.StatusTooManyRequests, locked: true}
	// once is for what must not be there twice, and cannot be looked for: only what
	// certainly was not acted on is sent again.
	once     = policy{writes: true, throttled: http.StatusTooManyRequests, locked: true}
	eventsV1 = policy{writes: true, resend: true, server: true, throttled: http.StatusForbidden}
	eventsV2 = policy{writes: true, resend: true, server: true, throttled: http.StatusTooManyRequests}
)

// onceOr is the policy of a write that is sent once, unless the caller says that a
// second one does no harm.
func onceOr(repeatable bool, otherwise policy) policy {
	if repeatable {
		return otherwise
	}
	return once
}

// send tries the request until it succeeds, cannot succeed, or time is over. A
// body is sent whole on every try.
func (c *Client) send(ctx context.Context, r request) (response, error) {
	s := attempts{client: c, request: r, turn: c.config.Pacing.turn(r, clock{c.config.Now, c.config.Sleep})}
	for try := 0; ; try++ {
		if err := s.enter(ctx); err != nil {
			return response{}, err
		}
		answer, failure, again := s.try(ctx, try)
		if failure == nil {
			return answer, nil
		}
		if !again {
			return response{}, failure
		}
		if failure.StatusCode == r.policy.throttled {
			continue // the lane waits, for all calls together
		}
		if err := c.config.Sleep(ctx, s.asked); err != nil {
			return response{}, interrupted(ctx, failure, err)
		}
		s.asked = 0
	}
}

// attempts are the tries of a request so far.
type attempts struct {
	client  *Client
	request request
	turn    *turn
	last    *Error        // of the last try; nil before the first
	start   time.Time     // of the first try
	asked   time.Duration // what the last failure has the next try wait
	excused time.Duration // what was waited for a known limit beyond that
}

// spent is how much of its budget the call has used.
func (s *attempts) spent() time.Duration { return s.client.config.Now().Sub(s.start) - s.excused }

// enter waits for the call's turn to try, and gives up once the budget is over.
func (s *attempts) enter(ctx context.Context) error {
	known, err := s.turn.enter(ctx)
	switch {
	case err != nil:
		return delayed(ctx, s.request, s.last, err)
	case s.last == nil:
		s.start = s.client.config.Now()
		return nil
	}
	s.excused += max(0, known-s.asked)
	if s.spent() > s.client.budget(s.request, s.last) {
		s.turn.leave(verdict{})
		return s.last
	}
	return nil
}

// try sends the request once, and reports whether another try may help, can do no
// harm, and is within the budget.
func (s *attempts) try(ctx context.Context, number int) (answer response, failure *Error, again bool) {
	ambiguous := s.last != nil && s.last.Sent // an earlier try may have been acted on
	answer, sent, err := s.client.try(ctx, s.request)
	if err == nil && s.request.succeeded(answer.status, ambiguous) {
		s.turn.leave(s.request.verdict(answer, sent, err, 0))
		return answer, nil, false
	}
	failure = s.client.failure(ctx, s.request, answer, sent, err)
	failure.Sent = failure.Sent || ambiguous
	s.last, s.asked = failure, s.client.delay(number, failure)
	s.turn.leave(s.request.verdict(answer, sent, err, s.asked))
	again = s.request.again(failure, sent, err) && s.spent()+s.asked <= s.client.budget(s.request, failure)
	return response{}, failure, again
}

// verdict is what a try tells of the rate limit.
func (r request) verdict(answer response, sent bool, err error, wait time.Duration) verdict {
	v := verdict{sent: sent, accepted: err == nil, wait: wait}
	if err == nil {
		v.readHeaders(answer.header)
		v.throttled = answer.status == r.policy.throttled
		v.accepted = !v.throttled
	}
	return v
}

// succeeded reports whether a status is what the request was made for. After a try
// that may have been acted on, that can be the status of finding it done.
func (r request) succeeded(status int, ambiguous bool) bool {
	return status >= 200 && status < 300 || ambiguous && r.policy.repeated != 0 && status == r.policy.repeated
}

// again reports whether another try may help and can do no harm.
func (r request) again(f *Error, sent bool, err error) bool {
	p := r.policy
	switch {
	case p.final:
		return false
	case err != nil:
		return f.Kind != Cancelled && (!sent || p.resend)
	}
	switch {
	case f.StatusCode == p.throttled, f.StatusCode == http.StatusRequestTimeout && p.timeout:
		return true
	case f.StatusCode >= 500:
		return p.server
	case f.StatusCode == http.StatusBadRequest && p.locked:
		return f.isLocked()
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

// delayed describes a wait for the call's turn that was cut short.
func delayed(ctx context.Context, r request, last *Error, err error) *Error {
	if last != nil {
		return interrupted(ctx, last, err)
	}
	kind, message := ending(ctx, err)
	return &Error{Kind: kind, Op: r.op, Message: message + " while waiting for its turn within PagerDuty's rate limit", Err: err}
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
