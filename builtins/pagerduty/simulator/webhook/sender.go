package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/seeded"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/timeline"
)

// Limits of deliveries (developer documentation, "Webhooks").
const (
	timeout     = 5 * time.Second
	retryPeriod = 48 * time.Hour
	maximumBody = 256_000
)

// DefaultRetries returns waits that grow to an hour and end within the 48 hours of the
// documentation. How the service distributes them is [unknown, safe reading].
func DefaultRetries() []time.Duration {
	var delays []time.Duration
	var all time.Duration
	for delay := 10 * time.Second; all+delay <= retryPeriod; delay = min(2*delay, time.Hour) {
		all += delay
		delays = append(delays, delay)
	}
	return delays
}

// Config is how a Sender delivers. All fields are required.
type Config struct {
	Timeline  *timeline.Timeline
	Transport http.RoundTripper // must not follow redirects
	Retries   []time.Duration   // the wait before each repetition of a failed delivery
	Closing   context.Context   // ends all deliveries
}

// Sender holds the subscriptions of an account and delivers webhooks to them. It is
// safe for concurrent use, except that calls which draw identifiers (Add, Announce and
// SendPing) must not overlap with others that draw from the same identifiers.
type Sender struct {
	config Config

	mu            sync.Mutex // guards everything below
	identifiers   *seeded.Identifiers
	subscriptions []*Subscription
	queues        map[queueKey][]*outgoing
	deliveries    []Delivery
	workers       int
	idle          chan struct{} // closed when the last worker ends; nil before the first
}

// queueKey names the webhooks that keep their order: the events of one resource to one
// subscriber.
type queueKey struct{ subscriptionID, resourceID string }

// outgoing is one event for one subscriber.
type outgoing struct {
	subscription *Subscription
	webhookID    string // the same in every attempt
	event        string
	body         []byte
	incidentKey  string
}

// NewSender returns a sender without subscriptions. Reset must be called before its
// first use.
func NewSender(config Config) *Sender { return &Sender{config: config} }

// Reset removes the subscriptions, what is queued for them and the records. Identifiers
// are drawn from those given. A worker ends after its current attempt.
func (s *Sender) Reset(identifiers *seeded.Identifiers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identifiers = identifiers
	s.subscriptions, s.queues, s.deliveries = nil, map[queueKey][]*outgoing{}, nil
}

// List returns the subscriptions in the order of their creation.
func (s *Sender) List() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []Subscription
	for _, v := range s.subscriptions {
		found = append(found, *v)
	}
	return found
}

// Get returns the subscription with an ID.
func (s *Sender) Get(id string) (Subscription, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.byID(id); found != nil {
		return *found, true
	}
	return Subscription{}, false
}

func (s *Sender) byID(id string) *Subscription {
	i := slices.IndexFunc(s.subscriptions, func(v *Subscription) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return s.subscriptions[i]
}

// Add adds a subscription and returns it with its ID and secret.
func (s *Sender) Add(added Subscription) Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	added.ID = s.identifiers.Of("subscription", "P", 6)
	added.Secret = s.identifiers.Draw("webhook secret", seeded.Alphanumeric, 32)
	s.subscriptions = append(s.subscriptions, &added)
	return added
}

// Remove removes a subscription and reports whether it existed. A failed delivery to it
// is not repeated.
func (s *Sender) Remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.subscriptions)
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(v *Subscription) bool { return v.ID == id })
	return len(s.subscriptions) < before
}

// Enable makes a subscription active again and returns it.
func (s *Sender) Enable(id string) (Subscription, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID(id)
	if found == nil {
		return Subscription{}, false
	}
	found.drops, found.disabledUntil = 0, time.Time{}
	return *found, true
}

// Deliveries returns all attempts in the order of their ends.
func (s *Sender) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery{}, s.deliveries...)
}

// Resource is what an event is about.
type Resource struct {
	ID          string
	ServiceID   string
	IncidentKey string
}

// Announce queues an event for every subscription that wants it. It calls body at most
// once, and only when a subscription wants the event.
func (s *Sender) Announce(event string, about Resource, now time.Time, body func() []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var written []byte
	for _, v := range s.subscriptions {
		if !v.wants(event, about, now) {
			continue
		}
		if written == nil {
			written = body()
		}
		s.enqueue(queueKey{v.ID, about.ID}, &outgoing{subscription: v, event: event, body: written, incidentKey: about.IncidentKey})
	}
}

// SendPing queues a ping for a subscription, whatever events it wants.
func (s *Sender) SendPing(id string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.byID(id); found != nil {
		s.enqueue(queueKey{id, ""}, &outgoing{subscription: found, event: Ping, body: body})
	}
}

