package simulator

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

const (
	// restLimit requests per key are allowed in one window (PagerDuty's
	// developer documentation, "REST API Rate Limits").
	restLimit    = 960
	windowLength = time.Minute
)

// Limits are how many requests of one key are allowed in a minute. Zero is no
// limit.
type Limits struct {
	REST     int // in fixed windows of a minute, per API key
	EventsV2 int // in any minute, per integration key
	EventsV1 int // likewise; over it the answer is 403
}

// DefaultLimits returns those of the service: 960 and about 120 are documented. For
// v1 no number is known; the 120 are [unknown, safe reading].
func DefaultLimits() Limits { return Limits{REST: restLimit, EventsV2: 120, EventsV1: 120} }

// rateWindow counts the requests of one key since start.
type rateWindow struct {
	start time.Time
	used  int
}

// allowance is what the headers of an answer tell about the limit.
type allowance struct {
	limit     int
	remaining int
	reset     int // in seconds
	exceeded  bool
}

// countAgainstLimit counts one request of key.
func (s *Simulator) countAgainstLimit(key string, now time.Time) allowance {
	window := s.windowOf(key, now)
	window.used++
	s.windows[key] = window
	return s.allowanceIn(window, now)
}

// windowOf returns the window in which a request of key falls.
func (s *Simulator) windowOf(key string, now time.Time) rateWindow {
	window, ok := s.windows[key]
	if !ok || now.Before(window.start) || now.Sub(window.start) >= windowLength {
		return rateWindow{start: now}
	}
	return window
}

func (s *Simulator) allowanceIn(window rateWindow, now time.Time) allowance {
	left := window.start.Add(windowLength).Sub(now)
	enforced := s.settings.limits.REST
	limit := cmp.Or(enforced, restLimit)
	return allowance{
		limit:     limit,
		remaining: max(limit-window.used, 0),
		// Rounded up: who waits that long must find a new window.
		reset:    int((left + time.Second - 1) / time.Second),
		exceeded: enforced > 0 && window.used > enforced,
	}
}

// onto writes the headers of an answer.
func (a allowance) onto(answer response) response {
	return answer.
		withHeader("ratelimit-limit", strconv.Itoa(a.limit)).
		withHeader("ratelimit-remaining", strconv.Itoa(a.remaining)).
		withHeader("ratelimit-reset", strconv.Itoa(a.reset))
}

// limitExceeded answers 429 as the REST API does (documentation, "Rate Limits").
func limitExceeded() response {
	return failure(http.StatusTooManyRequests, codeRateLimit, "Rate Limit Exceeded")
}

// slidingLimit allows a number of calls per key in any minute. A refused call is
// not counted, which is [unknown, safe reading].
type slidingLimit struct {
	limit int
	calls map[string][]time.Time
}

func newSlidingLimit(limit int) slidingLimit {
	return slidingLimit{limit: limit, calls: map[string][]time.Time{}}
}

// exceeded counts a call, unless it is one too many.
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

// throttledEvent is the body seen for too many events, with its two spaces.
type throttledEvent struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// throttled answers too many events: 403 for v1, 429 for v2.
func throttled(status int) response {
	return document(status, throttledEvent{
		Status:  "throttle exceeded",
		Message: "Requests for this service are arriving too quickly.  Please retry later.",
	})
}
