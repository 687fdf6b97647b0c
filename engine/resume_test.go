package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A brokenJournal takes so many events, and then fails as a full disk does.
type brokenJournal struct {
	journal.Journal
	left int
}

var errDiskFull = errors.New("the disk is full")

func (j *brokenJournal) Begin(ctx context.Context, entry journal.Entry, events []run.Event) error {
	if j.left -= len(events); j.left < 0 {
		return errDiskFull
	}
	return j.Journal.Begin(ctx, entry, events)
}

func (j *brokenJournal) Append(ctx context.Context, run string, events []run.Event) error {
	if j.left -= len(events); j.left < 0 {
		return errDiskFull
	}
	return j.Journal.Append(ctx, run, events)
}

const pages = `
name: w
steps:
- id: one
  lua: |
    town.read{}
    town.page{text = "1"}
    town.page{text = "2"}
- id: two
  lua: |
    town.make{text = "m"}
    town.post{text = "o"}
- id: three
  uses: town.set
  with: {text: "s"}
`

// TestFullDisk: wherever the journal fails, the run stops before its next write,
// says so, and goes on from there once there is room: everything is done once.
func TestFullDisk(t *testing.T) {
	whole := newHost()
	world := newTown()
	whole.actions = world.actions()
	mustSucceed(t, whole.run(t, pages))
	want := world.trace
	for n := range len(whole.events) + 1 {
		t.Run(fmt.Sprintf("after %d events", n), func(t *testing.T) {
			h, world := newHost(), newTown()
			h.actions = world.actions()
			local, plan := h.compile(t, pages)
			journal0 := journal.NewMemory()
			local.Journal = &brokenJournal{journal0, n}
			result, err := local.Run(context.Background(), plan, engine.Request{})
			var failed *engine.JournalError
			if n == len(whole.events) {
				if err != nil || result.Status != run.Success {
					t.Fatalf("got %v, %v, want success", result, err)
				}
				return
			}
			if !errors.As(err, &failed) || !errors.Is(err, errDiskFull) {
				t.Fatalf("got %v, want the journal's error", err)
			}
			local.Journal = journal0
			if _, err := journal0.Events(context.Background(), "R1"); errors.Is(err, journal.ErrNoRun) {
				if len(world.trace) > 0 {
					t.Fatalf("got %v, done by a run that was never recorded", world.trace)
				}
				return
			}
			result, err = local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"})
			if err != nil {
				t.Fatal(err)
			}
			checkOnce(t, want, world.trace, result)
		})
	}
}

// checkOnce holds what was done to a town against what is to be done: pages and
// what may be repeated any number of times, under the same key; what is looked
// for and what is sent once not twice. Only a call that is sent once may end the
// run as unknown.
func checkOnce(t *testing.T, want, trace []string, result *run.Result) {
	t.Helper()
	times := map[string]int{}
	var done []string
	for _, line := range trace {
		if line == "look m" || line == "read" {
			continue
		}
		if times[line]++; times[line] == 1 {
			done = append(done, line)
		}
	}
	switch result.Status {
	case run.Success:
		if diff := cmp.Diff(want[1:], done); diff != "" {
			t.Errorf("what was done (-want +got):\n%s", diff)
		}
	case run.NeedsAttention:
		if last := done[len(done)-1]; last != "post o" || result.Error.Kind != action.UnknownOutcome {
			t.Errorf("got %v after %v, want an unknown outcome of the post alone", result.Error, done)
		}
	default:
		t.Errorf("got %s, %v", result.Status, result.Error)
	}
	if times["make m"] > 1 || times["post o"] > 1 {
		t.Errorf("got %v, want what is done once not to be repeated", trace)
	}
}

