package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

const (
	pathV1 = "/generic/2010-04-15/create_event.json"
	pathV2 = "/v2/enqueue"
)

// fullTrigger returns a trigger with every field, and a null that must not be sent.
func fullTrigger() event.Alert {
	return event.Alert{
		Action: event.Trigger, IncidentKey: "db1", Description: "disk full", Client: "monitor", ClientURL: "https://monitor.example.com",
		Details: map[string]any{"free": 4},
		Contexts: []map[string]any{
			{"type": "link", "href": "https://example.com", "text": nil},
			{"type": "image", "src": "https://example.com/graph.png", "alt": "graph"},
		},
	}
}

func sending(e event.Alert) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error { _, err := c.SendEvent(ctx, e); return err }
}

// TestRequests proves the exact request of each call.
func TestRequests(t *testing.T) {
	const user = `{"user":{"id":"PABC123","email":"ann@example.com"}}`
	key := `"` + testServiceKey + `"`
	for _, test := range []struct {
		name               string
		version            EventsVersion
		call               func(context.Context, *Client) error
		answer             answer
		method, path, body string
	}{
		{"get user", V1, endpoints()[0].call, ok(user), "GET", "/users/PABC123", ""},
		{"find user", V1, endpoints()[1].call, ok(`{"users":[]}`), "GET", "/users?limit=100&offset=0&query=ann%40example.com", ""},
		{"create user", V1, endpoints()[2].call, answer{status: 201, body: user}, "POST", "/users", `{"user":{"type":"user","name":"Ann","email":"ann@example.com"}}`},
		{"delete user", V1, endpoints()[3].call, answer{status: 204}, "DELETE", "/users/PABC123", ""},
		{
			"trigger, v1", V1, sending(fullTrigger()), acceptedEvent, "POST", pathV1,
			`{"service_key":` + key + `,"event_type":"trigger","incident_key":"db1","description":"disk full","client":"monitor",` +
				`"client_url":"https://monitor.example.com","details":{"free":4},"contexts":[{"href":"https://example.com","type":"link"},` +
				`{"alt":"graph","src":"https://example.com/graph.png","type":"image"}]}`,
		},
		{
			"acknowledge, v1", V1, sending(event.Alert{Action: event.Acknowledge, IncidentKey: "db1", Contexts: []map[string]any{}}), acceptedEvent, "POST", pathV1,
			`{"service_key":` + key + `,"event_type":"acknowledge","incident_key":"db1"}`,
		},
		{
			"trigger, v2", V2, sending(fullTrigger()),
			acceptedEvent,
			"POST", pathV2,
			`{"routing_key":` + key + `,"event_action":"trigger","dedup_key":"db1","payload":{"summary":"disk full","source":"monitor",` +
				`"severity":"error","custom_details":{"free":4}},"client":"monitor","client_url":"https://monitor.example.com",` +
				`"links":[{"href":"https://example.com"}],"images":[{"alt":"graph","src":"https://example.com/graph.png"}]}`,
		},
		{
			"short trigger, v2", V2, sending(event.Alert{Action: event.Trigger, Description: "x"}),
			acceptedEvent,
			"POST", pathV2,
			`{"routing_key":` + key + `,"event_action":"trigger","payload":{"summary":"x","source":"pdflow","severity":"error"}}`,
		},
		{
			"resolve, v2", V2, sending(event.Alert{Action: event.Resolve, IncidentKey: "db1", Description: "fixed"}),
			acceptedEvent,
			"POST", pathV2,
			`{"routing_key":` + key + `,"event_action":"resolve","dedup_key":"db1"}`,
		},
	} {
		c, s, _ := serve(t, test.version, test.answer)
		if err := test.call(context.Background(), c); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		want := arrived{test.method, test.path, wantHeader(test.path, test.method), test.body}
		got := s.arrived[0]
		got.Header = http.Header{}
		for name, values := range s.arrived[0].Header {
			if name != "Accept-Encoding" && name != "Content-Length" { // set by net/http
				got.Header[name] = values
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || s.tries() != 1 {
			t.Errorf("%s: %d requests (-want +got):\n%s", test.name, s.tries(), diff)
		}
	}
}

// wantHeader returns the expected headers. Events have their key in the body, and no
// credential in the headers.
func wantHeader(path, method string) http.Header {
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"pdflow"}}
	if path == pathV1 || path == pathV2 {
		return header
	}
	header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	header.Set("Authorization", "Token token="+testAPIKey)
	if method == http.MethodPost {
		header.Set("From", "ops@example.com")
	}
	if method == http.MethodDelete {
		header.Set("Connection", "close") // a write without a body is sent on a connection of its own
	}
	return header
}

