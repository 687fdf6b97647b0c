package cli

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/redact"
)

func simulatorProgram() (*setup.Environment, *bytes.Buffer, *bytes.Buffer) {
	var stdout, stderr bytes.Buffer
	return &setup.Environment{Console: console.New(strings.NewReader(""), &stdout, &stderr, &redact.Redactor{}), Getenv: func(string) string { return "" }}, &stdout, &stderr
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestServedSimulator: what `pdflow simulator` serves has the account of its seed, the faults of its plan, a
// certificate of its CA file, and a control API for the printed token.
func TestServedSimulator(t *testing.T) {
	env, stdout, _ := simulatorProgram()
	o := simulatorOptions{
		listen: "127.0.0.1:0", tls: true, limits: true,
		seed:   writeFile(t, "seed.yaml", "users: [{name: Ann Lee, email: ann@example.com}]\n"),
		faults: writeFile(t, "faults.yaml", "faults: [{match: {endpoint: /abilities}, do: status, status: 503}]\n"),
	}
	served, err := newServedAccount(env, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := setup.ServeSimulator(o.listen, served.tls, served.options...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if err := announceSimulator(env, s, served, "json"); err != nil {
		t.Fatal(err)
	}
	var printed map[string]string
	if err := json.Unmarshal(stdout.Bytes(), &printed); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(printed["ca_file"])
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	defer client.CloseIdleConnections()
	get := func(path, authorization string) (int, string) {
		request, err := http.NewRequest(http.MethodGet, printed["api_url"]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	key, token := "Token token="+printed["api_key"], "Bearer "+printed["control_token"]
	if status, body := get("/users", key); status != 200 || !strings.Contains(body, "ann@example.com") {
		t.Errorf("got %d %s, want the user of the seed", status, body)
	}
	if status, _ := get("/abilities", key); status != 503 {
		t.Errorf("got %d, want the fault", status)
	}
	if status, body := get("/sim/state", token); status != 200 || !strings.Contains(body, "ann@example.com") {
		t.Errorf("got %d %s, want the state", status, body)
	}
	if status, _ := get("/sim/state", "Bearer guess"); status != 401 {
		t.Errorf("got %d with another token, want 401", status)
	}
	served.forget()
	if _, err := os.Stat(printed["ca_file"]); !os.IsNotExist(err) {
		t.Errorf("got %v, want the certificate to be removed", err)
	}
}

func TestServedSimulatorRefuses(t *testing.T) {
	tests := map[string]struct {
		options simulatorOptions
		want    string
	}{
		"no file":         {simulatorOptions{seed: "nowhere.yaml"}, "there is no file nowhere.yaml"},
		"a mistyped seed": {simulatorOptions{seed: writeFile(t, "seed.yaml", "usres: []\n")}, `did you mean "users"?`},
		"a bad fault":     {simulatorOptions{faults: writeFile(t, "faults.yaml", "faults: [{do: stauts}]\n")}, `did you mean "status"?`},
		"a CA without":    {simulatorOptions{caFile: "ca.pem"}, "--ca-file goes with --tls"},
	}
	for name, test := range tests {
		env, _, _ := simulatorProgram()
		if _, err := newServedAccount(env, test.options); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
}
