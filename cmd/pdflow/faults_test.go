package main

import (
	"cmp"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
)

// everyFault returns faults that make about a fifth of all requests fail, each kind of fault about equally
// often. Timeouts are rarer, because they take real time.
func everyFault() []fault.Fault {
	var faults []fault.Fault
	add := func(probability float64, f fault.Fault) {
		f.Match.Probability = probability
		faults = append(faults, f)
	}
	for _, status := range []int{400, 401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504} {
		add(0.008, fault.Fault{Do: fault.AnswerStatus, Status: status})
	}
	for _, kind := range []fault.Kind{
		fault.RateLimited, fault.RateLimitBare, fault.AnswerHTML, fault.AnswerText, fault.ErrorArray,
		fault.ErrorsString, fault.AccountLocked, "truncated_body", "reset_before", "reset_after",
	} {
		add(0.012, fault.Fault{Do: kind})
	}
	for _, kind := range []fault.Kind{"timeout_before", "timeout_after"} {
		add(0.0005, fault.Fault{Do: kind})
	}
	for _, kind := range []fault.Kind{"slow_header", "slow_body"} {
		add(0.01, fault.Fault{Do: kind, Delay: fault.Duration(time.Millisecond)})
	}
	for _, remove := range []string{"ratelimit-reset", "Content-Type", "X-Request-Id"} {
		add(0.01, fault.Fault{Do: fault.ChangeHeaders, Remove: []string{remove}})
	}
	add(0.02, fault.Fault{Do: "stale_read", Delay: fault.Duration(2 * time.Second), Match: fault.Match{Method: http.MethodGet}})
	add(0.02, fault.Fault{Do: "duplicate", Match: fault.Match{Endpoint: "/generic/2010-04-15/create_event.json"}})
	return faults
}

