package simulator_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

var asAnn = []string{"From", "ann@example.com"}

func TestCreateIncident(t *testing.T) {
	account0 := newCompany(t)
	answer := call(account0, "POST", "/incidents?include[]=services", `{"incident": {
		"type": "incident", "title": "No water", "service": {"id": "PSERV01", "type": "service_reference"},
		"incident_key": "water", "urgency": "low", "body": {"type": "incident_body", "details": "none at all"},
		"assignments": [{"assignee": {"id": "PDAN001", "type": "user_reference"}}]}}`, asAnn...)
	if answer.Code != 201 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	for path, want := range map[string]string{
		"incident.title": `"No water"`, "incident.incident_key": `"water"`, "incident.status": `"triggered"`,
		"incident.urgency": `"low"`, "incident.body.details": `"none at all"`, "incident.service.name": `"Checkout"`,
		"incident.assignments.0.assignee.id": `"PDAN001"`, "incident.incident_number": "3",
		"incident.last_status_change_by.id": `"PANN001"`,
	} {
		if got := pick(t, answer.Body.Bytes(), path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	sendEvent(t, account0, checkoutKey, "resolve", "water", "")
	if got := account0.Incidents()[2]; got.Status != account.Resolved {
		t.Errorf("got %v, want the event to reach it", got)
	}
}

func TestCreateIncidentWithoutKeyOrAssignees(t *testing.T) {
	account := newCompany(t)
	answer := call(account, "POST", "/incidents", `{"incident":{"title":"t","service":{"id":"PSERV01"}}}`, asAnn...)
	if got := pick(t, answer.Body.Bytes(), "incident.assignments.0.assignee.id"); got != `"PBOB001"` {
		t.Errorf("got %s, want who is on call", got)
	}
	if got := account.Incidents()[2].Key; len(got) != 32 {
		t.Errorf("got key %q, want one of 32 characters", got)
	}
}

func TestCreateIncidentRefusals(t *testing.T) {
	base := fields{"title": "t", "service": fields{"id": "PSERV01"}}
	tests := []struct {
		name string
		body fields
		want string
	}{
		{"no title", base.with("title", absent), "Title can't be blank"},
		{"number as title", base.with("title", 1).with("x", 1), "Title must be a string"},
		{"long title", base.with("title", strings.Repeat("é", 1025)), "Title is too long (maximum is 1024 characters)"},
		{"no service", base.with("service", absent), "Service Not Found"},
		{"unknown service", base.with("service", fields{"id": "PNONE"}), "Service Not Found"},
		{"open key", base.with("incident_key", "disk"), "Open incident with matching dedup key already exists on this service"},
		{"long key", base.with("incident_key", strings.Repeat("k", 256)), "Incident key is too long (maximum is 255 characters)"},
		{"status", base.with("status", "resolved"), "Status cannot be set on a new incident"},
		{"bad urgency", base.with("urgency", "medium"), "Urgency must be one of: high low"},
		{"text as body", base.with("body", "x"), "Body must be an object"},
		{"object as assignments", base.with("assignments", fields{}), "Assignments must be an array"},
		{"unknown assignee", base.with("assignments", []fields{{"assignee": fields{"id": "PNONE"}}}), "Assignee Not Found"},
		{"unknown policy", base.with("escalation_policy", fields{"id": "PNONE"}), "Escalation Policy Not Found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := newCompany(t)
			answer := call(account, "POST", "/incidents", encode(t, fields{"incident": test.body}), asAnn...)
			if answer.Code != 400 || !strings.Contains(answer.Body.String(), encode(t, test.want)) {
				t.Errorf("got %d %s, want 400 with %q", answer.Code, answer.Body, test.want)
			}
			if got := len(account.Incidents()); got != 2 {
				t.Errorf("got %d incidents, want the 2 from before", got)
			}
		})
	}
	// The key of a resolved incident can be used again.
	answer := call(newCompany(t), "POST", "/incidents", encode(t, fields{"incident": base.with("incident_key", "fan")}), asAnn...)
	if answer.Code != 201 {
		t.Errorf("got %d %s, want 201", answer.Code, answer.Body)
	}
}

// TestFromIsRequired covers every endpoint that requires a user who acts.
func TestFromIsRequired(t *testing.T) {
	requests := []struct{ method, target, body string }{
		{"POST", "/incidents", `{"incident":{"title":"t","service":{"id":"PSERV01"}}}`},
		{"PUT", "/incidents", `{"incidents":[{"id":"QOPEN01","status":"resolved"}]}`},
		{"PUT", "/incidents/QOPEN01", `{"incident":{"status":"resolved"}}`},
		{"POST", "/incidents/QOPEN01/notes", `{"note":{"content":"c"}}`},
	}
	answers := []struct{ from, want string }{
		{"", `{"error":{"message":"You must specify a user's email address in the \"From\" header to perform this action","code":2016}}`},
		{"nobody", `{"error":{"message":"Malformed \"From\" header","code":1028}}`},
		{"nobody@example.com", `{"error":{"message":"Requester User Not Found","code":1008}}`},
	}
	for _, request := range requests {
		account0 := newCompany(t)
		for _, answer := range answers {
			wantAnswer(t, call(account0, request.method, request.target, request.body, "From", answer.from), 400, answer.want)
		}
		if account0.Incidents()[0].Status != account.Acknowledged {
			t.Errorf("%s %s: a refused request had an effect", request.method, request.target)
		}
		// A user's own key names the user.
		answer := send(account0, request.method, request.target, request.body, "Authorization", "Token token=user-key-0000000001")
		if answer.Code != 200 && answer.Code != 201 {
			t.Errorf("%s %s with a user's key: got %d %s", request.method, request.target, answer.Code, answer.Body)
		}
	}
}

func TestUpdateIncident(t *testing.T) {
	const resolved = `{"error":{"message":"Incident Already Resolved","code":1001}}`
	account := newCompany(t)
	put := func(body string) *httptest.ResponseRecorder {
		return call(account, "PUT", "/incidents/QOPEN01", body, "From", "cat@example.com")
	}
	answer := put(`{"incident":{"type":"incident_reference","title":"Disk is very full","urgency":"high"}}`)
	if got := pick(t, answer.Body.Bytes(), "incident.title"); got != `"Disk is very full"` {
		t.Errorf("got %s", got)
	}
	answer = put(`{"incident":{"assignments":[{"assignee":{"id":"PBOB001"}},{"assignee":{"id":"PBOB001"}}]}}`)
	if got := pick(t, answer.Body.Bytes(), "incident.assignments.#"); got != "1" {
		t.Errorf("got %s assignees, want Bob once", got)
	}
	answer = put(`{"incident":{"status":"resolved"}}`)
	if got := pick(t, answer.Body.Bytes(), "incident.status"); got != `"resolved"` {
		t.Errorf("got %s", answer.Body)
	}
	wantAnswer(t, put(`{"incident":{"status":"resolved"}}`), 400, resolved)
	wantAnswer(t, put(`{"incident":{"status":"acknowledged"}}`), 400, resolved)
	wantAnswer(t, put(`{"incident":{"status":"triggered"}}`), 400, invalidInput(t, "Status must be one of: acknowledged resolved"))
	wantAnswer(t, put(`{}`), 400, `{"error":{"message":"Missing Arguments","code":2003,"errors":["Incident is missing"]}}`)
	var kinds []string
	for _, entry := range account.Incidents()[0].Log {
		kinds = append(kinds, entry.Type)
	}
	if diff := cmp.Diff([]string{"trigger", "acknowledge", "assign", "resolve"}, kinds); diff != "" {
		t.Error(diff)
	}
	sendEvent(t, account, checkoutKey, "trigger", "disk", "again")
	if got := len(account.Incidents()); got != 3 {
		t.Errorf("got %d incidents, want a new one for the resolved key", got)
	}
}

func TestAcknowledgingUserIsAssigned(t *testing.T) {
	account := newCompany(t)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	id := account.Incidents()[2].ID
	answer := call(account, "PUT", "/incidents/"+id, `{"incident":{"status":"acknowledged"}}`, "From", "cat@example.com")
	for path, want := range map[string]string{
		"incident.status": `"acknowledged"`, "incident.assignments.0.assignee.id": `"PCAT001"`,
		"incident.acknowledgements.0.acknowledger.id": `"PCAT001"`, "incident.last_status_change_by.id": `"PCAT001"`,
	} {
		if got := pick(t, answer.Body.Bytes(), path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	answer = call(account, "PUT", "/incidents/"+id, `{"incident":{"status":"acknowledged"}}`, asAnn...)
	if got := pick(t, answer.Body.Bytes(), "incident.assignments.0.assignee.id"); got != `"PCAT001"` {
		t.Errorf("a second acknowledgement changed the assignee to %s", got)
	}
}

func TestUpdateManyIncidents(t *testing.T) {
	account := newCompany(t)
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	id := account.Incidents()[2].ID
	answer := call(account, "PUT", "/incidents", `{"incidents":[
		{"id":"QOPEN01","type":"incident_reference","status":"resolved"},
		{"id":"QDONE01","type":"incident_reference","status":"resolved"},
		{"id":"QNONE","status":"resolved"},
		{"id":"`+id+`","status":"acknowledged"}]}`, asAnn...)
	if answer.Code != 200 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	for path, want := range map[string]string{
		"incidents.#": "4", "incidents.0.status": `"resolved"`, "incidents.1.id": `"QDONE01"`,
		"incidents.1.error.code": "1001", "incidents.2.error.code": "2100", "incidents.3.status": `"acknowledged"`,
	} {
		if got := pick(t, answer.Body.Bytes(), path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	answer = call(account, "PUT", "/incidents", `{"incidents":[{"id":"QDONE01","status":"resolved"}]}`, asAnn...)
	wantAnswer(t, answer, 400, `{"error":{"message":"Incident Already Resolved","code":1001}}`)
	const missing = `{"error":{"message":"Missing Arguments","code":2003,"errors":["Incidents are missing"]}}`
	for _, body := range []string{`{}`, `{"incidents":[]}`, `{"incidents":{}}`} {
		wantAnswer(t, call(account, "PUT", "/incidents", body, asAnn...), 400, missing)
	}
	wantAnswer(t, call(account, "PUT", "/incidents", `[]`, asAnn...), 400, invalidInput(t, "Request body is not a JSON object"))
	many := `{"incidents":[{}` + strings.Repeat(",{}", 250) + `]}`
	wantAnswer(t, call(account, "PUT", "/incidents", many, asAnn...), 413, `{"error":{"message":"Request Entity Too Large","code":2001}}`)
}

func TestNotes(t *testing.T) {
	account := newCompany(t)
	answer := call(account, "POST", "/incidents/QOPEN01/notes", `{"note":{"content":"Looking"}}`, "From", "Bob@Example.com")
	if answer.Code != 201 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	id := pick(t, answer.Body.Bytes(), "note.id")
	list := call(account, "GET", "/incidents/QOPEN01/notes", "").Body.Bytes()
	got := []string{pick(t, list, "notes.#"), pick(t, list, "notes.0.id"), pick(t, list, "notes.0.content"), pick(t, list, "notes.0.user.id")}
	if diff := cmp.Diff([]string{"1", id, `"Looking"`, `"PBOB001"`}, got); diff != "" {
		t.Error(diff)
	}
	log := call(account, "GET", "/incidents/QOPEN01/log_entries", "").Body.Bytes()
	if got := pick(t, log, "log_entries.0.type") + pick(t, log, "log_entries.0.agent.id"); got != `"annotate_log_entry""PBOB001"` {
		t.Errorf("got %s, want Bob's note first", got)
	}
	if notes := account.Incidents()[0].Notes; len(notes) != 1 || notes[0].Content != "Looking" {
		t.Errorf("got %v, want the note", notes)
	}
	for _, body := range []string{`{"note":{}}`, `{"note":{"content":" "}}`, `{"note":{"content":1}}`} {
		wantAnswer(t, call(account, "POST", "/incidents/QOPEN01/notes", body, asAnn...), 400, invalidInput(t, "Content can't be blank"))
	}
}

func TestAlerts(t *testing.T) {
	account := newCompany(t)
	send(account, "POST", pathV2, encode(t, eventV2.with("payload", payload.with("custom_details", fields{"disk": "sda"}))))
	send(account, "POST", pathV2, encode(t, eventV2.with("payload", payload.with("summary", "worse").with("severity", "warning"))))
	target := "/incidents/" + account.Incidents()[2].ID + "/alerts"
	body := call(account, "GET", target, "").Body.Bytes()
	for path, want := range map[string]string{
		"alerts.#": "1", "alerts.0.summary": `"worse"`, "alerts.0.severity": `"warning"`, "alerts.0.alert_key": `"k"`,
		"alerts.0.status": `"triggered"`, "alerts.0.integration.id": `"PINTEG1"`, "alerts.0.service.id": `"PSERV01"`,
	} {
		if got := pick(t, body, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	sendEvent(t, account, checkoutKey, "resolve", "k", "")
	if got := pick(t, call(account, "GET", target, "").Body.Bytes(), "alerts.0.status"); got != `"resolved"` {
		t.Errorf("got %s after the resolution", got)
	}
}

func TestChangeEvents(t *testing.T) {
	const path = "/v2/change/enqueue"
	account := newAccount()
	body := fields{"routing_key": checkoutKey, "payload": fields{"summary": "Deployed 7", "source": "ci"}}
	wantAnswer(t, send(account, "POST", path, encode(t, body)), 202, `{"message":"Change event processed","status":"success"}`)
	got := account.ChangeEvents()
	if len(got) != 1 || got[0].Service != "Checkout" || got[0].Summary != "Deployed 7" || got[0].Source != "ci" {
		t.Errorf("got %v, want the change", got)
	}
	if incidents := account.Incidents(); len(incidents) != 0 {
		t.Errorf("a change opened %v", incidents)
	}
	tests := []struct {
		name string
		body fields
		want string
	}{
		{"no key", body.with("routing_key", absent), "'routing_key' cannot be blank"},
		{"no payload", body.with("payload", absent), "'payload' is missing or blank"},
		{"no summary", body.with("payload", fields{}), "'summary' is missing or blank"},
		{"long summary", body.with("payload", fields{"summary": strings.Repeat("x", 1025)}), "'summary' is too long (maximum is 1024 characters)"},
		{"text as details", body.with("payload", fields{"summary": "s", "custom_details": "x"}), "'custom_details' must be an object"},
		{"link to nowhere", body.with("links", []fields{{}}), "links: a link must have href"},
	}
	for _, test := range tests {
		wantAnswer(t, send(account, "POST", path, encode(t, test.body)), 400, invalid+encode(t, test.want)+"]}")
	}
	wantAnswer(t, send(account, "POST", path, encode(t, body.with("routing_key", unknownKey))), 400, "Invalid routing key")
	wantAnswer(t, send(account, "POST", path, "x"), 400, unrecognized)
}

// TestNotesHaveNoPages: go-pagerduty decodes the answer as an object of lists only.
func TestNotesHaveNoPages(t *testing.T) {
	wantAnswer(t, call(newCompany(t), "GET", "/incidents/QOPEN01/notes?limit=1", ""), 200, `{"notes":[]}`)
}
