package api

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

const (
	// restLimit requests with one key are allowed in one window (PagerDuty's
	// developer documentation, "REST API Rate Limits").
	restLimit    = 960
	windowLength = time.Minute
)

// Limits are the numbers of requests with one key that are allowed in a minute. Zero
// means no limit.
type Limits struct {
	REST     int // per API key, in fixed windows of a minute
	EventsV2 int // per integration key, in any minute
	EventsV1 int // per integration key, in any minute; over it the answer is 403
}

// DefaultLimits returns the limits of the service: 960 and about 120 are documented. For
// v1 no number is known; its 120 are [unknown, safe reading].
func DefaultLimits() Limits { return Limits{REST: restLimit, EventsV2: 120, EventsV1: 120} }

// rateWindow counts the requests with one key since start.
type rateWindow struct {
	start time.Time
	used  int
}

// allowance is what the headers of an answer say about the limit.
type allowance struct {
	limit     int
	remaining int
	reset     int // in seconds
	exceeded  bool
}

// countAgainstLimit counts one request with key.
func (a *API) countAgainstLimit(key string, now time.Time) allowance {
	window := a.windowOf(key, now)
	window.used++
	a.windows[key] = window
	return a.allowanceIn(window, now)
}

// windowOf returns the window of a request with key.
func (a *API) windowOf(key string, now time.Time) rateWindow {
	window, ok := a.windows[key]
	if !ok || now.Before(window.start) || now.Sub(window.start) >= windowLength {
		return rateWindow{start: now}
	}
	return window
}

func (a *API) allowanceIn(window rateWindow, now time.Time) allowance {
	left := window.start.Add(windowLength).Sub(now)
	enforced := a.config.Limits.REST
	limit := cmp.Or(enforced, restLimit)
	return allowance{
		limit:     limit,
		remaining: max(limit-window.used, 0),
		// Rounded up: a client that waits that long must find a new window.
		reset:    int((left + time.Second - 1) / time.Second),
		exceeded: enforced > 0 && window.used > enforced,
	}
}

// onto writes the headers of an answer.
func (a allowance) onto(answer Response) Response {
	return answer.
		WithHeader("ratelimit-limit", strconv.Itoa(a.limit)).
		WithHeader("ratelimit-remaining", strconv.Itoa(a.remaining)).
		WithHeader("ratelimit-reset", strconv.Itoa(a.reset))
}

// slidingLimit allows a number of calls per key in any minute. A refused call is not
// counted ([unknown, safe reading]).
type slidingLimit struct {
	limit int
	calls map[string][]time.Time
}

func newSlidingLimit(limit int) slidingLimit {
	return slidingLimit{limit: limit, calls: map[string][]time.Time{}}
}

// exceeded counts a call, or reports that the limit refuses it.
func (l *slidingLimit) exceeded(key string, now time.Time) bool {
	if l.limit == 0 {
		return false
	}
	recent := l.calls[key]
	for len(recent) > 0 && now.Sub(recent[0]) >= windowLength {
		recent = recent[1:]
	}
	refused := len(recent) >= l.limit
	if !refused {
		recent = append(recent, now)
	}
	l.calls[key] = recent
	return refused
}

// throttled answers too many events: 403 for v1, 429 for v2. The body was seen with its
// two spaces.
func throttled(status int) Response {
	return Document(status, eventAnswer{
		Status:  "throttle exceeded",
		Message: "Requests for this service are arriving too quickly.  Please retry later.",
	})
}

// TooMany answers as if a limit had been exceeded.
func (a *API) TooMany(x *Exchange) Response {
	if x.IsEvent() {
		return throttled(x.TooManyStatus())
	}
	key, _ := ReadCredential(x.header)
	left := a.allowanceIn(a.windowOf(key, x.Now), x.Now)
	left.remaining = 0
	return left.onto(standard(http.StatusTooManyRequests))
}

// TooManyStatus returns the status for too many requests: 403 for Events API v1, 429 for
// everything else.
func (x *Exchange) TooManyStatus() int {
	if x.Endpoint == pathEventsV1 {
		return http.StatusForbidden
	}
	return http.StatusTooManyRequests
}
