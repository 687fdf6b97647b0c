package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/schedule"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/workflow"
)

var start = time.Date(2026, time.March, 27, 12, 0, 30, 0, time.UTC)

// A setClock shows what a test sets.
type setClock struct {
	clock.System
	now time.Time
}

func (c *setClock) Now() time.Time { return c.now }

// A world is a journal, and what schedulers wrote to it. It refuses a second record of
// a scheduled time.
type world struct {
	t       *testing.T
	journal journal.Journal
	clock   *setClock
	broken  bool // nothing can be written

	mu      sync.Mutex
	full    error             // of saving the states of schedules
	records map[string]string // by the id of the run: "run" or the reason
	order   []string
}

func newWorld(t *testing.T) *world {
	return &world{t: t, journal: journal.NewMemory(), clock: &setClock{now: start}, records: map[string]string{}}
}

// scheduler returns a new scheduler, as another process or one after a restart.
func (w *world) scheduler(entries ...scheduler.Entry) *scheduler.Scheduler {
	s := &scheduler.Scheduler{
		Journal: fullJournal{w.journal, w}, Clock: w.clock,
		Start: func(_ context.Context, d scheduler.Due) error { return w.write(d, "run") },
		Skip:  func(_ context.Context, d scheduler.Due, reason string) error { return w.write(d, reason) },
	}
	if err := s.Replace(context.Background(), entries); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// A fullJournal cannot store the states of schedules while its world says so.
type fullJournal struct {
	journal.Journal
	world *world
}

func (j fullJournal) SaveSchedules(ctx context.Context, states []journal.ScheduleState) error {
	if j.world.full != nil {
		return j.world.full
	}
	return j.Journal.SaveSchedules(ctx, states)
}

var errBroken = errors.New("no space left on the device")

func (w *world) write(d scheduler.Due, what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return errBroken
	}
	if w.records[d.RunID()] != "" {
		return journal.ErrExists
	}
	w.records[d.RunID()] = what
	w.order = append(w.order, fmt.Sprintf("%s %s %s", d.Workflow, d.At.UTC().Format("02 15:04"), what))
	return nil
}

// advance moves the clock in ticks, as the loop does.
func (w *world) advance(s *scheduler.Scheduler, d time.Duration) {
	end := w.clock.now.Add(d)
	for {
		next := s.Tick(context.Background())
		if step := w.clock.now.Add(30 * time.Second); next.IsZero() || next.After(step) {
			next = step
		}
		if next.After(end) {
			w.clock.now = end
			return
		}
		w.clock.now = next
	}
}

// jump moves the clock at once, and ticks the scheduler.
func (w *world) jump(s *scheduler.Scheduler, d time.Duration) {
	w.clock.now = w.clock.now.Add(d)
	s.Tick(context.Background())
}

func (w *world) want(want ...string) {
	w.t.Helper()
	slices.Sort(w.order)
	slices.Sort(want)
	if diff := cmp.Diff(want, w.order); diff != "" {
		w.t.Errorf("records (-want +got):\n%s", diff)
	}
}

func entryOf(t *testing.T, name, cron, zone string, catchUp workflow.CatchUp) scheduler.Entry {
	t.Helper()
	spec, err := schedule.Parse(cron, zone)
	if err != nil {
		t.Fatal(err)
	}
	if catchUp.Mode == "" {
		catchUp.Mode = "last"
	}
	return scheduler.Entry{Workflow: name, Schedule: "s", Spec: spec, CatchUp: catchUp}
}

func hourly(t *testing.T, catchUp workflow.CatchUp) scheduler.Entry {
	return entryOf(t, "w", "0 * * * *", "", catchUp)
}

// TestFires: every scheduled time runs once. The time at the start of the scheduler
// does not run, and a restart starts nothing again.
func TestFires(t *testing.T) {
	w := newWorld(t)
	w.clock.now = start.Add(-30 * time.Second) // 12:00:00: this time is before the scheduler
	s := w.scheduler(hourly(t, workflow.CatchUp{}))
	w.advance(s, 2*time.Hour+time.Minute)
	w.want("w 27 13:00 run", "w 27 14:00 run")
	w.advance(w.scheduler(hourly(t, workflow.CatchUp{})), time.Hour)
	w.want("w 27 13:00 run", "w 27 14:00 run", "w 27 15:00 run")
}

