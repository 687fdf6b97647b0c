package pagerduty

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

const incidentJSON = `{"id":"Q1","incident_number":7,"title":"disk full","status":"triggered","urgency":"high","incident_key":"db1",` +
	`"created_at":"2026-01-31T09:00:00Z","html_url":"https://a/1","service":{"id":"PS1","summary":"Database"},` +
	`"escalation_policy":{"id":"PE1","summary":"Default"},"assignments":[{"assignee":{"id":"PANN","summary":"Ann"}}]}`

func incidentObject() object {
	return object{
		"id": "Q1", "number": 7.0, "title": "disk full", "status": "triggered", "urgency": "high", "incident_key": "db1",
		"created_at": "2026-01-31T09:00:00Z", "html_url": "https://a/1", "service": object{"id": "PS1", "name": "Database"},
		"escalation_policy": object{"id": "PE1", "name": "Default"}, "assignees": []any{object{"id": "PANN", "name": "Ann"}},
	}
}

func noIncident() object {
	nothing := object{"id": "", "name": ""}
	return object{
		"id": "", "number": 0.0, "title": "", "status": "", "urgency": "", "incident_key": "", "created_at": "", "html_url": "",
		"service": nothing, "escalation_policy": nothing, "assignees": []any{},
	}
}

// fromBoss is a write of the REST API.
func fromBoss(line, body string) actiontest.Request {
	return actiontest.Request{Line: line, Body: body, Header: map[string]string{"Authorization": "Token token=" + testAPIKey, "From": "boss@example.com"}}
}

func TestIncidentActions(t *testing.T) {
	a := newAccount(t, answer(200, `{"incident":`+incidentJSON+`}`), missing, answer(200, `{"incidents":[`+incidentJSON+`],"more":false}`))
	a.done("pagerduty.get_incident", object{"id": "Q1"}, object{"found": true, "incident": incidentObject()})
	a.done("pagerduty.get_incident", object{"id": "Q2"}, object{"found": false, "incident": noIncident()})
	a.done("pagerduty.list_incidents", object{"incident_key": "db1", "statuses": []any{"triggered"}, "service_ids": []any{"PS1"}},
		object{"incidents": []any{incidentObject()}, "more": false})
	a.Check(t, rest("GET /incidents/Q1"), rest("GET /incidents/Q2"),
		rest("GET /incidents?date_range=all&incident_key=db1&limit=100&offset=0&service_ids%5B%5D=PS1&statuses%5B%5D=triggered"))
}

func TestAddIncidentNote(t *testing.T) {
	a := newAccount(t, answer(201, `{"note":{"id":"PN1","content":"cleaned","created_at":"2026-01-31T09:00:00Z"}}`), hangUp)
	input := object{"id": "Q1", "content": "cleaned", "from_email": "boss@example.com"}
	a.done("pagerduty.add_incident_note", input, object{"note": object{"id": "PN1", "content": "cleaned", "created_at": "2026-01-31T09:00:00Z"}})
	_, err := actiontest.Call(a.actions, action.Scope{}, "pagerduty.add_incident_note", input)
	if failure := actiontest.CheckError(t, "a lost answer", err, action.Unavailable, "broke before it answered"); !failure.Ambiguous {
		t.Error("a lost answer: got a known outcome")
	}
	sent := fromBoss("POST /incidents/Q1/notes", `{"note":{"content":"cleaned"}}`)
	a.Check(t, sent, sent)
}

func TestUpdateIncidents(t *testing.T) {
	a := newAccount(t, answer(200, `{"incidents":[{"id":"Q2","error":{"message":"Not Found","code":2100}},{"id":"Q1","status":"resolved"}]}`))
	input := object{"ids": []any{"Q1", "Q2"}, "status": "resolved", "from_email": "boss@example.com"}
	a.done("pagerduty.update_incidents", input, object{
		"results": []any{
			object{"id": "Q1", "ok": true, "status": "resolved", "message": ""},
			object{"id": "Q2", "ok": false, "status": "", "message": "Not Found"},
		},
		"updated": 1.0, "failed": 1.0,
	})
	a.done("pagerduty.update_incidents", object{"ids": []any{}, "status": "resolved", "from_email": "boss@example.com"},
		object{"results": []any{}, "updated": 0.0, "failed": 0.0})
	a.Check(t, fromBoss("PUT /incidents", `{"incidents":[{"id":"Q1","type":"incident_reference","status":"resolved"},{"id":"Q2","type":"incident_reference","status":"resolved"}]}`))
}

