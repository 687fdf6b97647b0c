package builtins

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
)

// testTime is when every test begins.
var testTime = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

// A testClock is virtual: a sleep passes at once, and a timer fires when time is
// moved past it.
type testClock struct {
	mu     sync.Mutex
	now    time.Time
	slept  []time.Duration
	timers []func()
}

func newTestClock() *testClock { return &testClock{now: testTime} }

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func (c *testClock) AfterFunc(_ time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers = append(c.timers, f)
	return func() bool { return true }
}

// fire lets every timer run out.
func (c *testClock) fire() {
	c.mu.Lock()
	timers := c.timers
	c.timers = nil
	c.mu.Unlock()
	for _, f := range timers {
		f()
	}
}

// prepare returns the checked call of an action.
func prepare(c Config, name string, input action.Object) (*action.Invocation, error) {
	catalog, err := action.NewCatalog(Actions(c)...)
	if err != nil {
		return nil, err
	}
	a, ok := catalog.Lookup(name)
	if !ok {
		return nil, errors.New("no action " + name)
	}
	return a.Prepare(input)
}

// call prepares and does an action.
func call(c Config, scope *action.Scope, name string, input action.Object) (action.Object, error) {
	invocation, err := prepare(c, name, input)
	if err != nil {
		return nil, err
	}
	ctx := context.Background() // as from Go, without a run
	if scope != nil {
		ctx = action.WithScope(ctx, scope)
	}
	before, err := invocation.Before(ctx)
	if err != nil {
		return nil, err
	}
	return invocation.Do(ctx, before)
}

// A row is a call with what it should return, or what its error should say.
type row struct {
	action string
	input  action.Object
	want   action.Object
	kind   action.Kind
	says   string // part of the error's message or hint
}

func runRows(t *testing.T, c Config, scope *action.Scope, rows []row) {
	t.Helper()
	for _, r := range rows {
		got, err := call(c, scope, r.action, r.input)
		if r.kind != "" {
			checkError(t, r.action, err, r.kind, r.says)
			continue
		}
		if err != nil {
			t.Errorf("%s(%v): %v", r.action, r.input, err)
			continue
		}
		if diff := cmp.Diff(r.want, got); diff != "" {
			t.Errorf("%s(%v) (-want +got):\n%s", r.action, r.input, diff)
		}
	}
}

func checkError(t *testing.T, what string, err error, kind action.Kind, says string) *action.Error {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeded, want an error of kind %s", what, kind)
		return &action.Error{}
	}
	failure := action.AsError(err)
	if failure.Kind != kind {
		t.Errorf("%s: got kind %s (%v), want %s", what, failure.Kind, err, kind)
	}
	if text := failure.Message + "\n" + failure.Hint; !strings.Contains(text, says) {
		t.Errorf("%s: got %q, want it to say %q", what, text, says)
	}
	return failure
}

func TestActionsAreListedByModule(t *testing.T) {
	want := []string{
		"pagerduty.send_trigger_event", "pagerduty.send_acknowledge_event", "pagerduty.send_resolve_event",
		"pagerduty.create_user", "pagerduty.get_user_by_email", "pagerduty.get_user_by_id", "pagerduty.delete_user_by_id",
		"pagerduty.get_incident", "pagerduty.list_incidents", "pagerduty.add_incident_note", "pagerduty.update_incidents",
		"pagerduty.get_on_call", "pagerduty.list_users", "pagerduty.update_user",
		"pagerduty.send_change_event",
		"http.request", "http.get", "http.post", "http.put", "http.delete",
		"net.check_port", "net.lookup", "net.tls_expiry",
		"validate.email", "validate.ip", "validate.cidr", "validate.hostname", "validate.url",
		"json.encode", "json.decode",
		"base64.encode", "base64.decode",
		"hash.sha256", "hash.hmac",
		"time.now", "time.parse", "time.format", "time.add", "time.sleep",
		"text.split", "text.lines", "text.trim", "text.starts_with", "text.ends_with", "text.contains", "text.truncate",
		"text.match", "text.find_all", "text.replace",
		"log.debug", "log.info", "log.warn", "log.error",
		"uuid.new",
	}
	var got []string
	for _, a := range Actions(Config{}) {
		got = append(got, a.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

func TestEveryActionIsDocumented(t *testing.T) {
	for _, a := range Actions(Config{}) {
		if !strings.HasSuffix(a.Summary, ".") {
			t.Errorf("%s: the summary %q is no sentence", a.Name, a.Summary)
		}
		checkDocs(t, a.Name, a.In)
		checkDocs(t, a.Name, a.Out)
		if len(a.Args) > 0 && !a.Spread {
			t.Errorf("%s takes inputs by position and hands its outputs out as a table", a.Name)
		}
		if a.Effect.Writes() && a.Example == nil {
			t.Errorf("%s writes and has no example to show instead", a.Name)
		}
	}
}

func checkDocs(t *testing.T, name string, s *action.Schema) {
	t.Helper()
	for _, f := range s.Fields {
		if f.Doc == "" {
			t.Errorf("%s: %s has no doc", name, f.Name)
		}
		if f.Type.Fields != nil {
			checkDocs(t, name+": "+f.Name, f.Type.Fields)
		}
	}
}

// TestExamplesHaveTheRightShape holds the examples to the outputs they stand for.
func TestExamplesHaveTheRightShape(t *testing.T) {
	for _, a := range Actions(Config{}) {
		if problems := a.Out.Check(a.Example); len(problems) > 0 {
			t.Errorf("%s: %v", a.Name, problems)
		}
	}
}

func TestTimeoutIsTheRunsClock(t *testing.T) {
	clock := newTestClock()
	ctx, stop := withTimeout(action.WithScope(context.Background(), &action.Scope{Clock: clock}), time.Second)
	defer stop()
	if ctx.Err() != nil {
		t.Fatal("the context ended at once")
	}
	clock.fire()
	if !timedOut(ctx) {
		t.Errorf("got cause %v, want the timeout", context.Cause(ctx))
	}
	stopped, stop := withTimeout(context.Background(), time.Hour)
	stop()
	if timedOut(stopped) {
		t.Error("a context that was stopped timed out")
	}
}
