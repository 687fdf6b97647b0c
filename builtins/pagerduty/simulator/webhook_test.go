package simulator_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// subscriber answers webhooks with a list of statuses and then repeats the last one. 0 means
// that the connection fails, -1 that the subscriber never answers.
type subscriber struct {
	mu       sync.Mutex
	statuses []int
	arrived  []delivered
	silent   chan struct{} // receives a value when a -1 begins
}

type delivered struct {
	header http.Header
	body   []byte
}

func (s *subscriber) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.arrived = append(s.arrived, delivered{request.Header, body})
	status := s.statuses[0]
	if len(s.statuses) > 1 {
		s.statuses = s.statuses[1:]
	}
	s.mu.Unlock()
	switch status {
	case 0:
		return nil, errors.New("connection refused")
	case -1:
		s.silent <- struct{}{}
		<-request.Context().Done()
		return nil, request.Context().Err()
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("ok"))}, nil
}

func (s *subscriber) all() []delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]delivered(nil), s.arrived...)
}

// events returns the types of the events that arrived.
func (s *subscriber) events(t *testing.T) []string {
	t.Helper()
	var types []string
	for _, sent := range s.all() {
		types = append(types, strings.Trim(pick(t, sent.body, "event.event_type"), `"`))
	}
	return types
}

var subscription = fields{
	"type": "webhook_subscription", "description": "test",
	"delivery_method": fields{
		"type": "http_delivery_method", "url": "http://127.0.0.1:9/hook?token=hidden",
		"custom_headers": []fields{{"name": "X-Mine", "value": "hidden"}},
	},
	"events": []string{"incident.triggered", "incident.acknowledged", "incident.resolved", "incident.reassigned", "incident.annotated", "pagey.ping"},
	"filter": fields{"type": "account_reference"},
}

// subscribe creates a subscription and returns its identifier and secret.
func subscribe(t *testing.T, account *simulator.Simulator, body fields) (id, secret string) {
	t.Helper()
	answer := call(account, "POST", "/webhook_subscriptions", encode(t, fields{"webhook_subscription": body}))
	if answer.Code != 201 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	text := answer.Body.Bytes()
	return strings.Trim(pick(t, text, "webhook_subscription.id"), `"`),
		strings.Trim(pick(t, text, "webhook_subscription.delivery_method.secret"), `"`)
}

