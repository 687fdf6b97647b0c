package pagerduty

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

func TestSendEvents(t *testing.T) {
	accepted := answer(200, `{"status":"success","message":"Event processed","incident_key":"k"}`)
	output := object{"status": "success", "message": "Event processed", "incident_key": "k"}
	a := newAccount(t, accepted, accepted, accepted)
	a.done("pagerduty.send_trigger_event", object{
		"description": "disk full", "client": "cron", "client_url": "https://cron.example.com", "service_key": testServiceKey,
		"details": object{"free": 0.0}, "contexts": []any{object{"type": "link", "href": "https://a/"}}, "incident_key": "k",
	}, output)
	a.done("pagerduty.send_acknowledge_event", object{"incident_key": "k", "service_key": testServiceKey}, output)
	a.done("pagerduty.send_resolve_event", object{
		"incident_key": "k", "service_key": testServiceKey, "description": "fixed", "details": object{},
	}, output)
	none := map[string]string{"Authorization": "", "From": ""}
	head := `{"service_key":"` + testServiceKey + `","event_type":`
	a.Check(t,
		actiontest.Request{
			Line: "POST /generic/2010-04-15/create_event.json", Header: none,
			Body: head + `"trigger","incident_key":"k","description":"disk full","client":"cron","client_url":"https://cron.example.com",` +
				`"details":{"free":0},"contexts":[{"href":"https://a/","type":"link"}]}`,
		},
		actiontest.Request{Line: "POST /generic/2010-04-15/create_event.json", Header: none, Body: head + `"acknowledge","incident_key":"k"}`},
		actiontest.Request{
			Line: "POST /generic/2010-04-15/create_event.json", Header: none,
			Body: head + `"resolve","incident_key":"k","description":"fixed","details":{}}`,
		},
	)
}

func TestTriggerTakesTheEnginesKey(t *testing.T) {
	for _, test := range []struct{ own, want string }{{"", "derived"}, {"mine", "mine"}} {
		a := newAccount(t, answer(200, `{"status":"success"}`))
		invocation, err := actiontest.Prepare(a.actions, "pagerduty.send_trigger_event", object{
			"description": "x", "service_key": testServiceKey, "incident_key": test.own,
		})
		if err != nil {
			t.Fatal(err)
		}
		invocation.UseKey("derived")
		if _, err := invocation.Do(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		var body struct {
			IncidentKey string `json:"incident_key"`
		}
		if err := json.Unmarshal([]byte(a.Requests()[0].Body), &body); err != nil || body.IncidentKey != test.want {
			t.Errorf("got the key %q, %v, want %q", body.IncidentKey, err, test.want)
		}
	}
}

func TestServiceKeyIsRevealedToEventsOnly(t *testing.T) {
	a := newAccount(t, answer(200, `{"status":"success"}`))
	var destination action.Destination
	scope := action.Scope{Reveal: func(_ action.Secret, to action.Destination) (string, error) {
		if destination != "" {
			return "", action.Errorf(action.Permission, "secret KEY is not bound")
		}
		destination = to
		return testServiceKey, nil
	}}
	input := object{"description": "x", "service_key": action.Secret{Name: "KEY"}}
	if _, err := actiontest.Call(a.actions, scope, "pagerduty.send_trigger_event", input); err != nil {
		t.Fatal(err)
	}
	if destination != action.Place(serviceKey) || !strings.Contains(a.Requests()[0].Body, testServiceKey) {
		t.Errorf("got %q revealed to %s", a.Requests()[0].Body, destination)
	}
	_, err := actiontest.Call(a.actions, scope, "pagerduty.send_trigger_event", input)
	actiontest.CheckError(t, "a secret that is not bound", err, action.Permission, "not bound")
	_, err = actiontest.Call(a.actions, action.Scope{}, "pagerduty.send_resolve_event", object{"incident_key": "k"})
	actiontest.CheckError(t, "no key at all", err, action.InvalidInput, "PAGERDUTY_SERVICE_KEY")
}
