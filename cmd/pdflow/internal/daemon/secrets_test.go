package daemon

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/health"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/clock"
)

const daemonToken = "canary-token-5f0e8d"

// leakyWorkflow has a secret in its name, in an input of its schedule, and in the error of its run.
const leakyWorkflow = `name: deploy-TOKEN
secrets: {CHAT_TOKEN: {hosts: [127.0.0.1]}}
permissions: {http: ["SERVER"]}
inputs: {note: {type: string}}
schedule: {id: yearly, cron: "0 0 1 1 *", inputs: {note: "it is SERVICE_KEY"}}
steps:
  - id: ask
    lua: |
      local reply = http.get{url = "SERVER/" .. inputs.note, auth = {bearer = secrets.CHAT_TOKEN}}
      error("the server said " .. reply.body .. " about " .. inputs.note)
`

// TestA23NoWayOut: nothing that leaves a daemon has a key or a secret, if one is in the path of a file, in the
// name of a workflow, in an error text of a server, in an input of a schedule or in a file that cannot be loaded:
// neither an incident, the file of alerts, an answer of the socket, a metric, a line of the log, nor what a
// command prints. Two broken files whose masked paths are the same have two incidents.
func TestA23NoWayOut(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		fmt.Fprintf(w, "%s, %s, %x", token, base64.StdEncoding.EncodeToString([]byte("a"+token)), token)
	}))
	defer server.Close()
	w := newServedWorld(t, 0, clock.System{}.Now())
	fill := strings.NewReplacer("TOKEN}", "TOKEN}", "CHAT_TOKEN", "CHAT_TOKEN", "TOKEN", daemonToken, "SERVICE_KEY", daemonServiceKey, "SERVER", server.URL)
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(w.folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(fill.Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys := []string{daemonAPIKey, daemonServiceKey}
	write("deploy.yaml", leakyWorkflow)
	for _, key := range keys {
		write(key+"/broken.yaml", "steps: [{uses: uuid.new}]\n")
	}
	write("notes-"+daemonToken+".yaml", "a: b\n")

	for name, value := range map[string]string{
		"CHAT_TOKEN": daemonToken, "PAGERDUTY_API_KEY": daemonAPIKey, "PAGERDUTY_SERVICE_KEY": daemonServiceKey, "PAGERDUTY_API_URL": w.account.URL, "PAGERDUTY_EVENTS_URL": w.account.URL,
		"XDG_CONFIG_HOME": t.TempDir(),
	} {
		t.Setenv(name, value)
	}
	env := setup.Standard()
	env.LearnKeys() // as the command line does
	target, err := env.RealTarget()
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := env.OpenRuns(setup.DataFolder{Flag: w.data}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer recorded.Close()
	watch := &lineWatch{w, "msg=serving", make(chan struct{})}
	d := New(env, target, clock.System{}, slog.New(slog.NewTextHandler(watch, nil)), Options{MaxRuns: 50})
	d.Record(recorded, recorded.Journal())
	if err := errors.Join(d.Load([]string{w.folder}), d.alerting.configure("default")); err != nil {
		t.Fatal(err)
	}
	if d.listener, err = health.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-watch.seen

	outlets := map[string]string{}
	outlets["the start of a run"] = w.socket(t, "POST", "/v1/runs", control.StartRequest{Workflow: "deploy-" + daemonToken, Schedule: "yearly"})
	d.runs.running.Wait()
	for _, key := range keys {
		write(key+"/broken.yaml", "steps: [{uses: SERVICE_KEY, with: {TOKEN: 1}}]\nname: TOKEN\n")
	}
	outlets["the answer of a reload"] = w.socket(t, "POST", "/v1/reload", struct{}{})
	outlets["a refused start"] = w.socket(t, "POST", "/v1/runs", control.StartRequest{Workflow: daemonToken + "s"})
	outlets["a refused input"] = w.socket(t, "POST", "/v1/runs", control.StartRequest{Workflow: "deploy-" + daemonToken, Inputs: map[string]any{"note": 5, daemonToken: daemonServiceKey}})
	outlets["a refused schedule"] = w.socket(t, "POST", "/v1/schedules/pause", control.PauseRequest{ScheduleName: control.ScheduleName{Workflow: daemonAPIKey}})
	outlets["a pause"] = w.socket(t, "POST", "/v1/schedules/pause", control.PauseRequest{ScheduleName: control.ScheduleName{Workflow: "deploy-" + daemonToken}, Reason: "it is " + daemonAPIKey})
	outlets["an unknown request"] = w.socket(t, "POST", "/v1/"+daemonToken, nil)
	outlets["the status"] = w.socket(t, "GET", "/v1/status", nil)
	outlets["the list of schedules"] = w.ask(0, "schedule", "list")
	outlets["the list of schedules as JSON"] = w.ask(0, "schedule", "list", "-o", "json")
	metrics, err := http.Get("http://" + d.listener.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(metrics.Body)
	metrics.Body.Close()
	outlets["the metrics"] = string(text)
	incidents := w.untilTriggered(t, 3)
	outlets["the incidents"] = incidents
	stored, err := os.ReadFile(filepath.Join(w.data, "alerts.json"))
	if err != nil {
		t.Fatal(err)
	}
	outlets["the file of alerts"] = string(stored)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	outlets["the log"] = w.log.String()

	for name, text := range outlets {
		for _, key := range append([]string{daemonToken}, keys...) {
			inner := base64.StdEncoding.EncodeToString([]byte("a" + key))[2 : 4*(len(key)+1)/3]
			for form, written := range map[string]string{"plain": key, "base64": inner, "hex": fmt.Sprintf("%x", key)} {
				if strings.Contains(text, written) {
					t.Errorf("%s has the key %s (%s):\n%s", name, key, form, text)
				}
			}
		}
	}
	for name, want := range map[string]string{
		"the status": `"name":"deploy-‹redacted›"`, "the list of schedules": "deploy-‹redacted›", "the metrics": `workflow="deploy-‹redacted›"`, "the log": "workflow=deploy-‹redacted›",
		"the file of alerts": "pdflow:deploy-‹redacted›~", "the incidents": "pdflow:deploy-‹redacted›~", "the answer of a reload": "‹redacted›/broken.yaml",
	} {
		if !strings.Contains(outlets[name], want) {
			t.Errorf("%s: want %q in\n%s", name, want, outlets[name])
		}
	}
	if n := strings.Count(incidents, "\npdflow:broken:broken_file:"); n != 2 {
		t.Errorf("got %d incidents about the two broken files:\n%s", n, incidents)
	}
}

// socket makes a request to the daemon and returns the answer as it is sent.
func (w *servedWorld) socket(t *testing.T, method, path string, in any) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(w.data, control.SocketName))
	}}}
	body := &bytes.Buffer{}
	if in != nil {
		_ = json.NewEncoder(body).Encode(in)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://pdflow"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// untilTriggered waits until there are so many open incidents, and returns all that PagerDuty knows of them.
func (w *servedWorld) untilTriggered(t *testing.T, n int) string {
	t.Helper()
	var text string
	for range 500 {
		w.account.Settle()
		open := 0
		text = ""
		for _, i := range w.account.Incidents() {
			line, _ := json.Marshal(i)
			text += fmt.Sprintf("\n%s %s", i.Key, line)
			if i.Status == account.Triggered {
				open++
			}
		}
		if open >= n {
			return text
		}
		_ = clock.System{}.Sleep(context.Background(), 10e6)
	}
	t.Errorf("want %d open incidents, got\n%s", n, text)
	return text
}
