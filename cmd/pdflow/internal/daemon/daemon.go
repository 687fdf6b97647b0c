// Package daemon is `pdflow serve`: it starts the runs of schedules and works on them.
//
// A [Daemon] is made of parts. Each part that works on its own has a Run method that returns
// when its context ends:
//
//   - files (files.go): the workflow files that are served.
//   - runs (runs.go): the runs that the daemon works on. It limits how many run at a time.
//   - alerting (alerts.go): the incidents in PagerDuty about runs and files that need a person.
//   - controlled (control.go): the requests of commands, over a socket in the data folder.
//   - life.go: the order in which all of this starts and stops.
//
// The packages below this one know nothing of each other: library watches files, alert stores
// and sends alerts, control is the protocol of the socket, health answers HTTP probes, heartbeat
// calls a URL, and systemd sends notifications. Commands use [Ask] to send a request to the
// daemon of a data folder.
package daemon

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/health"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/heartbeat"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/systemd"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/telemetry"
)

const (
	// schedulerStalled is how old the scheduler's last wake-up may be: three times its longest
	// sleep.
	schedulerStalled = 90 * time.Second
	// late is the delay from which a late start is logged as a warning.
	late = 10 * time.Second
)

// shared is what every part of the daemon uses.
type shared struct {
	env      *setup.Environment
	target   *setup.Target
	clock    action.Clock
	log      *slog.Logger
	options  Options
	journal  *setup.Runs     // nil before Record
	records  journal.Journal // the journal that runs are written to
	metrics  *telemetry.Metrics
	systemd  *systemd.Notifier
	stopping chan struct{} // closed when the daemon is asked to stop
}

// isStopping reports whether the daemon was asked to stop.
func (s *shared) isStopping() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// label returns the name of a workflow for metrics, which have no secrets.
func (s *shared) label(workflow string) string { return s.env.Redactor.Redact(workflow) }

// showCommand returns the command line that shows a run.
func (s *shared) showCommand(run string) string { return s.journal.Command("show", run, nil) }

// A Daemon starts the runs of schedules and works on them. Make one with New, then call Load,
// Record and Run in this order.
type Daemon struct {
	*shared
	scheduler *scheduler.Scheduler
	files     *files
	runs      *runs
	alerting  *alerting
	heartbeat *heartbeat.Heartbeat // nil: there is none
	listener  net.Listener         // of the health server; nil: there is none

	startedAt  time.Time
	serving    atomic.Bool // it holds the lock and has begun to serve
	unrecorded runSet      // the schedules whose last decision could not be recorded
}

// New returns a daemon without files and without a journal. MaxRuns below 1 counts as 1.
func New(env *setup.Environment, target *setup.Target, clock action.Clock, log *slog.Logger, o Options) *Daemon {
	log = console.MaskedLog(log, env.Redactor)
	target.Learn(env)
	s := &shared{env: env, target: target, clock: clock, log: log, options: o, systemd: systemd.New(log), stopping: make(chan struct{})}
	d := &Daemon{shared: s, startedAt: clock.Now(), alerting: &alerting{shared: s}}
	d.scheduler = &scheduler.Scheduler{Clock: clock, Start: d.start, Skip: d.skip, Observe: d.observe, Ahead: d.ahead}
	d.files = &files{shared: s, alerting: d.alerting, scheduler: d.scheduler}
	d.runs = &runs{shared: s, files: d.files, alerting: d.alerting, events: telemetry.NewLog(log, s.showCommand), slots: make(chan struct{}, max(o.MaxRuns, 1)), shares: shares{most: max(o.MaxRuns, 1)}}
	s.metrics = telemetry.NewMetrics(telemetry.Config{
		Version: setup.VersionText(), InFlight: func() int { return len(d.runs.active.list()) }, LastWake: d.scheduler.LastWake,
	})
	return d
}

// Load reads the workflow files of the paths. It is an error if none of them has a schedule.
func (d *Daemon) Load(paths []string) error { return d.files.load(paths) }

// Record sets the journal. Runs and schedules are written to records, which is the same journal
// except in tests.
func (d *Daemon) Record(j *setup.Runs, records journal.Journal) {
	d.journal, d.records, d.scheduler.Journal = j, records, records
}

// configure opens the health server's address and reads alerts and heartbeat of the operator's
// configuration. It fails before anything starts if one of them cannot work.
func (d *Daemon) configure() error {
	if d.options.Listen != "" {
		var err error
		if d.listener, err = health.Listen(d.options.Listen); err != nil {
			return console.Exit(console.ExitUsage, err)
		}
	}
	configuration, err := d.env.Configuration()
	if err != nil || d.options.Simulate {
		return err // a simulation sends nothing to other machines
	}
	if configuration.Alerts != nil {
		if err := d.alerting.configure(configuration.Alerts.Connection.Text); err != nil {
			return console.Exit(console.ExitUsage, err)
		}
	}
	if h := configuration.Heartbeat; h != nil {
		d.heartbeat, err = heartbeat.New(heartbeat.Config{URL: h.URL, Every: h.Every, Watermark: d.scheduler.Watermark, Clock: d.clock, Log: d.log})
		if err != nil {
			return console.Usage("%s:%d:%d: %w", configuration.File, h.Position.Line, h.Position.Column, err)
		}
	}
	if configuration.Alerts == nil && configuration.Heartbeat == nil {
		d.log.Warn("no alert is sent when a run fails, and no heartbeat is sent: set alerts and heartbeat in pdflow.yaml")
	}
	return nil
}

