package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A manualClock moves only when a test moves it.
type manualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*manualTimer]bool
	added  *sync.Cond // a timer was added
}

type manualTimer struct {
	at time.Time
	f  func()
}

var _ action.Clock = (*manualClock)(nil)

var startTime = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

func newClock() *manualClock {
	c := &manualClock{now: startTime, timers: map[*manualTimer]bool{}}
	c.added = sync.NewCond(&c.mu)
	return c
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &manualTimer{c.now.Add(d), f}
	c.timers[timer] = true
	c.added.Broadcast()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		inTime := c.timers[timer]
		delete(c.timers, timer)
		return inTime
	}
}

func (c *manualClock) Sleep(ctx context.Context, d time.Duration) error {
	passed := make(chan struct{})
	defer c.AfterFunc(d, func() { close(passed) })()
	select {
	case <-passed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// advance moves the time and fires the timers that are due, in order.
func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*manualTimer
	for timer := range c.timers {
		if !timer.at.After(c.now) {
			due = append(due, timer)
			delete(c.timers, timer)
		}
	}
	c.mu.Unlock()
	sort.Slice(due, func(i, j int) bool { return due[i].at.Before(due[j].at) })
	for _, timer := range due {
		timer.f()
	}
}

// await waits until there is a timer that is due within a duration.
func (c *manualClock) await(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for timer := range c.timers {
			if timer.at.Sub(c.now) <= d {
				return
			}
		}
		c.added.Wait()
	}
}

// awaitOr waits until there is a timer that is due within a duration, or until done returns
// true. It returns the last result of done. A change of the result must be followed by wake.
func (c *manualClock) awaitOr(d time.Duration, done func() bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !done() {
		for timer := range c.timers {
			if timer.at.Sub(c.now) <= d {
				return false
			}
		}
		c.added.Wait()
	}
	return true
}

// wake makes awaitOr check its condition again.
func (c *manualClock) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.added.Broadcast()
}

// pending returns the time left of each timer, the shortest first.
func (c *manualClock) pending() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var left []time.Duration
	for timer := range c.timers {
		left = append(left, timer.at.Sub(c.now))
	}
	sort.Slice(left, func(i, j int) bool { return left[i] < left[j] })
	return left
}

// A recording keeps the events of a run.
type recording struct{ events []run.Event }

// Observe keeps an event.
func (r *recording) Observe(e run.Event) { r.events = append(r.events, e) }

// calls returns the calls of the events of one kind.
func (r *recording) calls(kind run.EventKind) []*run.Call {
	var calls []*run.Call
	for _, e := range r.events {
		if e.Kind == kind {
			calls = append(calls, e.Call)
		}
	}
	return calls
}

// text returns the events as JSON.
func (r *recording) text(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(r.events)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A harness runs workflows with actions of a test, and records their events.
type harness struct {
	clock   *manualClock
	secrets map[string]string
	actions []*action.Action
	id      string        // of the next run
	giveUp  chan struct{} // ends the wait of a resumed run for its group
	started atomic.Bool   // there was a run.started
	recording
}

func (h *harness) hasStarted() bool { return h.started.Load() }

// Observe keeps an event, and wakes the clock at the start of the run.
func (h *harness) Observe(e run.Event) {
	h.recording.Observe(e)
	if e.Kind == run.EventStarted {
		h.started.Store(true)
		h.clock.wake()
	}
}

func newHarness(actions ...*action.Action) *harness {
	return &harness{clock: newClock(), id: "R1", actions: actions}
}

// compile compiles a workflow that must be valid.
func (h *harness) compile(t testing.TB, source string) (*engine.Local, *workflow.Plan) {
	t.Helper()
	catalog, err := action.NewCatalog(h.actions...)
	if err != nil {
		t.Fatal(err)
	}
	interpreter := lua.New(catalog)
	parsed, err := workflow.Parse("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := workflow.Compile(parsed, catalog, interpreter)
	if err != nil {
		t.Fatal(err)
	}
	local := &engine.Local{
		Interpreter: interpreter, Clock: h.clock, Observers: []run.Observer{h},
		NewID: func(time.Time) string { return h.id },
		Secrets: func(name string) (string, error) {
			if text, ok := h.secrets[name]; ok {
				return text, nil
			}
			return "", fmt.Errorf("no secret %s", name)
		},
	}
	return local, compiled
}

// run runs a workflow without inputs.
func (h *harness) run(t testing.TB, source string) *run.Result {
	t.Helper()
	return h.runWith(t, context.Background(), source, nil)
}

// runWith runs a workflow; its start must not be refused.
func (h *harness) runWith(t testing.TB, ctx context.Context, source string, inputs action.Object) *run.Result {
	t.Helper()
	local, compiled := h.compile(t, source)
	result, err := local.Run(ctx, compiled, engine.Request{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// wantFailure fails the test unless the run ended with the status and an error of the kind.
func wantFailure(t *testing.T, r *run.Result, status run.Status, kind action.Kind) {
	t.Helper()
	if r.Status != status || r.Error == nil || r.Error.Kind != kind {
		t.Fatalf("got %s, %v, want %s of kind %s", r.Status, r.Error, status, kind)
	}
}

// wantSuccess fails the test unless the run succeeded.
func wantSuccess(t *testing.T, r *run.Result) {
	t.Helper()
	if r.Status != run.Success {
		t.Fatalf("got %s, %v, want success", r.Status, r.Error)
	}
}

// nothing is an output without fields.
type nothing struct{}

// textIn is an input of one text.
type textIn struct {
	Text string `json:"text" doc:"Some text."`
}

// act declares an action with a text as input.
func act(name string, effect action.Effect, do func(context.Context, textIn) error) *action.Action {
	return action.New(action.Spec{Name: name, Summary: "It does something.", Effect: effect},
		func(ctx context.Context, in textIn) (nothing, error) { return nothing{}, do(ctx, in) })
}

// decide returns the decision about a call.
func decide(call int, outcome run.CallOutcome) []run.Decision {
	return []run.Decision{{Reason: run.CallUnknown, Call: call, Outcome: outcome}}
}
