package simulator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"time"
)

// Outcome is what became of an attempt to deliver a webhook.
type Outcome string

// An attempt that is repeated is followed by another one of the same webhook.
const (
	Delivered Outcome = "delivered"
	Repeated  Outcome = "repeated"
	Dropped   Outcome = "dropped"
)

// Delivery is one attempt to deliver a webhook. It holds no address and no secret.
type Delivery struct {
	Subscription string    `json:"subscription"`
	WebhookID    string    `json:"webhook_id"`
	Event        string    `json:"event"`
	IncidentKey  string    `json:"incident_key,omitempty"`
	Attempt      int       `json:"attempt"` // from 1
	Status       int       `json:"status"`  // 0 without an answer
	Outcome      Outcome   `json:"outcome"`
	At           time.Time `json:"at"`
}

// enqueue puts a webhook behind the others about its resource.
func (s *Simulator) enqueue(key queueKey, sent *outgoing) {
	if s.closing.Err() != nil {
		return
	}
	sent.webhookID = s.identifiers.draw("webhook", lowerHexadecimal, 32)
	waiting, working := s.webhooks.queues[key]
	s.webhooks.queues[key] = append(waiting, sent)
	if working {
		return
	}
	if s.webhooks.workers == 0 {
		s.webhooks.idle = make(chan struct{})
	}
	s.webhooks.workers++
	queues := s.webhooks.queues
	go s.deliverAll(queues, key)
}

// deliverAll empties one queue. A queue that a reset has taken away has been
// emptied.
func (s *Simulator) deliverAll(queues map[queueKey][]*outgoing, key queueKey) {
	for {
		sent := s.nextOutgoing(queues, key)
		if sent == nil {
			return
		}
		s.deliver(sent)
	}
}

// nextOutgoing takes a webhook from its queue, or ends the worker.
func (s *Simulator) nextOutgoing(queues map[queueKey][]*outgoing, key queueKey) *outgoing {
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
	s.webhooks.workers--
	if s.webhooks.workers == 0 {
		close(s.webhooks.idle)
	}
	return nil
}

// isWanted reports whether the subscription still exists and receives.
func (s *Simulator) isWanted(sent *outgoing) bool {
	return s.closing.Err() == nil && s.webhooks.byID(sent.subscription.id) == sent.subscription &&
		sent.subscription.isActive(s.timeline.glance())
}

// deliver makes attempts until one succeeds or the webhook is dropped.
func (s *Simulator) deliver(sent *outgoing) {
	for attempt := 1; ; attempt++ {
		status := 0
		if len(sent.body) <= maximumWebhookBody {
			status = s.attempt(sent)
		}
		outcome := s.judge(sent, attempt, status)
		if outcome != Repeated {
			return
		}
		if s.timeline.wait(s.closing, s.settings.webhookRetries[attempt-1]) != nil {
			return
		}
	}
}

// judge records an attempt and decides what follows. Which answers are worth a
// repetition is documented; that a redirect is not is [unknown, safe reading].
func (s *Simulator) judge(sent *outgoing, attempt, status int) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.timeline.glance()
	outcome := Dropped
	again := status == 0 || status == http.StatusTooManyRequests || status >= 500
	switch {
	case status >= 200 && status <= 299:
		outcome = Delivered
	case again && attempt <= len(s.settings.webhookRetries) && len(sent.body) <= maximumWebhookBody && s.isWanted(sent):
		outcome = Repeated
	}
	v := sent.subscription
	switch outcome {
	case Delivered:
		v.drops = 0
	case Dropped:
		if v.drops++; v.drops >= dropsToDisable {
			v.drops, v.disabledUntil = 0, now.Add(webhookDisabledTime)
		}
	}
	s.webhooks.deliveries = append(s.webhooks.deliveries, Delivery{
		Subscription: v.id, WebhookID: sent.webhookID, Event: string(sent.event), IncidentKey: sent.incidentKey,
		Attempt: attempt, Status: status, Outcome: outcome, At: now,
	})
	return outcome
}

// attempt sends a webhook once and returns the status of the answer: 0 without
// one within five seconds.
func (s *Simulator) attempt(sent *outgoing) (status int) {
	ctx, cancel := context.WithCancel(s.closing)
	defer cancel()
	defer s.timeline.alarm(webhookTimeout, cancel)()
	v := sent.subscription
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.address, bytes.NewReader(sent.body))
	if err != nil {
		return 0
	}
	for _, header := range v.headers {
		request.Header.Set(header.Name, header.Value)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "PagerDuty-Webhook/V3.0") // [unknown, safe reading]
	request.Header.Set("X-PagerDuty-Signature", sign(sent.body, v.secret))
	request.Header.Set("X-Webhook-Id", sent.webhookID)
	request.Header.Set("X-Webhook-Subscription", v.id)
	answer, err := s.settings.transport.RoundTrip(request)
	if err != nil {
		return 0
	}
	// Read to the end, within reason, so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, answer.Body, maximumWebhookBody)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// sign returns the signature of a body: HMAC-SHA256 under version 1.
func sign(body []byte, secret string) string {
	code := hmac.New(sha256.New, []byte(secret))
	code.Write(body)
	return "v1=" + hex.EncodeToString(code.Sum(nil))
}

// WaitForWebhooks returns when nothing is on its way to a subscriber, or with the
// context's error before.
func (s *Simulator) WaitForWebhooks(ctx context.Context) error {
	for {
		s.mu.Lock()
		idle, working := s.webhooks.idle, s.webhooks.workers > 0
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