// observe logs and counts what the scheduler decided about a scheduled time.
func (d *Daemon) observe(decision scheduler.Decision) {
	log := d.log.With("workflow", decision.Workflow, "schedule", decision.Schedule, "at", decision.At.UTC().Format(time.RFC3339))
	name := decision.Workflow + " " + decision.Schedule
	switch {
	case decision.Err != nil:
		if d.unrecorded.add(name) { // logged once, not at every attempt
			log.Error("a scheduled time cannot be recorded; it is tried again until it can", "error", decision.Err)
		}
		return
	case d.unrecorded.remove(name):
		log.Info("scheduled times can be recorded again")
	}
	d.metrics.Decided(d.label(decision.Workflow), decision.Reason, decision.Count, decision.Late)
	switch {
	case decision.Reason != "":
		d.alerting.missed(decision.Occurrence, decision.Reason, decision.Count)
	case decision.Late > late:
		log.Warn("the run started late", "late", decision.Late.Round(time.Second))
	}
}

// ahead logs a schedule whose recorded time lies in the future, which a wrong clock can cause.
func (d *Daemon) ahead(e scheduler.Entry, watermark time.Time) {
	d.log.Error("the schedule is recorded as done up to a time in the future; the clock was probably wrong. It starts again from now",
		"workflow", e.Workflow, "schedule", e.Schedule, "until", watermark.UTC().Format(time.RFC3339))
}

// alive reports whether the scheduler's loop runs, or need not run.
func (d *Daemon) alive() bool {
	if !d.serving.Load() || d.isStopping() {
		return true
	}
	woke := d.scheduler.LastWake()
	return woke.IsZero() || d.clock.Now().Sub(woke) < schedulerStalled
}

// start starts the run of a scheduled time and returns when its start is recorded. If the run
// cannot start because a secret or an input is missing, the time is recorded as skipped, because
// another attempt would not help.
func (d *Daemon) start(ctx context.Context, due scheduler.Due) error {
	what := due.Entry.Data.(scheduled)
	request, err := d.target.Request(what.plan, what.schedule.Inputs)
	if err == nil {
		request.Occurrence, request.Patient = &due.Occurrence, due.Several
		_, err = d.runs.start(what.plan, request)
	}
	if err == nil || !engine.IsInputError(err) {
		return err
	}
	reason := "it cannot run: " + err.Error()
	d.alerting.missed(due.Occurrence, reason, 1)
	return d.skip(ctx, due, reason)
}

// skip records that no run starts for a scheduled time. A stop of the daemon does not interrupt
// it.
func (d *Daemon) skip(ctx context.Context, due scheduler.Due, reason string) error {
	what := due.Entry.Data.(scheduled)
	target, _, err := d.target.Of(what.plan)
	if err != nil {
		return err
	}
	local, _ := d.runs.local(what.plan)
	return local.Skip(context.WithoutCancel(ctx), what.plan, due.Occurrence, target, "skipped: "+reason)
}

// Options are the flags of `pdflow serve`.
type Options struct {
	Folder    setup.DataFolder
	Retention setup.Age
	MaxRuns   int           // how many runs may run at a time
	Drain     time.Duration // how long runs may take to end when the daemon is stopped
	Listen    string        // the address of the health server; empty: there is none
	LogFormat string        // text or json
	Simulate  bool
	MaxMemory setup.MaxMemory
	setup.Simulation
}

// Check reports flags that contradict each other.
func (o Options) Check() error {
	if err := console.OneOf("log-format", o.LogFormat, "text", "json"); err != nil {
		return err
	}
	switch flag := o.Simulation.Given(); {
	case flag != "" && !o.Simulate:
		return console.Usage("--%s goes with --simulate: without --simulate the daemon talks to PagerDuty and to the network", flag)
	case o.Simulate && o.Folder.Flag != "":
		return console.Usage("--simulate and --data-dir exclude each other: simulated runs are kept in a temporary folder, so that they cannot be taken for real runs later")
	case o.MaxRuns < 1:
		return console.Usage("--max-runs must be at least 1")
	case o.Drain < 0:
		return console.Usage("--drain must not be negative")
	}
	return nil
}

// Serve runs a daemon for the files of the paths, or of the working folder if there are none, until
// the context ends or SIGHUP is received.
func Serve(ctx context.Context, env *setup.Environment, paths []string, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	if o.Simulate {
		folder, err := os.MkdirTemp("", "pdflow-serve-")
		if err != nil {
			return console.Exit(console.ExitFailed, err)
		}
		defer os.RemoveAll(folder)
		o.Folder.Flag = folder
	}
	target, err := env.Target("", o.Simulate, o.Simulation)
	if err != nil {
		return err
	}
	defer target.Close()
	if err := env.LimitMemory(target, o.MaxMemory); err != nil {
		return err
	}
	d := New(env, target, clock.System{}, logger(env.Stderr, o.LogFormat), o)
	if err := d.Load(paths); err != nil {
		return err
	}
	if err := d.configure(); err != nil {
		return err
	}
	recorded, err := env.OpenRuns(o.Folder, o.Retention)
	if err != nil {
		return err
	}
	defer env.CloseRuns(recorded)
	d.Record(recorded, recorded.Journal())
	env.Running.Least(o.Drain)
	ctx, stop := hangup(ctx)
	defer stop()
	err = d.Run(ctx)
	if target.Simulator != nil && o.LogFormat == "text" {
		runview.PrintSimulator(env.Console, target.Account())
	}
	return err
}

// logger returns a logger in one of the formats text and json.
func logger(stderr io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(stderr, nil))
	}
	return slog.New(slog.NewTextHandler(stderr, nil))
}

// hangup returns a context that SIGHUP ends, as SIGTERM does. A daemon that was started with nohup
// ignores SIGHUP. SIGPIPE is ignored, because the reader of the log may end before the daemon.
func hangup(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx) // started with nohup
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}
