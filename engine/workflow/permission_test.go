package workflow_test

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

func TestAllowsTarget(t *testing.T) {
	parsed, err := workflow.Parse("p.yaml", []byte(`
inputs: {url: {type: string}, host: {type: string}, port: {type: integer}}
permissions:
  http: ["https://hooks.example.com", "http://127.0.0.1:8080", "*.wild.example.com:443", "https://any.example.com:*", inputs.url]
  net: ["db.example.com:5432", "all.example.com:*", "[::1]:22", "names.example.com", "inputs.host:inputs.port"]
steps: [{uses: uuid.new}]
`))
	if err != nil {
		t.Fatal(err)
	}
	inputs := action.Object{"url": "https://given.example.com/path?q=1", "host": "*", "port": 5432.0}
	for _, test := range []struct {
		scheme, host string
		port         int
		want         bool
	}{
		{"https", "hooks.example.com", 443, true},
		{"https", "hooks.example.com", 8443, false},
		{"http", "hooks.example.com", 80, false},
		{"https", "hooks.example.com.evil.com", 443, false},
		{"http", "127.0.0.1", 8080, true},
		{"http", "127.0.0.1", 80, false},
		{"https", "a.wild.example.com", 443, true},
		{"https", "a.b.wild.example.com", 443, true},
		{"https", "wild.example.com", 443, false},
		{"https", "evilwild.example.com", 443, false},
		{"https", "any.example.com", 9, true},
		{"https", "given.example.com", 443, true},
		{"https", "given.example.com", 444, false},
		{"net", "db.example.com", 5432, true},
		{"net", "db.example.com", 5433, false},
		{"net", "db.example.com", 0, true}, // looking it up reveals less than connecting
		{"net", "all.example.com", 1, true},
		{"net", "::1", 22, true},
		{"net", "names.example.com", 0, true},
		{"net", "names.example.com", 80, false},
		{"net", "anything.example.com", 5432, false}, // an input is never a wildcard
		{"https", "db.example.com", 5432, false},
	} {
		target := action.Target{Scheme: test.scheme, Host: test.host, Port: test.port}
		if got := parsed.Permissions.AllowsTarget(target, inputs); got != test.want {
			t.Errorf("%s: got %v, want %v", target, got, test.want)
		}
	}
	if !parsed.Permissions.AllowsTarget(action.Target{Scheme: "net", Host: "db2", Port: 7}, action.Object{"host": "DB2", "port": 7.0}) {
		t.Error("the host and port of the inputs are refused")
	}
}

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
