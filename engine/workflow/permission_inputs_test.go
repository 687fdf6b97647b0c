package workflow_test

import (
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestPermissionsOfInputs proves what an input opens: exactly the place that its
// value names, and never more.
func TestPermissionsOfInputs(t *testing.T) {
	https := func(host string, port int) action.Target {
		return action.Target{Scheme: "https", Host: host, Port: port}
	}
	net := func(host string, port int) action.Target {
		return action.Target{Scheme: "net", Host: host, Port: port}
	}
	for _, test := range []struct {
		permissions string
		value       any
		target      action.Target
		want        bool
	}{
		{"http: [inputs.x]", "https://a.example.com/p?q=*", https("a.example.com", 443), true},
		{"http: [inputs.x]", "https://a.example.com:8443", https("a.example.com", 8443), true},
		{"http: [inputs.x]", "HTTPS://A.example.com", https("a.example.com", 443), true},
		{"http: [inputs.x]", "http://a.example.com", https("a.example.com", 443), false},
		{"http: [inputs.x]", "https://*.example.com", https("a.example.com", 443), false},
		{"http: [inputs.x]", "https://*", https("a.example.com", 443), false},
		{"http: [inputs.x]", "https://a.example.com:*", https("a.example.com", 443), false},
		{"http: [inputs.x]", "https://good.example.com@evil.example.com", https("good.example.com", 443), false},
		{"http: [inputs.x]", "a.example.com", https("a.example.com", 443), false}, // no URL
		{"http: [inputs.x]", "", https("", 443), false},
		{"http: [inputs.x]", nil, https("a.example.com", 443), false},
		{"http: [inputs.x]", action.Secret{Name: "inputs.x"}, https("a.example.com", 443), false},
		{`http: ["https://inputs.x"]`, "a.example.com", https("a.example.com", 443), true},
		{`http: ["https://inputs.x"]`, "http://a.example.com", action.Target{Scheme: "http", Host: "a.example.com", Port: 80}, false},
		{`http: ["https://inputs.x:8443"]`, "a.example.com", https("a.example.com", 8443), true},
		{`http: ["https://inputs.x"]`, "*.example.com", https("a.example.com", 443), false},
		{`http: ["https://inputs.x"]`, "*", https("a.example.com", 443), false},
		{"net: [inputs.x]", "db.example.com:5432", net("db.example.com", 5432), true},
		{"net: [inputs.x]", "[::1]:5432", net("::1", 5432), true},
		{"net: [inputs.x]", "db.example.com", net("db.example.com", 0), true},
		{"net: [inputs.x]", "db.example.com", net("db.example.com", 5432), false},
		{"net: [inputs.x]", "db.example.com:*", net("db.example.com", 5432), false},
		{`net: ["db.example.com:inputs.x"]`, 5432.0, net("db.example.com", 5432), true},
		{`net: ["db.example.com:inputs.x"]`, "5432", net("db.example.com", 5432), true},
		{`net: ["db.example.com:inputs.x"]`, "*", net("db.example.com", 5432), false},
		{`net: ["db.example.com:inputs.x"]`, 5432.5, net("db.example.com", 5432), false},
	} {
		parsed, err := workflow.Parse("p.yaml", []byte("inputs: {x: {type: string}}\npermissions: {"+test.permissions+"}\nsteps: [{uses: uuid.new}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Permissions.AllowsTarget(test.target, action.Object{"x": test.value}); got != test.want {
			t.Errorf("%s with %v, %s: got %v, want %v", test.permissions, test.value, test.target, got, test.want)
		}
	}
}

// TestPermissionLines proves that the line which a refusal suggests permits what
// was refused.
func TestPermissionLines(t *testing.T) {
	for _, target := range []action.Target{
		{Scheme: "https", Host: "a.example.com", Port: 443},
		{Scheme: "https", Host: "a.example.com", Port: 8443},
		{Scheme: "http", Host: "127.0.0.1", Port: 8080},
		{Scheme: "https", Host: "::1", Port: 443},
		{Scheme: "https", Host: "::1", Port: 8443},
		{Scheme: "net", Host: "db.example.com", Port: 5432},
		{Scheme: "net", Host: "db_1", Port: 5432},
		{Scheme: "net", Host: "db.example.com"},
		{Scheme: "net", Host: "::1", Port: 5432},
		{Scheme: "net", Host: "fe80::1"},
	} {
		line := workflow.Permissions{}.Line(target)
		parsed, err := workflow.Parse("p.yaml", []byte(line+"\nsteps: [{uses: uuid.new}]\n"))
		if err != nil || !parsed.Permissions.AllowsTarget(target, nil) {
			t.Errorf("%s: %s does not permit it: %v", target, line, err)
		}
	}
}
