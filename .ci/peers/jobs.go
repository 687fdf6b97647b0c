package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A stub is a server that takes events as PagerDuty does; /slow answers after 20 ms.
type stub struct{ *httptest.Server }

func (w *workshop) serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /generic/2010-04-15/create_event.json", func(w http.ResponseWriter, r *http.Request) {
		var event struct {
			Key string `json:"incident_key"`
		}
		_ = json.NewDecoder(r.Body).Decode(&event)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "incident_key": event.Key})
	})
	mux.HandleFunc("GET /slow/{n}", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		_, _ = io.WriteString(w, "{}")
	})
	w.server = &stub{httptest.NewServer(mux)}
}

// jobs writes the files of each job and says how each tool does it.
func (w *workshop) jobs() ([]job, error) {
	files := map[string]string{
		"one.yaml": "steps:\n  - id: one\n    lua: |\n      return {n = 1}\n", "one.js": "export default function () {}\n",
		"one.task.yml":     "version: '3'\ntasks: {default: {cmds: ['true']}}\n",
		"hundred.yaml":     hundredSteps(),
		"hundred.js":       "export const options = {vus: 1, iterations: 100};\nexport default function () {}\n",
		"hundred.task.yml": "version: '3'\ntasks:\n  default:\n    cmds:\n" + strings.Repeat("      - 'true'\n", 100),
		"chain.yaml":       chain(), "chain.js": chainScript,
		"fan.yaml": fanOut(w.server.URL), "fan.js": fanScript,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.folder, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	many := filepath.Join(w.folder, "many")
	if err := writeMany(many); err != nil {
		return nil, err
	}
	jobs := []job{
		w.job("cold start, one step", "noop", "one"),
		w.job("100 steps", "hundred", "hundred"),
		w.job("50 chained calls", "chain", "chain"),
		w.job("1,000 calls, 50 at a time, 20 ms", "fan", "fan"),
		{"check 1,000 files", []tool{{"Go", []string{w.plain, "check", many}}, {"pdflow", []string{w.pdflow, "check", many}}}},
	}
	return jobs, nil
}

// job is a job that pdflow does with NAME.yaml, k6 with NAME.js and Task with
// NAME.task.yml, as far as there is one.
func (w *workshop) job(title, plain, name string) job {
	file := func(extension string) string { return filepath.Join(w.folder, name+extension) }
	j := job{title, []tool{
		{"Go", []string{w.plain, plain}},
		{"pdflow", []string{w.pdflow, "run", "-q", "--no-journal", file(".yaml")}},
		{"+journal", []string{w.pdflow, "run", "-q", "--data-dir", filepath.Join(w.folder, "data"), file(".yaml")}},
	}}
	if k6 := w.installed["k6"]; k6 != "" {
		j.tools = append(j.tools, tool{"k6", []string{k6, "run", "-q", "--summary-mode=disabled", file(".js")}})
	}
	if _, err := os.Stat(file(".task.yml")); err == nil && w.installed["task"] != "" {
		j.tools = append(j.tools, tool{"Task", []string{w.installed["task"], "-s", "-t", file(".task.yml")}})
	}
	return j
}

func hundredSteps() string {
	var b strings.Builder
	b.WriteString("steps:\n")
	for i := range 100 {
		before := "0"
		if i > 0 {
			before = fmt.Sprintf("steps.s%d.outputs.n", i-1)
		}
		fmt.Fprintf(&b, "  - id: s%d\n    lua: |\n      return {n = %s + 1}\n", i, before)
	}
	return b.String()
}

func chain() string {
	var b strings.Builder
	b.WriteString("steps:\n")
	for i := range 50 {
		before := `"start"`
		if i > 0 {
			before = fmt.Sprintf("steps.s%d.outputs.key", i-1)
		}
		fmt.Fprintf(&b, "  - id: s%d\n    lua: |\n      local reply = pagerduty.send_trigger_event{description = \"step %d\", incident_key = %s .. \"x\"}\n      return {key = reply.incident_key}\n", i, i, before)
	}
	return b.String()
}

func fanOut(url string) string {
	return "permissions: {http: [\"" + url + "\"]}\nsteps:\n  - id: numbers\n    lua: |\n      local all = {}\n      for i = 1, 1000 do all[i] = i end\n      return all\n" +
		"  - id: all\n    for_each: ${{ steps.numbers.outputs }}\n    max_parallel: 50\n    lua: |\n      return http.get{url = \"" + url + "/slow/\" .. item}.status\n"
}

const chainScript = `import http from 'k6/http';
export default function () {
  let key = 'start';
  for (let i = 0; i < 50; i++) {
    const body = JSON.stringify({event_type: 'trigger', description: 'step ' + i, incident_key: key + 'x', service_key: 'x'});
    key = http.post(__ENV.STUB + '/generic/2010-04-15/create_event.json', body).json('incident_key');
  }
}
`

const fanScript = `import http from 'k6/http';
export const options = {scenarios: {all: {executor: 'shared-iterations', vus: 50, iterations: 1000}}};
export default function () { http.get(__ENV.STUB + '/slow/1'); }
`

// writeMany writes 1,000 workflows of five steps.
func writeMany(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for i := range 1000 {
		text := fmt.Sprintf("name: w%d\n%s", i, fiveSteps)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("w%d.yaml", i)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

const fiveSteps = `inputs: {email: {type: string, required: true}, name: {type: string, required: true}}
permissions: {pagerduty: [get_user_by_email, create_user, send_trigger_event]}
steps:
  - id: lookup
    uses: pagerduty.get_user_by_email
    with: {email: "${{ inputs.email }}"}
  - id: create
    if: not steps.lookup.outputs.found
    lua: |
      local reply = pagerduty.create_user{email = inputs.email, name = inputs.name, from_email = "ops@example.com"}
      return {id = reply.user.id}
  - id: id
    lua: |
      return {id = coalesce(steps.create.outputs.id, steps.lookup.outputs.user.id)}
  - id: page
    uses: pagerduty.send_trigger_event
    with: {description: "welcome ${{ inputs.name }}", incident_key: "welcome-${{ steps.id.outputs.id }}"}
  - id: last
    lua: |
      log.info("done", {id = steps.id.outputs.id})
outputs:
  id: ${{ steps.id.outputs.id }}
`
