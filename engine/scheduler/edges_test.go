package scheduler_test

import (
	"context"
	"fmt"
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

// TestT3ClockPutRight: a scheduler whose clock is ahead, for a while or from its start,
// starts the scheduled times of the true time when the clock is put right. No time runs
// twice.
func TestT3ClockPutRight(t *testing.T) {
	for _, ahead := range []time.Duration{5 * time.Minute, 2 * time.Hour, 48 * time.Hour, 2 * 365 * 24 * time.Hour} {
		for _, fromStart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, from the start %t", ahead, fromStart), func(t *testing.T) {
				w := newWorld(t)
				if fromStart {
					w.clock.now = w.clock.now.Add(ahead)
				}
				s := w.scheduler(entryOf(t, "w", "*/10 * * * *", "", workflow.CatchUp{Mode: "none"}))
				heard := 0
				s.Ahead = func(scheduler.Entry, time.Time) { heard++ }
				if !fromStart {
					w.advance(s, 15*time.Minute) // 12:10
					w.clock.now = w.clock.now.Add(ahead)
				}
				w.advance(s, 40*time.Second)
				w.clock.now = w.clock.now.Add(-ahead)
				w.advance(s, 2*time.Hour)
				if heard != 1 {
					t.Errorf("reported %d times, want once", heard)
				}
				for at := w.clock.now.Add(-2 * time.Hour).Truncate(10 * time.Minute).Add(10 * time.Minute); !at.After(w.clock.now); at = at.Add(10 * time.Minute) {
					want := "w " + at.UTC().Format("02 15:04")
					n := 0
					for _, record := range w.order {
						if strings.HasPrefix(record, want) {
							n++
						}
					}
					if n != 1 {
						t.Errorf("%s has %d records, want 1; all: %q", want, n, w.order)
					}
				}
			})
		}
	}
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
