package journaltest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// testRandom: random calls of several owners have the same results as in the model.
func testRandom(t *testing.T, open func() Owner) {
	steps := 500
	if testing.Short() {
		steps = 200
	}
	c := &comparison{open: open, model: &model{gone: map[int]bool{}}, random: rand.New(rand.NewPCG(1, 2))}
	for n := range steps {
		c.step(t, n)
		if n%25 == 0 || n == steps-1 {
			c.compare(t)
		}
		if t.Failed() {
			t.Fatalf("after step %d", n)
		}
	}
}

// A comparison makes the same calls to a journal and to the model.
type comparison struct {
	open   func() Owner
	owners []Owner
	model  *model
	random *rand.Rand
	runs   int // the number of ids that may exist
}

// pick returns the id of a run. Some ids do not exist.
func (c *comparison) pick() string { return fmt.Sprintf("R%d", c.random.IntN(c.runs+1)) }

// step makes one random call.
func (c *comparison) step(t *testing.T, n int) {
	t.Helper()
	if len(c.owners) == 0 || c.random.IntN(60) == 0 {
		c.owners = append(c.owners, c.open())
	}
	owner := c.random.IntN(len(c.owners))
	j := c.owners[owner]
	var got, want error
	call := ""
	switch choice := c.random.IntN(100); {
	case choice < 20:
		e, list := c.beginning(n)
		call, got, want = "begin "+e.Run, j.Begin(ctx, e, list), c.model.begin(owner, e, list)
	case choice < 75:
		id, list := c.continuation(n)
		if r := c.model.find(id); r != nil && r.owner >= 0 && c.random.IntN(10) > 0 {
			owner = r.owner
			j = c.owners[owner]
		}
		call, got, want = "append "+id, j.Append(ctx, id, list), c.model.append(owner, id, list)
	case choice < 85:
		id := c.pick()
		call, got, want = "adopt "+id, j.Adopt(ctx, id), c.model.adopt(owner, id)
	case choice < 91:
		id := c.pick()
		call, got, want = "release "+id, j.Release(ctx, id), c.model.release(owner, id)
	case choice < 98:
		id := c.pick()
		call, got, want = "cancel "+id, j.RequestCancel(ctx, id, nil), c.model.requestCancel(id)
	default:
		call, got = "lose", j.Lose()
		c.model.gone[owner] = true
	}
	if diff := cmp.Diff(want, got, sameErrors); diff != "" {
		t.Errorf("%s by owner %d: got the error %v, want %v", call, owner, got, want)
	}
}

// sameErrors compares errors by their texts.
var sameErrors = cmp.Comparer(func(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error()
})

// beginning returns a run to store, whose id may exist already.
func (c *comparison) beginning(n int) (journal.Entry, []run.Event) {
	if c.random.IntN(10) > 0 {
		c.runs++
	}
	e := entry(fmt.Sprintf("R%d", c.runs))
	e.Workflow = []string{"w", "v"}[c.random.IntN(2)]
	e.Realm = []string{"here", "there"}[c.random.IntN(2)]
	e.Group = []string{"", "g", "h"}[c.random.IntN(3)]
	kinds := []run.EventKind{run.EventStarted, run.EventQueued, run.EventSkipped}
	list := events(e.Run, 1, kinds[c.random.IntN(len(kinds))])
	if c.random.IntN(4) == 0 {
		list = append(list, events(e.Run, 2, run.EventAttemptStarted, run.EventCallStarted)...)
	}
	return e, c.at(n, list)
}

// continuation returns events that continue a run, mostly with the right number.
func (c *comparison) continuation(n int) (string, []run.Event) {
	kinds := []run.EventKind{
		run.EventStarted, run.EventResumed, run.EventRetried, run.EventSuspended, run.EventFinished, run.EventFinished,
		run.EventAttemptStarted, run.EventCallStarted, run.EventCallReturned, run.EventLogged, run.EventCancelled,
	}
	id, next := c.pick(), 1
	if r := c.model.find(id); r != nil {
		next = len(r.events) + 1
	}
	if c.random.IntN(20) == 0 {
		next += c.random.IntN(3) - 1
	}
	var chosen []run.EventKind
	for range 1 + c.random.IntN(3) {
		chosen = append(chosen, kinds[c.random.IntN(len(kinds))])
	}
	return id, c.at(n, events(id, max(next, 1), chosen...))
}

// at sets the time of events, and the status and outputs of run.finished.
func (c *comparison) at(n int, list []run.Event) []run.Event {
	for i := range list {
		list[i].Time = instant(n)
		if list[i].Kind == run.EventFinished {
			list[i].Status = []run.Status{run.Success, run.Failed}[c.random.IntN(2)]
			list[i].Outputs = action.Object{"n": float64(n)}
		}
	}
	return list
}

// compare compares everything that can be read with the model.
func (c *comparison) compare(t *testing.T) {
	t.Helper()
	j := c.owners[c.random.IntN(len(c.owners))]
	got, err := j.Runs(ctx, journal.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.model.list(), got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	for _, r := range c.model.runs {
		same(t, j, r.Run, r.events)
		if asked, err := j.CancelRequested(ctx, r.Run); (asked != nil) != r.cancel || err != nil {
			t.Errorf("%s: got the request to cancel %v, %v, want %v", r.Run, asked, err, r.cancel)
		}
		got, err := j.Previous(ctx, r.Workflow, r.Realm)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.model.previous(r.Workflow, r.Realm), got); diff != "" {
			t.Errorf("previous of %s %s (-want +got):\n%s", r.Workflow, r.Realm, diff)
		}
	}
}
