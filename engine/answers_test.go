package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// A largeOut is an output with a large text.
type largeOut struct {
	Body string `json:"body" doc:"The text."`
}

// large declares an action that returns a megabyte.
func large(name string, effect action.Effect) *action.Action {
	return action.New(action.Spec{Name: name, Summary: "It answers.", Effect: effect}, func(context.Context, textIn) (largeOut, error) {
		return largeOut{strings.Repeat("x", 1<<20)}, nil
	})
}

// A measuringJournal measures the answers that are written in one commit.
type measuringJournal struct {
	journal.Journal
	largest int // in bytes
}

func (j *measuringJournal) Append(ctx context.Context, run string, events []run.Event) error {
	size := 0
	for _, e := range events {
		if e.Call != nil {
			body, _ := e.Call.Output["body"].(string)
			size += len(body)
		}
	}
	j.largest = max(j.largest, size)
	return j.Journal.Append(ctx, run, events)
}

// The answers of reads do not stay in memory, and few of them wait for a commit. The answers
// of writes stay for retries, up to a limit.
func TestMemoryOfAnswers(t *testing.T) {
	const loop = `
steps:
- id: ask
  lua: |
    local n = 0
    for i = 1, 80 do
      n = n + #demo.%s{text = "a" .. i}.body / 1048576
    end
    return {n = n}
`
	h := newHarness(large("demo.read", action.Reads), large("demo.write", action.Keyed))
	local, plan := h.compile(t, fmt.Sprintf(loop, "read"))
	measured := &measuringJournal{Journal: journal.NewMemory()}
	local.Journal = measured
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, result)
	if got := result.Steps[0].Outputs.(action.Object)["n"]; got != 80.0 {
		t.Errorf("got %v", got)
	}
	if measured.largest > 4<<20 {
		t.Errorf("answers of %d MB waited for one commit", measured.largest>>20)
	}
	failed := h.run(t, fmt.Sprintf(loop, "write"))
	if f := failed.Error; f == nil || f.Kind != action.Limit || !strings.Contains(f.Message, "sent and received more than 64MB together") {
		t.Errorf("got %+v, want the limit of 64MB", f)
	}
}

// A retry gets the recorded answer of a write, even a large one, and reads anew.
func TestRetryGetsAnswersOfWrites(t *testing.T) {
	calls := map[string]int{}
	counted := func(name string, effect action.Effect) *action.Action {
		return action.New(action.Spec{Name: name, Summary: "It answers.", Effect: effect}, func(context.Context, textIn) (largeOut, error) {
			calls[name]++
			return largeOut{strings.Repeat("x", 1<<20+calls[name])}, nil
		})
	}
	h := newHarness(counted("demo.read", action.Reads), counted("demo.write", action.Keyed))
	local, plan := h.compile(t, `
steps:
- id: ask
  retry: {max_attempts: 2, delay: 1s}
  lua: |
    local read = #demo.read{text = "a"}.body - 1048576
    local written = #demo.write{text = "b"}.body - 1048576
    if read == 1 then error({kind = "unavailable"}) end
    return {read = read, written = written}
`)
	local.Clock, local.Observers = clock.NewVirtual(startTime), nil
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, result)
	if got := fmt.Sprint(result.Steps[0].Outputs); got != "map[read:2 written:1]" || calls["demo.write"] != 1 {
		t.Errorf("got %v after %v, want a new read and the first write", got, calls)
	}
}
