package simulator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

// TestIncidentStates sends events with one incident key. Each event is written as its first
// letter; X is a resolve with the key of another service. The outcome lists the status of
// every incident and the events that had an effect.
func TestIncidentStates(t *testing.T) {
	tests := []struct{ events, want string }{
		{"a", ""},
		{"r", ""},
		{"t", "triggered:t"},
		{"tt", "triggered:tt"},
		{"ta", "acknowledged:ta"},
		{"taa", "acknowledged:ta"},
		{"tat", "acknowledged:tat"},
		{"tr", "resolved:tr"},
		{"tar", "resolved:tar"},
		{"trr", "resolved:tr"},
		{"tra", "resolved:tr"},
		{"trt", "resolved:tr triggered:t"},
		{"trta", "resolved:tr acknowledged:ta"},
		{"tX", "triggered:t"},
		{"taX", "acknowledged:ta"},
	}
	for _, test := range tests {
		t.Run(test.events, func(t *testing.T) {
			account := newAccount()
			for _, letter := range test.events {
				sendLetter(t, account, letter)
			}
			if got := outcome(account); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func sendLetter(t *testing.T, account *simulator.Simulator, letter rune) {
	t.Helper()
	if letter == 'X' {
		sendEvent(t, account, searchKey, "resolve", "k", "")
		return
	}
	kinds := map[rune]string{'t': "trigger", 'a': "acknowledge", 'r': "resolve"}
	sendEvent(t, account, checkoutKey, kinds[letter], "k", "d")
}

func outcome(account *simulator.Simulator) string {
	var parts []string
	for _, incident := range account.Incidents() {
		part := string(incident.Status) + ":"
		for _, entry := range incident.Log {
			part += entry.Type[:1]
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

func TestSecondTriggerOverwritesTheDescription(t *testing.T) {
	account := newAccount()
	sendEvent(t, account, checkoutKey, "trigger", "k", "first")
	sendEvent(t, account, checkoutKey, "trigger", "k", "second")
	got := account.Incidents()[0]
	if got.Description != "second" || got.Log[0].Description != "first" || got.Log[1].Description != "second" {
		t.Errorf("got %v, want the description of the second trigger and both in the log", got)
	}
}

func TestSameKeyAtTwoServices(t *testing.T) {
	account := newAccount()
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	sendEvent(t, account, searchKey, "trigger", "k", "d")
	sendEvent(t, account, searchKey, "resolve", "k", "d")
	if got, want := outcome(account), "triggered:t resolved:tr"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIncidentJSON(t *testing.T) {
	account := newAccount()
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	incident := account.Incidents()[0]
	want := `{"id":"` + incident.ID + `","incident_key":"k","status":"triggered","description":"d","service":"Checkout",` +
		`"created_at":"2026-01-01T00:00:00Z","log":[{"type":"trigger","description":"d","at":"2026-01-01T00:00:00Z"}]}`
	if diff := cmp.Diff(want, encode(t, incident)); diff != "" {
		t.Error(diff)
	}
}

func TestListIncidents(t *testing.T) {
	account := newAccount()
	sendEvent(t, account, checkoutKey, "trigger", "one", "d")
	sendEvent(t, account, checkoutKey, "trigger", "two", "d")
	sendEvent(t, account, checkoutKey, "acknowledge", "two", "d")
	sendEvent(t, account, searchKey, "trigger", "three", "d")
	sendEvent(t, account, searchKey, "resolve", "three", "d")
	search := account.Services()[1].ID
	tests := []struct{ query, want string }{
		{"", "one two three"},
		{"incident_key=two", "two"},
		{"incident_key=tw", ""},
		{"statuses[]=triggered", "one"},
		{"statuses%5B%5D=acknowledged&statuses[]=resolved", "two three"},
		{"service_ids[]=" + search, "three"},
		{"service_ids[]=" + search + "&statuses[]=triggered", ""},
		{"limit=1&offset=1", "two"},
	}
	for _, test := range tests {
		answer := call(account, "GET", "/incidents?"+test.query, "")
		body := decode[struct {
			Incidents []struct {
				Key string `json:"incident_key"`
			}
		}](t, answer.Body)
		var keys []string
		for _, incident := range body.Incidents {
			keys = append(keys, incident.Key)
		}
		if got := strings.Join(keys, " "); got != test.want {
			t.Errorf("%q: got %q, want %q", test.query, got, test.want)
		}
	}
	answer := call(account, "GET", "/incidents?statuses[]=open", "")
	wantAnswer(t, answer, 400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Statuses must be of: triggered acknowledged resolved"]}}`)
}

func TestGetIncident(t *testing.T) {
	account := newAccount()
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	sendEvent(t, account, checkoutKey, "trigger", "k", "e")
	type body struct {
		Incident struct {
			ID, Summary, Status string
			Number              int    `json:"incident_number"`
			Key                 string `json:"incident_key"`
			CreatedAt           string `json:"created_at"`
			UpdatedAt           string `json:"updated_at"`
			LastStatusChange    string `json:"last_status_change_at"`
			Assignments         []struct{ Assignee struct{ Summary string } }
		}
	}
	id := account.Incidents()[0].ID
	var want body
	want.Incident.ID = id
	want.Incident.Summary = "[#1] e"
	want.Incident.Status = "triggered"
	want.Incident.Number = 1
	want.Incident.Key = "k"
	want.Incident.CreatedAt = "2026-01-01T00:00:00Z"
	want.Incident.UpdatedAt = "2026-01-01T00:00:01Z"
	want.Incident.LastStatusChange = "2026-01-01T00:00:00Z"
	want.Incident.Assignments = []struct{ Assignee struct{ Summary string } }{{struct{ Summary string }{"Olivia Owner"}}}
	got := decode[body](t, call(account, "GET", "/incidents/"+id, "").Body)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantAnswer(t, call(account, "GET", "/incidents/QNONE", ""), 404, notFound)
}
