package simulator

import "time"

// Option configures a [Simulator] before its first request.
type Option func(*settings)

// settings is what the options have said.
type settings struct {
	clock              func() time.Time
	seed               int64
	accountKeys        []string
	userKeys           []userKey
	serviceKeys        []namedKey
	users              []User
	strictFrom         bool
	lenientServiceKeys bool
	log                func(Request)
}

// userKey is an API key that acts as one user.
type userKey struct{ key, userID string }

// namedKey is an integration key and the name of its service.
type namedKey struct{ name, key string }

func defaultSettings() settings {
	return settings{clock: virtualClock(), users: DefaultUsers()}
}

// WithClock makes the account read the time from clock, once per request and
// from one goroutine at a time. clock must not call the account. Without it a virtual clock starts at
// 2026-01-01T00:00:00Z and advances one second per request.
func WithClock(clock func() time.Time) Option {
	return func(s *settings) { s.clock = clock }
}

// WithSeed derives all identifiers and generated keys from seed (default 0).
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

// WithStrictFrom makes POST /users demand a From header with the e-mail
// address of a user, as the documentation has it. Practice does not
// (heimweh/go-pagerduty creates users without), so the default does not.
func WithStrictFrom() Option {
	return func(s *settings) { s.strictFrom = true }
}

// WithLog calls log with every request before its answer is sent. Concurrent
// requests call it concurrently.
func WithLog(log func(Request)) Option {
	return func(s *settings) { s.log = log }
}
