package simulator

import (
	"net/http"
	"slices"
	"time"
)

// WithClock makes the account read the time from clock, from one goroutine at a
// time: once per request, and when something waits. clock must not call the
// account. Without it a virtual clock starts at 2026-01-01T00:00:00Z and advances
// one second per request.
func WithClock(clock func() time.Time) Option {
	return func(s *settings) { s.clock = clock }
}

// WithAfterFunc makes the account wait by after, which calls its function once, in
// a goroutine of its own, when the duration has passed on the clock of
// [WithClock], unless stop is called before: time.AfterFunc with its Stop. Without
// it waiting takes no time: slow answers are not, retries follow at once, and
// no delivery times out.
func WithAfterFunc(after func(d time.Duration, call func()) (stop func() bool)) Option {
	return func(s *settings) { s.after = after }
}

// WithTimeFactor lets the account's time pass factor times as fast as the clock,
// from the first reading on, and makes its waits shorter by as much: with 100, a
// minute of rate limiting is over in 0.6 seconds. A factor that is not positive is
// ignored.
func WithTimeFactor(factor float64) Option {
	return func(s *settings) {
		if factor > 0 {
			s.timeFactor = factor
		}
	}
}

// WithLimits enforces rate limits. Without it none is, and the headers of answers
// speak of that of the service.
func WithLimits(limits Limits) Option {
	return func(s *settings) { s.limits = limits }
}

// WithEventDelay lets accepted events take effect later: each after a time between
// least and most that follows from the seed. The service does so too; programs
// that read right after they have sent find out. Without it there is no delay.
func WithEventDelay(least, most time.Duration) Option {
	return func(s *settings) { s.leastDelay, s.mostDelay = max(least, 0), max(least, most, 0) }
}

// WithWebhookTransport delivers webhooks by transport, which must not follow
// redirects. Without it a plain http.Transport does, which uses no proxy.
func WithWebhookTransport(transport http.RoundTripper) Option {
	return func(s *settings) { s.transport = transport }
}

// WithRemoteWebhooks lets webhooks be delivered to other machines. Without it a
// subscription must name a loopback address or localhost.
func WithRemoteWebhooks() Option {
	return func(s *settings) { s.remoteWebhooks = true }
}

// WithWebhookRetries sets how long the account waits before each repetition of a
// failed delivery. When all have been used up, the delivery is dropped.
func WithWebhookRetries(delays ...time.Duration) Option {
	return func(s *settings) { s.webhookRetries = slices.Clone(delays) }
}
