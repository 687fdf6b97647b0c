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

// A virtualClock moves only when a test moves it.
type virtualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*virtualTimer]bool
	added  *sync.Cond // a timer was added
}

type virtualTimer struct {
	at time.Time
	f  func()
}

var _ action.Clock = (*virtualClock)(nil)

var startOfTime = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

func newClock() *virtualClock {
	c := &virtualClock{now: startOfTime, timers: map[*virtualTimer]bool{}}
	c.added = sync.NewCond(&c.mu)
	return c
}

func (c *virtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *virtualClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &virtualTimer{c.now.Add(d), f}
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

func (c *virtualClock) Sleep(ctx context.Context, d time.Duration) error {
	over := make(chan struct{})
	defer c.AfterFunc(d, func() { close(over) })()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// advance moves the time and calls what became due, in order.
func (c *virtualClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []*virtualTimer
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

// await waits until a timer is set that ends within a duration.
func (c *virtualClock) await(d time.Duration) {
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

// awaitOr waits until a timer is set that ends within a duration, or until
// something is so; it reports whether that is. Whoever makes it so calls wake.
func (c *virtualClock) awaitOr(d time.Duration, so func() bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !so() {
		for timer := range c.timers {
			if timer.at.Sub(c.now) <= d {
				return false
			}
		}
		c.added.Wait()
	}
	return true
}

func (c *virtualClock) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.added.Broadcast()
}

// pending returns how long each timer still has, shortest first.
func (c *virtualClock) pending() []time.Duration {
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

// calls returns the calls that the events hold, of one kind of event.
func (r *recording) calls(kind run.EventKind) []*run.Call {
	var calls []*run.Call
	for _, e := range r.events {
		if e.Kind == kind {
			calls = append(calls, e.Call)
		}
	}
	return calls
}

// text is all that the events say, as a journal would write it.
func (r *recording) text(t testing.TB) string {
	t.Helper()
	text, err := json.Marshal(r.events)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A host is a program that embeds pdflow, with actions of its own.
type host struct {
	clock   *virtualClock
	secrets map[string]string
	actions []*action.Action
	id      string
	started atomic.Bool // the run has, and is not only queued
	recording
}

func (h *host) hasStarted() bool { return h.started.Load() }

// Observe keeps an event, and wakes who waits for the start of the run.
func (h *host) Observe(e run.Event) {
	h.recording.Observe(e)
	if e.Kind == run.EventStarted {
		h.started.Store(true)
		h.clock.wake()
	}
}

func newHost(actions ...*action.Action) *host {
	return &host{clock: newClock(), id: "R1", actions: actions}
}

// compile turns the source of a workflow into a plan, which must be right.
func (h *host) compile(t testing.TB, source string) (*engine.Local, *workflow.Plan) {
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

// run runs a workflow to its end.
func (h *host) run(t testing.TB, source string) *run.Result {
	t.Helper()
	return h.runWith(t, context.Background(), source, nil)
}

func (h *host) runWith(t testing.TB, ctx context.Context, source string, inputs action.Object) *run.Result {
	t.Helper()
	local, compiled := h.compile(t, source)
	result, err := local.Run(ctx, compiled, engine.Request{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// mustFail asserts that a run failed with an error of a kind.
func mustFail(t *testing.T, r *run.Result, status run.Status, kind action.Kind) {
	t.Helper()
	if r.Status != status || r.Error == nil || r.Error.Kind != kind {
		t.Fatalf("got %s, %v, want %s of kind %s", r.Status, r.Error, status, kind)
	}
}

func mustSucceed(t *testing.T, r *run.Result) {
	t.Helper()
	if r.Status != run.Success {
		t.Fatalf("got %s, %v, want success", r.Status, r.Error)
	}
}

// nothing is an output without fields; textIn is an input of one text.
type nothing struct{}

type textIn struct {
	Text string `json:"text" doc:"Some text."`
}

// act declares an action of a host.
func act(name string, effect action.Effect, do func(context.Context, textIn) error) *action.Action {
	return action.New(action.Spec{Name: name, Summary: "It does something.", Effect: effect},
		func(ctx context.Context, in textIn) (nothing, error) { return nothing{}, do(ctx, in) })
}

// decide is the decision about one call.
func decide(call int, outcome run.CallOutcome) []run.Decision {
	return []run.Decision{{Reason: run.CallUnknown, Call: call, Outcome: outcome}}
}
