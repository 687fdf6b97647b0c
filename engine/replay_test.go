package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
)

// A tape records the calls of attempts and plays them back: what a process that
// was stopped would have left.
type tape struct {
	calls []engine.RecordedCall
	next  int
	logs  int
	// attempt is the attempt that is being recorded.
	attempt int
	clock   *virtualClock
	// durable are the numbers of the calls whose beginning had to be durable.
	durable []int
}

var _ engine.Recorder = (*tape)(nil)

func (p *tape) Recorded() []engine.RecordedCall {
	return append([]engine.RecordedCall(nil), p.calls...)
}

func (p *tape) Begin(_ context.Context, call engine.Call, durable bool) (int, error) {
	p.next++
	if durable {
		p.durable = append(p.durable, call.Number)
	}
	p.calls = append(p.calls, engine.RecordedCall{Call: call, Attempt: p.attempt, Sequence: p.next, Time: p.clock.Now()})
	return p.next, nil
}

func (p *tape) End(call engine.Call, _ bool) {
	for i := range p.calls {
		if c := &p.calls[i]; c.Attempt == p.attempt && c.Number == call.Number {
			c.Returned, c.Output, c.Error = !call.Stopped, call.Output, call.Error
			return
		}
	}
	p.next++
	p.calls = append(p.calls, engine.RecordedCall{Call: call, Attempt: p.attempt, Sequence: p.next, Returned: true, Time: p.clock.Now()})
}

func (p *tape) Log(action.LogRecord) { p.logs++ }

// A town is the world of the actions below. It remembers what was done to it.
type town struct {
	trace []string
	// lose says that the answer of the next call of this action is lost after it
	// was done.
	lose    string
	reads   int
	made    map[string]bool
	refuses map[string]error // of an action or a text, each time
}

func newTown() *town { return &town{made: map[string]bool{}, refuses: map[string]error{}} }

type readOutput struct {
	Value float64 `json:"value" doc:"The value."`
}

func (w *town) does(name string) func(context.Context, textIn) (nothing, error) {
	return func(ctx context.Context, in textIn) (nothing, error) {
		w.trace = append(w.trace, strings.TrimSuffix(fmt.Sprintf("%s %s %s", name, in.Text, action.ScopeOf(ctx).Key), " "))
		if err := firstError(w.refuses[name], w.refuses[in.Text]); err != nil {
			return nothing{}, err
		}
		if w.lose == name {
			w.lose = ""
			return nothing{}, lost()
		}
		return nothing{}, nil
	}
}

func (w *town) actions() []*action.Action {
	spec := func(name string, effect action.Effect) action.Spec {
		return action.Spec{Name: "town." + name, Summary: "It does something.", Effect: effect}
	}
	read := func(context.Context) (readOutput, error) {
		w.reads++
		w.trace = append(w.trace, "read")
		return readOutput{float64(w.reads)}, nil
	}
	pageOwn := spec("page_own", action.Keyed)
	pageOwn.Key, pageOwn.Late = "text", action.LateWithOwnKey
	return []*action.Action{
		action.New(spec("read", action.Reads), func(ctx context.Context, _ nothing) (readOutput, error) { return read(ctx) }),
		action.New(spec("clock", action.Reads), func(ctx context.Context, _ nothing) (readOutput, error) { return read(ctx) },
			action.Rules[nothing]{Memoized: func(*nothing) bool { return true }}),
		action.New(spec("set", action.Repeats), w.does("set")),
		action.New(spec("page", action.Keyed), w.does("page")),
		action.New(pageOwn, w.does("page_own")),
		action.New(spec("post", action.Once), w.does("post")),
		action.NewReconciled(spec("make", action.Reconciled), action.Reconciler[textIn, createState, nothing]{
			Before: func(context.Context, textIn) (createState, error) { return createState{1}, nil },
			Do: func(ctx context.Context, in textIn, _ createState) (nothing, error) {
				out, err := w.does("make")(ctx, in)
				w.made[in.Text] = true
				return out, err
			},
			Reconcile: func(_ context.Context, in textIn, _ createState) (nothing, bool, error) {
				w.trace = append(w.trace, "look "+in.Text)
				return nothing{}, w.made[in.Text], w.refuses["look"]
			},
		}),
	}
}

// An executed is an executor of a script over a town.
type executed struct {
	*engine.Executor
	clock *virtualClock
}

