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
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
)

// everyFault is a storm in which about a fifth of all requests go wrong, each kind
// of fault about as often. Silence, which takes real time, is rarer.
func everyFault() []simulator.Fault {
	var faults []simulator.Fault
	add := func(probability float64, f simulator.Fault) {
		f.Match.Probability = probability
		faults = append(faults, f)
	}
	for _, status := range []int{400, 401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504} {
		add(0.008, simulator.Fault{Do: simulator.AnswerStatus, Status: status})
	}
	for _, kind := range []simulator.FaultKind{
		simulator.RateLimited, simulator.RateLimitBare, simulator.AnswerHTML, simulator.AnswerText, simulator.ErrorArray,
		simulator.ErrorsString, simulator.AccountLocked, "truncated_body", "reset_before", "reset_after",
	} {
		add(0.012, simulator.Fault{Do: kind})
	}
	for _, kind := range []simulator.FaultKind{"timeout_before", "timeout_after"} {
		add(0.0005, simulator.Fault{Do: kind})
	}
	for _, kind := range []simulator.FaultKind{"slow_header", "slow_body"} {
		add(0.01, simulator.Fault{Do: kind, Delay: simulator.Duration(time.Millisecond)})
	}
	for _, remove := range []string{"ratelimit-reset", "Content-Type", "X-Request-Id"} {
		add(0.01, simulator.Fault{Do: simulator.ChangeHeaders, Remove: []string{remove}})
	}
	add(0.02, simulator.Fault{Do: "stale_read", Delay: simulator.Duration(2 * time.Second), Match: simulator.Match{Method: http.MethodGet}})
	add(0.02, simulator.Fault{Do: "duplicate", Match: simulator.Match{Endpoint: "/generic/2010-04-15/create_event.json"}})
	return faults
}

