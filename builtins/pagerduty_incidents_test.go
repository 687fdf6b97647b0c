package builtins

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
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
func fromBoss(line, body string) seen {
	return seen{Line: line, Body: body, Header: map[string]string{"Authorization": "Token token=" + testAPIKey, "From": "boss@example.com"}}
}

func TestIncidentActions(t *testing.T) {
	a := newAccount(t, answer(200, `{"incident":`+incidentJSON+`}`), missing, answer(200, `{"incidents":[`+incidentJSON+`],"more":false}`))
	a.done("pagerduty.get_incident", object{"id": "Q1"}, object{"found": true, "incident": incidentObject()})
	a.done("pagerduty.get_incident", object{"id": "Q2"}, object{"found": false, "incident": noIncident()})
	a.done("pagerduty.list_incidents", object{"incident_key": "db1", "statuses": []any{"triggered"}, "service_ids": []any{"PS1"}},
		object{"incidents": []any{incidentObject()}, "more": false})
	a.check(t, rest("GET /incidents/Q1"), rest("GET /incidents/Q2"),
		rest("GET /incidents?date_range=all&incident_key=db1&limit=100&offset=0&service_ids%5B%5D=PS1&statuses%5B%5D=triggered"))
}

func TestAddIncidentNote(t *testing.T) {
	a := newAccount(t, answer(201, `{"note":{"id":"PN1","content":"cleaned","created_at":"2026-01-31T09:00:00Z"}}`), hangUp)
	input := object{"id": "Q1", "content": "cleaned", "from_email": "boss@example.com"}
	a.done("pagerduty.add_incident_note", input, object{"note": object{"id": "PN1", "content": "cleaned", "created_at": "2026-01-31T09:00:00Z"}})
	_, err := call(a.config, nil, "pagerduty.add_incident_note", input)
	if failure := checkError(t, "a lost answer", err, action.Unavailable, "broke before it answered"); !failure.Ambiguous {
		t.Error("a lost answer: got a known outcome")
	}
	sent := fromBoss("POST /incidents/Q1/notes", `{"note":{"content":"cleaned"}}`)
	a.check(t, sent, sent)
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
	a.check(t, fromBoss("PUT /incidents", `{"incidents":[{"id":"Q1","type":"incident_reference","status":"resolved"},{"id":"Q2","type":"incident_reference","status":"resolved"}]}`))
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
	checkError(t, "a refusal after the first batch", err, action.Forbidden, "250 of 251 incidents were dealt with before")
}

// TestMoreRepeats is what a repeat of each kind of call does.
func TestMoreRepeats(t *testing.T) {
	note := object{"id": "Q1", "content": "x"}
	for _, test := range []struct {
		action           string
		input            object
		effect           action.Effect
		recall, harmless bool
		output           object
	}{
		{"pagerduty.get_incident", object{"id": "Q1"}, action.Reads, false, true, object{}},
		{"pagerduty.list_incidents", object{}, action.Reads, false, true, object{}},
		{"pagerduty.get_on_call", object{}, action.Reads, false, true, object{}},
		{"pagerduty.list_users", object{}, action.Reads, false, true, object{}},
		{"pagerduty.update_user", object{"id": "P1", "name": "Ann"}, action.Repeats, true, false, object{}},
		{"pagerduty.update_incidents", object{"ids": []any{"Q1"}, "status": "resolved"}, action.Repeats, true, false, object{
			"results": []any{object{"id": "Q1", "ok": true, "status": "resolved", "message": ""}}, "updated": 1.0, "failed": 0.0,
		}},
		{"pagerduty.add_incident_note", note, action.Once, true, true, object{"note": object{"content": "x"}}},
		{"pagerduty.add_incident_note", object{"id": "Q1", "content": "x", "idempotent": true}, action.Repeats, true, true, object{"note": object{"content": "x"}}},
		{"pagerduty.send_change_event", object{"summary": "x"}, action.Once, true, true, object{"status": "success"}},
		{"pagerduty.send_change_event", object{"summary": "x", "idempotent": true}, action.Repeats, true, true, object{"status": "success"}},
	} {
		invocation, err := prepare(Config{}, test.action, test.input)
		if err != nil {
			t.Errorf("%s: %v", test.action, err)
			continue
		}
		if invocation.Effect() != test.effect || invocation.Recall() != test.recall || invocation.HarmlessLate() != test.harmless {
			t.Errorf("%s: got %s, recall %v, harmless late %v, want %s, %v, %v", test.action,
				invocation.Effect(), invocation.Recall(), invocation.HarmlessLate(), test.effect, test.recall, test.harmless)
		}
		if diff := cmp.Diff(action.Object(test.output), invocation.KnownOutput()); diff != "" {
			t.Errorf("%s: what is known of the output (-want +got):\n%s", test.action, diff)
		}
	}
}

