package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
)

// A fakeRecorder keeps the calls of the attempts of a task, as a journal does.
type fakeRecorder struct {
	calls   []attempt.RecordedCall
	next    int // the last sequence number
	attempt int // the number of the attempt that records
	clock   *manualClock
	durable []int // the calls whose start had to be durable, by number
}

var _ attempt.Recorder = (*fakeRecorder)(nil)

func (p *fakeRecorder) Recorded() []attempt.RecordedCall {
	return append([]attempt.RecordedCall(nil), p.calls...)
}

func (p *fakeRecorder) Begin(_ context.Context, call run.Call, durable bool) (int, error) {
	p.next++
	if durable {
		p.durable = append(p.durable, call.Number)
	}
	p.calls = append(p.calls, attempt.RecordedCall{Call: call, Attempt: p.attempt, Sequence: p.next, Time: p.clock.Now()})
	return p.next, nil
}

func (p *fakeRecorder) End(call run.Call, _ bool) {
	for i := range p.calls {
		if c := &p.calls[i]; c.Attempt == p.attempt && c.Number == call.Number {
			c.Returned, c.Output, c.Error = !call.Stopped, call.Output, call.Error
			return
		}
	}
	p.next++
	p.calls = append(p.calls, attempt.RecordedCall{Call: call, Attempt: p.attempt, Sequence: p.next, Returned: true, Time: p.clock.Now()})
}

func (p *fakeRecorder) Log(action.LogRecord) {}

// A scriptExecutor executes the attempts of a step with a script.
type scriptExecutor struct {
	*attempt.Executor
	clock *manualClock
}

func execute(t *testing.T, s *fakeService, script string) *scriptExecutor {
	t.Helper()
	h := newHarness(s.actions()...)
	local, plan := h.compile(t, "steps:\n- id: one\n  lua: |\n    "+strings.ReplaceAll(strings.TrimSpace(script), "\n", "\n    ")+"\n")
	return &scriptExecutor{&attempt.Executor{Plan: plan, Interpreter: local.Interpreter, Clock: h.clock, Redactor: &redact.Redactor{}}, h.clock}
}

// attempt executes an attempt and records its calls.
func (x *scriptExecutor) attempt(p *fakeRecorder, number int) run.Outcome {
	p.attempt, p.clock = number, x.clock
	return x.Do(context.Background(), run.Attempt{Step: "one", Number: number, Run: run.Info{ID: "R1"}}, p, nil)
}

const everyEffect = `
local before = demo.read{}
demo.page{text = "p" .. before.value}
demo.page{text = "p" .. before.value}
demo.make{text = "m"}
demo.set{text = "s"}
local ok, err = pcall(demo.post, {text = "o"})
local after = demo.read{}
return {before = before.value, after = after.value, posted = ok, kind = ok or err.kind}`

