package simulator

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Simulator is a PagerDuty account in memory, served over HTTP.
type Simulator struct {
	settings   settings
	apiKey     string
	serviceKey string
	tokens     map[string]token

	mu          sync.Mutex // guards everything below
	identifiers *identifierSource
	users       directory
	services    catalogue
	incidents   ledger
	windows     map[string]*rateWindow
	requests    []Request
}

var _ http.Handler = (*Simulator)(nil)

// New returns an account with three users (see [DefaultUsers]), one account
// API key and one service, changed by the options in the order given.
func New(options ...Option) *Simulator {
	settings := defaultSettings()
	for _, option := range options {
		option(&settings)
	}
	s := &Simulator{
		settings:    settings,
		tokens:      map[string]token{},
		identifiers: newIdentifierSource(settings.seed),
		incidents:   newLedger(),
		windows:     map[string]*rateWindow{},
		requests:    []Request{}, // an empty list in JSON, not null
	}
	s.seedUsers()
	s.seedTokens()
	s.seedServices()
	return s
}

func (s *Simulator) seedUsers() {
	for _, user := range s.settings.users {
		s.identifiers.reserve(user.ID)
	}
	for _, user := range s.settings.users {
		user.Role = orDefault(user.Role, defaultRole)
		s.users.replace(s.newMember(user.normalized()))
	}
	s.incidents.onCall = s.users.firstID()
}

func (s *Simulator) seedTokens() {
	if len(s.settings.accountKeys) == 0 {
		s.settings.accountKeys = []string{s.identifiers.apiKey()}
	}
	s.apiKey = s.settings.accountKeys[0]
	for _, key := range s.settings.accountKeys {
		s.tokens[key] = token{}
	}
	for _, given := range s.settings.userKeys {
		s.tokens[given.key] = token{userID: given.userID}
	}
}

func (s *Simulator) seedServices() {
	if len(s.settings.serviceKeys) == 0 {
		generated := namedKey{name: defaultServiceName, key: s.identifiers.serviceKey()}
		s.settings.serviceKeys = []namedKey{generated}
	}
	s.serviceKey = s.settings.serviceKeys[0].key
	for _, given := range s.settings.serviceKeys {
		s.addService(given.name, given.key)
	}
}

// ServeHTTP answers one request to the REST API or an Events API.
func (s *Simulator) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	x := readExchange(request)
	answer, record := s.answer(x)
	if s.settings.log != nil {
		// Logged before the answer leaves: whoever has the answer can
		// rely on the line being there.
		s.settings.log(record)
	}
	answer.writeTo(writer)
}

// answer runs the handler of x alone and keeps the record of it.
func (s *Simulator) answer(x *exchange) (response, Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Round strips the monotonic reading, which would survive into the views.
	x.now = s.settings.clock().UTC().Round(0)
	answer := x.handle(s, x)
	record := Request{Method: x.method, Path: s.withoutKeys(x.target), Status: answer.status}
	s.requests = append(s.requests, record)
	return answer, record
}

// withoutKeys blanks the account's keys in a request target. They have no
// business there, which is why someone will put one there.
func (s *Simulator) withoutKeys(target string) string {
	for _, key := range s.keys() {
		target = strings.ReplaceAll(target, key, "REDACTED")
		target = strings.ReplaceAll(target, percentEncoded(key), "REDACTED")
	}
	return target
}

// keys lists the keys of the account, the longest first, so that a key inside
// another one leaves no remainder behind.
func (s *Simulator) keys() []string {
	keys := s.services.keys()
	for key := range s.tokens {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return keys
}

// virtualClock starts at epoch and advances one second at every reading: time
// passes, and no run differs from another.
func virtualClock() func() time.Time {
	now := epoch
	return func() time.Time {
		reading := now
		now = now.Add(time.Second)
		return reading
	}
}

// epoch is where the virtual clock starts: a round date that nobody mistakes
// for a real one.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
