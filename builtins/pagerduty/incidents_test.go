package pagerduty

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// fromBoss is a write of the REST API with a From header.
func fromBoss(line, body string) actiontest.Request {
	return actiontest.Request{Line: line, Body: body, Header: map[string]string{"Authorization": "Token token=" + testAPIKey, "From": "boss@example.com"}}
}

func TestIncidentActions(t *testing.T) {
	a := newAccount(t, answer(200, `{"incident":`+incidentJSON+`}`), missing, answer(200, `{"incidents":[`+incidentJSON+`],"more":false}`))
	a.done("pagerduty.get_incident", object{"id": "Q1"}, object{"found": true, "incident": incidentObject()})
	a.done("pagerduty.get_incident", object{"id": "Q2"}, object{"found": false})
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

// TestUpdateIncidents (S4): a call of which a part failed is a failure, and names the part. An incident that was
// resolved already is as wanted.
func TestUpdateIncidents(t *testing.T) {
	a := newAccount(t, answer(200, `{"incidents":[{"id":"Q2","error":{"message":"Not Found","code":2100}},{"id":"Q1","status":"resolved"}]}`),
		answer(200, `{"incidents":[{"id":"Q1","status":"resolved"},{"id":"Q2","error":{"message":"Incident Already Resolved","code":1001}}]}`))
	input := object{"ids": []any{"Q1", "Q2"}, "status": "resolved", "from_email": "boss@example.com"}
	_, _, err := a.do("pagerduty.update_incidents", input)
	failure := actiontest.CheckError(t, "a part failed", err, action.Conflict, "1 of 2 incidents are not resolved: Q2: Not Found")
	want := object{"failed": []any{object{"id": "Q2", "ok": false, "status": "", "message": "Not Found"}}}
	if diff := cmp.Diff(want, failure.Details); diff != "" {
		t.Errorf("the fields of the error (-want +got):\n%s", diff)
	}
	a.done("pagerduty.update_incidents", input, object{
		"results": []any{
			object{"id": "Q1", "ok": true, "status": "resolved", "message": ""},
			object{"id": "Q2", "ok": true, "status": "resolved", "message": "it was resolved already"},
		},
		"updated": 2.0, "failed": 0.0,
	})
	a.done("pagerduty.update_incidents", object{"ids": []any{}, "status": "resolved", "from_email": "boss@example.com"},
		object{"results": []any{}, "updated": 0.0, "failed": 0.0})
	sent := fromBoss("PUT /incidents", `{"incidents":[{"id":"Q1","type":"incident_reference","status":"resolved"},{"id":"Q2","type":"incident_reference","status":"resolved"}]}`)
	a.Check(t, sent, sent)
}

// TestUpdateIncidentsFailsHalfway checks that a failure says how many incidents were
// updated before it.
func TestUpdateIncidentsFailsHalfway(t *testing.T) {
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
