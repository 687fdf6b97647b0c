package simulator

import (
	"net/http"
	"time"
)

// Option configures a [Simulator] before its first request.
type Option func(*settings)

// settings is what the options have said.
type settings struct {
	clock              func() time.Time // nil: the virtual one
	after              func(time.Duration, func()) (stop func() bool)
	timeFactor         float64
	seed               int64
	accountKeys        []string
	userKeys           []userKey
	serviceKeys        []namedKey
	users              []User
	state              State
	faults             []Fault
	limits             Limits
	leastDelay         time.Duration
	mostDelay          time.Duration
	controlToken       string
	transport          http.RoundTripper
	remoteWebhooks     bool
	webhookRetries     []time.Duration
	strictFrom         bool
	lenientServiceKeys bool
	log                func(Request)
}

// userKey is an API key that acts as one user.
type userKey struct{ key, userID string }

// namedKey is an integration key and the name of its service.
type namedKey struct{ name, key string }

func defaultSettings() settings {
	return settings{
		timeFactor:     1,
		users:          DefaultUsers(),
		transport:      &http.Transport{}, // without the proxy of the environment
		webhookRetries: defaultWebhookRetries(),
	}
}

// mustBeValid panics when the caller gave what a document could not hold.
func (s *settings) mustBeValid() {
	if err := s.state.Validate(); err != nil {
		panic("simulator.New: WithState: " + err.Error())
	}
	if err := (FaultPlan{Faults: s.faults}).Validate(); err != nil {
		panic("simulator.New: WithFaults: " + err.Error())
	}
}

// WithSeed derives all identifiers and generated keys from seed (default 0), and
// which requests a fault with a probability strikes.
func WithSeed(seed int64) Option {
	return func(s *settings) { s.seed = seed }
}

// WithAPIKey adds an account API key, which then takes the place of the
// generated one. An empty key is ignored.
func WithAPIKey(key string) Option {
	return func(s *settings) {
		if key != "" {
			s.accountKeys = append(s.accountKeys, key)
		}
	}
}

// WithUserKey adds an API key that acts as the user with the identifier
// userID, usually one chosen in [WithUser]. It stops working when that user is
// deleted. An empty key is ignored.
func WithUserKey(key, userID string) Option {
	return func(s *settings) {
		if key != "" {
			s.userKeys = append(s.userKeys, userKey{key, userID})
		}
	}
}

// WithServiceKey adds a service with this integration key, which then takes
// the place of the generated one. The Events APIs refuse a key that is not 32
// letters and digits. An empty key is ignored.
func WithServiceKey(name, key string) Option {
	return func(s *settings) {
		if key != "" {
			s.serviceKeys = append(s.serviceKeys, namedKey{name, key})
		}
	}
}

// WithLenientServiceKeys accepts every well-formed integration key: one that is
// not known yet becomes the key of a new service.
func WithLenientServiceKeys() Option {
	return func(s *settings) { s.lenientServiceKeys = true }
}

// WithUser adds a user. An empty ID is generated, an empty Role is "user". A
// user with the same ID or e-mail address is replaced.
func WithUser(user User) Option {
	return func(s *settings) { s.users = append(s.users, user) }
}

// WithoutUsers removes the default users and those that earlier options added.
func WithoutUsers() Option {
	return func(s *settings) { s.users = nil }
}

// WithState gives the account a starting state. Its users take the place of those
// so far; its keys and services stand beside those of other options. What it
// refers to must be its own, or a new account's.
func WithState(state State) Option {
	return func(s *settings) {
		s.state = state
		if state.Users != nil {
			s.users = append([]User(nil), state.Users...)
		}
	}
}

// WithFaults makes things go wrong. Rules of several options follow one another.
func WithFaults(faults ...Fault) Option {
	return func(s *settings) { s.faults = append(s.faults, faults...) }
}

// WithStrictFrom makes POST /users demand a From header with the e-mail
// address of a user, as the documentation has it. Practice does not
// (heimweh/go-pagerduty creates users without), so the default does not.
func WithStrictFrom() Option {
	return func(s *settings) { s.strictFrom = true }
}

// WithControlToken opens the control API under /sim/ to who sends the token as
// "Authorization: Bearer TOKEN". Choose it at random and long. Without it there is
// no control API.
func WithControlToken(token string) Option {
	return func(s *settings) { s.controlToken = token }
}

// WithLog calls log with every request before its answer is sent. Concurrent
// requests call it concurrently.
func WithLog(log func(Request)) Option {
	return func(s *settings) { s.log = log }
}
