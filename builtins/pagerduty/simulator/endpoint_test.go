package simulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// company is a state with at least one resource of each kind.
const company = `{
	"account": {"subdomain": "acme", "region": "eu"},
	"tokens": [
		{"key": "account-key-00000001"},
		{"key": "user-key-0000000001", "kind": "user", "user": "ann@example.com"},
		{"key": "reader-key-00000001", "kind": "read_only"},
		{"key": "oauth-key-000000001", "kind": "oauth"}
	],
	"users": [
		{"id": "PANN001", "name": "Ann", "email": "ann@example.com"},
		{"id": "PBOB001", "name": "Bob", "email": "bob@example.com"},
		{"id": "PCAT001", "name": "Cat", "email": "cat@example.com"},
		{"id": "PDAN001", "name": "Dan", "email": "dan@example.com", "role": "read_only_user"}
	],
	"schedules": [{"id": "PSCHED1", "name": "Primary", "time_zone": "Europe/Berlin", "users": ["bob@example.com", "PANN001"]}],
	"escalation_policies": [{"id": "PPOLICY", "name": "Database", "rules": [
		{"delay_minutes": 15, "schedules": ["Primary"]},
		{"users": ["cat@example.com"]}
	]}],
	"services": [{"id": "PSERV01", "name": "Checkout", "integrations": [
		{"id": "PINTEG1", "name": "Prometheus", "key": "0123456789abcdef0123456789abcdef"},
		{"id": "PINTEG2", "key": "fedcba9876543210fedcba9876543210", "accepts": "v1"},
		{"id": "PINTEG3", "key": "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb", "accepts": "v2"}
	]}],
	"incidents": [
		{"id": "QOPEN01", "key": "disk", "service": "Checkout", "title": "Disk is full", "status": "acknowledged", "urgency": "low", "assignees": ["ann@example.com"], "created_at": "2026-02-01T10:00:00Z"},
		{"id": "QDONE01", "key": "fan", "service": "PSERV01", "title": "Fan is loud", "status": "resolved", "created_at": "2026-01-01T10:00:00Z"}
	]
}`

func newCompany(t *testing.T, options ...simulator.Option) *simulator.Simulator {
	t.Helper()
	state, err := account.ParseState([]byte(company))
	if err != nil {
		t.Fatal(err)
	}
	account := simulator.New(append([]simulator.Option{simulator.WithState(state)}, options...)...)
	t.Cleanup(account.Close)
	return account
}

// pick returns, as JSON, the value at a path such as "users.0.name" of a JSON document.
func pick(t *testing.T, document []byte, path string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	for _, step := range strings.Split(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i := strings.Index("0123456789", step)
			if step == "#" {
				value = len(v)
				continue
			}
			if i < 0 || i >= len(v) {
				t.Fatalf("%s is not in %s", path, document)
			}
			value = v[i]
		default:
			t.Fatalf("%s is not in %s", path, document)
		}
	}
	return encode(t, value)
}

