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

// testRandom: random histories of several owners go as those of the model.
func testRandom(t *testing.T, open func() Owner) {
	steps := 500
	if testing.Short() {
		steps = 200
	}
	h := &history{open: open, model: &model{gone: map[int]bool{}}, random: rand.New(rand.NewPCG(1, 2))}
	for n := range steps {
		h.step(t, n)
		if n%25 == 0 || n == steps-1 {
			h.compare(t)
		}
		if t.Failed() {
			t.Fatalf("after the step %d", n)
		}
	}
}

// A history does the same to a journal and to the model.
type history struct {
	open   func() Owner
	owners []Owner
	model  *model
	random *rand.Rand
	runs   int // that were tried
}

// pick returns one of the runs there may be; now and then one there is not.
func (h *history) pick() string { return fmt.Sprintf("R%d", h.random.IntN(h.runs+1)) }

func (h *history) step(t *testing.T, n int) {
	t.Helper()
	if len(h.owners) == 0 || h.random.IntN(60) == 0 {
		h.owners = append(h.owners, h.open())
	}
	owner := h.random.IntN(len(h.owners))
	j := h.owners[owner]
	var got, want error
	did := ""
	switch choice := h.random.IntN(100); {
	case choice < 20:
		e, list := h.beginning(n)
		did, got, want = "begin "+e.Run, j.Begin(ctx, e, list), h.model.begin(owner, e, list)
	case choice < 75:
		run, list := h.continuation(n)
		if r := h.model.find(run); r != nil && r.owner >= 0 && h.random.IntN(10) > 0 {
			owner = r.owner
			j = h.owners[owner]
		}
		did, got, want = "append "+run, j.Append(ctx, run, list), h.model.append(owner, run, list)
	case choice < 85:
		run := h.pick()
		did, got, want = "adopt "+run, j.Adopt(ctx, run), h.model.adopt(owner, run)
	case choice < 91:
		run := h.pick()
		did, got, want = "release "+run, j.Release(ctx, run), h.model.release(owner, run)
	case choice < 98:
		run := h.pick()
		did, got, want = "cancel "+run, j.RequestCancel(ctx, run, nil), h.model.requestCancel(run)
	default:
		did, got = "lose", j.Lose()
		h.model.gone[owner] = true
	}
	if diff := cmp.Diff(want, got, sameErrors); diff != "" {
		t.Errorf("%s by owner %d: got the error %v, want %v", did, owner, got, want)
	}
}

// sameErrors compares errors by their texts: those of a journal have no more.
var sameErrors = cmp.Comparer(func(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error()
})

func (h *history) beginning(n int) (journal.Entry, []run.Event) {
	if h.random.IntN(10) > 0 {
		h.runs++
	}
	e := entry(fmt.Sprintf("R%d", h.runs))
	e.Workflow = []string{"w", "v"}[h.random.IntN(2)]
	e.Realm = []string{"here", "there"}[h.random.IntN(2)]
	e.Group = []string{"", "g", "h"}[h.random.IntN(3)]
	kinds := []run.EventKind{run.EventStarted, run.EventQueued, run.EventSkipped}
	list := events(e.Run, 1, kinds[h.random.IntN(len(kinds))])
	if h.random.IntN(4) == 0 {
		list = append(list, events(e.Run, 2, run.EventAttemptStarted, run.EventCallStarted)...)
	}
	return e, h.at(n, list)
}

// continuation is events of a run, with the right number as a rule.
func (h *history) continuation(n int) (string, []run.Event) {
	kinds := []run.EventKind{
		run.EventStarted, run.EventResumed, run.EventRetried, run.EventSuspended, run.EventFinished, run.EventFinished,
		run.EventAttemptStarted, run.EventCallStarted, run.EventCallReturned, run.EventLogged, run.EventCancelled,
	}
	runID, next := h.pick(), 1
	if r := h.model.find(runID); r != nil {
		next = len(r.events) + 1
	}
	if h.random.IntN(20) == 0 {
		next += h.random.IntN(3) - 1
	}
	var chosen []run.EventKind
	for range 1 + h.random.IntN(3) {
		chosen = append(chosen, kinds[h.random.IntN(len(kinds))])
	}
	return runID, h.at(n, events(runID, max(next, 1), chosen...))
}

// at gives events the time of a step, and ends a status and outputs.
func (h *history) at(n int, list []run.Event) []run.Event {
	for i := range list {
		list[i].Time = instant(n)
		if list[i].Kind == run.EventFinished {
			list[i].Status = []run.Status{run.Success, run.Failed}[h.random.IntN(2)]
			list[i].Outputs = action.Object{"n": float64(n)}
		}
	}
	return list
}

// compare holds everything that can be read against the model.
func (h *history) compare(t *testing.T) {
	t.Helper()
	j := h.owners[h.random.IntN(len(h.owners))]
	got, err := j.Runs(ctx, journal.Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h.model.list(), got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	for _, r := range h.model.runs {
		same(t, j, r.Run, r.events)
		if asked, err := j.CancelRequested(ctx, r.Run); (asked != nil) != r.cancel || err != nil {
			t.Errorf("%s: got %v, %v of its cancellation, want %v", r.Run, asked, err, r.cancel)
		}
		got, err := j.Previous(ctx, r.Workflow, r.Realm)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(h.model.previous(r.Workflow, r.Realm), got); diff != "" {
			t.Errorf("previous of %s %s (-want +got):\n%s", r.Workflow, r.Realm, diff)
		}
	}
}