// enqueue puts a webhook behind the others about its resource.
func (s *Sender) enqueue(key queueKey, sent *outgoing) {
	if s.config.Closing.Err() != nil {
		return
	}
	sent.webhookID = s.identifiers.Draw("webhook", seeded.Hexadecimal, 32)
	waiting, working := s.queues[key]
	s.queues[key] = append(waiting, sent)
	if working {
		return
	}
	if s.workers == 0 {
		s.idle = make(chan struct{})
	}
	s.workers++
	go s.deliverAll(s.queues, key)
}

// deliverAll delivers the webhooks of one queue until it is empty. It uses the queues
// that existed when it started. After a reset, new webhooks go to other queues.
func (s *Sender) deliverAll(queues map[queueKey][]*outgoing, key queueKey) {
	for {
		sent := s.next(queues, key)
		if sent == nil {
			return
		}
		s.deliver(sent)
	}
}

// next takes a webhook from a queue, or ends the worker.
func (s *Sender) next(queues map[queueKey][]*outgoing, key queueKey) *outgoing {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := queues[key]
	for len(waiting) > 0 {
		next := waiting[0]
		waiting = waiting[1:]
		queues[key] = waiting
		if s.isWanted(next) {
			return next
		}
	}
	delete(queues, key)
	s.workers--
	if s.workers == 0 {
		close(s.idle)
	}
	return nil
}

// isWanted reports whether the subscription still exists and is active.
func (s *Sender) isWanted(sent *outgoing) bool {
	return s.config.Closing.Err() == nil && s.byID(sent.subscription.ID) == sent.subscription &&
		sent.subscription.IsActive(s.config.Timeline.Glance())
}

// deliver makes attempts until one succeeds or the webhook is dropped.
func (s *Sender) deliver(sent *outgoing) {
	for attempt := 1; ; attempt++ {
		status := 0
		if len(sent.body) <= maximumBody {
			status = s.attempt(sent)
		}
		outcome := s.judge(sent, attempt, status)
		if outcome != Repeated {
			return
		}
		if s.config.Timeline.Wait(s.config.Closing, s.config.Retries[attempt-1]) != nil {
			return
		}
	}
}

// judge records an attempt and decides what follows. Which answers lead to a repetition
// is documented; that a redirect does not is [unknown, safe reading].
func (s *Sender) judge(sent *outgoing, attempt, status int) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, v, outcome := s.config.Timeline.Glance(), sent.subscription, Dropped
	again := status == 0 || status == http.StatusTooManyRequests || status >= 500
	switch {
	case status >= 200 && status <= 299:
		outcome, v.drops = Delivered, 0
	case again && attempt <= len(s.config.Retries) && len(sent.body) <= maximumBody && s.isWanted(sent):
		outcome = Repeated
	default:
		if v.drops++; v.drops >= dropsToDisable {
			v.drops, v.disabledUntil = 0, now.Add(disabledTime)
		}
	}
	s.deliveries = append(s.deliveries, Delivery{
		Subscription: v.ID, WebhookID: sent.webhookID, Event: sent.event, IncidentKey: sent.incidentKey,
		Attempt: attempt, Status: status, Outcome: outcome, At: now,
	})
	return outcome
}

// attempt sends a webhook once and returns the status of the answer, or 0 when there is
// no answer within five seconds.
func (s *Sender) attempt(sent *outgoing) (status int) {
	ctx, cancel := context.WithCancel(s.config.Closing)
	defer cancel()
	defer s.config.Timeline.Alarm(timeout, cancel)()
	v := sent.subscription
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.Address, bytes.NewReader(sent.body))
	if err != nil {
		return 0
	}
	for _, header := range v.Headers {
		request.Header.Set(header.Name, header.Value)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "PagerDuty-Webhook/V3.0") // [unknown, safe reading]
	request.Header.Set("X-PagerDuty-Signature", sign(sent.body, v.Secret))
	request.Header.Set("X-Webhook-Id", sent.webhookID)
	request.Header.Set("X-Webhook-Subscription", v.ID)
	answer, err := s.config.Transport.RoundTrip(request)
	if err != nil {
		return 0
	}
	// Reading the body, up to a limit, lets the connection be used again.
	_, _ = io.CopyN(io.Discard, answer.Body, maximumBody)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// sign returns the signature of a body: HMAC-SHA256 under version 1.
func sign(body []byte, secret string) string {
	code := hmac.New(sha256.New, []byte(secret))
	code.Write(body)
	return "v1=" + hex.EncodeToString(code.Sum(nil))
}

// Wait returns nil when no delivery is left, or the error of ctx as soon as ctx ends.
func (s *Sender) Wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		idle, working := s.idle, s.workers > 0
		s.mu.Unlock()
		if !working {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
