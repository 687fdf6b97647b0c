package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
	"gopkg.in/yaml.v3"
)

// The benchmarks of whole jobs come in pairs: pdflow, and its bound, which is the same work written by hand.
// The result is the ratio of the two in one run.

// eventStub returns a server that accepts events as PagerDuty does and keeps nothing.
func eventStub(b *testing.B) *httptest.Server {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var event struct {
			Key string `json:"incident_key"`
		}
		_ = json.NewDecoder(r.Body).Decode(&event)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "success", "message": "Event processed", "incident_key": event.Key})
	}))
	b.Cleanup(server.Close)
	return server
}

const benchmarkKey = "0123456789abcdef0123456789abcdef"

// targetOf returns a target whose connection reaches a server.
func targetOf(b *testing.B, url string) *setup.Target {
	b.Helper()
	client, err := pagerduty.New(pagerduty.Config{APIKey: "u+TestKeyThatIsTwen1", ServiceKey: benchmarkKey, APIURL: url, EventsURL: url, Wrap: builtins.Previewing})
	if err != nil {
		b.Fatal(err)
	}
	made, err := setup.WithClient(builtins.Config{PagerDuty: client}, setup.Settings{ServiceKey: benchmarkKey})
	if err != nil {
		b.Fatal(err)
	}
	return made
}

// compileText compiles a workflow from a text.
func compileText(b *testing.B, s *setup.Target, source string) *workflow.Plan {
	b.Helper()
	parsed, _ := workflow.Parse("w.yaml", []byte(source))
	plan, err := workflow.Compile(parsed, s.Catalog, s.Interpreter)
	if err != nil {
		b.Fatal(err)
	}
	return plan
}

// chain50 returns a workflow of 50 scripts. Each triggers an event with the result of the script before.
func chain50() string {
	var b strings.Builder
	b.WriteString("name: chain\nsteps:\n")
	for i := range 50 {
		before := `"start"`
		if i > 0 {
			before = fmt.Sprintf("steps.s%d.outputs.key", i-1)
		}
		fmt.Fprintf(&b, "  - id: s%d\n    lua: |\n      local reply = pagerduty.send_trigger_event{description = \"step %d\", incident_key = %s .. \"x\"}\n      return {key = reply.incident_key}\n", i, i, before)
	}
	return b.String() + "outputs: {key: \"${{ steps.s49.outputs.key }}\"}\n"
}

// BenchmarkChain50 compiles and runs 50 chained triggers, with redaction, outputs and the event stream. The
// goal is 1.3 times its bound.
func BenchmarkChain50(b *testing.B) {
	target, source := targetOf(b, eventStub(b).URL), chain50()
	redactor := &redact.Redactor{}
	redactor.Add(benchmarkKey)
	for b.Loop() {
		local := &engine.Local{Interpreter: target.Interpreter, Redactor: redactor, Observers: []run.Observer{&runview.EventStream{To: console.MaskedWriter(io.Discard, redactor)}}}
		result, err := local.Run(b.Context(), compileText(b, target, source), engine.Request{})
		if err != nil || result.Outputs["key"] != "start"+strings.Repeat("x", 50) {
			b.Fatal(result, err)
		}
	}
}

// BenchmarkChain50Bound does the same by hand.
func BenchmarkChain50Bound(b *testing.B) {
	server := eventStub(b)
	client := &http.Client{Transport: &http.Transport{}}
	for b.Loop() {
		key := "start"
		for i := range 50 {
			key = triggerByHand(b, client, server.URL, key+"x", i)
		}
		if key != "start"+strings.Repeat("x", 50) {
			b.Fatal(key)
		}
	}
}