func execute(t *testing.T, w *town, script string) *executed {
	t.Helper()
	h := newHost(w.actions()...)
	local, plan := h.compile(t, "steps:\n- id: one\n  lua: |\n    "+strings.ReplaceAll(strings.TrimSpace(script), "\n", "\n    ")+"\n")
	return &executed{&engine.Executor{Plan: plan, Interpreter: local.Interpreter, Clock: h.clock, Redactor: &action.Redactor{}}, h.clock}
}

// attempt makes an attempt; what it records is added to the tape.
func (x *executed) attempt(p *tape, number int) engine.Outcome {
	p.attempt, p.clock = number, x.clock
	return x.Do(context.Background(), engine.Attempt{Step: "one", Number: number, Run: engine.RunInfo{ID: "R1"}}, p)
}

const everyEffect = `
local before = town.read{}
town.page{text = "p" .. before.value}
town.page{text = "p" .. before.value}
town.make{text = "m"}
town.set{text = "s"}
local ok, err = pcall(town.post, {text = "o"})
local after = town.read{}
return {before = before.value, after = after.value, posted = ok, kind = ok or err.kind}`

// TestReplay cuts an attempt off before and after each of its calls, as a crash
// does, and lets it go on: what is recorded is not done again, and what was under
// way is, in the way that its effect allows.
func TestReplay(t *testing.T) {
	whole := &tape{}
	world := newTown()
	want := execute(t, world, everyEffect).attempt(whole, 1)
	if want.Status != engine.Success || len(whole.calls) != 7 {
		t.Fatalf("got %v and %d calls, want success and 7", want.Error, len(whole.calls))
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5, 6}, whole.durable); diff != "" {
		t.Errorf("calls that were durable before they were made, want the writes (-want +got):\n%s", diff)
	}
	for n := range len(whole.calls) + 1 {
		for _, underWay := range []bool{false, true} {
			if n == 0 && underWay {
				continue
			}
			t.Run(fmt.Sprintf("after %d, under way %v", n, underWay), func(t *testing.T) {
				again := newTown()
				again.made["m"], again.reads = n > 4 || n == 4 && underWay, 1
				survived := &tape{calls: append([]engine.RecordedCall(nil), whole.calls[:n]...), next: 100}
				if underWay {
					survived.calls[n-1].Returned, survived.calls[n-1].Output = false, nil
				}
				if n == 0 || n == 1 && underWay {
					again.reads = 0
				}
				got := execute(t, again, everyEffect).attempt(survived, 1)
				checkReplay(t, want, got, n, underWay)
				if diff := cmp.Diff(expectedTrace(world.trace, n, underWay), again.trace); diff != "" {
					t.Errorf("what was done after the crash (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// checkReplay compares outputs: only the Once call that was under way may end
// otherwise, as an unknown outcome that the script sees.
func checkReplay(t *testing.T, want, got engine.Outcome, n int, underWay bool) {
	t.Helper()
	expected := action.Object{}
	for name, v := range want.Outputs.(action.Object) {
		expected[name] = v
	}
	if n == 6 && underWay {
		expected["posted"], expected["kind"] = false, string(action.UnknownOutcome)
	}
	if diff := cmp.Diff(any(expected), got.Outputs); diff != "" {
		t.Errorf("outputs after %v (-want +got):\n%s", got.Error, diff)
	}
}

// expectedTrace is what remains to be done after n calls.
func expectedTrace(whole []string, n int, underWay bool) []string {
	rest := whole[n:]
	if !underWay {
		return append([]string(nil), rest...)
	}
	switch n {
	case 4: // Reconciled, and done: it is found
		return append([]string{"look m"}, rest...)
	case 6: // Once: never again
		return append([]string(nil), rest...)
	}
	return append([]string{whole[n-1]}, rest...)
}

// TestReplayRefuses: a script that asks for another call than the one recorded is
// stopped, whatever it catches, and shows both.
func TestReplayRefuses(t *testing.T) {
	recorded := &tape{}
	execute(t, newTown(), `town.page{text = "a"} town.page{text = "b"}`).attempt(recorded, 1)
	tests := map[string]struct {
		script string
		want   []string
	}{
		"another input":  {`pcall(town.page, {text = "c"}) return 1`, []string{`town.page{text = a}`, `town.page{text = c}`}},
		"another action": {`town.set{text = "a"}`, []string{`town.page{text = a}`, `town.set{text = a}`}},
		"fewer calls":    {`town.page{text = "a"}`, []string{`town.page{text = b}`, "no further call"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			world := newTown()
			got := execute(t, world, test.script).attempt(&tape{calls: recorded.calls}, 1)
			if got.Status != engine.Failed || !got.Final || len(world.trace) > 0 {
				t.Fatalf("got %+v after %v, want a final failure and nothing sent", got, world.trace)
			}
			for _, want := range test.want {
				if !strings.Contains(got.Error.Message, want) {
					t.Errorf("got %q, want it to show %q", got.Error.Message, want)
				}
			}
		})
	}
}

// TestRetryRemembers: a second attempt reads anew, and does not repeat the writes
// that the first one completed.
func TestRetryRemembers(t *testing.T) {
	const script = `
local n = town.read{}.value
local at = town.clock{}.value
town.page{text = "at " .. at}
town.page{text = "at " .. at}
town.set{text = "always"}
town.make{text = "m"}
town.post{text = "o"}
if n < 3 then error({kind = "unavailable"}) end
return {n = n, at = at}`
	world, recorded := newTown(), &tape{}
	x := execute(t, world, script)
	if got := x.attempt(recorded, 1); got.Status != engine.Failed {
		t.Fatalf("got %v, want a failure", got)
	}
	first := len(world.trace)
	got := x.attempt(recorded, 2)
	if diff := cmp.Diff(any(action.Object{"n": 3.0, "at": 2.0}), got.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"read"}, world.trace[first:]); diff != "" {
		t.Errorf("what the second attempt did (-want +got):\n%s", diff)
	}
	for _, c := range recorded.calls {
		if c.Attempt == 2 && c.Again != (c.Action != "town.read") {
			t.Errorf("%s of attempt 2 is recorded with again = %v", c.Action, c.Again)
		}
	}
	// The second attempt can be replayed too.
	if again := x.attempt(recorded, 2); len(world.trace) != first+1 || !cmp.Equal(again.Outputs, got.Outputs) {
		t.Errorf("got %v and %v, want the replay to do nothing", again.Outputs, world.trace[first:])
	}
}

// TestRetryOfWhatWasLost: a write whose answer was lost goes out under the same
// key, is looked for, or is said to be unknown; another input is another write.
func TestRetryOfWhatWasLost(t *testing.T) {
	tests := map[string]struct {
		script string
		lose   string
		want   []string // what both attempts did, without keys
		same   bool     // of keys
		status engine.Status
	}{
		"keyed": {`town.page{text = "p"}`, "page", []string{"page p", "page p"}, true, engine.Success},
		"keyed, another input": {
			`town.page{text = "p" .. town.read{}.value}`, "page",
			[]string{"read", "page p1", "read", "page p2"},
			false, engine.Success,
		},
		"repeats":    {`town.set{text = "s"}`, "set", []string{"set s", "set s"}, true, engine.Success},
		"reconciled": {`town.make{text = "m"}`, "make", []string{"make m", "look m"}, true, engine.Success},
		"once":       {`town.post{text = "o"}`, "post", []string{"post o"}, true, engine.Failed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			world, recorded := newTown(), &tape{}
			world.lose = test.lose
			x := execute(t, world, test.script)
			x.attempt(recorded, 1)
			got := x.attempt(recorded, 2)
			var did []string
			keys := map[string]bool{}
			for _, line := range world.trace {
				words := strings.Fields(line)
				if len(words) == 3 {
					keys[words[2]] = true
				}
				did = append(did, strings.Join(words[:min(2, len(words))], " "))
			}
			if diff := cmp.Diff(test.want, did); diff != "" {
				t.Errorf("what was done (-want +got):\n%s", diff)
			}
			if got.Status != test.status || (len(keys) <= 1) != test.same {
				t.Errorf("got %s, %v with the keys %v, want %s", got.Status, got.Error, keys, test.status)
			}
			if test.status == engine.Failed && (got.Error.Kind != action.UnknownOutcome || got.Error.Call == 0) {
				t.Errorf("got %+v, want an unknown outcome that names its call", got.Error)
			}
		})
	}
}

// underWay is the record of a script whose one call was under way.
func underWay(t *testing.T, script string) *tape {
	t.Helper()
	recorded := &tape{}
	execute(t, newTown(), script).attempt(recorded, 1)
	last := &recorded.calls[len(recorded.calls)-1]
	last.Returned, last.Output = false, nil
	return recorded
}

// TestLateCalls: after resume_within a call without a result is sent again only
// where that does no harm; else a person decides.
func TestLateCalls(t *testing.T) {
	tests := map[string]struct {
		script  string
		decided engine.Decision
		trace   int // calls that are sent
		status  engine.Status
		kind    action.Kind
	}{
		"a page with a derived key waits":      {`town.page{text = "p"}`, "", 0, engine.Suspended, action.UnknownOutcome},
		"not even pcall catches that":          {`pcall(town.page, {text = "p"})`, "", 0, engine.Suspended, action.UnknownOutcome},
		"a page with an own key is sent":       {`town.page_own{text = "p"}`, "", 1, engine.Success, ""},
		"what may be repeated is sent":         {`town.set{text = "s"}`, "", 1, engine.Success, ""},
		"what can be found out is":             {`town.make{text = "m"}`, "", 2, engine.Success, ""},
		"a read is made":                       {`town.read{}`, "", 1, engine.Success, ""},
		"what is sent once is unknown at once": {`town.post{text = "o"}`, "", 0, engine.Failed, action.UnknownOutcome},
		"done is not sent":                     {`town.page{text = "p"}`, engine.CallDone, 0, engine.Success, ""},
		"done is not sent, of once":            {`town.post{text = "o"}`, engine.CallDone, 0, engine.Success, ""},
		"repeat is sent":                       {`town.page{text = "p"}`, engine.CallRepeat, 1, engine.Success, ""},
		"repeat is sent, of once":              {`town.post{text = "o"}`, engine.CallRepeat, 1, engine.Success, ""},
		"fail fails":                           {`town.page{text = "p"}`, engine.CallFail, 0, engine.Failed, action.UnknownOutcome},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			recorded := underWay(t, test.script)
			recorded.calls[0].Decided = test.decided
			world := newTown()
			x := execute(t, world, test.script)
			x.clock.advance(15*time.Minute + time.Second)
			got := x.attempt(recorded, 1)
			if got.Status != test.status || len(world.trace) != test.trace {
				t.Errorf("got %s, %v after %v, want %s", got.Status, got.Error, world.trace, test.status)
			}
			if test.kind != "" && (got.Error.Kind != test.kind || got.Error.Call != 1) {
				t.Errorf("got %+v, want %s of call 1", got.Error, test.kind)
			}
			if test.status == engine.Suspended && !strings.Contains(got.Error.Hint, "runs resume R1 --call 1=done") {
				t.Errorf("got the hint %q, want the command", got.Error.Hint)
			}
		})
	}
}

// TestReplayUnderCancel: a write that was under way when the process stopped is
// not forgotten when the run is cancelled before it could find out.
func TestReplayUnderCancel(t *testing.T) {
	for _, script := range []string{`town.page{text = "p"}`, `town.post{text = "o"}`, `town.make{text = "m"}`} {
		recorded := underWay(t, script)
		world := newTown()
		x := execute(t, world, script)
		recorded.attempt, recorded.clock = 1, x.clock
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(&action.Error{Kind: action.Cancelled, Message: "the run was cancelled"})
		got := x.Do(ctx, engine.Attempt{Step: "one", Number: 1, Run: engine.RunInfo{ID: "R1"}}, recorded)
		if got.Status != engine.Failed || got.Error.Kind != action.UnknownOutcome || got.Error.Call != 1 || len(world.trace) > 0 {
			t.Errorf("%s: got %+v after %v, want an unknown outcome of call 1", script, got.Error, world.trace)
		}
	}
}

// TestDraws: a replay, a retry and another machine draw the same numbers; another
// item draws others.
func TestDraws(t *testing.T) {
	x := execute(t, newTown(), `return math.random()`)
	draw := func(number, item int) any {
		return x.Do(context.Background(), engine.Attempt{Step: "one", Number: number, Item: item, Run: engine.RunInfo{ID: "R1"}}, &tape{clock: x.clock}).Outputs
	}
	if draw(1, 0) != draw(2, 0) || draw(1, 1) == draw(1, 2) {
		t.Errorf("got %v, %v, %v, %v, want the attempts alike and the items not", draw(1, 0), draw(2, 0), draw(1, 1), draw(1, 2))
	}
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
