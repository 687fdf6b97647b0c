package setup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/source"
)

func TestParseConfiguration(t *testing.T) {
	got, err := setup.ParseConfiguration("pdflow.yaml", []byte(`
connections:
  default: {api_key: "env:PD_KEY", service_key: "file:/run/keys/service", from_email: ops@example.com}
  europe:
    api_key: file:europe.key
    region: eu
    api_url: https://proxy.example.com/api
    events_url: https://proxy.example.com/events
    events_api: v2
    ca_file: ca.pem
allow:
  secrets: [CHAT_TOKEN]
  pagerduty: [pagerduty.create_user, get_user_by_id]
  http: ["https://*.example.com"]
  net: ["db.example.com:5432"]
alerts: {connection: europe}
heartbeat: {url: "https://beat.example.com/x", every: 30s}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &setup.Configuration{
		File: "pdflow.yaml",
		Connections: []setup.ConfiguredConnection{
			{
				Name: "default", APIKey: setup.SecretReference{Variable: "PD_KEY"},
				ServiceKey: setup.SecretReference{File: "/run/keys/service"}, FromEmail: "ops@example.com",
			},
			{
				Name: "europe", APIKey: setup.SecretReference{File: "europe.key"}, Region: "eu", EventsAPI: "v2", CAFile: "ca.pem",
				APIURL: "https://proxy.example.com/api", EventsURL: "https://proxy.example.com/events",
			},
		},
		Allow: &setup.Allowance{
			Secrets: []string{"CHAT_TOKEN"},
			Permissions: permission.Permissions{
				Actions: map[string][]string{"pagerduty": {"create_user", "get_user_by_id"}},
				HTTP:    []permission.Pattern{{Text: "https://*.example.com", Scheme: "https", Host: "*.example.com", Port: "443"}},
				Net:     []permission.Pattern{{Text: "db.example.com:5432", Scheme: "net", Host: "db.example.com", Port: "5432"}},
			},
		},
		Alerts:    &setup.Alerts{Connection: source.Text{Text: "europe"}},
		Heartbeat: &setup.Heartbeat{URL: "https://beat.example.com/x", Every: 30 * time.Second},
	}
	places := cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".Position" || name == ".Line"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, places, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"default", "europe"}, got.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// TestConfigurationProblems has every problem of a broken configuration. No message
// shows a key that the file contains.
func TestConfigurationProblems(t *testing.T) {
	_, err := setup.ParseConfiguration("pdflow.yaml", []byte(`conections: {}
connections:
  two words: {}
  main: {api_key: y_NbAkKc66ryYTWUXYEu, service_key: "env:", regoin: eu, region: asia, events_api: v3, from_email: ""}
allow: {http: ["inputs.url", "x y"], secrets: [a-b], pagerduty: no}
alerts: {connection: mian}
heartbeat: {url: "beat.example.com"}
`))
	want := `pdflow.yaml:1:1: the configuration has no key "conections" (did you mean "connections"?)
pdflow.yaml:3:3: the connection "two words" is not a name (a name has letters, digits, _ and -)
pdflow.yaml:4:19: api_key must say where the key is, and not be the key (write env:NAME or file:PATH; replace a key that was written here)
pdflow.yaml:4:54: service_key must say where the key is, and not be the key (write env:NAME or file:PATH; replace a key that was written here)
pdflow.yaml:4:62: the connection main has no key "regoin" (did you mean "region"?)
pdflow.yaml:4:82: region cannot be "asia" (one of: us, eu)
pdflow.yaml:4:100: events_api cannot be "v3" (one of: v1, v2)
pdflow.yaml:4:116: from_email is empty
pdflow.yaml:5:16: "inputs.url" names an input, which a configuration does not have (write the host, or *.example.com)
pdflow.yaml:5:30: "x y" is not a permission: a host cannot hold ' ' (write it like "https://hooks.example.com")
pdflow.yaml:5:48: a secret cannot be "a-b" (letters, digits and _, not beginning with a digit; for example "a_b")
pdflow.yaml:5:65: allow.pagerduty must be a list, got the text "no"
pdflow.yaml:6:22: there is no connection "mian" (did you mean "main"?)
pdflow.yaml:7:18: url must be an https URL (such as https://heartbeat.example.com/pdflow)`
	if err == nil {
		t.Fatal("got no error")
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func FuzzParseConfiguration(f *testing.F) {
	f.Add([]byte("connections: {a: {api_key: 'env:X'}}\nallow: {}\nalerts: {}\nheartbeat: {url: 'https://x'}"))
	f.Add([]byte("connections: &a {b: *a}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if c, err := setup.ParseConfiguration("c", src); err == nil && c == nil {
			t.Error("got nothing and no error")
		}
	})
}
