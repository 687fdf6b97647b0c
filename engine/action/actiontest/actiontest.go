// Package actiontest calls actions from tests, as the engine calls them: the input
// is checked, the state before the call is read, and then the action is done.
//
//	actiontest.Run(t, actions, action.Scope{}, []actiontest.Row{
//		{Action: "text.trim", Input: action.Object{"text": " a "}, Want: action.Object{"text": "a"}},
//		{Action: "text.trim", Kind: action.InvalidInput, Says: `"text" is missing`},
//	})
package actiontest

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

// Start is the time at which a [Clock] starts.
var Start = time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)

// A Clock is virtual: a sleep takes no time, and a timer fires when the test calls
// [Clock.Fire].
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	slept  []time.Duration
	timers []func()
}

var _ action.Clock = (*Clock)(nil)

// NewClock returns a clock that shows [Start].
func NewClock() *Clock { return &Clock{now: Start} }

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clock and returns at once.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// AfterFunc keeps f for [Clock.Fire].
func (c *Clock) AfterFunc(_ time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers = append(c.timers, f)
	return func() bool { return true }
}

// Fire calls the function of every timer.
func (c *Clock) Fire() {
	c.mu.Lock()
	timers := c.timers
	c.timers = nil
	c.mu.Unlock()
	for _, f := range timers {
		f()
	}
}

// Slept returns how long each sleep was, in order.
func (c *Clock) Slept() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}

// Prepare returns the checked call of an action by name.
func Prepare(actions []*action.Action, name string, input action.Object) (*action.Invocation, error) {
	catalog, err := action.NewCatalog(actions...)
	if err != nil {
		return nil, err
	}
	a, ok := catalog.Lookup(name)
	if !ok {
		return nil, errors.New("no action " + name)
	}
	return a.Prepare(input)
}

// Call prepares an action and does it. The zero scope is a call from Go, without a run.
func Call(actions []*action.Action, scope action.Scope, name string, input action.Object) (action.Object, error) {
	invocation, err := Prepare(actions, name, input)
	if err != nil {
		return nil, err
	}
	ctx := action.WithScope(context.Background(), scope)
	before, err := invocation.Before(ctx)
	if err != nil {
		return nil, err
	}
	return invocation.Do(ctx, before)
}

// A Row is a call with the output that it must return, or with the kind and a part
// of the message or hint of its error.
type Row struct {
	Action string
	Input  action.Object
	Want   action.Object
	Kind   action.Kind // empty: the call must succeed
	Says   string
}

// Run makes the call of every row, in order, and checks its result.
func Run(t *testing.T, actions []*action.Action, scope action.Scope, rows []Row) {
	t.Helper()
	for _, r := range rows {
		got, err := Call(actions, scope, r.Action, r.Input)
		if r.Kind != "" {
			CheckError(t, r.Action, err, r.Kind, r.Says)
			continue
		}
		if err != nil {
			t.Errorf("%s(%v): %v", r.Action, r.Input, err)
			continue
		}
		if diff := cmp.Diff(r.Want, got); diff != "" {
			t.Errorf("%s(%v) (-want +got):\n%s", r.Action, r.Input, diff)
		}
	}
}

// CheckError checks that err has a kind and that its message or hint contains a
// text. It returns err as an [action.Error], never nil.
func CheckError(t *testing.T, what string, err error, kind action.Kind, says string) *action.Error {
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
		t.Errorf("%s: got %q, want it to contain %q", what, text, says)
	}
	return failure
}

// A Repeat is a call with what the engine must conclude from it about a repeat. The key
// that the engine derives is "derived".
type Repeat struct {
	Action     string
	Input      action.Object
	Effect     action.Effect
	Memoized   bool
	ResendLate bool
	Known      action.Object
}

// CheckRepeats compares what the engine concludes from the call of every row.
func CheckRepeats(t *testing.T, actions []*action.Action, rows []Repeat) {
	t.Helper()
	for _, want := range rows {
		call, err := Prepare(actions, want.Action, want.Input)
		if err != nil {
			t.Errorf("%s: %v", want.Action, err)
			continue
		}
		call.UseKey("derived")
		got := Repeat{want.Action, want.Input, call.Effect(), call.Memoized(), call.ResendLate(), call.Known()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s(%v) (-want +got):\n%s", want.Action, want.Input, diff)
		}
	}
}