// settled waits until no webhook is left to deliver.
func settled(t *testing.T, account *simulator.Simulator) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := account.WaitForWebhooks(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestWebhooksOfAnIncident(t *testing.T) {
	to := &subscriber{statuses: []int{202}}
	account := newCompany(t, simulator.WithWebhookTransport(to))
	id, secret := subscribe(t, account, subscription)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	incident := account.Incidents()[2].ID
	call(account, "PUT", "/incidents/"+incident, `{"incident":{"status":"acknowledged"}}`, asAnn...)
	call(account, "PUT", "/incidents/"+incident, `{"incident":{"assignments":[{"assignee":{"id":"PBOB001"}}]}}`, asAnn...)
	call(account, "POST", "/incidents/"+incident+"/notes", `{"note":{"content":"c"}}`, asAnn...)
	sendEvent(t, account, checkoutKey, "resolve", "k", "")
	call(account, "POST", "/webhook_subscriptions/"+id+"/ping", "")
	settled(t, account)
	want := []string{"incident.triggered", "incident.acknowledged", "incident.reassigned", "incident.annotated", "incident.resolved", "pagey.ping"}
	got := to.events(t)
	// The ping does not concern an incident, so its place in the order is not fixed.
	withoutPing := func(events []string) string {
		return strings.Replace(strings.Join(events, " ")+" ", "pagey.ping ", "", 1)
	}
	if len(got) != len(want) || withoutPing(got) != withoutPing(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	seen := map[string]bool{}
	for _, sent := range to.all() {
		code := hmac.New(sha256.New, []byte(secret))
		code.Write(sent.body)
		if got, want := sent.header.Get("X-Pagerduty-Signature"), "v1="+hex.EncodeToString(code.Sum(nil)); got != want {
			t.Errorf("got signature %s, want %s", got, want)
		}
		if sent.header.Get("X-Webhook-Subscription") != id || sent.header.Get("X-Mine") != "hidden" || sent.header.Get("Content-Type") != "application/json" {
			t.Errorf("got headers %v", sent.header)
		}
		if webhook := sent.header.Get("X-Webhook-Id"); seen[webhook] || webhook == "" {
			t.Errorf("got webhook %q twice", webhook)
		} else {
			seen[webhook] = true
		}
	}
}

func TestWebhookBody(t *testing.T) {
	to := &subscriber{statuses: []int{200}}
	clock := newManualClock()
	account := newCompany(t, append(clock.options(), simulator.WithWebhookTransport(to))...)
	subscribe(t, account, subscription.with("events", []string{"incident.acknowledged"}).
		with("filter", fields{"type": "service_reference", "id": "PSERV01"}))
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	call(account, "PUT", "/incidents/"+account.Incidents()[2].ID, `{"incident":{"status":"acknowledged"}}`, asAnn...)
	settled(t, account)
	all := to.all()
	if len(all) != 1 {
		t.Fatalf("got %d webhooks, want the one subscribed to", len(all))
	}
	for path, want := range map[string]string{
		"event.event_type": `"incident.acknowledged"`, "event.resource_type": `"incident"`,
		"event.occurred_at": `"2026-03-01T09:00:00.000Z"`, "event.agent.id": `"PANN001"`, "event.client": "null",
		"event.data.incident_key": `"k"`, "event.data.status": `"acknowledged"`, "event.data.number": "3",
		"event.data.assignees.0.id": `"PANN001"`, "event.data.service.type": `"service_reference"`,
		"event.data.escalation_policy.id": `"PPOLICY"`, "event.data.incident_type.name": `"incident_default"`,
	} {
		if got := pick(t, all[0].body, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestWebhookFilterAndDelete(t *testing.T) {
	to := &subscriber{statuses: []int{200}}
	account := newAccount(simulator.WithWebhookTransport(to))
	defer account.Close()
	search := account.Services()[1].ID
	id, _ := subscribe(t, account, subscription.with("filter", fields{"type": "service_reference", "id": search}))
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	sendEvent(t, account, searchKey, "trigger", "k", "d")
	settled(t, account)
	wantAnswer(t, call(account, "DELETE", "/webhook_subscriptions/"+id, ""), 204, "")
	sendEvent(t, account, searchKey, "resolve", "k", "d")
	settled(t, account)
	if diff := cmp.Diff([]string{"incident.triggered"}, to.events(t)); diff != "" {
		t.Error(diff)
	}
	wantAnswer(t, call(account, "GET", "/webhook_subscriptions/"+id, ""), 404, notFound)
}

// TestWebhookOutcomes answers a series of attempts to deliver one webhook.
func TestWebhookOutcomes(t *testing.T) {
	tests := []struct {
		name     string
		statuses []int
		want     string
	}{
		{"accepted", []int{202}, "202 delivered"},
		{"no content", []int{204}, "204 delivered"},
		{"server error", []int{500, 503, 200}, "500 repeated, 503 repeated, 200 delivered"},
		{"throttled", []int{429, 200}, "429 repeated, 200 delivered"},
		{"no answer", []int{0, 200}, "0 repeated, 200 delivered"},
		{"refused", []int{400}, "400 dropped"},
		{"gone", []int{404}, "404 dropped"},
		{"redirect", []int{302}, "302 dropped"},
		{"never", []int{500}, "500 repeated, 500 repeated, 500 dropped"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			to := &subscriber{statuses: test.statuses}
			account := newCompany(t, simulator.WithWebhookTransport(to), simulator.WithWebhookRetries(time.Minute, time.Hour))
			subscribe(t, account, subscription)
			sendEvent(t, account, checkoutKey, "trigger", "k", "d")
			settled(t, account)
			var got []string
			webhook := account.Deliveries()[0].WebhookID
			for i, d := range account.Deliveries() {
				got = append(got, encode(t, d.Status)+" "+string(d.Outcome))
				if d.Attempt != i+1 || d.WebhookID != webhook || d.Event != "incident.triggered" || d.IncidentKey != "k" {
					t.Errorf("got %v, want attempt %d of one webhook", d, i+1)
				}
			}
			if joined := strings.Join(got, ", "); joined != test.want {
				t.Errorf("got %s, want %s", joined, test.want)
			}
		})
	}
}

func TestDefaultRetriesEndWithinTwoDays(t *testing.T) {
	to := &subscriber{statuses: []int{500}}
	account := newCompany(t, simulator.WithWebhookTransport(to))
	subscribe(t, account, subscription)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	settled(t, account)
	if got := len(account.Deliveries()); got != 56 {
		t.Errorf("got %d attempts, want 56: 10 s and its doubles up to an hour, within 48 hours", got)
	}
}

// TestRetriesWait checks the wait before each attempt.
func TestRetriesWait(t *testing.T) {
	clock := newManualClock()
	clock.set = make(chan time.Duration, 10)
	to := &subscriber{statuses: []int{500, 500, 200}}
	account := newCompany(t, append(clock.options(), simulator.WithWebhookTransport(to),
		simulator.WithTimeFactor(10), simulator.WithWebhookRetries(10*time.Second, time.Minute))...)
	subscribe(t, account, subscription)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	const timeout = 500 * time.Millisecond // 5 s, ten times as fast
	for i, want := range []time.Duration{timeout, time.Second, timeout, 6 * time.Second, timeout} {
		if got := <-clock.set; got != want {
			t.Errorf("timer %d: got %v, want %v", i, got, want)
		}
		if want != timeout {
			clock.advance(want)
		}
	}
	settled(t, account)
	deliveries := account.Deliveries()
	if got := deliveries[2].At.Sub(deliveries[0].At); got != 70*time.Second {
		t.Errorf("got %v from the first to the last attempt, want 70s", got)
	}
}

func TestSilentSubscriberTimesOut(t *testing.T) {
	clock := newManualClock()
	to := &subscriber{statuses: []int{-1, 200}, silent: make(chan struct{})}
	account := newCompany(t, append(clock.options(), simulator.WithWebhookTransport(to), simulator.WithWebhookRetries(0))...)
	subscribe(t, account, subscription)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	<-to.silent
	clock.advance(5 * time.Second)
	settled(t, account)
	got := account.Deliveries()
	if len(got) != 2 || got[0].Outcome != webhook.Repeated || got[1].Outcome != webhook.Delivered {
		t.Errorf("got %v, want a repetition after five seconds of silence", got)
	}
}

func TestCloseEndsDeliveries(t *testing.T) {
	to := &subscriber{statuses: []int{-1}, silent: make(chan struct{})}
	account := newCompany(t, simulator.WithWebhookTransport(to))
	subscribe(t, account, subscription)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	<-to.silent
	account.Close()
	account.Close()
	sendEvent(t, account, checkoutKey, "resolve", "k", "d")
	if got := len(to.all()); got != 1 {
		t.Errorf("got %d webhooks, want none after the end", got)
	}
}
