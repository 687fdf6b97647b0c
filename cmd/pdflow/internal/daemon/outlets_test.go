package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/engine/clock"
)

// TestA23NoWayOut: a secret that the daemon knows leaves it nowhere: not in an alert and its key, not in the file
// of the open alerts, not in the answers of the control socket, and not in what commands print. The secret stands
// in the name of a file, in the name of a workflow, in the inputs of a schedule and in the error of a step.
func TestA23NoWayOut(t *testing.T) {
	const secret = "canary23TokenOfTheChat"
	w := newServedWorld(t, 0, clock.System{}.Now())
	w.secrets = []string{secret}
	for name, text := range map[string]string{
		"failing-" + secret + ".yaml": `name: failing-` + secret + `
inputs: {token: {type: string}}
schedule: {id: yearly, cron: "0 0 1 1 *", inputs: {token: ` + secret + `}}
steps:
  - id: fail
    lua: |
      error("the service said " .. inputs.token)
`,
		"broken-" + secret + ".yaml": `name: broken-` + secret + `
schedule: "0 0 1 1 *"
stpes: [` + secret + `]
`,
	} {
		if err := os.WriteFile(filepath.Join(w.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, stop := w.serving()
	defer stop()
	w.ask(0, "schedule", "run-now", "failing-"+secret)
	d.runs.running.Wait()
	w.alerted("pdflow:failing-‹redacted›:run_failed", account.Triggered)
	broken := ""
	for _, i := range w.account.Incidents() {
		if strings.HasPrefix(i.Key, "pdflow:broken-‹redacted›:broken_file:") {
			broken = i.Key
		}
	}
	if !strings.HasSuffix(broken, "/broken-‹redacted›.yaml") {
		t.Errorf("the key of the broken file is %q", broken)
	}

	status, err := control.New(w.data).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(filepath.Join(w.data, "alerts.json"))
	if err != nil {
		t.Fatal(err)
	}
	for outlet, said := range map[string]any{
		"the incidents": w.account.Incidents(), "the alerts of the account": w.account.Requests(), "alerts.json": string(stored), "the status": status,
		"schedule list": w.ask(0, "schedule", "list"), "a refusal": w.ask(2, "schedule", "run-now", "nothing"),
	} {
		text, err := json.Marshal(said)
		if err != nil || len(text) < 20 {
			t.Errorf("%s: %s, %v", outlet, text, err)
		}
		if strings.Contains(string(text), secret) {
			t.Errorf("%s has the secret: %s", outlet, text)
		}
	}
}
