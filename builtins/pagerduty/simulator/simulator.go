package simulator

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/control"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/timeline"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// Simulator is a PagerDuty account in memory, served over HTTP. It is safe for concurrent
// use.
type Simulator struct {
	timeline *timeline.Timeline
	webhooks *webhook.Sender
	control  *control.API
	log      func(api.Request)  // nil without WithLog
	close    context.CancelFunc // ends what hangs and what is delivered

	mu       sync.Mutex // held while a request is handled; guards everything below
	settings settings
	account  *account.Account
	api      *api.API
	faults   *fault.Injector
	requests []api.Request
}

var _ http.Handler = (*Simulator)(nil)

// New returns an account with three users (see [DefaultUsers]), one account API key and
// one service, changed by the options in the order given. It panics when the value of
// [WithState] or [WithFaults] does not pass its Validate.
func New(options ...Option) *Simulator {
	settings := defaultSettings()
	for _, option := range options {
		option(&settings)
	}
	settings.mustBeValid()
	closing, cancel := context.WithCancel(context.Background())
	s := &Simulator{settings: settings, log: settings.log, close: cancel}
	s.timeline = timeline.New(settings.clock, settings.after, settings.timeFactor)
	s.webhooks = webhook.NewSender(webhook.Config{
		Timeline: s.timeline, Transport: settings.transport, Retries: settings.webhookRetries, Closing: closing,
	})
	s.settings.api.Glance, s.settings.api.Webhooks = s.timeline.Glance, s.webhooks
	s.api = api.New(s.settings.api)
	s.faults = fault.NewInjector(fault.Config{
		API: s.api, Timeline: s.timeline, Closing: closing, Seed: settings.account.Seed,
	})
	s.control = control.New(settings.controlToken, controlled{s})
	s.settings.account.Glance, s.settings.account.Announce = s.timeline.Glance, s.api.Announce
	if settings.after != nil { // otherwise time passes with requests, which settle the account
		s.settings.account.Delayed = func(d time.Duration) { s.timeline.Alarm(d, s.Settle) }
	}
	s.begin()
	return s
}

// Close ends requests that hang and deliveries of webhooks, and waits for the deliveries.
// Requests are still answered afterwards.
func (s *Simulator) Close() {
	s.close()
	s.timeline.Stop()
	_ = s.WaitForWebhooks(context.Background())
}

// Reset gives the account its starting state again, with the same keys. Accepted events
// and queued webhooks are forgotten; the time does not change.
func (s *Simulator) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin()
}

// begin gives the simulator its starting state.
func (s *Simulator) begin() {
	s.settings.account.GenerateKeys()
	s.account = account.New(s.settings.account)
	s.webhooks.Reset(s.account.Identifiers)
	s.api.Reset(s.account)
	s.faults.Reset(s.account, s.settings.faults)
	s.requests = []api.Request{} // an empty list in JSON, not null
}

// ServeHTTP answers one request to the REST API, an Events API or the control API.
func (s *Simulator) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	if s.control.Serves(request) {
		s.control.ServeHTTP(writer, request)
		return
	}
	answer, record, applied := s.answer(s.api.Read(request))
	if s.log != nil {
		// Logged before the answer leaves, so that a client that has the answer can
		// rely on the line.
		s.log(record)
	}
	s.faults.Send(request.Context(), writer, answer, applied)
}

// answer handles a request alone, as the fault plan allows it, and keeps its record. The
// fault is empty when no rule applies.
func (s *Simulator) answer(x *api.Exchange) (api.Response, api.Request, fault.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.Now = s.timeline.Now()
	s.account.Settle(x.Now)
	record := s.api.Record(x)
	answer, applied := s.faults.Answer(x, &record)
	s.requests = append(s.requests, record)
	return answer, record, applied
}

// Settle lets the accepted events take effect that are due. Every request and [Incidents]
// do the same; a program that only watches webhooks may call it.
func (s *Simulator) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

// settle settles the account under the lock. It does not read the clock when no event is
// pending.
func (s *Simulator) settle() {
	if s.account.Pending() > 0 {
		s.account.Settle(s.timeline.Glance())
	}
}

// SetFaults replaces the rules of the fault plan until the next reset. It panics when the
// plan does not pass its Validate.
func (s *Simulator) SetFaults(plan fault.Plan) {
	if err := plan.Validate(); err != nil {
		panic("simulator.SetFaults: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.SetRules(plan.Faults)
}

// WaitForWebhooks returns nil when no webhook is left to deliver, or the error of ctx as
// soon as ctx ends.
func (s *Simulator) WaitForWebhooks(ctx context.Context) error { return s.webhooks.Wait(ctx) }

// locked returns what read returns, while no request is handled.
func locked[T any](s *Simulator, read func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return read()
}

// APIKey returns the first account API key: a given one, or else the generated one. It is
// empty when the state has only keys of other kinds.
func (s *Simulator) APIKey() string {
	return locked(s, func() string { return s.account.APIKey() })
}

// ServiceKey returns the integration key of the first service: a given one, or else the
// generated one. It is empty when there are no services.
func (s *Simulator) ServiceKey() string {
	keys := locked(s, func() []string { return s.account.Services.Keys() })
	return append(keys, "")[0]
}

// Requests returns the records of all requests in the order in which they were handled.
func (s *Simulator) Requests() []api.Request {
	return locked(s, func() []api.Request { return slices.Clone(s.requests) })
}

// Users returns the users of the account in the order of their creation.
func (s *Simulator) Users() []account.User {
	return locked(s, func() []account.User { return s.account.Users.Views() })
}

// Services returns the services of the account in the order of their creation.
func (s *Simulator) Services() []account.ServiceView {
	return locked(s, func() []account.ServiceView { return s.account.Services.Views() })
}

// Incidents returns all incidents, resolved ones too, in the order in which they were
// opened.
func (s *Simulator) Incidents() []account.IncidentView {
	return locked(s, func() []account.IncidentView {
		s.settle()
		return s.account.Incidents.Views()
	})
}

// ChangeEvents returns the change events in the order of their arrival.
func (s *Simulator) ChangeEvents() []account.ChangeEvent {
	return locked(s, func() []account.ChangeEvent { return append([]account.ChangeEvent{}, s.account.Changes...) })
}

// Faults returns the rules of the fault plan with their counters, in their order.
func (s *Simulator) Faults() []fault.Count {
	return locked(s, func() []fault.Count { return s.faults.Counts() })
}

// Deliveries returns all attempts to deliver webhooks in the order of their ends.
func (s *Simulator) Deliveries() []webhook.Delivery { return s.webhooks.Deliveries() }
