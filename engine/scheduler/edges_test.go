package scheduler_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestPauseThatIsOver: times that were due during a pause are skipped, even if no
// scheduler looked before the pause was over. Times that were due before it are caught
// up.
func TestPauseThatIsOver(t *testing.T) {
	w := newWorld(t)
	w.scheduler(hourly(t, workflow.CatchUp{Mode: "all", Window: 24 * time.Hour}))
	pause := &journal.Pause{At: start.Add(time.Hour), Until: start.Add(3 * time.Hour)}
	if err := w.journal.PauseSchedule(context.Background(), "w", "s", pause); err != nil {
		t.Fatal(err)
	}
	w.clock.now = start.Add(4 * time.Hour)
	w.scheduler(hourly(t, workflow.CatchUp{Mode: "all", Window: 24 * time.Hour})).Tick(context.Background())
	w.want("w 27 13:00 run", "w 27 14:00 paused", "w 27 15:00 paused", "w 27 16:00 run")
}

// TestOtherTimes: when the cron text of a schedule changes, no time of the new text was
// missed. Times of the old text that were due still run.
func TestOtherTimes(t *testing.T) {
	w := newWorld(t)
	s := w.scheduler(hourly(t, workflow.CatchUp{}))
	w.clock.now = start.Add(70 * time.Minute) // 13:10, and nobody has looked since 12:00
	if err := s.Replace(context.Background(), []scheduler.Entry{entryOf(t, "w", "*/5 * * * *", "", workflow.CatchUp{Mode: "all"})}); err != nil {
		t.Fatal(err)
	}
	s.Tick(context.Background())
	w.want("w 27 13:00 run")
	w.advance(s, 6*time.Minute)
	w.want("w 27 13:00 run", "w 27 13:15 run")
}

// TestFarAhead: a schedule runs again after a wrong clock left its watermark in the
// future.
func TestFarAhead(t *testing.T) {
	w := newWorld(t)
	w.clock.now = start.AddDate(1, 0, 0)
	w.scheduler(hourly(t, workflow.CatchUp{}))
	w.clock.now = start
	s := &scheduler.Scheduler{Journal: w.journal, Clock: w.clock, Start: func(_ context.Context, d scheduler.Due) error { return w.write(d, "run") }}
	var heard time.Time
	s.Ahead = func(_ scheduler.Entry, watermark time.Time) { heard = watermark }
	if err := s.Replace(context.Background(), []scheduler.Entry{hourly(t, workflow.CatchUp{})}); err != nil {
		t.Fatal(err)
	}
	if !heard.Equal(start.AddDate(1, 0, 0)) {
		t.Errorf("heard of %s", heard)
	}
	if next := s.Status()[0].Next; !next.Equal(start.Truncate(time.Hour).Add(time.Hour)) {
		t.Errorf("the next is %s", next)
	}
	w.advance(s, time.Hour)
	w.want("w 27 13:00 run")
}

// TestYearsOfDowntime: of millions of missed times a few have records, and one of these
// has the number of the others.
func TestYearsOfDowntime(t *testing.T) {
	w := newWorld(t)
	minutely := entryOf(t, "w", "* * * * *", "", workflow.CatchUp{Mode: "all", Window: time.Hour})
	w.scheduler(minutely)
	w.clock.now = start.AddDate(1, 0, 0)
	counted := 0
	s := &scheduler.Scheduler{
		Journal: w.journal, Clock: w.clock,
		Start:   func(_ context.Context, d scheduler.Due) error { return w.write(d, "run") },
		Skip:    func(_ context.Context, d scheduler.Due, reason string) error { return w.write(d, reason) },
		Observe: func(d scheduler.Decision) { counted += d.Count },
	}
	if err := s.Replace(context.Background(), []scheduler.Entry{minutely}); err != nil {
		t.Fatal(err)
	}
	s.Tick(context.Background())
	runs, shared := 0, ""
	for _, line := range w.order {
		switch {
		case strings.HasSuffix(line, " run"):
			runs++
		case strings.Contains(line, "occurrences from"):
			shared = line
		}
	}
	if want := 365 * 24 * 60; counted != want || runs != 10 || len(w.order) != 20 || !strings.Contains(shared, "occurrences from 2026-03-27T12:01:00Z") {
		t.Errorf("got %d scheduled times, want %d; %d runs in %d records; %q", counted, want, runs, len(w.order), shared)
	}
}

// TestSeveralTakeTurns: Several is set for times that are caught up together, and not
// for a time that runs alone.
func TestSeveralTakeTurns(t *testing.T) {
	w := newWorld(t)
	all := hourly(t, workflow.CatchUp{Mode: "all", Window: 24 * time.Hour})
	w.scheduler(all)
	var several []bool
	s := &scheduler.Scheduler{Journal: w.journal, Clock: w.clock, Start: func(_ context.Context, d scheduler.Due) error {
		several = append(several, d.Several)
		return w.write(d, "run")
	}}
	w.clock.now = start.Add(2 * time.Hour)
	if err := s.Replace(context.Background(), []scheduler.Entry{all}); err != nil {
		t.Fatal(err)
	}
	s.Tick(context.Background())
	w.advance(s, time.Hour)
	if len(several) != 3 || !several[0] || !several[1] || several[2] {
		t.Errorf("got %v, want two together and one alone", several)
	}
}
