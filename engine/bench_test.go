package engine_test

import (
	"fmt"
	"testing"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/workflow"
)

// BenchmarkFold is the fold alone, at two sizes each: time is linear in the
// number of items and of steps. The issue asks for at most 10.5 times the time
// for 10 times the work.
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
		run, sequence := engine.NewRun(p), 0
		var todo []engine.Command
		apply := func(e engine.Event) {
			sequence++
			e.Sequence, e.Run, e.Time = sequence, "R", startOfTime
			commands, err := run.Apply(e)
			if err != nil {
				b.Fatal(err)
			}
			todo = append(todo, commands...)
		}
		apply(engine.Event{Kind: engine.RunStarted, Started: &engine.RunStart{}})
		for next := 0; next < len(todo); next++ {
			switch c := todo[next].(type) {
			case engine.Start:
				e := engine.Event{Kind: engine.AttemptStarted, Step: c.Attempt.Step, Item: c.Attempt.Item, Attempt: 1}
				apply(e)
				if e.Kind, e.Outcome = engine.AttemptFinished, &success; e.Step == "each" && e.Item == 0 {
					e.Kind, e.Outcome, e.Items = engine.StepExpanded, nil, list
				}
				apply(e)
			case engine.Finish:
				apply(engine.Event{Kind: engine.RunFinished, Status: c.Status})
			}
		}
		if got := run.Result().Status; got != engine.Success {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/unit")
}
