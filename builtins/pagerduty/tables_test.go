package pagerduty

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// The tables below are the contract of the seven actions: names, order, types,
// requirements, descriptions and enums. A workflow that was written for them
// keeps working.

var eventOutputRows = [][]string{
	{"status", "string", "False", "Status"},
	{"message", "string", "False", "Message"},
	{"incident_key", "string", "False", "Incident Key"},
}

// changeInputRows are those of an acknowledgement and of a resolution.
var changeInputRows = [][]string{
	{"incident_key", "string", "None", "True", "Incident Key", "None"},
	{"service_key", "string", "None", "False", "Service Key", "None"},
	{"details", "object", "None", "False", "An arbitrary JSON object containing any data you'd like included in the incident log.", "None"},
	{"description", "string", "None", "False", "Text that will appear in the incident's log associated with this event", "None"},
}

var foundOutputRows = [][]string{
	{"found", "boolean", "False", "True if found"},
	{"user", "user", "False", "User"},
}

func TestPagerDutyTables(t *testing.T) {
	tables := []struct {
		name    string
		in, out [][]string
	}{
		{"pagerduty.send_acknowledge_event", changeInputRows, eventOutputRows},
		{
			"pagerduty.create_user",
			[][]string{
				{"email", "string", "None", "True", "Email", "None"},
				{"role", "string", "None", "False", "Role", "['admin', 'limited_user', 'owner', 'read_only_user', 'user']"},
				{"name", "string", "None", "True", "Name", "None"},
				{"from_email", "string", "None", "True", "Email of creating user", "None"},
			},
			[][]string{
				{"user", "user", "False", "User"},
				{"success", "boolean", "False", "True if created"},
			},
		},
		{
			"pagerduty.get_user_by_email",
			[][]string{{"email", "string", "None", "True", "Email", "None"}},
			foundOutputRows,
		},
		{
			"pagerduty.send_trigger_event",
			[][]string{
				{"client_url", "string", "None", "False", "The URL of the monitoring client that is triggering this event", "None"},
				{"client", "string", "None", "False", "The name of the monitoring client that is triggering this event", "None"},
				{"description", "string", "None", "True", "Text that will appear in the incident's log associated with this event", "None"},
				{"contexts", "[]object", "None", "False", "Additional context objects", "None"},
				{"service_key", "string", "None", "False", "Service Key", "None"},
				{"details", "object", "None", "False", "An arbitrary JSON object containing any data you'd like included in the incident log.", "None"},
				// The one addition: without a key of its own a repeat would page twice.
				{"incident_key", "string", "None", "False", "Incident Key; derived from the run when absent, so that a repeat joins the same incident", "None"},
			},
			eventOutputRows,
		},
		{
			"pagerduty.delete_user_by_id",
			[][]string{{"id", "string", "None", "True", "User ID", "None"}},
			[][]string{
				{"user", "user", "False", "User"},
				{"success", "boolean", "False", "True if deleted"},
			},
		},
		{"pagerduty.send_resolve_event", changeInputRows, eventOutputRows},
		{
			"pagerduty.get_user_by_id",
			[][]string{{"id", "string", "None", "True", "User ID", "None"}},
			foundOutputRows,
		},
	}
	catalog, err := action.NewCatalog(withoutAccount...)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		a, ok := catalog.Lookup(table.name)
		if !ok {
			t.Errorf("there is no %s", table.name)
			continue
		}
		if diff := cmp.Diff(table.in, a.In.InputRows()); diff != "" {
			t.Errorf("%s: input (-want +got):\n%s", table.name, diff)
		}
		if diff := cmp.Diff(table.out, a.Out.OutputRows()); diff != "" {
			t.Errorf("%s: output (-want +got):\n%s", table.name, diff)
		}
	}
}

// TestRepeats checks what a repeat of each kind of call does: what a retry gets again,
// what may be sent late, and what is known of the output.
func TestRepeats(t *testing.T) {
	trigger := object{"description": "d", "service_key": testServiceKey}
	ownKey := object{"description": "d", "service_key": testServiceKey, "incident_key": "k"}
	key := object{"incident_key": "k", "service_key": testServiceKey}
	known := func(key string) object { return object{"incident_key": key, "status": "success"} }
	note := object{"note": object{"content": "x"}}
	actiontest.CheckRepeats(t, withoutAccount, []actiontest.Repeat{
		{Action: "pagerduty.send_trigger_event", Input: trigger, Effect: action.Keyed, Memoized: true, Known: known("derived")},
		{Action: "pagerduty.send_trigger_event", Input: ownKey, Effect: action.Keyed, Memoized: true, ResendLate: true, Known: known("k")},
		{Action: "pagerduty.send_acknowledge_event", Input: key, Effect: action.Repeats, Memoized: true, Known: known("k")},
		{Action: "pagerduty.send_resolve_event", Input: key, Effect: action.Repeats, Memoized: true, Known: known("k")},
		{Action: "pagerduty.get_user_by_id", Input: object{"id": "P1"}, Effect: action.Reads, ResendLate: true, Known: object{}},
		{Action: "pagerduty.delete_user_by_id", Input: object{"id": "P1"}, Effect: action.Reconciled, Memoized: true, ResendLate: true, Known: object{}},
		{Action: "pagerduty.list_users", Input: object{}, Effect: action.Reads, ResendLate: true, Known: object{}},
		{Action: "pagerduty.update_user", Input: object{"id": "P1", "name": "Ann"}, Effect: action.Repeats, Memoized: true, Known: object{}},
		{Action: "pagerduty.get_incident", Input: object{"id": "Q1"}, Effect: action.Reads, ResendLate: true, Known: object{}},
		{Action: "pagerduty.list_incidents", Input: object{}, Effect: action.Reads, ResendLate: true, Known: object{}},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": "x"}, Effect: action.Once, Memoized: true, ResendLate: true, Known: note},
		{Action: "pagerduty.add_incident_note", Input: object{"id": "Q1", "content": "x", "idempotent": true}, Effect: action.Repeats, Memoized: true, ResendLate: true, Known: note},
		{Action: "pagerduty.update_incidents", Input: object{"ids": []any{"Q1"}, "status": "resolved"}, Effect: action.Repeats, Memoized: true, Known: object{
			"results": []any{object{"id": "Q1", "ok": true, "status": "resolved", "message": ""}}, "updated": 1.0, "failed": 0.0,
		}},
		{Action: "pagerduty.get_on_call", Input: object{}, Effect: action.Reads, ResendLate: true, Known: object{}},
		{Action: "pagerduty.send_change_event", Input: object{"summary": "x"}, Effect: action.Once, Memoized: true, ResendLate: true, Known: object{"status": "success"}},
		{Action: "pagerduty.send_change_event", Input: object{"summary": "x", "idempotent": true}, Effect: action.Repeats, Memoized: true, ResendLate: true, Known: object{"status": "success"}},
	})
}

// TestEveryActionIsListed checks that workflows permit the actions by name, and that the
// secrets of service keys are bound by the name of the input.
func TestEveryActionIsListed(t *testing.T) {
	catalog, err := action.NewCatalog(withoutAccount...)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range catalog.All() {
		if !a.Listed() || a.Guarded && !a.Effect.Writes() {
			t.Errorf("%s: got listed %v, guarded %v with the effect %s", a.Name, a.Listed(), a.Guarded, a.Effect)
		}
	}
	if diff := cmp.Diff([]string{"service_key"}, catalog.Places()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}