// TestReceipts proves that both Events APIs return the key of the event.
func TestReceipts(t *testing.T) {
	want := EventReceipt{"success", "Event processed", "db1"}
	for version, name := range map[EventsVersion]string{V1: "incident_key", V2: "dedup_key"} {
		c, _, _ := serve(t, version, answer{status: 202, body: `{"status":"success","message":"Event processed","` + name + `":"db1"}`})
		got, err := c.SendEvent(context.Background(), fullTrigger())
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", version, got, err, want)
		}
	}
}

// TestContextsStayTheCallers proves that a call does not change the caller's contexts.
func TestContextsStayTheCallers(t *testing.T) {
	for _, version := range []EventsVersion{V1, V2} {
		c, _, _ := serve(t, version, acceptedEvent)
		event := fullTrigger()
		if _, err := c.SendEvent(context.Background(), event); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fullTrigger().Contexts, event.Contexts); diff != "" {
			t.Errorf("%s: the caller's contexts changed (-want +got):\n%s", version, diff)
		}
	}
}

func TestSendChangeEvent(t *testing.T) {
	c, s, _ := serve(t, V1, answer{status: 202, body: `{"status":"success","message":"Change event processed"}`})
	got, err := c.SendChangeEvent(context.Background(), event.Change{
		Summary: "deployed", Source: "ci", Timestamp: "2026-01-31T09:00:00Z", Details: map[string]any{"version": 7},
		Links: []map[string]any{{"href": "https://a/", "text": nil}},
	}, false)
	if want := (ChangeReceipt{"success", "Change event processed"}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	want := `{"routing_key":"` + testServiceKey + `","payload":{"summary":"deployed","source":"ci","timestamp":"2026-01-31T09:00:00Z",` +
		`"custom_details":{"version":7}},"links":[{"href":"https://a/"}]}`
	if sent := s.arrived[0]; sent.Path != "/v2/change/enqueue" || sent.Body != want || sent.Header.Get("Authorization") != "" {
		t.Errorf("got %s %s, want %s", sent.Path, sent.Body, want)
	}
}

// TestOAuthToken proves that a key without the shape of an API key is sent as a bearer
// token.
func TestOAuthToken(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"user":{"id":"P1"}}`))
	c.config.APIKey = "pdus+_0XBPWQQ_dfabcdef-0123-4567-89ab"
	if _, err := c.UserByID(context.Background(), "P1"); err != nil {
		t.Fatal(err)
	}
	if got := s.arrived[0].Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer ") {
		t.Errorf("got Authorization %q, want a bearer token", got)
	}
}

// TestMissingKeys proves that the error of a missing key says where to set it.
func TestMissingKeys(t *testing.T) {
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	var f *Error
	if _, err := c.UserByID(context.Background(), "P1"); !errors.As(err, &f) || f.Kind != Unauthorized || !strings.Contains(f.Message, "PAGERDUTY_API_KEY") {
		t.Errorf("got %v, want unauthorized and the variable to set", err)
	}
	_, err = c.SendEvent(context.Background(), event.Alert{Action: event.Trigger, Description: "x"})
	if !errors.As(err, &f) || !strings.Contains(f.Message, "service_key in the step") || !strings.Contains(f.Message, "PAGERDUTY_SERVICE_KEY") {
		t.Errorf("got %v, want both places where the key can be set", err)
	}
}

// TestEmptyDetails proves that empty details are sent as an empty object, and that absent
// details are left out.
func TestEmptyDetails(t *testing.T) {
	c, s, _ := serve(t, V1, acceptedEvent)
	for _, details := range []map[string]any{nil, {}} {
		if _, err := c.SendEvent(context.Background(), event.Alert{Action: event.Trigger, Description: "x", Details: details}); err != nil {
			t.Fatal(err)
		}
	}
	if got := decode(t, s.arrived[0].Body); len(got) != 3 {
		t.Errorf("got the fields %v, want service_key, event_type and description", got)
	}
	if got, ok := decode(t, s.arrived[1].Body)["details"].(map[string]any); !ok || len(got) != 0 {
		t.Errorf("got details %v, want an empty object", got)
	}
}
