package scheduler_test

import (
	"context"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/schedule"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/robfig/cron/v3"
)

// tenThousand returns entries with a few hundred different cron texts.
func tenThousand(b *testing.B) []scheduler.Entry {
	b.Helper()
	entries := make([]scheduler.Entry, 10_000)
	for i := range entries {
		spec, err := schedule.Parse(fmt.Sprintf("%d %d * * *", i%60, 1+i%7), "")
		if err != nil {
			b.Fatal(err)
		}
		entries[i] = scheduler.Entry{Workflow: fmt.Sprint("w", i), Schedule: "s", Spec: spec, CatchUp: workflow.CatchUp{Mode: "last"}}
	}
	return entries
}

func idle(b *testing.B) *scheduler.Scheduler {
	b.Helper()
	return &scheduler.Scheduler{
		Journal: journal.NewMemory(), Clock: &setClock{now: start},
		Start: func(context.Context, scheduler.Due) error { return nil }, Skip: func(context.Context, scheduler.Due, string) error { return nil },
	}
}

// BenchmarkIdleTick10000 ticks with 10,000 loaded entries of which none is due. The goal
// is 0.2 times the bound.
func BenchmarkIdleTick10000(b *testing.B) {
	s := idle(b)
	if err := s.Replace(b.Context(), tenThousand(b)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if s.Tick(b.Context()).IsZero() {
			b.Fatal("nothing is loaded")
		}
	}
}

// BenchmarkIdleTick10000Bound sorts the entries by their next scheduled times, which the loop
// of robfig/cron v3.0.1 does each time that it wakes (cron.go, run).
func BenchmarkIdleTick10000Bound(b *testing.B) {
	entries := make([]*cron.Entry, 10_000)
	for i := range entries {
		entries[i] = &cron.Entry{Next: start.Add(time.Duration(i*7919%86400) * time.Second)}
	}
	for b.Loop() {
		sort.Slice(entries, func(i, j int) bool { return entries[i].Next.Before(entries[j].Next) })
	}
}

// BenchmarkReplace10000 loads 10,000 entries again.
func BenchmarkReplace10000(b *testing.B) {
	s, entries := idle(b), tenThousand(b)
	for b.Loop() {
		if err := s.Replace(b.Context(), entries); err != nil {
			b.Fatal(err)
		}
	}
}
