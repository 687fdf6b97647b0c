package client

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// windowLength is the time over which PagerDuty counts requests and events.
	windowLength = time.Minute
	// maxReset caps the header ratelimit-reset. PagerDuty's windows last a minute
	// ("REST API Rate Limits"), so a longer wait is a mistake.
	maxReset = 60 * time.Second
	// probeTimeout is how long a probe may stay without an answer before another one
	// leaves. A request that hangs must not hold up pages.
	probeTimeout = 5 * time.Second
)

// limit is the rate limit of one key: it decides when the next request may leave. Its
// queue calls it under the lock of the queue.
type limit interface {
	// admits reports whether a request may leave now, while inFlight others have no
	// result yet. If not, opens is when to ask again; zero means after the next result.
	admits(t *ticket, now time.Time, inFlight int) (ok bool, opens time.Time)
	// left records that an admitted request leaves.
	left(t *ticket, now time.Time)
	// answered records how the request ended.
	answered(t *ticket, now time.Time, f feedback)
	// guessing reports whether the present wait is a guess. If not, PagerDuty named or
	// documents the time.
	guessing() bool
	// idle reports whether there is nothing to remember.
	idle(now time.Time) bool
}

// feedback is what one try shows about the rate limit.
type feedback struct {
	sent      bool // PagerDuty may have counted the request
	accepted  bool // PagerDuty answered, and did not throttle the request
	throttled bool
	wait      time.Duration // backoff of a throttled try; used if no reset is known
	// The headers.
	stated           bool // they name both the remaining requests and the reset
	total, remaining int  // requests in the whole window, and left in it
	reset            time.Duration
}

// feedback reads what a try shows about the rate limit.
func (r request) feedback(answer response) feedback {
	f := feedback{sent: answer.sent}
	if answer.err == nil {
		f.readHeaders(answer.header)
		f.throttled = answer.status == r.policy.throttleStatus
		f.accepted = !f.throttled
	}
	return f
}

// readHeaders reads the rate limit headers of an answer.
func (f *feedback) readHeaders(header http.Header) {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(strings.TrimSpace(header.Get(name)))
		if err != nil || n < 0 {
			return 0, false
		}
		return n, true
	}
	var known bool
	f.reset = resetOf(header)
	f.total, _ = number("Ratelimit-Limit")
	f.remaining, known = number("Ratelimit-Remaining")
	f.stated = known && f.reset > 0
}

// resetOf returns the header ratelimit-reset: the time until PagerDuty takes requests
// again. It is 0 if the header names none.
func resetOf(header http.Header) time.Duration {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(header.Get("Ratelimit-Reset")), 64)
	if err != nil || !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, maxReset.Seconds()) * float64(time.Second))
}

// pause stops all requests of a key until a time. Then one request, the probe, goes
// first. The others follow when PagerDuty has accepted the probe.
type pause struct {
	until   time.Time // zero: requests are not stopped
	probing bool      // the time is over, and only a probe may leave
	probe   *ticket   // the probe that left; nil: none without a result
	since   time.Time // when the probe left
}

func (p *pause) start(until time.Time) { *p = pause{until: until} }

// active reports whether requests are stopped. At the end of the pause it changes to
// probing.
func (p *pause) active(now time.Time) bool {
	if !p.until.IsZero() && !now.Before(p.until) {
		*p = pause{probing: true}
	}
	return !p.until.IsZero()
}

// admitsProbe reports, while probing, whether a probe may leave. If not, opens is when
// to ask again.
func (p *pause) admitsProbe(now time.Time) (ok bool, opens time.Time) {
	if opens = p.since.Add(probeTimeout); p.probe == nil || !now.Before(opens) {
		return true, time.Time{}
	}
	return false, opens
}

func (p *pause) left(t *ticket, now time.Time) {
	if p.probing {
		p.probe, p.since = t, now
	}
}

// answered ends the pause after a probe that was accepted. After a probe without an
// answer, another probe may leave.
func (p *pause) answered(t *ticket, f feedback) {
	switch {
	case t != p.probe:
	case f.accepted:
		*p = pause{}
	default:
		p.probe = nil
	}
}
