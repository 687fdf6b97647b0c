package simulator

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Simulator is a PagerDuty account in memory, served over HTTP.
type Simulator struct {
	timeline *timeline
	closing  context.Context // ends with Close
	close    context.CancelFunc

	mu       sync.Mutex // guards everything below
	settings settings   // its state and users; the rest stays as it is
	account
	apiKey      string
	serviceKey  string
	identifiers *identifierSource
	windows     map[string]rateWindow
	eventsV1    slidingLimit
	eventsV2    slidingLimit
	faults      faultPlan
	versions    []version
	pending     []pendingEvent
	delayed     int // events that drew a delay
	webhooks    webhooks
	requests    []Request
}

var _ http.Handler = (*Simulator)(nil)

// New returns an account with three users (see [DefaultUsers]), one account
// API key and one service, changed by the options in the order given. It panics
// when [WithState] or [WithFaults] was given what its Validate finds fault with.
func New(options ...Option) *Simulator {
	settings := defaultSettings()
	for _, option := range options {
		option(&settings)
	}
	settings.mustBeValid()
	s := &Simulator{settings: settings, timeline: newTimeline(&settings)}
	s.closing, s.close = context.WithCancel(context.Background())
	s.begin()
	return s
}

// Close ends what hangs and what is delivered, and waits for that. Requests are
// still answered afterwards.
func (s *Simulator) Close() {
	s.close()
	s.timeline.stop()
	_ = s.WaitForWebhooks(context.Background())
}

// begin gives the account its starting state.
func (s *Simulator) begin() {
	s.identifiers = newIdentifierSource(s.settings.seed)
	s.account = account{incidents: newLedger(), tokens: map[string]token{}}
	s.windows = map[string]rateWindow{}
	s.eventsV1 = newSlidingLimit(s.settings.limits.EventsV1)
	s.eventsV2 = newSlidingLimit(s.settings.limits.EventsV2)
	s.faults = newFaultPlan(s.settings.faults, s.settings.seed)
	s.versions, s.pending, s.delayed = nil, nil, 0
	s.webhooks.clear()
	s.requests = []Request{} // an empty list in JSON, not null
	s.seed()
}

// ServeHTTP answers one request to the REST API or an Events API.
func (s *Simulator) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	if s.isControl(request) {
		s.serveControl(writer, request)
		return
	}
	x := readExchange(request)
	answer, record, rule := s.answer(x)
	if s.settings.log != nil {
		// Logged before the answer leaves: whoever has the answer can
		// rely on the line being there.
		s.settings.log(record)
	}
	s.send(request.Context(), writer, answer, rule.Do, time.Duration(rule.Delay))
}

// answer runs the handler of x alone, as the fault plan lets it, and keeps the
// record of it. The rule is the zero one when none applies.
func (s *Simulator) answer(x *exchange) (response, Request, Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.now = s.timeline.now()
	s.applyPending(x.now)
	record := s.newRecord(x)
	rule := s.faults.choose(x, record.Key)
	if rule == nil {
		answer := s.handleOnce(x)
		record.Status, record.Processed = answer.status, true
		s.requests = append(s.requests, record)
		return answer, record, Fault{}
	}
	answer := s.spoil(x, rule)
	record.note(rule, answer.status)
	s.requests = append(s.requests, record)
	return answer, record, rule.Fault
}