// TestReadEndpoints reads every endpoint. The expectations alternate: a path in the answer,
// then the value at that path.
func TestReadEndpoints(t *testing.T) {
	tests := []struct {
		target string
		want   []string
	}{
		{"/abilities", []string{"abilities.0", `"permissions_service"`}},
		{"/users", []string{
			"users.#", "4", "users.0.self", `"https://api.eu.pagerduty.com/users/PANN001"`,
			"users.0.html_url", `"https://acme.eu.pagerduty.com/users/PANN001"`,
		}},
		{"/users/PANN001/contact_methods", []string{
			"contact_methods.#", "1", "contact_methods.0.address", `"ann@example.com"`,
			"contact_methods.0.type", `"email_contact_method"`, "more", "false",
		}},
		{"/users/PANN001/notification_rules", []string{
			"notification_rules.#", "2", "notification_rules.1.urgency", `"low"`,
			"notification_rules.0.contact_method.type", `"email_contact_method_reference"`, "more", "false",
		}},
		{"/users/PANN001/notification_rules?limit=1&total=true", []string{
			"notification_rules.#", "1", "more", "true", "total", "2", "limit", "1",
		}},
		{"/services?query=check", []string{
			"services.#", "1", "services.0.escalation_policy.id", `"PPOLICY"`, "services.0.integrations.#", "3",
			"services.0.integrations.0.type", `"events_api_v2_inbound_integration_reference"`,
		}},
		{"/services/PSERV01?include[]=integrations", []string{
			"service.integrations.1.integration_key", `"fedcba9876543210fedcba9876543210"`,
			"service.integrations.1.type", `"generic_events_api_inbound_integration"`,
		}},
		{"/services/PSERV01/integrations/PINTEG1", []string{
			"integration.name", `"Prometheus"`, "integration.integration_key", `"0123456789abcdef0123456789abcdef"`,
			"integration.service.id", `"PSERV01"`,
		}},
		{"/schedules", []string{"schedules.#", "1", "schedules.0.name", `"Primary"`}},
		{"/schedules?query=second", []string{"schedules.#", "0"}},
		{"/schedules/PSCHED1", []string{
			"schedule.users.0.id", `"PBOB001"`, "schedule.users.1.summary", `"Ann"`, "schedule.time_zone", `"Europe/Berlin"`,
			"schedule.escalation_policies.0.id", `"PPOLICY"`,
		}},
		{"/escalation_policies?query=DATA", []string{"escalation_policies.#", "1"}},
		{"/escalation_policies?user_ids[]=PCAT001", []string{"escalation_policies.#", "1"}},
		{"/escalation_policies?user_ids[]=PANN001", []string{"escalation_policies.#", "0"}},
		{"/users?team_ids[]=PTEAM", []string{"users.#", "0"}},
		{"/incidents?team_ids[]=PTEAM", []string{"incidents.#", "0"}},
		{"/escalation_policies/PPOLICY", []string{
			"escalation_policy.escalation_rules.0.escalation_delay_in_minutes", "15",
			"escalation_policy.escalation_rules.0.targets.0.type", `"schedule_reference"`,
			"escalation_policy.escalation_rules.1.escalation_delay_in_minutes", "30",
			"escalation_policy.escalation_rules.1.targets.0.id", `"PCAT001"`,
			"escalation_policy.services.0.id", `"PSERV01"`,
		}},
		{"/escalation_policies/PPOLICY?include[]=targets", []string{
			"escalation_policy.escalation_rules.1.targets.0.email", `"cat@example.com"`,
		}},
		{"/oncalls", []string{
			"oncalls.#", "2", "oncalls.0.user.summary", `"Bob"`, "oncalls.0.schedule.id", `"PSCHED1"`,
			"oncalls.0.escalation_level", "1", "oncalls.1.user.id", `"PCAT001"`, "oncalls.1.schedule", "null",
			"oncalls.1.start", "null", "more", "false",
		}},
		{"/oncalls?user_ids[]=PCAT001", []string{"oncalls.#", "1", "oncalls.0.escalation_level", "2"}},
		{"/oncalls?schedule_ids[]=PSCHED1&escalation_policy_ids[]=PPOLICY", []string{"oncalls.#", "1"}},
		{"/oncalls?escalation_policy_ids[]=PNONE", []string{"oncalls.#", "0"}},
		{"/oncalls?include[]=users&include[]=escalation_policies", []string{
			"oncalls.0.user.email", `"bob@example.com"`, "oncalls.0.escalation_policy.name", `"Database"`,
		}},
		{"/incidents", []string{"incidents.#", "2", "incidents.0.id", `"QOPEN01"`}},
		{"/incidents?user_ids[]=PANN001", []string{"incidents.#", "1", "incidents.0.id", `"QOPEN01"`}},
		{"/incidents?urgencies[]=high", []string{"incidents.#", "1", "incidents.0.id", `"QDONE01"`}},
		{"/incidents?since=2026-01-15", []string{"incidents.#", "1", "incidents.0.id", `"QOPEN01"`}},
		{"/incidents?until=2026-01-15T00:00:00Z", []string{"incidents.#", "1", "incidents.0.id", `"QDONE01"`}},
		{"/incidents/QOPEN01", []string{
			"incident.urgency", `"low"`, "incident.assignments.0.assignee.id", `"PANN001"`,
			"incident.service.type", `"service_reference"`, "incident.escalation_policy.summary", `"Database"`,
			"incident.first_trigger_log_entry.type", `"trigger_log_entry_reference"`, "incident.resolved_at", "null",
		}},
		{"/incidents/QDONE01", []string{"incident.resolved_at", `"2026-01-01T10:00:00Z"`, "incident.assignments.#", "0"}},
		{"/incidents/QOPEN01?include[]=services&include[]=assignees&include[]=first_trigger_log_entries&include[]=escalation_policies", []string{
			"incident.service.name", `"Checkout"`, "incident.assignments.0.assignee.email", `"ann@example.com"`,
			"incident.first_trigger_log_entry.channel.summary", `"Disk is full"`, "incident.escalation_policy.name", `"Database"`,
		}},
		{"/incidents/QOPEN01/alerts", []string{"alerts.#", "0", "more", "false"}},
		{"/incidents/QOPEN01/log_entries", []string{
			"log_entries.#", "2", "log_entries.0.type", `"acknowledge_log_entry"`, "log_entries.1.type", `"trigger_log_entry"`,
		}},
		{"/incidents/QOPEN01/notes", []string{"notes.#", "0"}},
		{"/webhook_subscriptions", []string{"webhook_subscriptions.#", "0", "more", "false"}},
	}
	account := newCompany(t)
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			answer := call(account, "GET", test.target, "")
			if answer.Code != http.StatusOK {
				t.Fatalf("got %d %s", answer.Code, answer.Body)
			}
			for i := 0; i < len(test.want); i += 2 {
				if got := pick(t, answer.Body.Bytes(), test.want[i]); got != test.want[i+1] {
					t.Errorf("%s: got %s, want %s", test.want[i], got, test.want[i+1])
				}
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	account := newCompany(t)
	for _, target := range []string{
		"/users/PNONE", "/users/PNONE/contact_methods", "/users/PNONE/notification_rules", "/services/PNONE",
		"/services/PNONE/integrations/PINTEG1", "/services/PSERV01/integrations/PNONE", "/schedules/PNONE",
		"/escalation_policies/PNONE", "/incidents/QNONE", "/incidents/QNONE/alerts", "/incidents/QNONE/log_entries",
		"/incidents/QNONE/notes", "/webhook_subscriptions/PNONE",
	} {
		wantAnswer(t, call(account, "GET", target, ""), 404, notFound)
	}
	for _, target := range []string{"/incidents/QNONE/notes", "/webhook_subscriptions/PNONE/ping", "/webhook_subscriptions/PNONE/enable"} {
		wantAnswer(t, call(account, "POST", target, `{}`, "From", "ann@example.com"), 404, notFound)
	}
	wantAnswer(t, call(account, "DELETE", "/webhook_subscriptions/PNONE", ""), 404, notFound)
}

func TestEveryListRefusesPagesBeyondTheEnd(t *testing.T) {
	account := newCompany(t)
	for _, path := range []string{
		"/users", "/incidents", "/services", "/schedules", "/escalation_policies", "/oncalls", "/webhook_subscriptions",
		"/users/PANN001/contact_methods", "/users/PANN001/notification_rules",
		"/incidents/QOPEN01/alerts", "/incidents/QOPEN01/log_entries",
	} {
		wantAnswer(t, call(account, "GET", path+"?offset=9990&limit=11", ""), 400,
			invalidInput(t, "Offset and limit must not exceed 10000 together"))
		if answer := call(account, "GET", path+"?offset=9990&limit=10", ""); answer.Code != 200 {
			t.Errorf("%s: got %d at the end, want 200", path, answer.Code)
		}
	}
}

func TestTokenKinds(t *testing.T) {
	const (
		denied  = `{"error":{"message":"Access Denied","code":2010}}`
		refused = `{"error":{"message":"Authentication failed","code":2006}}`
		eve     = `{"user":{"name":"Eve","email":"eve@example.com"}}`
	)
	tests := []struct {
		authorization, method, target, body string
		status                              int
		answer                              string // when it matters
	}{
		{"Token token=user-key-0000000001", "GET", "/users/me", "", 200, ""},
		{"Token token=user-key-0000000001", "POST", "/users", eve, 201, ""},
		{"Token token=reader-key-00000001", "GET", "/users", "", 200, ""},
		{"Token token=reader-key-00000001", "POST", "/users", eve, 403, denied},
		{"Token token=reader-key-00000001", "DELETE", "/users/PANN001", "", 403, denied},
		{"Token token=reader-key-00000001", "GET", "/users/me", "", 400, ""},
		{"Bearer oauth-key-000000001", "GET", "/users", "", 200, ""},
		{"Bearer oauth-key-000000001", "POST", "/users", eve, 201, ""},
		{"Token token=oauth-key-000000001", "GET", "/users", "", 401, refused},
		{"Token token=dans-key-0000000001", "GET", "/users", "", 200, ""},
		{"Token token=dans-key-0000000001", "POST", "/users", eve, 403, denied},
	}
	for _, test := range tests {
		account := newCompany(t, simulator.WithUserKey("dans-key-0000000001", "PDAN001"))
		answer := send(account, test.method, test.target, test.body, "Authorization", test.authorization)
		if answer.Code != test.status {
			t.Errorf("%s %s as %s: got %d %s, want %d", test.method, test.target, test.authorization, answer.Code, answer.Body, test.status)
		}
		if test.answer != "" && answer.Body.String() != test.answer {
			t.Errorf("%s as %s: got %s, want %s", test.target, test.authorization, answer.Body, test.answer)
		}
	}
}

func TestIntegrationKeysHaveVersions(t *testing.T) {
	const v1Only, v2Only = "fedcba9876543210fedcba9876543210", "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb"
	account0 := newCompany(t)
	sendEvent(t, account0, v1Only, "trigger", "one", "d")
	if answer := send(account0, "POST", pathV2, encode(t, eventV2.with("routing_key", v2Only))); answer.Code != 202 {
		t.Errorf("got %d %s, want 202", answer.Code, answer.Body)
	}
	wantAnswer(t, send(account0, "POST", pathV2, encode(t, eventV2.with("routing_key", v1Only))), 400, "Invalid routing key")
	wantAnswer(t, send(account0, "POST", pathV1, encode(t, fields{"service_key": v2Only, "event_type": "trigger", "description": "d"})),
		400, invalid+`"Service key is not registered"]}`)
	// Both keys reach the same service, so both events report the same problem.
	sendEvent(t, account0, checkoutKey, "resolve", "one", "")
	if got := account0.Incidents()[2]; got.Key != "one" || got.Status != account.Resolved {
		t.Errorf("got %v, want it resolved", got)
	}
}

func TestAbilities(t *testing.T) {
	state := account.State{Account: account.StateAccount{Abilities: []string{"teams"}}}
	account := newAccount(simulator.WithState(state))
	const without = `{"error":{"message":"Missing Account Ability","code":2014,"errors":["Account does not have the read_only_users ability"]}}`
	body := `{"user":{"name":"Eve","email":"eve@example.com","role":"read_only_user"}}`
	wantAnswer(t, call(account, "POST", "/users", body), 402, without)
	wantAnswer(t, call(account, "PUT", "/users/"+account.Users()[0].ID, body), 402, without)
	wantAnswer(t, call(account, "GET", "/abilities", ""), 200, `{"abilities":["teams"]}`)
	wantAnswer(t, call(account, "GET", "/abilities/teams", ""), 204, "")
	wantAnswer(t, call(account, "GET", "/abilities/read_only_users", ""), 402, without)
}

func TestDeletionNamesItsBlockers(t *testing.T) {
	tests := []struct {
		id   string
		want []string
	}{
		{"PANN001", []string{
			"User cannot be deleted as they have open incidents assigned: QOPEN01",
			"User cannot be deleted as they are on schedules: Primary (PSCHED1)",
		}},
		{"PCAT001", []string{"User cannot be deleted as they belong to escalation policies: Database (PPOLICY)"}},
	}
	account := newCompany(t)
	for _, test := range tests {
		answer := call(account, "DELETE", "/users/"+test.id, "")
		wantAnswer(t, answer, 400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":`+encode(t, test.want)+`}}`)
	}
	wantAnswer(t, call(account, "DELETE", "/users/PDAN001", ""), 204, "")
	if got := len(account.Users()); got != 3 {
		t.Errorf("got %d users, want 3", got)
	}
}

func TestListedOnCallsReplaceDerivedOnes(t *testing.T) {
	early, late := start.AddDate(0, 0, -1), start.AddDate(0, 0, 1)
	state := account.State{
		Users: []account.User{
			{ID: "PANN001", Name: "Ann", Email: "ann@example.com"},
			{ID: "PBOB001", Name: "Bob", Email: "bob@example.com"},
			{ID: "PCAT001", Name: "Cat", Email: "cat@example.com"},
		},
		OnCalls: []account.OnCall{
			{User: "PANN001", EscalationPolicy: "Default", Level: 2},
			{User: "PBOB001", EscalationPolicy: "Default", End: &early},
			{User: "PCAT001", EscalationPolicy: "Default", Start: &early, End: &late},
		},
	}
	clock := newManualClock()
	account := newAccount(append(clock.options(), simulator.WithState(state))...)
	answer := call(account, "GET", "/oncalls", "").Body.Bytes()
	got := []string{pick(t, answer, "oncalls.0.user.id"), pick(t, answer, "oncalls.1.user.id"), pick(t, answer, "oncalls.1.end")}
	if diff := cmp.Diff([]string{`"PANN001"`, `"PCAT001"`, `"2026-03-02T09:00:00Z"`}, got); diff != "" {
		t.Error(diff)
	}
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	answer = call(account, "GET", "/incidents", "").Body.Bytes()
	if got := pick(t, answer, "incidents.0.assignments.0.assignee.id"); got != `"PCAT001"` {
		t.Errorf("got %s, want who is on call at the lowest level", got)
	}
	clock.advance(48 * 60 * 60 * 1e9)
	sendEvent(t, account, checkoutKey, "trigger", "l", "d")
	answer = call(account, "GET", "/incidents", "").Body.Bytes()
	if got := pick(t, answer, "incidents.1.assignments.0.assignee.id"); got != `"PANN001"` {
		t.Errorf("got %s, want the next level", got)
	}
}