// TestResumeRefuses: a run goes on only against the PagerDuty that it began with,
// and only when there is something to go on with.
func TestResumeRefuses(t *testing.T) {
	target := run.Target{Connection: "default", APIURL: "https://api.example.com", EventsURL: "https://events.example.com"}
	keys := map[string]string{"api_key": "secret-key-1"}
	other := target
	other.APIURL = "https://api.eu.example.com"
	simulated := run.Target{Simulator: "S1"}
	tests := map[string]struct {
		left       int // events before the journal fails; negative: the run ends
		target     run.Target
		resumption engine.Resumption
		want       string
	}{
		"another host":             {3, target, engine.Resumption{Target: other, Keys: keys}, "cannot continue with"},
		"another key":              {3, target, engine.Resumption{Target: target, Keys: map[string]string{"api_key": "secret-key-2"}}, "other keys"},
		"no key":                   {3, target, engine.Resumption{Target: target}, "other keys"},
		"a simulator":              {3, target, engine.Resumption{Target: simulated, Keys: keys}, "was not simulated"},
		"another simulator":        {3, simulated, engine.Resumption{Target: run.Target{Simulator: "S2"}, Keys: keys}, "is gone"},
		"one that has ended":       {-1, target, engine.Resumption{Target: target, Keys: keys}, "has ended as success"},
		"a retry of a success":     {-1, target, engine.Resumption{Target: target, Keys: keys, Retry: true}, "nothing to retry"},
		"a retry of one under way": {3, target, engine.Resumption{Target: target, Keys: keys, Retry: true}, "resume it"},
		"a call that is none":      {3, target, engine.Resumption{Target: target, Keys: keys, Decisions: decide(2, run.CallDone)}, "not a call whose outcome is unknown"},
		"a decision that is none":  {3, target, engine.Resumption{Target: target, Keys: keys, Decisions: decide(2, "maybe")}, `not "maybe"`},
		"an input that is known":   {3, target, engine.Resumption{Target: target, Keys: keys, Inputs: action.Object{"n": 1.0}}, "only secret inputs"},
		"a run that there is not":  {3, target, engine.Resumption{Run: "R9", Target: target, Keys: keys}, "no such run"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h, world := newHost(), newTown()
			h.actions = world.actions()
			local, plan := h.compile(t, pages)
			journal := journal.NewMemory()
			local.Journal = journal
			if test.left >= 0 {
				local.Journal = &brokenJournal{journal, test.left}
			}
			_, _ = local.Run(context.Background(), plan, engine.Request{Target: test.target, Keys: keys})
			local.Journal = journal
			before, _ := journal.Events(context.Background(), "R1")
			if test.resumption.Run == "" {
				test.resumption.Run = "R1"
			}
			done := len(world.trace)
			_, err := local.Resume(context.Background(), plan, test.resumption)
			if !engine.IsInputError(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			after, _ := journal.Events(context.Background(), "R1")
			if len(after) != len(before) || len(world.trace) != done {
				t.Errorf("got %d events and %v, want nothing to have changed", len(after), world.trace[done:])
			}
			for _, e := range after {
				if strings.Contains(fmt.Sprintf("%+v", e.Started), "secret-key") {
					t.Error("a key is in the journal")
				}
			}
		})
	}
}

// TestSuspendedRun: a page that may have gone out too long ago waits for a person,
// before on_failure, and then goes on as decided.
func TestSuspendedRun(t *testing.T) {
	const source = `
name: w
steps:
- id: one
  lua: |
    town.page{text = "1"}
    return {done = true}
on_failure:
- {id: told, uses: town.set, with: {text: told}}
finally:
- {id: clean, uses: town.set, with: {text: clean}}
outputs: {done: "${{ steps.one.outputs.done }}"}
`
	tests := map[run.CallOutcome]struct {
		status run.Status
		did    []string
	}{
		run.CallDone:   {run.Success, []string{"set clean"}},
		run.CallRepeat: {run.Success, []string{"page 1", "set clean"}},
		run.CallFailed: {run.NeedsAttention, []string{"set told", "set clean"}},
	}
	for decision, test := range tests {
		t.Run(string(decision), func(t *testing.T) {
			h, world := newHost(), newTown()
			h.actions = world.actions()
			local, plan := h.compile(t, source)
			journal := journal.NewMemory()
			local.Journal = &brokenJournal{journal, 3} // up to call.started
			if _, err := local.Run(context.Background(), plan, engine.Request{}); err == nil {
				t.Fatal("the journal did not fail")
			}
			world.trace = nil
			h.clock.advance(16 * time.Minute)
			local.Journal = journal
			held, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"})
			if err != nil || !held.Suspended || held.Status != run.NeedsAttention || held.Error.Call != 3 || len(world.trace) > 0 {
				t.Fatalf("got %+v, %v after %v, want it to wait for a decision of call 3", held, err, world.trace)
			}
			if _, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1"}); err == nil || !strings.Contains(err.Error(), "what did call 3") {
				t.Errorf("got %v, want to be told how to decide", err)
			}
			got, err := local.Resume(context.Background(), plan, engine.Resumption{Run: "R1", Decisions: decide(3, decision)})
			if err != nil || got.Status != test.status {
				t.Fatalf("got %+v, %v, want %s", got, err, test.status)
			}
			if diff := cmp.Diff(test.did, withoutKeys(world.trace)); diff != "" {
				t.Errorf("what was done (-want +got):\n%s", diff)
			}
		})
	}
}

// withoutKeys drops the idempotency keys from what a town was done.
func withoutKeys(trace []string) []string {
	var list []string
	for _, line := range trace {
		words := strings.Fields(line)
		list = append(list, strings.Join(words[:min(2, len(words))], " "))
	}
	return list
}

// TestRetriedRun: a run that has failed goes on from its failed steps, with the
// keys and the completed writes of before.
func TestRetriedRun(t *testing.T) {
	h, world := newHost(), newTown()
	h.actions = world.actions()
	local, plan := h.compile(t, `
name: w
steps:
- {id: first, uses: town.set, with: {text: first}}
- id: second
  lua: |
    town.page{text = "p"}
    town.set{text = "breaks"}
- {id: third, uses: town.set, with: {text: third}}
on_failure:
- {id: told, uses: town.page, with: {text: told}}
`)
	local.Journal = journal.NewMemory()
	world.refuses["breaks"] = action.Errorf(action.NotFound, "it broke")
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil || result.Status != run.Failed {
		t.Fatalf("got %v, %v, want a failure", result, err)
	}
	delete(world.refuses, "breaks")
	result, err = local.Resume(context.Background(), plan, engine.Resumption{Run: "R1", Retry: true})
	if err != nil {
		t.Fatal(err)
	}
	mustSucceed(t, result)
	want := []string{"set first", "page p", "set breaks", "page told", "set breaks", "set third"}
	if diff := cmp.Diff(want, withoutKeys(world.trace)); diff != "" {
		t.Errorf("what was done (-want +got):\n%s", diff)
	}
}

