package simulator

import (
	"net/http"
	"slices"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// Option configures a [Simulator] before its first request.
type Option func(*settings)

// settings are the values of the options.
type settings struct {
	account        account.Config
	api            api.Config
	faults         []fault.Fault
	clock          func() time.Time // nil: a virtual clock
	after          func(time.Duration, func()) (stop func() bool)
	timeFactor     float64
	controlToken   string
	transport      http.RoundTripper
	webhookRetries []time.Duration
	log            func(api.Request)
}

func defaultSettings() settings {
	return settings{
		account:        account.Config{Users: account.DefaultUsers()},
		timeFactor:     1,
		transport:      &http.Transport{}, // without the proxy of the environment
		webhookRetries: webhook.DefaultRetries(),
	}
}

// mustBeValid panics when an option was given a state or faults that their documents could
// not hold.
func (s *settings) mustBeValid() {
	if err := s.account.State.Validate(); err != nil {
		panic("simulator.New: WithState: " + err.Error())
	}
	if err := (fault.Plan{Faults: s.faults}).Validate(); err != nil {
		panic("simulator.New: WithFaults: " + err.Error())
	}
}

// WithSeed sets the seed (default 0) of all identifiers and generated keys, of delays, and
// of faults with a probability.
func WithSeed(seed int64) Option {
	return func(s *settings) { s.account.Seed = seed }
}

// WithAPIKey adds an account API key. With at least one, no key is generated. An empty key
// is ignored.
func WithAPIKey(key string) Option {
	return func(s *settings) {
		if key != "" {
			s.account.AccountKeys = append(s.account.AccountKeys, key)
		}
	}
}

// WithUserKey adds an API key that acts as the user with the identifier userID, usually one
// chosen in [WithUser]. It stops working when that user is deleted. An empty key is
// ignored.
func WithUserKey(key, userID string) Option {
	return func(s *settings) {
		if key != "" {
			s.account.UserKeys = append(s.account.UserKeys, account.UserKey{Key: key, UserID: userID})
		}
	}
}

// WithServiceKey adds a service with this integration key. With at least one, no service is
// generated. The Events APIs refuse a key that is not 32 letters and digits. An empty key is
// ignored.
func WithServiceKey(name, key string) Option {
	return func(s *settings) {
		if key != "" {
			s.account.Services = append(s.account.Services, account.NamedKey{Name: name, Key: key})
		}
	}
}

// WithLenientServiceKeys accepts every well-formed integration key. A key that is not known
// becomes the key of a new service.
func WithLenientServiceKeys() Option {
	return func(s *settings) { s.account.LenientServiceKeys = true }
}

// WithUser adds a user. An empty ID is generated, an empty Role is "user". A user with the
// same ID or e-mail address is replaced.
func WithUser(user account.User) Option {
	return func(s *settings) { s.account.Users = append(s.account.Users, user) }
}

// WithoutUsers removes the default users and those that earlier options added.
func WithoutUsers() Option {
	return func(s *settings) { s.account.Users = nil }
}

// WithState gives the account a starting state. If it lists users, they replace the default
// users and those of earlier options. Its keys and services are added to those of other
// options. It may refer only to its own resources, or, where it has no list of them, to
// the resources of an account without a state.
func WithState(state account.State) Option {
	return func(s *settings) {
		s.account.State = state
		if state.Users != nil {
			s.account.Users = slices.Clone(state.Users)
		}
	}
}

// WithFaults adds rules that make requests go wrong. Rules of several options are tried in
// the order of the options.
func WithFaults(faults ...fault.Fault) Option {
	return func(s *settings) { s.faults = append(s.faults, faults...) }
}

// WithStrictFrom makes POST /users require a From header with the e-mail address of a user,
// as documented. The default does not, because the real service accepts requests without
// one (heimweh/go-pagerduty creates users that way).
func WithStrictFrom() Option {
	return func(s *settings) { s.api.StrictFrom = true }
}

// WithLimits enforces rate limits. Without it no limit is enforced, and the headers of
// answers describe the limit of the service.
func WithLimits(limits api.Limits) Option {
	return func(s *settings) { s.api.Limits = limits }
}

// WithEventDelay lets each accepted event take effect after a time between least and most,
// which follows from the seed. The real service has such a delay; a program that reads right
// after it has sent an event must handle it. Without this option events take effect at once.
func WithEventDelay(least, most time.Duration) Option {
	return func(s *settings) {
		s.account.LeastDelay, s.account.MostDelay = max(least, 0), max(least, most, 0)
	}
}

// WithControlToken serves the control API under /sim/ to requests with the header
// "Authorization: Bearer TOKEN". The token should be long and random. Without it there is
// no control API.
func WithControlToken(token string) Option {
	return func(s *settings) { s.controlToken = token }
}

// WithLog calls log with every request before its answer is sent. Concurrent requests call
// it concurrently.
func WithLog(log func(api.Request)) Option {
	return func(s *settings) { s.log = log }
}

// WithClock makes the account read the time from clock: once for each request, and when
// something waits. The calls do not overlap, and clock must not call the account. Without
// it a virtual clock starts at 2026-01-01T00:00:00Z and advances one second per request.
func WithClock(clock func() time.Time) Option {
	return func(s *settings) { s.clock = clock }
}

// WithAfterFunc makes the account wait by after, which calls its function once, in its own
// goroutine, when the duration has passed on the clock of [WithClock], unless stop is called
// before. time.AfterFunc and its Stop have this form. Without it waiting takes no time: slow
// answers are sent at once, retries follow at once, and no delivery times out.
func WithAfterFunc(after func(d time.Duration, call func()) (stop func() bool)) Option {
	return func(s *settings) { s.after = after }
}

// WithTimeFactor lets the time of the account pass factor times as fast as the clock, from
// the first reading on, and shortens its waits by the same factor: with 100, a minute of rate
// limiting takes 0.6 seconds. A factor that is not positive is ignored.
func WithTimeFactor(factor float64) Option {
	return func(s *settings) {
		if factor > 0 {
			s.timeFactor = factor
		}
	}
}

// WithWebhookTransport delivers webhooks by transport, which must not follow redirects.
// The default is a plain http.Transport, which uses no proxy.
func WithWebhookTransport(transport http.RoundTripper) Option {
	return func(s *settings) { s.transport = transport }
}

// WithRemoteWebhooks lets webhooks be delivered to other machines. Without it a subscription
// must name a loopback address or localhost.
func WithRemoteWebhooks() Option {
	return func(s *settings) { s.api.RemoteWebhooks = true }
}

// WithWebhookRetries sets how long the account waits before each repetition of a failed
// delivery. When all have been used, the delivery is dropped.
func WithWebhookRetries(delays ...time.Duration) Option {
	return func(s *settings) { s.webhookRetries = slices.Clone(delays) }
}