// TestCatchUp: missed times run or are skipped as the schedule says.
func TestCatchUp(t *testing.T) {
	for name, test := range map[string]struct {
		catchUp workflow.CatchUp
		down    time.Duration
		want    []string
	}{
		"last":               {workflow.CatchUp{}, 3*time.Hour + 5*time.Minute, []string{"w 27 13:00 window", "w 27 14:00 window", "w 27 15:00 run"}},
		"last, too late":     {workflow.CatchUp{}, 3*time.Hour + 45*time.Minute, []string{"w 27 13:00 window", "w 27 14:00 window", "w 27 15:00 window"}},
		"none":               {workflow.CatchUp{Mode: "none"}, 2*time.Hour + 5*time.Minute, []string{"w 27 13:00 down", "w 27 14:00 down"}},
		"none, but on time":  {workflow.CatchUp{Mode: "none"}, 2*time.Hour - 10*time.Second, []string{"w 27 13:00 down", "w 27 14:00 run"}},
		"all":                {workflow.CatchUp{Mode: "all", Window: 24 * time.Hour}, 3*time.Hour + 5*time.Minute, []string{"w 27 13:00 run", "w 27 14:00 run", "w 27 15:00 run"}},
		"all, within window": {workflow.CatchUp{Mode: "all", Window: 90 * time.Minute}, 3*time.Hour + 5*time.Minute, []string{"w 27 13:00 window", "w 27 14:00 run", "w 27 15:00 run"}},
		"last, wide window":  {workflow.CatchUp{Mode: "last", Window: 24 * time.Hour}, 3*time.Hour + 5*time.Minute, []string{"w 27 13:00 down", "w 27 14:00 down", "w 27 15:00 run"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.scheduler(hourly(t, test.catchUp)).Tick(context.Background())
			w.clock.now = w.clock.now.Add(test.down)
			w.scheduler(hourly(t, test.catchUp)).Tick(context.Background())
			w.want(test.want...)

			suspended := newWorld(t) // the same while the process slept
			s := suspended.scheduler(hourly(t, test.catchUp))
			s.Tick(context.Background())
			suspended.jump(s, test.down)
			suspended.want(test.want...)
		})
	}
}

// TestLongDowntime: after a month of downtime there are ten records, and one for the
// rest.
func TestLongDowntime(t *testing.T) {
	w := newWorld(t)
	minutely := entryOf(t, "w", "* * * * *", "", workflow.CatchUp{})
	w.scheduler(minutely)
	w.clock.now = w.clock.now.Add(30 * 24 * time.Hour)
	w.scheduler(minutely).Tick(context.Background())
	if len(w.order) != 11 {
		t.Fatalf("got %d records, want 11", len(w.order))
	}
	found := false
	for _, what := range w.records {
		found = found || what == "window: 43190 occurrences from 2026-03-27T12:01:00Z to 2026-04-26T11:50:00Z"
	}
	if !found {
		t.Errorf("got %v, want one record for the others", w.records)
	}
}

// TestClockBack: when the clock is set back, a time that ran does not run again, and
// later times run.
func TestClockBack(t *testing.T) {
	w := newWorld(t)
	s := w.scheduler(hourly(t, workflow.CatchUp{}))
	w.advance(s, 2*time.Hour)
	w.jump(s, -90*time.Minute)
	w.advance(s, 3*time.Hour)
	w.want("w 27 13:00 run", "w 27 14:00 run", "w 27 15:00 run")
}