// TestConcurrencyGroup: of two runs of a group the second is skipped, waits, or
// has the first one cancelled.
func TestConcurrencyGroup(t *testing.T) {
	const source = `
name: w
inputs: {who: {type: string, default: a}}
concurrency: {group: "${{ inputs.who }}", policy: %s}
steps:
- {id: s, uses: demo.wait}
`
	tests := map[string]struct {
		first, second run.Status
		events        string // of the second
	}{
		"skip":   {run.Success, run.Skipped, "run.skipped"},
		"queue":  {run.Success, run.Success, "run.queued run.started attempt.started call.started call.returned attempt.finished run.finished"},
		"cancel": {run.Cancelled, run.Success, "run.queued run.started attempt.started call.started call.returned attempt.finished run.finished"},
		"allow":  {run.Success, run.Success, "run.started attempt.started call.started call.returned attempt.finished run.finished"},
	}
	for policy, test := range tests {
		t.Run(policy, func(t *testing.T) {
			journal, w := journal.NewMemory(), newWaiting()
			clock := newClock()
			start := func(id string) (*host, chan *run.Result) {
				h := newHost(w.action(action.Reads))
				h.id, h.clock = id, clock
				local, plan := h.compile(t, fmt.Sprintf(source, policy))
				local.Journal = journal
				ended := make(chan *run.Result, 1)
				go func() {
					result, err := local.Run(context.Background(), plan, engine.Request{})
					if err != nil {
						t.Error(err)
					}
					ended <- result
				}()
				return h, ended
			}
			_, first := start("R1")
			<-w.entered
			second, ended := start("R2")
			switch policy {
			case "queue", "cancel":
				turn(clock, second, policy == "cancel", func() { w.answer <- nil })
				<-w.entered
				w.answer <- nil
			case "allow":
				<-w.entered
				w.answer <- nil
				w.answer <- nil
			case "skip":
				result := <-ended
				ended <- result
				w.answer <- nil
			}
			if got := <-first; got.Status != test.first {
				t.Errorf("got %s, want the first %s", got.Status, test.first)
			}
			if got := <-ended; got.Status != test.second {
				t.Errorf("got %s, %v, want the second %s", got.Status, got.Error, test.second)
			}
			var kinds []string
			for _, e := range second.events {
				kinds = append(kinds, string(e.Kind))
			}
			if events := strings.Join(kinds, " "); events != test.events {
				t.Errorf("got the events %q of the second run, want %q", events, test.events)
			}
		})
	}
}

// turn lets time pass until a queued run has started. It passes only while that
// run waits, so that nothing else comes to the end of its time.
func turn(clock *virtualClock, h *host, cancels bool, release func()) {
	waits := 250 * time.Millisecond
	for passes := 0; !clock.awaitOr(waits, h.hasStarted); passes++ {
		if passes == 3 && !cancels {
			release()
		}
		clock.advance(waits)
	}
}

// TestCancelRequest: a run that another process wants cancelled is.
func TestCancelRequest(t *testing.T) {
	h, w := newHost(), newWaiting()
	h.actions = append(h.actions, w.action(action.Reads))
	local, plan := h.compile(t, "name: w\nsteps:\n- {id: s, uses: demo.wait}\n")
	journal := journal.NewMemory()
	local.Journal = journal
	go func() {
		<-w.entered
		if err := journal.RequestCancel(context.Background(), "R1", nil); err != nil {
			t.Error(err)
		}
		h.clock.await(time.Second)
		h.clock.advance(time.Second)
	}()
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil || result.Status != run.Cancelled {
		t.Errorf("got %v, %v, want cancelled", result, err)
	}
}

// TestPrevious: a run knows the outputs of the last one that succeeded.
func TestPrevious(t *testing.T) {
	h := newHost()
	local, plan := h.compile(t, `
name: w
inputs: {n: {type: integer}}
steps:
- id: s
  lua: |
    if inputs.n == 2 then error("it broke") end
    return {before = previous.outputs.n, status = previous.status}
outputs:
  n: ${{ inputs.n }}
  before: ${{ steps.s.outputs.before }}
  status: ${{ steps.s.outputs.status }}
`)
	local.Journal = journal.NewMemory()
	want := []action.Object{{"n": 1.0, "before": nil, "status": nil}, nil, {"n": 3.0, "before": 1.0, "status": "success"}, {"n": 4.0, "before": 3.0, "status": "success"}}
	for i := range want {
		h.id = fmt.Sprintf("R%d", i+1)
		h.clock.advance(time.Minute)
		result, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"n": float64(i + 1)}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], result.Outputs); diff != "" {
			t.Errorf("run %d (-want +got):\n%s", i+1, diff)
		}
	}
}
