package permission_test

import (
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestAllowsTarget proves which endpoints a list of entries allows.
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

// TestPermissionsOfInputs proves that an input allows exactly the endpoint that its
// value names.
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

// TestPermissionLines proves that the suggested line allows the endpoint that was
// refused.
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
		line := permission.Permissions{}.Line(target)
		parsed, err := workflow.Parse("p.yaml", []byte(line+"\nsteps: [{uses: uuid.new}]\n"))
		if err != nil || !parsed.Permissions.AllowsTarget(target, nil) {
			t.Errorf("%s: %s does not permit it: %v", target, line, err)
		}
	}
}

// TestPatternCovers proves, for an entry of the operator and an entry of a workflow,
// whether the first allows everything that the second does.
func TestPatternCovers(t *testing.T) {
	for _, test := range []struct {
		allowed, asked string
		want           bool
	}{
		{"https://a.example.com", "https://a.example.com", true},
		{"https://a.example.com", "http://a.example.com", false},
		{"https://a.example.com", "https://a.example.com:8443", false},
		{"https://a.example.com:*", "https://a.example.com:8443", true},
		{"https://a.example.com", "https://a.example.com:*", false},
		{"https://*.example.com", "https://a.example.com", true},
		{"https://*.example.com", "https://example.com", false},
		{"https://*.example.com", "https://*.example.com", true},
		{"https://*.example.com", "https://*.a.example.com", true},
		{"https://*.a.example.com", "https://*.example.com", false},
		{"https://a.example.com", "https://*.example.com", false},
		{"https://a.example.com", "inputs.url", true}, // the run decides
	} {
		if got := onlyPattern(t, "allow", test.allowed).Covers(onlyPattern(t, "permissions", test.asked)); got != test.want {
			t.Errorf("%s covers %s: got %v, want %v", test.allowed, test.asked, got, test.want)
		}
	}
}

// onlyPattern reads one entry of http.
func onlyPattern(t *testing.T, key, text string) permission.Pattern {
	t.Helper()
	if key == "allow" {
		root, _ := source.Read("c", []byte("[\""+text+"\"]")).Root()
		return permission.ReadPatterns(root, "http")[0]
	}
	w, err := workflow.Parse("w", []byte("inputs: {url: {type: string}}\nsteps: [{uses: uuid.new}]\npermissions: {http: [\""+text+"\"]}"))
	if err != nil {
		t.Fatal(err)
	}
	return w.Permissions.HTTP[0]
}