// TestMoreRefusals: an account without answers fails the test when it is asked
// anything.
func TestMoreRefusals(t *testing.T) {
	a := newAccount(t)
	runRows(t, a.config, nil, []row{
		{action: "pagerduty.get_incident", input: object{"id": "db1"}, kind: action.InvalidInput, says: "an incident_key is not an id"},
		{action: "pagerduty.list_incidents", input: object{"statuses": []any{"open"}}, kind: action.InvalidInput, says: `there is no status "open"`},
		{action: "pagerduty.list_incidents", input: object{"limit": 0.0}, kind: action.InvalidInput, says: `"limit" must be from 1 to 10000`},
		{action: "pagerduty.list_users", input: object{"limit": 10_001.0}, kind: action.InvalidInput, says: `"limit" must be from 1 to 10000`},
		{action: "pagerduty.list_users", input: object{"team_ids": []any{"ops"}}, kind: action.InvalidInput, says: "is not the id of a team"},
		{action: "pagerduty.get_on_call", input: object{"schedule_ids": []any{"x"}}, kind: action.InvalidInput, says: "is not the id of a schedule"},
		{action: "pagerduty.get_on_call", input: object{"limit": -1.0}, kind: action.InvalidInput, says: `"limit"`},
		{action: "pagerduty.add_incident_note", input: object{"id": "Q1", "content": " "}, kind: action.InvalidInput, says: "is empty"},
		{action: "pagerduty.add_incident_note", input: object{"id": "Q1", "content": "x", "from_email": "boss"}, kind: action.InvalidInput, says: `"from_email"`},
		{action: "pagerduty.add_incident_note", input: object{"id": "Q1", "content": "x"}, kind: action.InvalidInput, says: "PAGERDUTY_FROM_EMAIL"},
		{action: "pagerduty.update_incidents", input: object{"ids": []any{"Q1"}, "status": "triggered"}, kind: action.InvalidInput, says: "triggered"},
		{action: "pagerduty.update_incidents", input: object{"ids": []any{"q1"}, "status": "resolved"}, kind: action.InvalidInput, says: "is not the id of an incident"},
		{action: "pagerduty.update_incidents", input: object{"ids": []any{"Q1"}, "status": "resolved", "from_email": "boss"}, kind: action.InvalidInput, says: `"from_email"`},
		{action: "pagerduty.update_user", input: object{"id": "P1"}, kind: action.InvalidInput, says: "there is nothing to change"},
		{action: "pagerduty.update_user", input: object{"id": "me", "name": "Ann"}, kind: action.InvalidInput, says: `"me" is not the id of a user`},
		{action: "pagerduty.send_change_event", input: object{"summary": " "}, kind: action.InvalidInput, says: "summary is empty"},
		{action: "pagerduty.send_change_event", input: object{"summary": "x", "service_key": testAPIKey}, kind: action.InvalidInput, says: "looks like a REST API key"},
	})
	a.check(t)
	for name, input := range map[string]object{
		"pagerduty.get_incident": {"id": "Q1"}, "pagerduty.list_incidents": {}, "pagerduty.add_incident_note": {"id": "Q1", "content": "x"},
		"pagerduty.update_incidents": {"ids": []any{"Q1"}, "status": "resolved"}, "pagerduty.get_on_call": {}, "pagerduty.list_users": {},
		"pagerduty.update_user": {"id": "P1", "name": "Ann"}, "pagerduty.send_change_event": {"summary": "x"},
	} {
		_, err := call(Config{}, nil, name, input)
		checkError(t, name, err, action.Unauthorized, "PAGERDUTY_API_KEY")
	}
}

// TestMoreEffects: what is guarded must be listed in a workflow's permissions.
func TestMoreEffects(t *testing.T) {
	guarded := map[string]bool{"update_user": true, "update_incidents": true}
	actions := append(append(pagerdutyIncidents(pagerdutyModule{}), pagerdutyPeople(pagerdutyModule{})...), pagerdutyChange(pagerdutyModule{})...)
	if len(actions) != 8 {
		t.Errorf("got %d actions, want 8", len(actions))
	}
	for _, a := range actions {
		if a.Guarded != guarded[a.Function()] {
			t.Errorf("%s: got guarded %v, want %v", a.Name, a.Guarded, guarded[a.Function()])
		}
	}
}
