package simulator_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

func TestThreeDropsDisableASubscription(t *testing.T) {
	clock := newManualClock()
	to := &subscriber{statuses: []int{400, 400, 200, 400, 400, 400, 200}}
	account := newCompany(t, append(clock.options(), simulator.WithWebhookTransport(to))...)
	id, _ := subscribe(t, account, subscription)
	disabled := func() string {
		answer := call(account, "GET", "/webhook_subscriptions/"+id, "")
		return pick(t, answer.Body.Bytes(), "webhook_subscription.delivery_method.temporarily_disabled")
	}
	trigger := func(keys string) {
		for _, key := range strings.Split(keys, "") {
			sendEvent(t, account, checkoutKey, "trigger", key, "d")
			settled(t, account)
		}
	}
	trigger("abcde")
	if got := disabled(); got != "false" {
		t.Errorf("got disabled %s after two drops, a delivery and two drops", got)
	}
	trigger("f")
	if got := disabled(); got != "true" {
		t.Errorf("got disabled %s after three drops", got)
	}
	trigger("gh")
	if got := len(to.all()); got != 6 {
		t.Errorf("got %d webhooks, want 6: a disabled subscription gets none", got)
	}
	clock.advance(24 * time.Hour)
	trigger("i")
	if got := len(to.all()); got != 7 || disabled() != "false" {
		t.Errorf("got %d webhooks, want 7 after a day", got)
	}
}

func TestEnable(t *testing.T) {
	clock := newManualClock()
	to := &subscriber{statuses: []int{400}}
	account := newCompany(t, append(clock.options(), simulator.WithWebhookTransport(to))...)
	id, _ := subscribe(t, account, subscription)
	for _, key := range []string{"a", "b", "c", "d"} {
		sendEvent(t, account, checkoutKey, "trigger", key, "d")
		settled(t, account)
	}
	answer := call(account, "POST", "/webhook_subscriptions/"+id+"/enable", "")
	if got := pick(t, answer.Body.Bytes(), "webhook_subscription.delivery_method.temporarily_disabled"); got != "false" {
		t.Errorf("got disabled %s", got)
	}
	sendEvent(t, account, checkoutKey, "trigger", "e", "d")
	settled(t, account)
	if got := len(to.all()); got != 4 {
		t.Errorf("got %d webhooks, want three before and one after", got)
	}
}

func TestSubscriptionKeepsItsSecrets(t *testing.T) {
	account := newCompany(t)
	id, secret := subscribe(t, account, subscription)
	for _, target := range []string{"/webhook_subscriptions", "/webhook_subscriptions/" + id} {
		body := call(account, "GET", target, "").Body.Bytes()
		if bytes.Contains(body, []byte(secret)) || bytes.Contains(body, []byte(`"value":"hidden"`)) {
			t.Errorf("%s: got %s, want no secret", target, body)
		}
	}
}

func TestSubscriptionRefusals(t *testing.T) {
	method := func(name string, value any) fields {
		return subscription.with("delivery_method", subscription["delivery_method"].(fields).with(name, value))
	}
	const local = "URL must be on this machine, such as http://127.0.0.1:8080/; the simulator calls other machines only if it is configured to"
	tests := []struct {
		name string
		body fields
		want string
	}{
		{"no method", subscription.with("delivery_method", absent), "Delivery method can't be blank"},
		{"other method", method("type", "email"), "Type of the delivery method must be http_delivery_method"},
		{"no URL", method("url", absent), "URL must be an http or https URL"},
		{"file", method("url", "file:///etc/passwd"), "URL must be an http or https URL"},
		{"another machine", method("url", "https://example.com/"), local},
		{"another address", method("url", "http://10.0.0.1/"), local},
		{"a name that looks local", method("url", "http://localhost.example.com/"), local},
		{"user info", method("url", "http://127.0.0.1@example.com/"), local},
		{"header with a line", method("custom_headers", []fields{{"name": "a", "value": "b\r\nc"}}), "Custom header is invalid"},
		{"nameless header", method("custom_headers", []fields{{"value": "b"}}), "Custom header is invalid"},
		{"headers as text", method("custom_headers", "x"), "Custom headers must be an array"},
		{"no events", subscription.with("events", []string{}), "Events can't be blank"},
		{"unknown event", subscription.with("events", []string{"incident.exploded"}), `Event is not supported: "incident.exploded"`},
		{"no filter", subscription.with("filter", absent), "Filter can't be blank"},
		{"team", subscription.with("filter", fields{"type": "team_reference", "id": "PTEAM"}), "Type of the filter must be one of: account_reference service_reference"},
		{"unknown service", subscription.with("filter", fields{"type": "service_reference", "id": "PNONE"}), "Service Not Found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := newCompany(t)
			answer := call(account, "POST", "/webhook_subscriptions", encode(t, fields{"webhook_subscription": test.body}))
			if answer.Code != 400 || !strings.Contains(answer.Body.String(), encode(t, test.want)) {
				t.Errorf("got %d %s, want 400 with %q", answer.Code, answer.Body, test.want)
			}
		})
	}
	account := newCompany(t, simulator.WithRemoteWebhooks())
	subscribe(t, account, method("url", "https://example.com/"))
}

// TestWebhooksOverTheNetwork uses the default transport.
func TestWebhooksOverTheNetwork(t *testing.T) {
	arrived := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("X-Webhook-Subscription")
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	account := newCompany(t)
	id, _ := subscribe(t, account, subscription.with("delivery_method", fields{"type": "http_delivery_method", "url": server.URL}))
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	if got := <-arrived; got != id {
		t.Errorf("got %q, want %q", got, id)
	}
	settled(t, account)
}
