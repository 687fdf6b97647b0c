package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/heartbeat"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/systemd"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/telemetry"
)

const (
	// schedulerLock is the file whose holder begins the runs of schedules. It is free
	// as soon as the holder is gone, however it went.
	schedulerLock = "scheduler.lock"
	// standbyEvery is how often a daemon that stands by looks whether the lock is free.
	standbyEvery = time.Second
	// rescueEvery is how often runs that could not be recorded are tried again.
	rescueEvery = 30 * time.Second
	// tidyEvery is how often it is looked whether runs are old enough to be deleted.
	tidyEvery = time.Hour
	// late is from when on an instant that runs late is worth a line of the log.
	late = 10 * time.Second
)

// A Daemon begins the runs of schedules and works on them. Its parts are packages of
// their own below internal; what joins them is here:
//
//   - serve.go: the command, and what the daemon is made from.
//   - serve_daemon.go: its life, from the turn that it waits for to the drain.
//   - serve_files.go: the workflows that it serves.
//   - serve_runs.go: the runs that it works on.
//   - serve_watch.go: who is told how it does.
//   - serve_control.go: what it can be asked for.
type Daemon struct {
	*setup.Environment
	target  *setup.Target
	journal *setup.Journal
	records engine.Journal // the journal, for what writes runs
	clock   action.Clock
	options Options
	log     *slog.Logger

	// These are made by assemble, load and watched.
	startedAt time.Time
	stopping  chan struct{} // closed when it was asked to stop
	scheduler *scheduler.Scheduler
	library   *library.Library
	worlds    sync.Map // the sites of simulated files with a world beside them, by file
	metrics   *telemetry.Metrics
	events    *telemetry.Log
	systemd   *systemd.Notifier
	listener  net.Listener         // of health; nil: there is none
	sender    alert.Sender         // nil: no alerts are sent
	heartbeat *heartbeat.Heartbeat // nil: none is sent
	alerts    atomic.Pointer[alert.Alerts]
	serving   atomic.Bool // it holds the lock

	slots   chan struct{} // for the runs under way
	running sync.WaitGroup
	tended  runSet // those that somebody here works on, or will
	active  runSet // those under way
	waiting runSet // those that were left without room

	unrecorded runSet // the schedules whose last instant could not be recorded
	stranded   runSet // those that could not be recorded any more
}

// New returns a daemon without files and without a journal.
func New(p *setup.Environment, site *setup.Target, clock action.Clock, log *slog.Logger, o Options) *Daemon {
	d := &Daemon{Environment: p, target: site, clock: clock, log: log, options: o}
	d.assemble()
	return d
}

// assemble makes the parts that need nothing from outside.
func (d *Daemon) assemble() {
	d.startedAt, d.stopping = d.clock.Now(), make(chan struct{})
	d.slots = make(chan struct{}, max(d.options.MaxRuns, 1))
	d.systemd = systemd.New(d.log)
	d.events = telemetry.NewLog(d.log, d.look)
	d.scheduler = &scheduler.Scheduler{Clock: d.clock, Start: d.start, Skip: d.skip, Observe: d.observe, Ahead: d.ahead}
	d.metrics = telemetry.NewMetrics(telemetry.Config{
		Version: setup.VersionText(), InFlight: func() int { return len(d.active.list()) }, LastWake: d.scheduler.LastWake,
	})
}

// Record says where runs are recorded.
func (d *Daemon) Record(j *setup.Journal, records engine.Journal) {
	d.journal, d.records, d.scheduler.Journal = j, records, records
}

// look is the command that shows a run.
func (d *Daemon) look(run string) string { return d.journal.Command("show", run, nil) }

// Run waits for its turn, and works until the context ends.
func (d *Daemon) Run(ctx context.Context) error {
	// What watches the daemon goes on while it drains.
	beside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var others sync.WaitGroup
	defer others.Wait()
	defer stop()
	defer context.AfterFunc(ctx, func() { close(d.stopping) })()
	d.answer(beside, &others)
	others.Go(func() { d.systemd.Watch(beside, d.clock, d.alive) })

	lock, err := d.takeTurn(ctx)
	if lock == nil {
		return err
	}
	defer lock.Close()
	closeControl, err := d.listenControl(beside, &others)
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	defer closeControl()
	if err := d.begin(ctx); ctx.Err() != nil {
		d.drain() // it was stopped before it had begun, and may have taken up runs
		return nil
	} else if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	if alerts := d.alerts.Load(); alerts != nil {
		others.Go(func() { alerts.Run(beside) })
	}
	d.work(ctx)
	d.drain()
	return nil
}

// begin takes up what the daemon before has left.
func (d *Daemon) begin(ctx context.Context) error {
	if err := d.openAlerts(); err != nil {
		return err
	}
	d.library.Check()
	if err := d.scheduler.Replace(ctx, d.entries()); err != nil {
		return err
	}
	d.announce()
	d.recall(ctx)
	d.serving.Store(true)
	d.log.Info("serving", "workflows", len(d.library.Snapshot().Plans()), "schedules", len(d.entries()), "data_dir", d.journal.Path)
	d.systemd.Ready(fmt.Sprintf("serving %s", console.Plural(len(d.entries()), "schedule")))
	d.goOn(ctx)
	d.tidyMemory()
	return nil
}

