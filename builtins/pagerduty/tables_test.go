package pagerduty

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
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

func TestPagerDutyEffects(t *testing.T) {
	type effect struct {
		Effect  action.Effect
		Guarded bool
	}
	want := map[string]effect{
		"send_trigger_event":     {Effect: action.Keyed},
		"send_acknowledge_event": {Effect: action.Repeats},
		"send_resolve_event":     {Effect: action.Repeats},
		"get_user_by_email":      {Effect: action.Reads},
		"get_user_by_id":         {Effect: action.Reads},
		"create_user":            {Effect: action.Reconciled, Guarded: true},
		"delete_user_by_id":      {Effect: action.Reconciled, Guarded: true},
		"get_incident":           {Effect: action.Reads},
		"list_incidents":         {Effect: action.Reads},
		"add_incident_note":      {Effect: action.Once},
		"update_incidents":       {Effect: action.Repeats, Guarded: true},
		"get_on_call":            {Effect: action.Reads},
		"list_users":             {Effect: action.Reads},
		"update_user":            {Effect: action.Repeats, Guarded: true},
		"send_change_event":      {Effect: action.Once},
	}
	got := map[string]effect{}
	for _, a := range withoutAccount {
		if a.Module() == "pagerduty" {
			got[a.Function()] = effect{Effect: a.Effect, Guarded: a.Guarded}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

// TestUserHasElevenTextFields: scripts read any of them without asking first.
func TestUserHasElevenTextFields(t *testing.T) {
	catalog, err := action.NewCatalog(withoutAccount...)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := catalog.Lookup("pagerduty.get_user_by_id")
	field, _ := a.Out.Field("user")
	want := []string{
		"id", "self", "name", "email", "summary", "color", "description", "job_title", "avatar_url", "time_zone", "role",
	}
	if diff := cmp.Diff(want, field.Type.Fields.Names()); diff != "" {
		t.Errorf("fields of a user (-want +got):\n%s", diff)
	}
	for _, f := range field.Type.Fields.Fields {
		if f.Type.Name != action.StringType {
			t.Errorf("%s is a %s, want text", f.Name, f.Type)
		}
	}
}
