package run_test

import (
	"fmt"
	"testing"

	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// BenchmarkFold folds runs of two sizes each: time must be linear in the number of items
// and in the number of steps. Ten times the size may take at most 10.5 times the time.
func BenchmarkFold(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("items=%d", n), func(b *testing.B) {
			p := plan(0, forEach(step("each"), 50), step("after", 0))
			benchmarkFold(b, p, make([]any, n), n)
		})
	}
	for _, n := range []int{200, 2000} {
		b.Run(fmt.Sprintf("steps=%d", n), func(b *testing.B) {
			var ids []string
			for i := range n {
				ids = append(ids, fmt.Sprintf("s%d", i))
			}
			benchmarkFold(b, chain(0, ids...), nil, n)
		})
	}
}

func benchmarkFold(b *testing.B, p *workflow.Plan, list []any, n int) {
	success := ok(nil)
	for b.Loop() {
		state, sequence := run.New(p), 0
		var todo []run.Command
		apply := func(e run.Event) {
			sequence++
			e.Sequence, e.Run, e.Time = sequence, "R", startOfTime
			commands, err := state.Apply(e)
			if err != nil {
				b.Fatal(err)
			}
			todo = append(todo, commands...)
		}
		apply(run.Event{Kind: run.EventStarted, Started: &run.Start{}})
		for next := 0; next < len(todo); next++ {
			switch c := todo[next].(type) {
			case run.StartAttempt:
				e := run.Event{Kind: run.EventAttemptStarted, Step: c.Attempt.Step, Item: c.Attempt.Item, Attempt: 1}
				apply(e)
				if e.Kind, e.Outcome = run.EventAttemptFinished, &success; e.Step == "each" && e.Item == 0 {
					e.Kind, e.Outcome, e.Items = run.EventStepExpanded, nil, list
				}
				apply(e)
			case run.Finish:
				apply(run.Event{Kind: run.EventFinished, Status: c.Status})
			}
		}
		if got := state.Result().Status; got != run.Success {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/unit")
}
