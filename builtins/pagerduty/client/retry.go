package client

import (
	"context"
	"net/http"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// throttleBudget is how long a call retries the 403 of Events API v1. It means
	// "throttled", but can also mean something that a wait does not change.
	throttleBudget = 30 * time.Second
)

// policy says which failures of a request are retried.
type policy struct {
	writes         bool // the request changes something, so a lost answer leaves the outcome unknown
	resend         bool // retry after a lost answer
	retry5xx       bool
	retry408       bool
	retryLocked    bool // retry a 400 that says that the account could not be locked
	throttleStatus int  // the status that means too many requests; it is always retried
	goneStatus     int  // after a lost answer, the status that means that an earlier try succeeded; 0: none
	insists        bool // retry after an answer that is not PagerDuty's: a page is worth it
	never          bool // retry nothing
}

var (
	reads    = policy{resend: true, retry5xx: true, retry408: true, throttleStatus: http.StatusTooManyRequests}
	updates  = policy{writes: true, resend: true, retry5xx: true, retry408: true, retryLocked: true, throttleStatus: http.StatusTooManyRequests}
	deletes  = policy{writes: true, resend: true, retry5xx: true, retry408: true, retryLocked: true, throttleStatus: http.StatusTooManyRequests, goneStatus: http.StatusNotFound}
	creates  = policy{writes: true, retry408: true, retryLocked: true, throttleStatus: http.StatusTooManyRequests}
	eventsV1 = policy{writes: true, insists: true, resend: true, retry5xx: true, throttleStatus: http.StatusForbidden}
	eventsV2 = policy{writes: true, insists: true, resend: true, retry5xx: true, throttleStatus: http.StatusTooManyRequests}
	// once is for writes that must not happen twice and whose result cannot be looked
	// up. Such a request is sent again only if PagerDuty certainly did not act on it.
	once = policy{writes: true, retryLocked: true, throttleStatus: http.StatusTooManyRequests}
	// extras is for reads that only make a message more helpful.
	extras = policy{throttleStatus: http.StatusTooManyRequests, never: true}
)

// onceOr returns the policy of a write: repeated if a repeat does no harm, else once.
func onceOr(repeatable bool, repeated policy) policy {
	if repeatable {
		return repeated
	}
	return once
}

// tries repeats the request of one call.
type tries struct {
	request request
	config  Config
	ticket  *ticket
	count   int           // failed tries
	last    *Error        // failure of the last try; nil before the first
	start   time.Time     // of the first try
	backoff time.Duration // wait before the next try
	excused time.Duration // time spent waiting for a known rate limit, which does not count against the budget
}

// wait returns when the next try may start: after the backoff, and when the rate
// limit admits the request. It returns an error if the context ends or the budget is
// used up.
func (t *tries) wait(ctx context.Context) error {
	// After a throttled try, the queue waits for all calls of the key together.
	if t.last != nil && t.last.StatusCode != t.request.policy.throttleStatus {
		if err := t.config.Sleep(ctx, t.backoff); err != nil {
			return interrupted(ctx, t.last, err)
		}
		t.backoff = 0
	}
	known, err := t.ticket.wait(ctx)
	switch {
	case err != nil && t.last == nil:
		kind, message := ending(ctx, err)
		return &Error{Kind: kind, Op: t.request.op, Message: message + " while waiting for PagerDuty's rate limit", Err: err}
	case err != nil:
		return interrupted(ctx, t.last, err)
	case t.last == nil:
		t.start = t.config.Now()
		return nil
	}
	t.excused += max(0, known-t.backoff)
	if t.spent() > t.budget() {
		t.ticket.release(feedback{})
		return t.last
	}
	return nil
}

// judge returns the failure of a try, and whether another try may follow. A nil
// failure means that the try succeeded. decode reads the answer of a success.
func (t *tries) judge(ctx context.Context, answer response, decode func() *Error) (failure *Error, again bool) {
	unknown := t.last != nil && t.last.Sent // PagerDuty may have acted on an earlier try
	seen := t.request.feedback(answer)
	switch {
	case answer.err == nil && answer.status >= 200 && answer.status < 300:
		failure = decode()
	case answer.err != nil || !unknown || !t.request.gone(answer):
		failure = t.request.failure(ctx, answer)
	}
	if failure == nil {
		t.ticket.release(seen)
		return nil, false
	}
	failure.Sent = failure.Sent || unknown
	t.last, t.backoff = failure, t.delay(failure)
	t.count++
	seen.wait = t.backoff
	t.ticket.release(seen)
	return failure, t.request.retries(failure, answer) && t.spent()+t.backoff <= t.budget()
}

// spent returns how much of its budget the call has used.
func (t *tries) spent() time.Duration { return t.config.Now().Sub(t.start) - t.excused }

// budget returns the time for all tries of the call. It depends on the last failure.
func (t *tries) budget() time.Duration {
	if t.last.StatusCode == http.StatusForbidden && t.request.policy.throttleStatus == http.StatusForbidden {
		return min(throttleBudget, t.config.RetryBudget)
	}
	return t.config.RetryBudget
}

// delay returns the wait after a failure: what PagerDuty asks for, else exponential
// backoff. Full jitter keeps many clients from coming back at the same moment.
func (t *tries) delay(f *Error) time.Duration {
	if f.RetryAfter > 0 {
		return f.RetryAfter + time.Duration(t.config.Jitter()*float64(firstBackoff))
	}
	ceiling := min(firstBackoff<<min(t.count, 10), maxBackoff)
	return time.Duration(t.config.Jitter() * float64(ceiling))
}

// gone reports whether PagerDuty itself says that an earlier try has done the work.
func (r request) gone(answer response) bool {
	return r.policy.goneStatus != 0 && answer.status == r.policy.goneStatus && answer.saysNotFound()
}

// retries reports whether another try may help and can do no harm.
func (r request) retries(f *Error, answer response) bool {
	p := r.policy
	switch {
	case p.never:
		return false
	case answer.err != nil:
		return f.Kind != Cancelled && (!answer.sent || p.resend)
	case f.Kind == RateLimited: // also a 429 of Events API v1, whose own status is 403
		return true
	case f.StatusCode < 300: // the answer to a success was lost
		return f.Kind == Unavailable && p.insists
	case p.insists && answer.foreign():
		return true
	case f.StatusCode == http.StatusRequestTimeout:
		return p.retry408
	case f.StatusCode >= 500:
		return p.retry5xx
	case f.StatusCode == http.StatusBadRequest:
		return p.retryLocked && f.isLocked()
	}
	return false
}

// interrupted returns the error of a wait between two tries that ended early. It keeps
// the last failure, because that is why the call waited.
func interrupted(ctx context.Context, last *Error, err error) *Error {
	ended := *last
	kind, message := ending(ctx, err)
	ended.Kind, ended.Message = kind, message+" while waiting to try again; the last try failed with: "+last.Message
	ended.Err = err
	return &ended
}