func triggerByHand(b *testing.B, client *http.Client, url, key string, i int) string {
	body, _ := json.Marshal(map[string]string{
		"service_key": benchmarkKey, "event_type": "trigger", "description": fmt.Sprintf("step %d", i), "incident_key": key,
	})
	response, err := client.Post(url+"/generic/2010-04-15/create_event.json", "application/json", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Key string `json:"incident_key"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		b.Fatal(err)
	}
	return answer.Key
}

// A slowServer answers after 20 ms and keeps how many requests it had at a time.
type slowServer struct {
	*httptest.Server
	now, most atomic.Int64
}

func newSlowServer(b *testing.B) *slowServer {
	b.Helper()
	s := &slowServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := s.now.Add(1)
		defer s.now.Add(-1)
		for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
		}
		time.Sleep(20 * time.Millisecond) // the simulated latency of a service
		_, _ = io.WriteString(w, `{"ok": true}`)
	}))
	b.Cleanup(s.Close)
	return s
}

// BenchmarkFanOut1000 makes 1,000 requests, 50 at a time. The goal is 1.05 times its bound, with 50 requests
// in flight.
func BenchmarkFanOut1000(b *testing.B) {
	server := newSlowServer(b)
	target := targetOf(b, server.URL)
	items := make([]any, 1000)
	for i := range items {
		items[i] = float64(i)
	}
	plan := compileText(b, target, "inputs: {items: {type: list}}\npermissions: {http: [\""+server.URL+"\"]}\nsteps:\n  - id: all\n    for_each: ${{ inputs.items }}\n    max_parallel: 50\n    lua: |\n      return http.get{url = \""+server.URL+"/\" .. item}.status\n")
	for b.Loop() {
		local := &engine.Local{Interpreter: target.Interpreter}
		result, err := local.Run(b.Context(), plan, engine.Request{Inputs: action.Object{"items": items}})
		if err != nil || result.Status != run.Success {
			b.Fatal(result, err)
		}
	}
	b.ReportMetric(float64(server.most.Load()), "in-flight")
}

// BenchmarkFanOut1000Bound does the same by hand, with 50 goroutines.
func BenchmarkFanOut1000Bound(b *testing.B) {
	server := newSlowServer(b)
	for b.Loop() {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
		var next atomic.Int64
		var workers sync.WaitGroup
		for range 50 {
			workers.Go(func() {
				for i := next.Add(1); i <= 1000; i = next.Add(1) {
					response, err := client.Get(fmt.Sprintf("%s/%d", server.URL, i))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			})
		}
		workers.Wait()
	}
	b.ReportMetric(float64(server.most.Load()), "in-flight")
}

// thousandFiles returns a folder of 1,000 workflows of five steps.
func thousandFiles(b *testing.B) string {
	b.Helper()
	folder := b.TempDir()
	source, err := os.ReadFile(filepath.Join(root, "workflows/onboard-user.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		text := strings.Replace(string(source), "name: onboard-user", fmt.Sprintf("name: onboard-user-%d", i), 1)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("w%d.yaml", i)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return folder
}

// BenchmarkCheck1000 checks 1,000 files with all diagnostics. The goal is 1.2 times its bound, which uses one
// processor.
func BenchmarkCheck1000(b *testing.B) {
	folder := thousandFiles(b)
	p := &setup.Environment{Console: console.New(strings.NewReader(""), io.Discard, io.Discard, &redact.Redactor{}), Getenv: func(string) string { return "" }}
	for b.Loop() {
		if code := cli.Main(p, []string{"check", folder}); code != console.ExitDone {
			b.Fatal(code)
		}
	}
}

// BenchmarkCheck1000Bound decodes the same files and compiles the Lua in them, one file after the other.
func BenchmarkCheck1000Bound(b *testing.B) {
	folder := thousandFiles(b)
	for b.Loop() {
		files, err := setup.FolderFiles(folder)
		if err != nil {
			b.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file.Path)
			if err != nil {
				b.Fatal(err)
			}
			var v any
			if err := yaml.Unmarshal(source, &v); err != nil {
				b.Fatal(err)
			}
			compileTexts(b, v)
		}
	}
}

// BenchmarkColdStart runs a file of one step in a new process. Its bound is a program with the same imports
// that does nothing. The goals are 1.25 times the bound without a journal, and 12 MB.
func BenchmarkColdStart(b *testing.B) {
	folder := b.TempDir()
	file := filepath.Join(folder, "one.yaml")
	if err := os.WriteFile(file, []byte("steps:\n  - id: one\n    lua: |\n      return {n = 1}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	pdflow, noop := buildBinary(b, folder, "."), buildBinary(b, folder, "./testdata/noop")
	for _, c := range []struct {
		name string
		args []string
	}{
		{"bound", []string{noop}},
		{"journal=off", []string{pdflow, "run", "-q", "--no-journal", file}},
		{"journal=on", []string{pdflow, "run", "-q", "--data-dir", filepath.Join(folder, "data"), file}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				command := exec.CommandContext(context.Background(), c.args[0], c.args[1:]...)
				command.Env = append(os.Environ(), "HOME="+folder, "XDG_CONFIG_HOME=", "PDFLOW_CONFIG=")
				if out, err := command.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		})
	}
}

func buildBinary(b *testing.B, folder, pkg string) string {
	b.Helper()
	binary := filepath.Join(folder, "bin-"+filepath.Base(pkg))
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", binary, pkg).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return binary
}

const benchmarkUser = `{"user":{"id":"PABC123","type":"user","summary":"Ann Lee","self":"https://api.pagerduty.com/users/PABC123","html_url":"https://acme.pagerduty.com/users/PABC123","name":"Ann Lee","email":"ann@example.com","time_zone":"Europe/Berlin","color":"purple","role":"user","avatar_url":"https://pd-static-assets.pagerduty.com/users/blank-avatar.png","description":null,"invitation_sent":true,"job_title":null,"teams":[],"contact_methods":[{"id":"PCM1234","type":"email_contact_method_reference","summary":"Default","self":"https://api.pagerduty.com/users/PABC123/contact_methods/PCM1234","html_url":null}],"notification_rules":[],"coordinated_incidents":[]}}`

// userStub returns a server that answers every request with a user.
func userStub(b *testing.B) *httptest.Server {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Ratelimit-Remaining", "1000000") // a limit that is never reached
		w.Header().Set("Ratelimit-Reset", "60")
		_, _ = io.WriteString(w, benchmarkUser)
	}))
	b.Cleanup(server.Close)
	return server
}

// BenchmarkUserInLua looks up a user 100 times in a script, with recording and redaction. The goal is 1.2
// times its bound.
func BenchmarkUserInLua(b *testing.B) {
	target := targetOf(b, userStub(b).URL)
	plan := compileText(b, target, `name: look-up
steps:
  - id: users
    lua: |
      local name
      for i = 1, 100 do
        name = pagerduty.get_user_by_id{id = "PABC123"}.user.name
      end
      return {name = name}
outputs: {name: "${{ steps.users.outputs.name }}"}
`)
	redactor := &redact.Redactor{}
	redactor.Add(benchmarkKey)
	for b.Loop() {
		local := &engine.Local{Interpreter: target.Interpreter, Redactor: redactor}
		result, err := local.Run(b.Context(), plan, engine.Request{})
		if err != nil || result.Outputs["name"] != "Ann Lee" {
			b.Fatal(result, err)
		}
	}
}

// BenchmarkUserInLuaBound does the same by hand: the request, the answer as maps, and the maps as Lua tables.
func BenchmarkUserInLuaBound(b *testing.B) {
	url, client := userStub(b).URL+"/users/PABC123", &http.Client{Transport: &http.Transport{}}
	state := glua.NewState()
	defer state.Close()
	for b.Loop() {
		for range 100 {
			response, err := client.Get(url)
			if err != nil {
				b.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			response.Body.Close()
			var answer map[string]any
			if err != nil || json.Unmarshal(text, &answer) != nil {
				b.Fatal(err)
			}
			user := tableByHand(state, answer["user"]).(*glua.LTable)
			if user.RawGetString("name") != glua.LString("Ann Lee") {
				b.Fatal(user)
			}
		}
	}
}

func tableByHand(state *glua.LState, v any) glua.LValue {
	switch v := v.(type) {
	case string:
		return glua.LString(v)
	case float64:
		return glua.LNumber(v)
	case bool:
		return glua.LBool(v)
	case []any:
		t := state.CreateTable(len(v), 0)
		for _, item := range v {
			t.Append(tableByHand(state, item))
		}
		return t
	case map[string]any:
		t := state.CreateTable(0, len(v))
		for name, field := range v {
			t.RawSetString(name, tableByHand(state, field))
		}
		return t
	}
	return glua.LNil
}
