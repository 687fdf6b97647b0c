package workflow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

func TestAllowsAction(t *testing.T) {
	l := newLanguage(t)
	for _, test := range []struct {
		permissions string
		action      string
		want        bool
	}{
		{"{}", "pagerduty.get_user_by_id", true},
		{"{}", "pagerduty.send_trigger_event", true},
		{"{}", "pagerduty.create_user", false},
		{"{pagerduty: [create_user]}", "pagerduty.create_user", true},
		{"{pagerduty: [pagerduty.create_user]}", "pagerduty.create_user", true},
		{"{pagerduty: [create_user]}", "pagerduty.send_trigger_event", false},
		{"{pagerduty: []}", "pagerduty.get_user_by_id", false},
		{"{}", "http.get", true}, // by what it reaches
	} {
		parsed, err := workflow.Parse("p.yaml", []byte("permissions: "+test.permissions+"\nsteps: [{uses: uuid.new}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		a, _ := l.catalog.Lookup(test.action)
		if got := parsed.Permissions.AllowsAction(a); got != test.want {
			t.Errorf("%s, %s: got %v, want %v", test.permissions, test.action, got, test.want)
		}
	}
}

// TestSecretBindings proves where the text of a secret may go.
func TestSecretBindings(t *testing.T) {
	parsed, err := workflow.Parse("p.yaml", []byte(`
inputs: {token: {type: string, secret: true, hosts: ["*.example.com"]}}
secrets:
  CHAT: {hosts: [hooks.example.com]}
  KEY: {service_key: true}
steps: [{uses: uuid.new}]
`))
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]string{}
	for _, b := range parsed.Secrets {
		for _, to := range []action.Destination{"hooks.example.com", "a.example.com", "example.org", action.Place("service_key"), action.InProcess} {
			if b.Allows(to) {
				allowed[b.Name] += " " + string(to)
			}
		}
	}
	want := map[string]string{
		"inputs.token": " hooks.example.com a.example.com (process)",
		"CHAT":         " hooks.example.com (process)",
		"KEY":          " (service_key) (process)",
	}
	for name := range want {
		if allowed[name] != want[name] {
			t.Errorf("%s: got%s, want%s", name, allowed[name], want[name])
		}
	}
	if !parsed.Secret("token") || parsed.Secret("other") {
		t.Error("which inputs are secret is wrong")
	}
}

// TestCalls proves which calls a plan shows, and whether they may give an input.
func TestCalls(t *testing.T) {
	plan, err := newLanguage(t).compile("c.yaml", `
steps:
  - id: page
    uses: pagerduty.send_trigger_event
    with: {description: x}
  - id: script
    lua: |
      pagerduty.send_resolve_event{incident_key = "k", service_key = inputs}
      local find = pagerduty.get_user_by_id
      return find{id = "P1"}
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range plan.Calls() {
		given := "no key"
		if c.Gives("service_key") {
			given = "key"
		}
		got = append(got, c.Step+" "+c.Action+" "+given)
	}
	want := "page pagerduty.send_trigger_event no key, script pagerduty.send_resolve_event key, script pagerduty.get_user_by_id key"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

// TestDeclaredByModules proves that a file may list the actions and name the places of
// every module that declares this, and of no other module.
func TestDeclaredByModules(t *testing.T) {
	type input struct {
		Badge action.Credential `json:"badge" doc:"A badge."`
		Order string            `json:"order" doc:"An order."`
	}
	declared := func(s action.Spec) *action.Action {
		return action.New(s, func(context.Context, input) (o input, _ error) { return })
	}
	door := action.Module{Name: "door", Listed: true, Places: []string{"badge"}}
	catalog, err := action.NewCatalog(append(
		door.Declare(declared(action.Spec{Name: "door.open", Effect: action.Keyed, Guarded: true, Key: "order", Joins: "visit"}), declared(action.Spec{Name: "door.look", Effect: action.Reads})),
		declared(action.Spec{Name: "lamp.light", Effect: action.Repeats}),
	)...)
	if err != nil {
		t.Fatal(err)
	}
	l := language{catalog, newLanguage(t).interpreter}
	for name, test := range map[string]struct{ source, want string }{
		"listed":              {"permissions: {door: [open]}\nsteps: [{uses: door.open}]", ""},
		"listed with module":  {"permissions: {door: [door.open]}\nsteps: [{uses: door.open}]", ""},
		"not listed":          {"steps: [{uses: door.open}]", "d.yaml:1:16: the workflow may not call door.open (add it: permissions: {door: [open]})"},
		"narrowed":            {"permissions: {door: [open]}\nsteps: [{uses: door.look}]", "d.yaml:2:16: the workflow may not call door.look (add it: permissions: {door: [open, look]})"},
		"unknown function":    {"permissions: {door: [opne]}\nsteps: [{uses: lamp.light}]", `d.yaml:1:22: there is no action door.opne (did you mean "open"?)`},
		"module not listed":   {"permissions: {lamp: [light]}\nsteps: [{uses: lamp.light}]", `d.yaml:1:15: permissions has no key "lamp" (known: door, http, net)`},
		"unknown module":      {"permissions: {dor: 5}\nsteps: [{uses: lamp.light}]", `d.yaml:1:15: permissions has no key "dor" (did you mean "door"?)`},
		"no list":             {"permissions: {door: 5}\nsteps: [{uses: lamp.light}]", "d.yaml:1:21: permissions.door must be a list, got the number 5"},
		"bound":               {"secrets: {A: {badge: true}}\nsteps: [{uses: lamp.light}]", ""},
		"not bound":           {"secrets: {A: {badge: false}}\nsteps: [{uses: lamp.light}]", "d.yaml:1:11: the secret A is bound to nothing, so nothing could use it (add `hosts: [hooks.example.com]` or `badge: true`; its text comes from the environment, never from here)"},
		"not a place":         {"secrets: {A: {code: true}}\nsteps: [{uses: lamp.light}]", `d.yaml:1:15: the secret A has no key "code" (known: hosts, badge)`},
		"bound to a text":     {"secrets: {A: {badge: yes}}\nsteps: [{uses: lamp.light}]", `d.yaml:1:22: badge must be true or false, got the text "yes" (write true)`},
		"input is not secret": {"inputs: {a: {badge: true}}\nsteps: [{uses: lamp.light}]", "d.yaml:1:10: the input a is bound to badge, and only secrets can be bound (add `secret: true`)"},
		"literal":             {"steps: [{uses: lamp.light, with: {badge: x}}]", "d.yaml:1:42: \"badge\" holds a key in the file itself (declare `secrets: {NAME: {badge: true}}` and give secrets.NAME; its text comes from the environment)"},
		"unknown action":      {"steps: [{uses: xyz}]", `d.yaml:1:16: there is no action "xyz" (the modules are: door, lamp)`},
	} {
		plan, err := l.compile("d.yaml", test.source)
		if got := fmt.Sprint(err); got != test.want && (test.want != "" || err != nil) {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		if plan != nil && len(plan.Warnings) > 0 {
			t.Errorf("%s: got %v", name, plan.Warnings)
		}
	}
	plan, err := l.compile("d.yaml", "schedule: '@daily'\npermissions: {door: [open]}\nsteps: [{uses: door.open}]")
	if err != nil {
		t.Fatal(err)
	}
	want := "d.yaml:3:16: warning: without order every run of the schedule opens another visit (add what it is about to `with`, such as order: disk-db1)"
	if diff := cmp.Diff(want, plan.Warnings.Error()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
