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

// A largeOut is an output of a megabyte.
type largeOut struct {
	Body string `json:"body" doc:"The text."`
}

// large is an action whose every answer is a megabyte.
func large(name string, effect action.Effect) *action.Action {
	return action.New(action.Spec{Name: name, Summary: "It answers.", Effect: effect}, func(context.Context, textIn) (largeOut, error) {
		return largeOut{strings.Repeat("x", 1<<20)}, nil
	})
}

// A weighingJournal weighs the answers that are recorded at once.
type weighingJournal struct {
	journal.Journal
	heaviest int
}

func (j *weighingJournal) Append(ctx context.Context, run string, events []run.Event) error {
	weight := 0
	for _, e := range events {
		if e.Call != nil {
			body, _ := e.Call.Output["body"].(string)
			weight += len(body)
		}
	}
	j.heaviest = max(j.heaviest, weight)
	return j.Journal.Append(ctx, run, events)
}

// TestAnswersAreKept: the answers to writes, which a retry gets back, are bounded; those
// of reads do not stay in memory, and few wait there to be recorded.
func TestAnswersAreKept(t *testing.T) {
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
	h := newHost(large("demo.read", action.Reads), large("demo.write", action.Keyed))
	local, plan := h.compile(t, fmt.Sprintf(loop, "read"))
	journal := &weighingJournal{Journal: journal.NewMemory()}
	local.Journal = journal
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	mustSucceed(t, result)
	if got := result.Steps[0].Outputs.(action.Object)["n"]; got != 80.0 {
		t.Errorf("got %v", got)
	}
	if journal.heaviest > 4<<20 {
		t.Errorf("answers of %d MB waited to be recorded", journal.heaviest>>20)
	}
	failed := h.run(t, fmt.Sprintf(loop, "write"))
	if f := failed.Error; f == nil || f.Kind != action.Limit || !strings.Contains(f.Message, "sent and received more than 64MB together") {
		t.Errorf("got %+v, want the limit of what is kept", f)
	}
}

// TestAnswersComeBack: a retry gets the answer to a write, however large, and asks anew
// for what is only read.
func TestAnswersComeBack(t *testing.T) {
	asked := map[string]int{}
	counted := func(name string, effect action.Effect) *action.Action {
		return action.New(action.Spec{Name: name, Summary: "It answers.", Effect: effect}, func(context.Context, textIn) (largeOut, error) {
			asked[name]++
			return largeOut{strings.Repeat("x", 1<<20+asked[name])}, nil
		})
	}
	h := newHost(counted("demo.read", action.Reads), counted("demo.write", action.Keyed))
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
	local.Clock, local.Observers = clock.NewVirtual(startOfTime), nil
	result, err := local.Run(context.Background(), plan, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	mustSucceed(t, result)
	if got := fmt.Sprint(result.Steps[0].Outputs); got != "map[read:2 written:1]" || asked["demo.write"] != 1 {
		t.Errorf("got %v after %v, want a new read and the write of before", got, asked)
	}
}
