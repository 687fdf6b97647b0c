package sqlite_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/journal/sqlite"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// This file copies and opens the journal of pdflow c8849ea, resumes its runs, and answers
// their requests. c8849ea_test.go says what must hold.

// A connection is an account of PagerDuty. The keys are made up.
type connection struct {
	target run.Target
	keys   map[string]string
}

var connections = map[string]connection{
	"default": {
		run.Target{Connection: "default", APIURL: "https://api.pagerduty.test", EventsURL: "https://events.pagerduty.test"},
		map[string]string{"api_key": "legacy-api-key-not-real", "service_key": "1e9ac41e9ac41e9ac41e9ac41e9ac400"},
	},
	"network": {
		run.Target{Connection: "network", APIURL: "https://network-api.pagerduty.test", EventsURL: "https://network-events.pagerduty.test"},
		map[string]string{"api_key": "legacy-network-api-key-not-real", "service_key": "2e9ac42e9ac42e9ac42e9ac42e9ac400"},
	},
}

// An oldJournal is a copy of the journal, with everything that its runs need.
type oldJournal struct {
	*sqlite.Journal
	busy        func() // called when an Append is refused because the concurrency group is busy
	catalog     *action.Catalog
	interpreter *lua.Interpreter
	clock       *clock.Virtual
	world       *oldWorld
}

var oldFixture = filepath.Join("testdata", "c8849ea", sqlite.FileName)

// openOld opens a copy of the journal. At the end of the test the copy must have the
// layout of today and no damage.
func openOld(t *testing.T) *oldJournal {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, sqlite.FileName)
	if err := os.WriteFile(file, must(os.ReadFile(oldFixture)), 0o600); err != nil {
		t.Fatal(err)
	}
	j := &oldJournal{Journal: must(sqlite.Open(sqlite.Config{Dir: dir})), clock: clock.NewVirtual(resumedAt), world: &oldWorld{}}
	t.Cleanup(func() {
		if damage, err := j.Verify(context.Background()); err != nil || len(damage) > 0 {
			t.Errorf("got damage %v, %v, want none", damage, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		equal(t, "layout after", layoutOf(file), 2)
	})
	j.catalog = must(action.NewCatalog(builtins.Actions(builtins.Config{Connect: j.connect, Transport: j.world})...))
	j.interpreter = lua.New(j.catalog)
	return j
}

// layoutOf returns the version of the layout of a journal that is not open: the "user
// version" in the header of the database (sqlite.org/fileformat.html).
func layoutOf(file string) uint32 { return binary.BigEndian.Uint32(must(os.ReadFile(file))[60:]) }

// connect returns the client of a connection. It waits on the virtual clock.
func (j *oldJournal) connect(name string) (*client.Client, error) {
	c := connections[name]
	return client.New(client.Config{
		APIKey: c.keys["api_key"], ServiceKey: c.keys["service_key"], APIURL: c.target.APIURL, EventsURL: c.target.EventsURL,
		HTTPClient: &http.Client{Transport: j.world}, Sleep: j.clock.Skip, Now: j.clock.Now,
	})
}

func (j *oldJournal) local() *engine.Local {
	chat := func(string) (string, error) { return "legacy-chat-token-not-real", nil } // the only secret is CHAT_TOKEN
	return &engine.Local{Interpreter: j.interpreter, Clock: j.clock, Secrets: chat, Journal: j}
}

// Append appends to the journal and reports a busy concurrency group to j.busy.
func (j *oldJournal) Append(ctx context.Context, id string, events []run.Event) error {
	err := j.Journal.Append(ctx, id, events)
	if busy := (*journal.BusyError)(nil); errors.As(err, &busy) {
		j.busy()
	}
	return err
}

// plan compiles the workflow of a run from the sources in the journal.
func (j *oldJournal) plan(id string) (*workflow.Plan, connection) {
	restored := must(workflow.Restore(must(j.Sources(context.Background(), id))))
	plan := must(workflow.Compile(restored, j.catalog, j.interpreter))
	return plan, connections[plan.Workflow.Connection.Text]
}

// resume resumes a run. The target and the keys are those of the run unless the
// resumption has others.
func (j *oldJournal) resume(ctx context.Context, t *testing.T, id string, resumption engine.Resumption) (*run.Result, error) {
	t.Helper()
	plan, c := j.plan(id)
	resumption.Run = id
	if resumption.Target.APIURL == "" {
		resumption.Target = c.target
	}
	if resumption.Keys == nil {
		resumption.Keys = c.keys
	}
	return j.local().Resume(ctx, plan, resumption)
}

// finish finishes a run and checks everything that the table says of it.
func (j *oldJournal) finish(t *testing.T, id string) {
	t.Helper()
	old, before := oldRuns[id], j.events(id)
	result, err := j.resume(t.Context(), t, id, old.finish)
	if err != nil {
		t.Fatal(err)
	}
	if result.Status != run.Success || result.Suspended {
		t.Errorf("the run is %s (suspended %t, error %v), want success", result.Status, result.Suspended, result.Error)
	}
	equal(t, "listed status", j.status(id), run.Success)
	equal(t, "outputs", result.Outputs, old.outputs)
	equal(t, "requests", j.world.sent(), sorted(old.sent))
	j.keeps(t, id, before)
}

// keeps checks that the events of a run begin with those from before.
func (j *oldJournal) keeps(t *testing.T, id string, before []run.Event) {
	t.Helper()
	after := j.events(id)
	equal(t, "events from before", after[:min(len(before), len(after))], before)
}

func (j *oldJournal) events(id string) []run.Event {
	return must(j.Events(context.Background(), id))
}

func (j *oldJournal) status(id string) run.Status {
	return must(j.Runs(context.Background(), journal.Query{Run: id}))[0].Status
}

// list returns the runs of the journal, the newest first.
func (j *oldJournal) list() []string {
	var list []string
	for _, r := range must(j.Runs(context.Background(), journal.Query{})) {
		list = append(list, fmt.Sprintf("%s %s %s %s, %d events, group %q", r.Run, r.Workflow, r.Trigger, r.Status, r.Events, r.Group))
	}
	return list
}

func decide(call int, outcome run.CallOutcome) run.Decision {
	return run.Decision{Reason: run.CallUnknown, Call: call, Outcome: outcome}
}

// must returns v. An error of the set-up ends the tests.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (- want, + got):\n%s", what, diff)
	}
}