// An attempt is interrupted after each of its calls, and during each of its calls, and then
// replayed. Recorded calls are not made again. The interrupted call is made again, looked
// up, or unknown, as its effect requires.
func TestReplay(t *testing.T) {
	whole := &fakeRecorder{}
	service := newFakeService()
	want := execute(t, service, everyEffect).attempt(whole, 1)
	if want.Status != run.Success || len(whole.calls) != 7 {
		t.Fatalf("got %v and %d calls, want success and 7", want.Error, len(whole.calls))
	}
	if diff := cmp.Diff([]int{2, 3, 4, 5, 6}, whole.durable); diff != "" {
		t.Errorf("calls that were durable before they were sent, want the writes (-want +got):\n%s", diff)
	}
	for n := range len(whole.calls) + 1 {
		for _, interrupted := range []bool{false, true} {
			if n == 0 && interrupted {
				continue
			}
			t.Run(fmt.Sprintf("after %d calls, the last interrupted %v", n, interrupted), func(t *testing.T) {
				again := newFakeService()
				again.made["m"], again.reads = n > 4 || n == 4 && interrupted, 1
				survived := &fakeRecorder{calls: append([]attempt.RecordedCall(nil), whole.calls[:n]...), next: 100}
				if interrupted {
					survived.calls[n-1].Returned, survived.calls[n-1].Output = false, nil
				}
				if n == 0 || n == 1 && interrupted {
					again.reads = 0
				}
				got := execute(t, again, everyEffect).attempt(survived, 1)
				checkReplay(t, want, got, n, interrupted)
				if diff := cmp.Diff(expectedRequests(service.requests, n, interrupted), again.requests); diff != "" {
					t.Errorf("requests after the crash (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// checkReplay checks that the outputs are the outputs of the uninterrupted attempt, except
// that an interrupted Once call has an unknown outcome.
func checkReplay(t *testing.T, want, got run.Outcome, n int, interrupted bool) {
	t.Helper()
	expected := action.Object{}
	for name, v := range want.Outputs.(action.Object) {
		expected[name] = v
	}
	if n == 6 && interrupted {
		expected["posted"], expected["kind"] = false, string(action.UnknownOutcome)
	}
	if diff := cmp.Diff(any(expected), got.Outputs); diff != "" {
		t.Errorf("outputs after %v (-want +got):\n%s", got.Error, diff)
	}
}

// expectedRequests returns the requests of a replay after n calls.
func expectedRequests(whole []string, n int, interrupted bool) []string {
	rest := whole[n:]
	if !interrupted {
		return append([]string(nil), rest...)
	}
	switch n {
	case 4: // Reconciled: it is looked up and found
		return append([]string{"look m"}, rest...)
	case 6: // Once: it is never sent again
		return append([]string(nil), rest...)
	}
	return append([]string{whole[n-1]}, rest...)
}

// A replay whose script makes another call than the history has is stopped, even if the
// script catches errors. The message shows both calls.
func TestReplayOfAnotherCallIsStopped(t *testing.T) {
	recorded := &fakeRecorder{}
	execute(t, newFakeService(), `demo.page{text = "a"} demo.page{text = "b"}`).attempt(recorded, 1)
	tests := map[string]struct {
		script string
		want   []string
	}{
		"another input":  {`pcall(demo.page, {text = "c"}) return 1`, []string{`demo.page{text = a}`, `demo.page{text = c}`}},
		"another action": {`demo.set{text = "a"}`, []string{`demo.page{text = a}`, `demo.set{text = a}`}},
		"fewer calls":    {`demo.page{text = "a"}`, []string{`demo.page{text = b}`, "no further call"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service := newFakeService()
			got := execute(t, service, test.script).attempt(&fakeRecorder{calls: recorded.calls}, 1)
			if got.Status != run.Failed || !got.Final || len(service.requests) > 0 {
				t.Fatalf("got %+v after %v, want a final failure and nothing sent", got, service.requests)
			}
			for _, want := range test.want {
				if !strings.Contains(got.Error.Message, want) {
					t.Errorf("got %q, want it to show %q", got.Error.Message, want)
				}
			}
		})
	}
}

// A retry reads anew, and does not repeat the writes that the first attempt completed.
func TestRetryDoesNotRepeatWrites(t *testing.T) {
	const script = `
local n = demo.read{}.value
local at = demo.clock{}.value
demo.page{text = "at " .. at}
demo.page{text = "at " .. at}
demo.set{text = "always"}
demo.make{text = "m"}
demo.post{text = "o"}
if n < 3 then error({kind = "unavailable"}) end
return {n = n, at = at}`
	service, recorded := newFakeService(), &fakeRecorder{}
	x := execute(t, service, script)
	if got := x.attempt(recorded, 1); got.Status != run.Failed {
		t.Fatalf("got %v, want a failure", got)
	}
	first := len(service.requests)
	got := x.attempt(recorded, 2)
	if diff := cmp.Diff(any(action.Object{"n": 3.0, "at": 2.0}), got.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"read"}, service.requests[first:]); diff != "" {
		t.Errorf("requests of the second attempt (-want +got):\n%s", diff)
	}
	for _, c := range recorded.calls {
		if c.Attempt == 2 && c.Again != (c.Action != "demo.read") {
			t.Errorf("%s of attempt 2 is recorded with again = %v", c.Action, c.Again)
		}
	}
	// The second attempt can be replayed as well.
	if again := x.attempt(recorded, 2); len(service.requests) != first+1 || !cmp.Equal(again.Outputs, got.Outputs) {
		t.Errorf("got %v and %v, want no requests of the replay", again.Outputs, service.requests[first:])
	}
}

// In a retry, a write whose answer was lost is sent again with the same key, is looked up,
// or is unknown, as its effect requires. A call with another input is another write.
func TestRetryAfterLostAnswer(t *testing.T) {
	tests := map[string]struct {
		script string
		lose   string
		want   []string // the requests of both attempts, without keys
		same   bool     // the requests have the same key
		status run.Status
	}{
		"keyed": {`demo.page{text = "p"}`, "page", []string{"page p", "page p"}, true, run.Success},
		"keyed, another input": {
			`demo.page{text = "p" .. demo.read{}.value}`, "page",
			[]string{"read", "page p1", "read", "page p2"},
			false, run.Success,
		},
		"repeats":    {`demo.set{text = "s"}`, "set", []string{"set s", "set s"}, true, run.Success},
		"reconciled": {`demo.make{text = "m"}`, "make", []string{"make m", "look m"}, true, run.Success},
		"once":       {`demo.post{text = "o"}`, "post", []string{"post o"}, true, run.Failed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			service, recorded := newFakeService(), &fakeRecorder{}
			service.loses = test.lose
			x := execute(t, service, test.script)
			x.attempt(recorded, 1)
			got := x.attempt(recorded, 2)
			var did []string
			keys := map[string]bool{}
			for _, line := range service.requests {
				words := strings.Fields(line)
				if len(words) == 3 {
					keys[words[2]] = true
				}
				did = append(did, strings.Join(words[:min(2, len(words))], " "))
			}
			if diff := cmp.Diff(test.want, did); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if got.Status != test.status || (len(keys) <= 1) != test.same {
				t.Errorf("got %s, %v with the keys %v, want %s", got.Status, got.Error, keys, test.status)
			}
			if test.status == run.Failed && (got.Error.Kind != action.UnknownOutcome || got.Error.Call == 0) {
				t.Errorf("got %+v, want an unknown outcome that names its call", got.Error)
			}
		})
	}
}

// interrupted returns the record of a script that was interrupted during its only call.
func interrupted(t *testing.T, script string) *fakeRecorder {
	t.Helper()
	recorded := &fakeRecorder{}
	execute(t, newFakeService(), script).attempt(recorded, 1)
	last := &recorded.calls[len(recorded.calls)-1]
	last.Returned, last.Output = false, nil
	return recorded
}

// After resume_within, a call without a result is sent again only if that is safe. Otherwise
// a person decides about it.
func TestCallsAfterResumeWithin(t *testing.T) {
	tests := map[string]struct {
		script   string
		decided  run.CallOutcome
		requests int // the number of requests
		status   run.Status
		kind     action.Kind
	}{
		"keyed, with a derived key: suspended": {`demo.page{text = "p"}`, "", 0, run.Suspended, action.UnknownOutcome},
		"keyed, in pcall: suspended":           {`pcall(demo.page, {text = "p"})`, "", 0, run.Suspended, action.UnknownOutcome},
		"keyed, with a key of its own: sent":   {`demo.page_own{text = "p"}`, "", 1, run.Success, ""},
		"repeats: sent":                        {`demo.set{text = "s"}`, "", 1, run.Success, ""},
		"reconciled: looked up and sent":       {`demo.make{text = "m"}`, "", 2, run.Success, ""},
		"reads: sent":                          {`demo.read{}`, "", 1, run.Success, ""},
		"once: unknown":                        {`demo.post{text = "o"}`, "", 0, run.Failed, action.UnknownOutcome},
		"keyed, decided done: not sent":        {`demo.page{text = "p"}`, run.CallDone, 0, run.Success, ""},
		"once, decided done: not sent":         {`demo.post{text = "o"}`, run.CallDone, 0, run.Success, ""},
		"keyed, decided repeat: sent":          {`demo.page{text = "p"}`, run.CallRepeat, 1, run.Success, ""},
		"once, decided repeat: sent":           {`demo.post{text = "o"}`, run.CallRepeat, 1, run.Success, ""},
		"keyed, decided fail: unknown":         {`demo.page{text = "p"}`, run.CallFailed, 0, run.Failed, action.UnknownOutcome},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			recorded := interrupted(t, test.script)
			recorded.calls[0].Decided = test.decided
			service := newFakeService()
			x := execute(t, service, test.script)
			x.clock.advance(15*time.Minute + time.Second)
			got := x.attempt(recorded, 1)
			if got.Status != test.status || len(service.requests) != test.requests {
				t.Errorf("got %s, %v after %v, want %s", got.Status, got.Error, service.requests, test.status)
			}
			if test.kind != "" && (got.Error.Kind != test.kind || got.Error.Call != 1) {
				t.Errorf("got %+v, want %s of call 1", got.Error, test.kind)
			}
			if test.status == run.Suspended && !strings.Contains(got.Error.Hint, "decide call 1: done, repeat or fail") {
				t.Errorf("got the hint %q, want the possible decisions", got.Error.Hint)
			}
		})
	}
}

// A run is interrupted during a write, and cancelled before its replay could find out
// whether the write was done. Then the outcome of the write is unknown.
func TestReplayOfCancelledRun(t *testing.T) {
	for _, script := range []string{`demo.page{text = "p"}`, `demo.post{text = "o"}`, `demo.make{text = "m"}`} {
		recorded := interrupted(t, script)
		service := newFakeService()
		x := execute(t, service, script)
		recorded.attempt, recorded.clock = 1, x.clock
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(&action.Error{Kind: action.Cancelled, Message: "the run was cancelled"})
		got := x.Do(ctx, run.Attempt{Step: "one", Number: 1, Run: run.Info{ID: "R1"}}, recorded, nil)
		if got.Status != run.Failed || got.Error.Kind != action.UnknownOutcome || got.Error.Call != 1 || len(service.requests) > 0 {
			t.Errorf("%s: got %+v after %v, want an unknown outcome of call 1", script, got.Error, service.requests)
		}
	}
}

// All attempts of a task draw the same random numbers. Other items draw other numbers.
func TestRandomNumbers(t *testing.T) {
	x := execute(t, newFakeService(), `return math.random()`)
	draw := func(number, item int) any {
		return x.Do(context.Background(), run.Attempt{Step: "one", Number: number, Item: item, Run: run.Info{ID: "R1"}}, &fakeRecorder{clock: x.clock}, nil).Outputs
	}
	if draw(1, 0) != draw(2, 0) || draw(1, 1) == draw(1, 2) {
		t.Errorf("got %v, %v, %v, %v, want the same number for the attempts and other numbers for the items", draw(1, 0), draw(2, 0), draw(1, 1), draw(1, 2))
	}
}
