package simulator_test

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

const (
	unrecognized = `{"status":"unrecognized object","message":"Event object format is unrecognized","errors":["JSON parse error"]}`
	invalid      = `{"status":"invalid event","message":"Event object is invalid","errors":[`
)

func TestEventV1Refusals(t *testing.T) {
	base := fields{"service_key": checkoutKey, "event_type": "trigger", "incident_key": "k", "description": "d"}
	resolve := base.with("event_type", "resolve")
	tests := []struct {
		name string
		body fields
		want string
	}{
		{"no key", base.with("service_key", absent), "Service key is the wrong length (should be 32 characters)"},
		{"short key", base.with("service_key", "abc"), "Service key is the wrong length (should be 32 characters)"},
		{"odd key", base.with("service_key", strings.Repeat("-", 32)), "Service key cannot contain non-alphanumeric characters"},
		{"unknown key", base.with("service_key", unknownKey), "Service key is not registered"},
		{"no type", base.with("event_type", absent), "event_type is invalid (must be one of: trigger acknowledge resolve)"},
		{"bad type", base.with("event_type", "triger"), "event_type is invalid (must be one of: trigger acknowledge resolve)"},
		{"no description", base.with("description", absent), "Description can't be blank"},
		{"blank description", base.with("description", " "), "Description can't be blank"},
		{"long description", base.with("description", strings.Repeat("é", 1025)), "Description is too long (maximum is 1024 characters)"},
		{"long resolve description", resolve.with("description", strings.Repeat("x", 1025)), "Description is too long (maximum is 1024 characters)"},
		{"no incident key", resolve.with("incident_key", absent), "Incident key can't be blank"},
		{"empty incident key", resolve.with("incident_key", ""), "Incident key can't be blank"},
		{"long incident key", base.with("incident_key", strings.Repeat("k", 256)), "Incident key is too long (maximum is 255 characters)"},
		{"number as key", base.with("incident_key", 7), "incident_key must be a string"},
		{"list as details", base.with("details", []int{1}), "details must be an object"},
		{"number as client", base.with("client", 1), "client must be a string"},
		{"number as client_url", base.with("client_url", 1), "client_url must be a string"},
		{"object as contexts", base.with("contexts", fields{}), "contexts must be an array"},
		{"untyped context", base.with("contexts", []any{1}), "contexts must be of type link or image"},
		{"link to nowhere", base.with("contexts", []fields{{"type": "link"}}), "contexts: a link must have href"},
		{"link with number", base.with("contexts", []fields{{"type": "link", "href": "x", "text": 1}}), "contexts: the text of a link must be a string"},
		{"image by http", base.with("contexts", []fields{{"type": "image", "src": "http://x"}}), "contexts: an image must have src, an https URL"},
		{"image with number", base.with("contexts", []fields{{"type": "image", "src": "https://x", "alt": 1}}), "contexts: the alt of an image must be a string"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := newAccount()
			answer := send(account, "POST", pathV1, encode(t, test.body))
			wantAnswer(t, answer, 400, invalid+encode(t, test.want)+"]}")
			if got := account.Incidents(); len(got) != 0 {
				t.Errorf("a refused event had an effect: %v", got)
			}
		})
	}
}

func TestEventV1ReportsAllMistakes(t *testing.T) {
	answer := send(newAccount(), "POST", pathV1, `{"event_type":"resolve"}`)
	wantAnswer(t, answer, 400, invalid+
		`"Service key is the wrong length (should be 32 characters)","Incident key can't be blank"]}`)
}

func TestEventsThatAreNotAnObject(t *testing.T) {
	for _, path := range []string{pathV1, pathV2} {
		for _, body := range []string{"", "{", "null", "[]", "7", `{} {}`} {
			wantAnswer(t, send(newAccount(), "POST", path, body), 400, unrecognized)
		}
	}
}

func TestEventsThatAreTooLarge(t *testing.T) {
	const limit = 512_000
	want := invalid + `"Event is too large (maximum is 512 KB)"]}`
	for _, path := range []string{pathV1, pathV2} {
		answer := send(newAccount(), "POST", path, strings.Repeat(" ", limit+1))
		wantAnswer(t, answer, 413, want)
		answer = send(newAccount(), "POST", path, strings.Repeat(" ", limit))
		wantAnswer(t, answer, 400, unrecognized)
	}
}

// TestEventV1Accepts sends what clients are known to send: nulls, fields of v2, texts of the
// maximum length, an extra slash.
func TestEventV1Accepts(t *testing.T) {
	base := fields{"service_key": checkoutKey, "event_type": "trigger", "description": "d", "incident_key": "k"}
	tests := map[string]fields{
		"plain":              base,
		"nulls":              base.with("client", nil).with("contexts", nil).with("details", nil),
		"fields of v2":       base.with("event_action", "").with("payload", nil).with("routing_key", ""),
		"longest texts":      base.with("description", strings.Repeat("é", 1024)),
		"all fields":         base.with("details", fields{"a": 1}).with("client", "c").with("client_url", "https://c"),
		"link and image":     base.with("contexts", []fields{{"type": "link", "href": "x"}, {"type": "image", "src": "https://x"}}),
		"resolve of nothing": base.with("event_type", "resolve").with("description", absent),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			answer := send(newAccount(), "POST", pathV1+"/", encode(t, body))
			wantAnswer(t, answer, 200, `{"status":"success","message":"Event processed","incident_key":"k"}`)
		})
	}
}

func TestEventWithoutKeyGetsOne(t *testing.T) {
	account := newAccount()
	body := encode(t, fields{"service_key": checkoutKey, "event_type": "trigger", "description": "d"})
	for range 2 {
		answer := send(account, "POST", pathV1, body)
		key := decode[struct {
			Key string `json:"incident_key"`
		}](t, answer.Body).Key
		if len(key) != 32 {
			t.Errorf("got incident key %q, want 32 characters", key)
		}
	}
	incidents := account.Incidents()
	if len(incidents) != 2 || incidents[0].Key == incidents[1].Key {
		t.Errorf("got %v, want two incidents with keys of their own", incidents)
	}
}

func TestLenientServiceKeys(t *testing.T) {
	account0 := newAccount(simulator.WithLenientServiceKeys())
	sendEvent(t, account0, unknownKey, "trigger", "k", "d")
	sendEvent(t, account0, unknownKey, "acknowledge", "k", "")
	sendEvent(t, account0, checkoutKey, "resolve", "k", "")
	if got := len(account0.Services()); got != 3 {
		t.Errorf("got %d services, want 3", got)
	}
	got := account0.Incidents()[0]
	if got.Service != "Service 3" || got.Status != account.Acknowledged {
		t.Errorf("got %v, want it acknowledged at Service 3", got)
	}
	answer := send(account0, "POST", pathV1, `{"service_key":"short","event_type":"trigger","description":"d"}`)
	wantAnswer(t, answer, 400, invalid+`"Service key is the wrong length (should be 32 characters)"]}`)
}