// An oldWorld answers every request and keeps it. Its account has the user dee, whose
// creation took effect before the process was killed.
type oldWorld struct {
	first func() // called once, by the next request

	mu       sync.Mutex
	requests []string
}

// alertEvent returns the request of an alert event.
func alertEvent(connection, kind, key, description string) string {
	c := connections[connection]
	if description != "" {
		description = fmt.Sprintf(`,"description":%q`, description)
	}
	return fmt.Sprintf(`POST %s/generic/2010-04-15/create_event.json {"service_key":%q,"event_type":%q,"incident_key":%q%s}`,
		strings.TrimPrefix(c.target.EventsURL, "https://"), c.keys["service_key"], kind, key, description)
}

// sent returns the requests so far, sorted: the order of branches is not fixed.
func (w *oldWorld) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return sorted(w.requests)
}

// RoundTrip answers a request.
func (w *oldWorld) RoundTrip(r *http.Request) (*http.Response, error) {
	if first := w.first; first != nil {
		w.first = nil
		first()
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	line := r.Method + " " + r.URL.Host + r.URL.RequestURI()
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		line += " key=" + key
	}
	if len(body) > 0 {
		line += " " + string(body)
	}
	w.mu.Lock()
	w.requests = append(w.requests, line)
	w.mu.Unlock()
	response := httptest.NewRecorder()
	response.Header().Set("Content-Type", "application/json")
	answer(response, r, body)
	return response.Result(), nil
}

func answer(w *httptest.ResponseRecorder, r *http.Request, body []byte) {
	var in struct {
		Key  string `json:"incident_key"`
		User struct{ Email, Name string }
	}
	_ = json.Unmarshal(body, &in) // a body that is not JSON has neither
	switch {
	case strings.HasSuffix(r.URL.Host, "events.pagerduty.test"):
		fmt.Fprintf(w, `{"status":"success","message":"Event processed","incident_key":%q}`, in.Key)
	case r.URL.Host != "api.pagerduty.test":
		fmt.Fprintf(w, "%s %s after the resumption", r.Method, r.URL.Path)
	case r.Method == http.MethodPost:
		name, _, _ := strings.Cut(in.User.Email, "@")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"user":{"id":%q,"email":%q,"name":%q}}`, "P"+strings.ToUpper(name), in.User.Email, in.User.Name)
	case r.URL.Query().Get("query") == "dee@example.com":
		fmt.Fprint(w, `{"users":[{"id":"PDEE","email":"dee@example.com","name":"New dee"}],"limit":100,"more":false}`)
	default:
		fmt.Fprint(w, `{"users":[],"limit":100,"more":false}`)
	}
}