// TestFaults makes 10,000 calls of every kind against an account in which a fifth of the requests fail, and
// compares the result of each call with the state of the account. A successful call was done exactly once, a
// failed call was not done, and a failure has a typed error.
func TestFaults(t *testing.T) {
	items := 1250
	if testing.Short() {
		items = 100
	}
	clock := &waitlessClock{}
	target, account := faultyTarget(t, clock)
	plan, err := target.CompileFile(source.File{Path: filepath.Join(root, "testdata/faults.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	numbers := make([]any, items)
	for i := range numbers {
		numbers[i] = float64(i)
	}
	request, err := target.Request(plan, action.Object{"items": numbers})
	if err != nil {
		t.Fatal(err)
	}
	local := &engine.Local{Interpreter: target.Interpreter, Clock: clock, Redactor: &redact.Redactor{}, NewID: func(time.Time) string { return "01M83YKF0AJ50H4W02XDPYVSBJ" }}
	result, err := local.Run(t.Context(), plan, request)
	if err != nil || result.Status != run.Success {
		t.Fatal(err, result.Error)
	}
	account.Settle()
	v := newCallCheck(t, account)
	for i, calls := range result.Steps[0].Outputs.([]any) {
		v.item(i, calls.([]any))
	}
	v.report(items * 8)
}

// A waitlessClock is a clock whose Sleep takes no time, with timers of the machine.
type waitlessClock struct{ setup.SkippingClock }

var _ action.Clock = (*waitlessClock)(nil)

// AfterFunc is for timeouts, which should not occur.
func (c *waitlessClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// faultyTarget returns an account with faults. Its time passes only while the client waits.
func faultyTarget(t *testing.T, clock *waitlessClock) (*setup.Target, *setup.Simulator) {
	t.Helper()
	account, err := setup.StartSimulator("127.0.0.1:0",
		simulator.WithAPIKey(scriptKeys["API_KEY"]), simulator.WithServiceKey("Database", scriptKeys["SERVICE_KEY"]),
		simulator.WithFaults(everyFault()...), simulator.WithClock(clock.Now),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(account.Stop)
	client, err := pagerduty.New(pagerduty.Config{
		APIKey: scriptKeys["API_KEY"], ServiceKey: scriptKeys["SERVICE_KEY"], FromEmail: "ops@example.com", APIURL: account.URL, EventsURL: account.URL,
		HTTPClient: &http.Client{Transport: &http.Transport{}, Timeout: 250 * time.Millisecond},
		Sleep:      clock.Sleep, Now: clock.Now, Jitter: func() float64 { return 0.5 },
	})
	if err != nil {
		t.Fatal(err)
	}
	made, err := setup.WithClient(builtins.Config{PagerDuty: client}, setup.Settings{APIKey: scriptKeys["API_KEY"], ServiceKey: scriptKeys["SERVICE_KEY"]})
	if err != nil {
		t.Fatal(err)
	}
	return made, account
}

// A callCheck compares the results of calls with the state of the account.
type callCheck struct {
	t         reporter
	account   *setup.Simulator
	processed map[string]int // by method, endpoint and key
	users     map[string]bool
	incidents map[string][]account.IncidentView // by key
	notes     map[string]int
	changes   map[string]int
	calls     int
	kinds     map[string]int
}

// A reporter is a testing.T, or a replacement for one.
type reporter interface {
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

func newCallCheck(t reporter, account0 *setup.Simulator) *callCheck {
	v := &callCheck{
		t: t, account: account0, processed: map[string]int{}, users: map[string]bool{}, incidents: map[string][]account.IncidentView{},
		notes: map[string]int{}, changes: map[string]int{}, kinds: map[string]int{},
	}
	for _, r := range account0.Requests() {
		if r.Processed && r.Status < 300 { // 0: it was done and not answered
			v.processed[r.Method+" "+r.Endpoint+" "+r.Key]++
		}
	}
	for _, u := range account0.Users() {
		v.users[u.Email] = true
	}
	for _, i := range account0.Incidents() {
		v.incidents[i.Key] = append(v.incidents[i.Key], i)
		for _, n := range i.Notes {
			v.notes[n.Content]++
		}
	}
	for _, c := range account0.ChangeEvents() {
		v.changes[c.Summary]++
	}
	return v
}

// item checks the calls about one host and one user.
func (v *callCheck) item(i int, calls []any) {
	n, deleted := fmt.Sprint(i), false
	results := map[string]action.Object{}
	for _, c := range calls {
		call := c.(action.Object)
		name, kind := call["name"].(string), call["kind"].(string)
		results[name] = call
		v.calls++
		v.kinds[kind]++
		v.typed(i, name, kind, call["message"].(string))
	}
	email, key := "u"+n+"@example.com", "k"+n
	if c := results["delete_user_by_id"]; c != nil {
		deleted = c["kind"] == "success"
		v.is(i, "delete_user_by_id", c, !v.users[email], true)
	}
	created := results["create_user"]
	v.times(i, "create_user", created, v.processed["POST /users "+email])
	if created["kind"] == "success" && !deleted && results["delete_user_by_id"] == nil && !v.users[email] {
		v.t.Errorf("item %d: create_user returned success, and there is no %s", i, email)
	}
	if got := len(v.incidents[key]); got > 1 {
		v.t.Errorf("item %d: there are %d incidents for one key", i, got)
	}
	v.is(i, "send_trigger_event", results["send_trigger_event"], len(v.incidents[key]) == 1, false)
	if len(v.incidents[key]) == 1 && results["send_resolve_event"]["kind"] == "success" && v.incidents[key][0].Status != account.Resolved {
		v.t.Errorf("item %d: send_resolve_event returned success, and the incident is %s", i, v.incidents[key][0].Status)
	}
	if c := results["add_incident_note"]; c != nil {
		v.times(i, "add_incident_note", c, v.notes["note "+n])
	}
	if c := results["send_change_event"]; c != nil {
		v.times(i, "send_change_event", c, v.changes["change "+n])
	}
}

// typed reports an error that is not a typed error of an action, or has no message.
func (v *callCheck) typed(i int, name, kind, message string) {
	switch {
	case kind == "success":
	case !slices.Contains(action.Kinds(), action.Kind(kind)), kind == string(action.Script):
		v.t.Errorf("item %d: %s ended as %q: %s", i, name, kind, message)
	case strings.TrimSpace(message) == "" || strings.Contains(message, scriptKeys["API_KEY"]):
		v.t.Errorf("item %d: %s has the message %q", i, name, message)
	}
}

// is checks that a successful call had its effect. A failed call may have had it, unless strict.
func (v *callCheck) is(i int, name string, call action.Object, so, strict bool) {
	if call["kind"] == "success" && call["success"] == true && !so {
		v.t.Errorf("item %d: %s returned success without its effect", i, name)
	}
	if known := call["kind"] == "not_found" || call["kind"] == "unauthorized"; strict && known && so && call["success"] == true {
		v.t.Errorf("item %d: %s returned %s and had its effect", i, name, call["kind"])
	}
}

// times checks what must be done once: exactly once after a success, never after a failure, and at most once
// after an unknown outcome.
func (v *callCheck) times(i int, name string, call action.Object, done int) {
	want := map[bool]int{true: 1, false: 0}[call["kind"] == "success"]
	if call["kind"] == string(action.UnknownOutcome) {
		want = min(done, 1)
	}
	if done != want {
		v.t.Errorf("item %d: %s returned %s (%s) and was done %d times", i, name, call["kind"], call["message"], done)
	}
}

// report logs the numbers, and fails if too few requests failed.
func (v *callCheck) report(want int) {
	faulty, all := 0, 0
	applied := map[string]int{}
	for _, r := range v.account.Requests() {
		all++
		if r.Fault != "" {
			faulty++
		}
	}
	for _, f := range v.account.Faults() {
		applied[fmt.Sprint(f.Do)] += f.Applied
	}
	if v.calls != want {
		v.t.Errorf("got %d calls, want %d", v.calls, want)
	}
	if share := float64(faulty) / float64(all); share < 0.15 {
		v.t.Errorf("only %.0f %% of the requests went wrong", 100*share)
	}
	kinds := make([]string, 0, len(v.kinds))
	for kind, n := range v.kinds {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, n))
	}
	slices.SortFunc(kinds, cmp.Compare[string])
	v.t.Logf("%d calls, %d requests, %d of them faulty (%.1f %%)", v.calls, all, faulty, 100*float64(faulty)/float64(all))
	v.t.Logf("calls ended as: %s", strings.Join(kinds, ", "))
	for _, kind := range slices.Sorted(func(yield func(string) bool) {
		for kind := range applied {
			if !yield(kind) {
				return
			}
		}
	}) {
		if applied[kind] == 0 && !testing.Short() {
			v.t.Errorf("the fault %s never occurred", kind)
		}
	}
}

// TestCallCheckNotices proves that the check of TestFaults notices success without effect, what was done
// twice, and errors that are not typed.
func TestCallCheckNotices(t *testing.T) {
	account, err := setup.StartSimulator("127.0.0.1:0", simulator.WithAPIKey(scriptKeys["API_KEY"]), simulator.WithServiceKey("Database", scriptKeys["SERVICE_KEY"]))
	if err != nil {
		t.Fatal(err)
	}
	defer account.Stop()
	call := func(name, kind string) any {
		return action.Object{"name": name, "kind": kind, "message": "a message", "success": kind == "success"}
	}
	for name, calls := range map[string][]any{
		"a user that is not there":      {call("create_user", "success"), call("send_trigger_event", "timeout"), call("send_resolve_event", "timeout")},
		"an incident that is not there": {call("create_user", "timeout"), call("send_trigger_event", "success"), call("send_resolve_event", "timeout")},
		"a note that is not there":      {call("create_user", "timeout"), call("send_trigger_event", "timeout"), call("add_incident_note", "success")},
		"an error that is not typed":    {call("create_user", "timeout"), call("send_trigger_event", "odd")},
		"a script's own error":          {call("create_user", "timeout"), call("send_trigger_event", "script")},
	} {
		var found complaints
		newCallCheck(&found, account).item(1, calls)
		if len(found) == 0 {
			t.Errorf("%s: got no failure", name)
		}
	}
	var found complaints
	v := newCallCheck(&found, account)
	v.processed["POST /users u1@example.com"] = 2
	v.item(1, []any{call("create_user", "success"), call("send_trigger_event", "timeout")})
	if len(found) == 0 {
		t.Error("a user that was made twice: got no failure")
	}
}

// complaints are the failures that a check has reported.
type complaints []string

// Errorf keeps a failure.
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// Logf keeps nothing.
func (c *complaints) Logf(string, ...any) {}
