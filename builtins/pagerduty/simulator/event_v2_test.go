package simulator_test

import (
	"strings"
	"testing"
)

var (
	payload = fields{"summary": "s", "source": "host", "severity": "error"}
	eventV2 = fields{"routing_key": checkoutKey, "event_action": "trigger", "dedup_key": "k", "payload": payload}
)

func TestEventV2Refusals(t *testing.T) {
	resolve := eventV2.with("event_action", "resolve").with("payload", absent)
	tests := []struct {
		name string
		body fields
		want string
	}{
		{"no key", eventV2.with("routing_key", absent), "'routing_key' cannot be blank"},
		{"empty key", eventV2.with("routing_key", ""), "'routing_key' cannot be blank"},
		{"short key", eventV2.with("routing_key", "abc"), "Length of 'routing_key' is incorrect (should be 32 characters)"},
		{"odd key", eventV2.with("routing_key", strings.Repeat("é", 32)), "'routing_key' cannot contain non-alphanumeric characters."},
		{"number as dedup_key", eventV2.with("dedup_key", 1), "'dedup_key' must be a string"},
		{"no action", eventV2.with("event_action", absent), "'event_action' is missing or blank"},
		{"bad action", eventV2.with("event_action", "page"), "'event_action' is invalid (must be one of: trigger acknowledge resolve)"},
		{"no dedup_key", resolve.with("dedup_key", absent), "'dedup_key' is missing or blank"},
		{"long dedup_key", eventV2.with("dedup_key", strings.Repeat("k", 256)), "'dedup_key' is too long (maximum is 255 characters)"},
		{"no payload", eventV2.with("payload", absent), "'payload' is missing or blank"},
		{"list as payload", eventV2.with("payload", []int{}), "'payload' is missing or blank"},
		{"no summary", eventV2.with("payload", payload.with("summary", absent)), "'summary' is missing or blank"},
		{"long summary", eventV2.with("payload", payload.with("summary", strings.Repeat("é", 1025))), "'summary' is too long (maximum is 1024 characters)"},
		{"no source", eventV2.with("payload", payload.with("source", absent)), "'source' is missing or blank"},
		{"number as source", eventV2.with("payload", payload.with("source", 1)), "'source' must be a string"},
		{"no severity", eventV2.with("payload", payload.with("severity", absent)), "'severity' is missing or blank"},
		{"bad severity", eventV2.with("payload", payload.with("severity", "fatal")), "'severity' is invalid (must be one of: critical error warning info)"},
		{"text as custom_details", eventV2.with("payload", payload.with("custom_details", "x")), "'custom_details' must be an object"},
		{"number as client", eventV2.with("client", 1), "'client' must be a string"},
		{"object as links", eventV2.with("links", fields{}), "'links' must be an array"},
		{"link to nowhere", eventV2.with("links", []fields{{"text": "x"}}), "links: a link must have href"},
		{"image by http", eventV2.with("images", []fields{{"src": "http://x"}}), "images: an image must have src, an https URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := newAccount()
			answer := send(account, "POST", pathV2, encode(t, test.body))
			wantAnswer(t, answer, 400, invalid+encode(t, test.want)+"]}")
			if got := account.Incidents(); len(got) != 0 {
				t.Errorf("a refused event had an effect: %v", got)
			}
		})
	}
}

func TestEventV2UnknownKeyIsPlainText(t *testing.T) {
	answer := send(newAccount(), "POST", pathV2, encode(t, eventV2.with("routing_key", unknownKey)))
	wantAnswer(t, answer, 400, "Invalid routing key")
	if got := answer.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
		t.Errorf("got content type %q, want text/plain", got)
	}
}

func TestEventV2Accepts(t *testing.T) {
	tests := map[string]fields{
		"plain":              eventV2,
		"resolve of nothing": {"routing_key": checkoutKey, "event_action": "resolve", "dedup_key": "k"},
		"acknowledge with an empty payload": {
			"routing_key": checkoutKey, "event_action": "acknowledge", "dedup_key": "k", "payload": fields{},
		},
		"attachments": eventV2.with("links", []fields{{"href": "x", "text": "y"}}).
			with("images", []fields{{"src": "https://x", "href": "y", "alt": "z"}}),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			answer := send(newAccount(), "POST", pathV2, encode(t, body))
			wantAnswer(t, answer, 202, `{"status":"success","message":"Event processed","dedup_key":"k"}`)
		})
	}
}

func TestBothVersionsMeanTheSameIncident(t *testing.T) {
	account := newAccount()
	send(account, "POST", pathV2, encode(t, eventV2))
	sendEvent(t, account, checkoutKey, "resolve", "k", "gone")
	got := account.Incidents()
	if len(got) != 1 || got[0].Status != "resolved" || got[0].Description != "s" {
		t.Errorf("got %v, want one resolved incident", got)
	}
}