// TestUpdateIncidentsHalfway proves that a failure in the middle says how far the
// call came.
func TestUpdateIncidentsHalfway(t *testing.T) {
	var ids []any
	var entries []string
	for i := range 251 {
		ids = append(ids, fmt.Sprintf("Q%d", i))
		entries = append(entries, `{"id":"`+ids[i].(string)+`","status":"resolved"}`)
	}
	a := newAccount(t, answer(200, `{"incidents":[`+strings.Join(entries[:250], ",")+`]}`), answer(403, `{"error":{"message":"Access Denied","code":2010}}`))
	_, _, err := a.do("pagerduty.update_incidents", object{"ids": ids, "status": "resolved", "from_email": "boss@example.com"})
	actiontest.CheckError(t, "a refusal after the first batch", err, action.Forbidden, "250 of 251 incidents were updated before")
}

// TestMoreRefusals: an account without answers fails the test when it is asked
// anything.
func TestMoreRefusals(t *testing.T) {
	a := newAccount(t)
	actiontest.Run(t, a.actions, action.Scope{}, []actiontest.Row{
		{Action: "pagerduty.get_incident", Input: object{"id": "db1"}, Kind: action.InvalidInput, Says: "an incident_key is not an id"},
		{Action: "pagerduty.list_incidents", Input: object{"statuses": []any{"open"}}, Kind: action.InvalidInput, Says: `there is no status "open"`},
		{Action: "pagerduty.list_incidents", Input: object{"limit": 0.0}, Kind: action.InvalidInput, Says: `"limit" must be from 1 to 10000`},
		{Action: "pagerduty.list_users", Input: object{"limit": 10_001.0}, Kind: action.InvalidInput, Says: `"limit" must be from 1 to 10000`},
		{Action: "pagerduty.list_users", Input: object{"team_ids": []any{"ops"}}, Kind: action.InvalidInput, Says: "is not the id of a team"},
		{Action: "pagerduty.get_on_call", Input: object{"schedule_ids": []any{"x"}}, Kind: action.InvalidInput, Says: "is not the id of a schedule"},
		{Action: "pagerduty.get_on_call", Input: object{"limit": -1.0}, Kind: action.InvalidInput, Says: `"limit"`},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": " "}, Kind: action.InvalidInput, Says: "is empty"},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": "x", "from_email": "boss"}, Kind: action.InvalidInput, Says: `"from_email"`},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": "x"}, Kind: action.InvalidInput, Says: "PAGERDUTY_FROM_EMAIL"},
		{Action: "pagerduty.update_incidents", Input: object{"ids": []any{"Q1"}, "status": "triggered"}, Kind: action.InvalidInput, Says: "triggered"},
		{Action: "pagerduty.update_incidents", Input: object{"ids": []any{"q1"}, "status": "resolved"}, Kind: action.InvalidInput, Says: "is not the id of an incident"},
		{Action: "pagerduty.update_incidents", Input: object{"ids": []any{"Q1"}, "status": "resolved", "from_email": "boss"}, Kind: action.InvalidInput, Says: `"from_email"`},
		{Action: "pagerduty.update_user", Input: object{"id": "P1"}, Kind: action.InvalidInput, Says: "there is nothing to change"},
		{Action: "pagerduty.update_user", Input: object{"id": "me", "name": "Ann"}, Kind: action.InvalidInput, Says: `"me" is not the id of a user`},
		{Action: "pagerduty.send_change_event", Input: object{"summary": " "}, Kind: action.InvalidInput, Says: "summary is empty"},
		{Action: "pagerduty.send_change_event", Input: object{"summary": "x", "service_key": testAPIKey}, Kind: action.InvalidInput, Says: "looks like a REST API key"},
	})
	a.Check(t)
	for name, input := range map[string]object{
		"pagerduty.get_incident": {"id": "Q1"}, "pagerduty.list_incidents": {}, "pagerduty.add_incident_note": {"id": "Q1", "content": "x"},
		"pagerduty.update_incidents": {"ids": []any{"Q1"}, "status": "resolved"}, "pagerduty.get_on_call": {}, "pagerduty.list_users": {},
		"pagerduty.update_user": {"id": "P1", "name": "Ann"}, "pagerduty.send_change_event": {"summary": "x"},
	} {
		_, err := actiontest.Call(withoutAccount, action.Scope{}, name, input)
		actiontest.CheckError(t, name, err, action.Unauthorized, "PAGERDUTY_API_KEY")
	}
}