// TestPause: a paused schedule records the times that it skips, and runs again after
// the pause.
func TestPause(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	s := w.scheduler(hourly(t, workflow.CatchUp{}))
	if err := w.journal.PauseSchedule(ctx, "w", "s", &journal.Pause{Reason: "release", At: start, Until: start.Add(2 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	w.advance(s, 3*time.Hour)
	w.want("w 27 13:00 paused", "w 27 14:00 paused", "w 27 15:00 run")
	if got := s.Status()[0]; got.Pause == nil || got.Pause.Reason != "release" || got.Next.Hour() != 16 {
		t.Errorf("got %+v, want the pause and 16:00", got)
	}
}

// TestBrokenJournal: no time is lost while the journal cannot be written. All of them
// run when it can.
func TestBrokenJournal(t *testing.T) {
	w := newWorld(t)
	s := w.scheduler(hourly(t, workflow.CatchUp{Mode: "all", Window: 24 * time.Hour}))
	w.broken = true
	w.advance(s, 2*time.Hour)
	w.want()
	w.broken = false
	w.advance(s, time.Minute)
	w.want("w 27 13:00 run", "w 27 14:00 run")
}

// TestReplace: entries that are added, removed and added again run each time at which
// they are loaded.
func TestReplace(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	a, b := hourly(t, workflow.CatchUp{}), entryOf(t, "b", "30 * * * *", "", workflow.CatchUp{})
	s := w.scheduler(a)
	w.advance(s, time.Hour)
	if err := s.Replace(ctx, []scheduler.Entry{a, b}); err != nil {
		t.Fatal(err)
	}
	w.advance(s, time.Hour)
	if err := s.Replace(ctx, []scheduler.Entry{b}); err != nil {
		t.Fatal(err)
	}
	w.advance(s, time.Hour)
	if err := s.Replace(ctx, []scheduler.Entry{a, b}); err != nil {
		t.Fatal(err)
	}
	s.Tick(ctx)
	w.want("b 27 13:30 run", "b 27 14:30 run", "w 27 13:00 run", "w 27 14:00 run")
	if err := s.Replace(ctx, []scheduler.Entry{a, a}); err == nil {
		t.Error("two of one name: got no error")
	}
}

// TestT1ReplaceIsWhole: schedules that cannot be replaced stay as they are, and the
// replacement is made as soon as the journal can store it.
func TestT1ReplaceIsWhole(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	a, b, z := hourly(t, workflow.CatchUp{}), entryOf(t, "b", "30 * * * *", "", workflow.CatchUp{}), entryOf(t, "z", "15 * * * *", "", workflow.CatchUp{})
	s := w.scheduler(a, z)
	if err := s.Replace(ctx, []scheduler.Entry{a, b, b, z}); err == nil {
		t.Error("two of one name: got no error")
	}
	w.advance(s, time.Hour)
	w.want("w 27 13:00 run", "z 27 12:15 run")

	w.full = errBroken
	if err := s.Replace(ctx, []scheduler.Entry{b, z}); !errors.Is(err, errBroken) {
		t.Errorf("a full disk: got %v, want %v", err, errBroken)
	}
	w.advance(s, 40*time.Minute) // b is not loaded yet
	w.want("w 27 13:00 run", "z 27 12:15 run", "z 27 13:15 run")
	w.full = nil
	w.advance(s, time.Hour)
	w.want("b 27 14:30 run", "w 27 13:00 run", "z 27 12:15 run", "z 27 13:15 run", "z 27 14:15 run")
}

// TestT4EditedBack: a time that ran under one text of a schedule does not run again under
// the text before it, and a schedule that was taken out has not missed the times until it
// is back; whether the scheduler runs at the edits or is started after them.
func TestT4EditedBack(t *testing.T) {
	daily, spelled := entryOf(t, "w", "0 13 * * *", "", workflow.CatchUp{Mode: "all", Window: 24 * time.Hour}), entryOf(t, "w", "0 13 * * 0-6", "", workflow.CatchUp{Mode: "all", Window: 24 * time.Hour})
	spelled.Schedule = "spelled" // the name of a schedule without an id follows its text
	other := entryOf(t, "w", "59 23 * * *", "", workflow.CatchUp{})
	other.Schedule = "other"
	for name, change := range map[string]func(*world, *scheduler.Scheduler, ...scheduler.Entry) *scheduler.Scheduler{
		"running": func(_ *world, s *scheduler.Scheduler, e ...scheduler.Entry) *scheduler.Scheduler {
			replace(t, s, e...)
			return s
		},
		"restarted": func(w *world, _ *scheduler.Scheduler, e ...scheduler.Entry) *scheduler.Scheduler {
			return w.scheduler(e...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.scheduler(daily)
			s = change(w, s, spelled)
			w.advance(s, 90*time.Minute)
			s = change(w, s, daily)
			w.advance(s, time.Hour)
			w.want("w 27 13:00 run")

			w = newWorld(t)
			s = w.scheduler(daily, other)
			s = change(w, s, other)
			w.advance(s, 90*time.Minute)
			s = change(w, s, daily, other)
			w.advance(s, time.Hour)
			w.want()
			w.advance(s, 24*time.Hour)
			w.want("w 27 23:59 run", "w 28 13:00 run")
		})
	}
}

// TestT5EditedWhileStopped: a schedule with an id whose text changes while no scheduler
// runs begins with the present, as it does when the text changes under a scheduler.
func TestT5EditedWhileStopped(t *testing.T) {
	w := newWorld(t)
	w.advance(w.scheduler(entryOf(t, "w", "0 9 * * *", "", workflow.CatchUp{})), time.Hour)
	w.clock.now = w.clock.now.Add(48 * time.Hour)
	s := w.scheduler(entryOf(t, "w", "*/1 * * * *", "", workflow.CatchUp{Mode: "all", Window: 24 * time.Hour}))
	s.Tick(context.Background())
	w.want()
	w.advance(s, 2*time.Minute)
	w.want("w 29 13:01 run", "w 29 13:02 run")
	// The same text in another spelling is no change.
	w = newWorld(t)
	w.advance(w.scheduler(entryOf(t, "w", "0 13 * * *", "", workflow.CatchUp{})), time.Minute)
	w.clock.now = w.clock.now.Add(time.Hour)
	w.scheduler(entryOf(t, "w", "00 13 * * ?", "UTC", workflow.CatchUp{})).Tick(context.Background())
	w.want("w 27 13:00 run")
}

func replace(t *testing.T, s *scheduler.Scheduler, entries ...scheduler.Entry) {
	t.Helper()
	if err := s.Replace(context.Background(), entries); err != nil {
		t.Fatal(err)
	}
}

// TestSeveral: three schedulers on one journal, which stop and restart at random, run
// every scheduled time once.
func TestSeveral(t *testing.T) {
	w, random := newWorld(t), rand.New(rand.NewPCG(1, 2))
	entries := []scheduler.Entry{
		entryOf(t, "w", "*/5 * * * *", "", workflow.CatchUp{Mode: "all", Window: 24 * time.Hour}),
		entryOf(t, "x", "30 2 * * *", "Europe/Berlin", workflow.CatchUp{}),
	}
	alive := []*scheduler.Scheduler{w.scheduler(entries...), w.scheduler(entries...), w.scheduler(entries...)}
	for range 3000 {
		w.clock.now = w.clock.now.Add(time.Duration(random.IntN(120)) * time.Second)
		switch i := random.IntN(len(alive)); random.IntN(10) {
		case 0:
			alive[i] = w.scheduler(entries...) // it died, and was started again
		default:
			alive[i].Tick(context.Background())
		}
	}
	for _, s := range alive {
		s.Tick(context.Background())
	}
	for _, e := range entries {
		runs := 0
		for at := e.Spec.Next(start); !at.After(w.clock.now); at = e.Spec.Next(at) {
			if w.records[run.Occurrence{Workflow: e.Workflow, Schedule: "s", At: at}.RunID()] != "run" {
				t.Errorf("%s at %s: got %q, want a run", e.Workflow, at, w.records[run.Occurrence{Workflow: e.Workflow, Schedule: "s", At: at}.RunID()])
			}
			runs++
		}
		t.Logf("%s: %d scheduled times, each ran once", e.Workflow, runs)
	}
}

// TestRun: the loop waits for the next scheduled time, and looks at once when the
// entries change.
func TestRun(t *testing.T) {
	w := newWorld(t)
	s := w.scheduler()
	ctx, cancel := context.WithCancel(context.Background())
	began := make(chan string)
	s.Start = func(_ context.Context, d scheduler.Due) error {
		began <- d.Workflow
		return nil
	}
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	past := hourly(t, workflow.CatchUp{})
	if err := w.journal.SaveSchedules(ctx, []journal.ScheduleState{{Workflow: "w", Schedule: "s", Watermark: start.Add(-time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Replace(ctx, []scheduler.Entry{past}); err != nil {
		t.Fatal(err)
	}
	if got := <-began; got != "w" {
		t.Errorf("got %s, want what was missed", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