// manyPlans is how much memory is worth to be thrifty with.
const manyPlans = 16 << 20

// tidyMemory gives back what compiling has left. A daemon with thousands of workflows
// keeps them for weeks and collects little garbage: it collects it at half as much as
// usual, unless the environment says how it should.
func (d *Daemon) tidyMemory() {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if memory.HeapAlloc < manyPlans {
		return
	}
	if d.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	debug.FreeOSMemory()
}

// tidy deletes old runs, once a day.
func (d *Daemon) tidy() {
	if err := d.journal.Tidy(d.clock.Now()); err != nil {
		d.log.Error("old runs cannot be deleted", "error", err)
	}
}

// ahead tells of a schedule that a wrong clock had silenced.
func (d *Daemon) ahead(e scheduler.Entry, watermark time.Time) {
	d.log.Error("the schedule is recorded as settled up to a time in the future, as by a clock that was wrong; it begins anew now",
		"workflow", e.Workflow, "schedule", e.Schedule, "until", watermark.UTC().Format(time.RFC3339))
}

// work begins runs until the context ends.
func (d *Daemon) work(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { d.library.Watch(ctx) })
	parts.Go(func() { d.every(ctx, rescueEvery, func() { d.rescue(ctx) }) })
	parts.Go(func() { d.every(ctx, tidyEvery, d.tidy) })
	if d.heartbeat != nil {
		parts.Go(func() { d.heartbeat.Run(ctx) })
	}
	_ = d.scheduler.Run(ctx)
	parts.Wait()
}

// every does something again and again until the context ends.
func (d *Daemon) every(ctx context.Context, pause time.Duration, do func()) {
	for d.clock.Sleep(ctx, pause) == nil {
		do()
	}
}

// takeTurn waits until no other daemon serves this data folder. Nil, nil means that it
// was stopped before.
func (d *Daemon) takeTurn(ctx context.Context) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(d.journal.Path, schedulerLock))
	held, err := lock.TryLock()
	if err != nil {
		return nil, console.Exit(console.ExitFailed, fmt.Errorf("%s cannot be locked: %w; use a data folder on a local disk", lock.Path(), err))
	}
	if held {
		return lock, nil
	}
	d.log.Info("standing by: another daemon serves this data folder", "data_dir", d.journal.Path)
	d.systemd.Ready("standing by")
	for !held {
		if d.clock.Sleep(ctx, standbyEvery) != nil {
			return nil, nil
		}
		if held, err = lock.TryLock(); err != nil {
			return nil, console.Exit(console.ExitFailed, err)
		}
	}
	d.log.Info("taking over: the other daemon is gone")
	return lock, nil
}

// drain waits for the runs, as long as they may take. What then is under way stays so
// for the next daemon: it is not cancelled.
func (d *Daemon) drain() {
	ended := make(chan struct{})
	go func() {
		d.running.Wait()
		close(ended)
	}()
	if n := len(d.active.list()); n > 0 {
		d.log.Info("stopping: nothing new begins", "runs", n, "drain", d.options.Drain)
	}
	d.systemd.Stopping("waiting for runs")
	over := make(chan struct{})
	defer d.clock.AfterFunc(d.options.Drain, func() { close(over) })()
	select {
	case <-ended:
		if left := d.waiting.list(); len(left) > 0 {
			d.log.Info("runs that waited for room are left to the next daemon", "runs", strings.Join(left, " "))
		}
		d.log.Info("stopped")
	case <-over:
		d.log.Warn("stopped; runs are interrupted, and the next daemon goes on with them", "runs", strings.Join(d.active.list(), " "))
	}
}

// isStopping reports whether the daemon was asked to stop.
func (d *Daemon) isStopping() bool {
	select {
	case <-d.stopping:
		return true
	default:
		return false
	}
}

// observe hears what the scheduler decided of an instant.
func (d *Daemon) observe(decision scheduler.Decision) {
	log := d.log.With("workflow", decision.Workflow, "schedule", decision.Schedule, "at", decision.At.UTC().Format(time.RFC3339))
	name := decision.Workflow + " " + decision.Schedule
	switch {
	case decision.Err != nil:
		if d.unrecorded.add(name) { // once, and not each second of a night
			log.Error("an occurrence cannot be recorded, and is tried again until it can", "error", decision.Err)
		}
		return
	case d.unrecorded.remove(name):
		log.Info("occurrences can be recorded again")
	}
	d.metrics.Decided(decision.Workflow, decision.Reason, decision.Count, decision.Late)
	switch {
	case decision.Reason != "":
		d.missed(decision.Occurrence, decision.Reason, decision.Count)
	case decision.Late > late:
		log.Warn("late", "late", decision.Late.Round(time.Second))
	}
}