// TestFaults makes 10,000 calls of every kind against an account in which a fifth of
// the requests go wrong in every way, and holds what each call said against what
// the account saw: nothing lost, nothing twice, and a typed error where it failed.
func TestFaults(t *testing.T) {
	items := 1250
	if testing.Short() {
		items = 100
	}
	clock := &patientClock{}
	site, account := faultySite(t, clock)
	plan, err := site.CompileFile(filepath.Join(root, "testdata/faults.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := make([]any, items)
	for i := range numbers {
		numbers[i] = float64(i)
	}
	request, err := site.Request(plan, action.Object{"items": numbers})
	if err != nil {
		t.Fatal(err)
	}
	local := &engine.Local{Interpreter: site.Interpreter, Clock: clock, Redactor: &action.Redactor{}, NewID: func(time.Time) string { return "01M83YKF0AJ50H4W02XDPYVSBJ" }}
	result, err := local.Run(t.Context(), plan, request)
	if err != nil || result.Status != engine.Success {
		t.Fatal(err, result.Error)
	}
	account.Settle()
	v := newVerdict(t, account)
	for i, calls := range result.Steps[0].Outputs.([]any) {
		v.item(i, calls.([]any))
	}
	v.report(items * 8)
}

// A patientClock is the machine's, except that nobody waits: time passes at once.
type patientClock struct{ setup.SkippingClock }

var _ action.Clock = (*patientClock)(nil)

// AfterFunc is for timeouts, none of which should come.
func (c *patientClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// faultySite has an account whose time passes only while the client waits.
func faultySite(t *testing.T, clock *patientClock) (*setup.Target, *setup.Simulator) {
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

// A faultVerdict compares what calls said with what the account saw.
type faultVerdict struct {
	t         complainer
	account   *setup.Simulator
	processed map[string]int // by method, endpoint and key
	users     map[string]bool
	incidents map[string][]simulator.Incident // by key
	notes     map[string]int
	changes   map[string]int
	calls     int
	kinds     map[string]int
}

// A complainer is a testing.T, or what stands for one.
type complainer interface {
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

func newVerdict(t complainer, account *setup.Simulator) *faultVerdict {
	v := &faultVerdict{
		t: t, account: account, processed: map[string]int{}, users: map[string]bool{}, incidents: map[string][]simulator.Incident{},
		notes: map[string]int{}, changes: map[string]int{}, kinds: map[string]int{},
	}
	for _, r := range account.Requests() {
		if r.Processed && r.Status < 300 { // 0: it was done, and not answered
			v.processed[r.Method+" "+r.Endpoint+" "+r.Key]++
		}
	}
	for _, u := range account.Users() {
		v.users[u.Email] = true
	}
	for _, i := range account.Incidents() {
		v.incidents[i.Key] = append(v.incidents[i.Key], i)
		for _, n := range i.Notes {
			v.notes[n.Content]++
		}
	}
	for _, c := range account.ChangeEvents() {
		v.changes[c.Summary]++
	}
	return v
}

// item judges the calls about one host and person.
func (v *faultVerdict) item(i int, calls []any) {
	n, deleted := fmt.Sprint(i), false
	said := map[string]action.Object{}
	for _, c := range calls {
		call := c.(action.Object)
		name, kind := call["name"].(string), call["kind"].(string)
		said[name] = call
		v.calls++
		v.kinds[kind]++
		v.typed(i, name, kind, call["message"].(string))
	}
	email, key := "u"+n+"@example.com", "k"+n
	if c := said["delete_user_by_id"]; c != nil {
		deleted = c["kind"] == "success"
		v.is(i, "delete_user_by_id", c, !v.users[email], true)
	}
	created := said["create_user"]
	v.times(i, "create_user", created, v.processed["POST /users "+email])
	if created["kind"] == "success" && !deleted && said["delete_user_by_id"] == nil && !v.users[email] {
		v.t.Errorf("item %d: create_user said success, and there is no %s", i, email)
	}
	if got := len(v.incidents[key]); got > 1 {
		v.t.Errorf("item %d: there are %d incidents for one key", i, got)
	}
	v.is(i, "send_trigger_event", said["send_trigger_event"], len(v.incidents[key]) == 1, false)
	if len(v.incidents[key]) == 1 && said["send_resolve_event"]["kind"] == "success" && v.incidents[key][0].Status != simulator.Resolved {
		v.t.Errorf("item %d: send_resolve_event said success, and the incident is %s", i, v.incidents[key][0].Status)
	}
	if c := said["add_incident_note"]; c != nil {
		v.times(i, "add_incident_note", c, v.notes["note "+n])
	}
	if c := said["send_change_event"]; c != nil {
		v.times(i, "send_change_event", c, v.changes["change "+n])
	}
}

// typed refuses what is no typed error of an action, or says nothing.
func (v *faultVerdict) typed(i int, name, kind, message string) {
	switch {
	case kind == "success":
	case !slices.Contains(action.Kinds(), action.Kind(kind)), kind == string(action.Script):
		v.t.Errorf("item %d: %s ended as %q: %s", i, name, kind, message)
	case strings.TrimSpace(message) == "" || strings.Contains(message, scriptKeys["API_KEY"]):
		v.t.Errorf("item %d: %s says %q", i, name, message)
	}
}

// is compares a success with what is so. A failure that may have been done is
// allowed either.
func (v *faultVerdict) is(i int, name string, call action.Object, so, strict bool) {
	if call["kind"] == "success" && call["success"] == true && !so {
		v.t.Errorf("item %d: %s said success and is not so", i, name)
	}
	if known := call["kind"] == "not_found" || call["kind"] == "unauthorized"; strict && known && so && call["success"] == true {
		v.t.Errorf("item %d: %s said %s and is so", i, name, call["kind"])
	}
}

// times judges what must happen once: a success exactly once, a failure never, and
// an unknown outcome at most once.
func (v *faultVerdict) times(i int, name string, call action.Object, done int) {
	want := map[bool]int{true: 1, false: 0}[call["kind"] == "success"]
	if call["kind"] == string(action.UnknownOutcome) {
		want = min(done, 1)
	}
	if done != want {
		v.t.Errorf("item %d: %s said %s (%s) and was done %d times", i, name, call["kind"], call["message"], done)
	}
}

// report prints the figures, and fails when the storm was none.
func (v *faultVerdict) report(want int) {
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
			v.t.Errorf("the fault %s never happened", kind)
		}
	}
}

// TestFaultVerdict shows that the verdict notices: what was said and is not so, what
// was done twice, and what is no typed error.
func TestFaultVerdict(t *testing.T) {
	account, err := setup.StartSimulator("127.0.0.1:0", simulator.WithAPIKey(scriptKeys["API_KEY"]), simulator.WithServiceKey("Database", scriptKeys["SERVICE_KEY"]))
	if err != nil {
		t.Fatal(err)
	}
	defer account.Stop()
	call := func(name, kind string) any {
		return action.Object{"name": name, "kind": kind, "message": "it says so", "success": kind == "success"}
	}
	for name, calls := range map[string][]any{
		"a user that is not there":      {call("create_user", "success"), call("send_trigger_event", "timeout"), call("send_resolve_event", "timeout")},
		"an incident that is not there": {call("create_user", "timeout"), call("send_trigger_event", "success"), call("send_resolve_event", "timeout")},
		"a note that is not there":      {call("create_user", "timeout"), call("send_trigger_event", "timeout"), call("add_incident_note", "success")},
		"no typed error":                {call("create_user", "timeout"), call("send_trigger_event", "odd")},
		"a script's own error":          {call("create_user", "timeout"), call("send_trigger_event", "script")},
	} {
		var heard complaints
		newVerdict(&heard, account).item(1, calls)
		if len(heard) == 0 {
			t.Errorf("%s: got no complaint", name)
		}
	}
	var heard complaints
	v := newVerdict(&heard, account)
	v.processed["POST /users u1@example.com"] = 2
	v.item(1, []any{call("create_user", "success"), call("send_trigger_event", "timeout")})
	if len(heard) == 0 {
		t.Error("a user that was made twice: got no complaint")
	}
}

// complaints are those that a verdict made.
type complaints []string

// Errorf keeps one.
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// Logf keeps nothing.
func (c *complaints) Logf(string, ...any) {}
