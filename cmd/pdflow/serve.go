package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

// schedulerLock is the file whose holder begins the runs of schedules. It is free as
// soon as the holder is gone, however it went.
const schedulerLock = "scheduler.lock"

// rescueEvery is how often runs that could not be recorded are tried again.
const rescueEvery = 30 * time.Second

// standbyEvery is how often a daemon that stands by looks whether the lock is free.
const standbyEvery = time.Second

type serveOptions struct {
	folder    dataFolder
	retention age
	maxRuns   int
	drain     time.Duration
	logFormat string
	simulate  bool
	simulation
}

func (p *program) serveCommand() *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve [FILE|DIR...]",
		Short: "Run workflows on their schedules",
		Long: `Run the workflows of files and folders on their schedules, until it is stopped.

Every due instant becomes a run, or a run that was skipped and why; a restart, a
second daemon or a changed clock begins none twice. Runs that a daemon left
unfinished are gone on with. Files are read again when they change; of one that is
broken then, the last good version stays.

A second daemon with the same data folder stands by, and takes over when the first
is gone. SIGTERM ends it: nothing new begins, and what runs has --drain to end.
What does not is interrupted, and the next daemon goes on with it.`,
		Example: `  pdflow serve workflows
  pdflow serve --simulate workflows          # a first look: nothing leaves this machine
  pdflow serve /etc/pdflow --data-dir /var/lib/pdflow --log-format json`,
		RunE: func(c *cobra.Command, args []string) error { return p.serve(c.Context(), args, o) },
	}
	f := c.Flags()
	o.folder.addFlag(f)
	addRetention(f, &o.retention)
	f.IntVar(&o.maxRuns, "max-runs", 200, "how many runs there may be at a time; others wait")
	f.DurationVar(&o.drain, "drain", 30*time.Second, "how long runs may take to end when the daemon is stopped")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	f.BoolVar(&o.simulate, "simulate", false, "run against a PagerDuty inside this process, with a data folder that is thrown away")
	o.simulation.addFlags(f, "")
	return c
}

func (o serveOptions) check() error {
	if err := oneOf("log-format", o.logFormat, "text", "json"); err != nil {
		return err
	}
	switch flag := o.simulation.given(); {
	case flag != "" && !o.simulate:
		return usageError("--%s goes with --simulate: a daemon for PagerDuty itself sees the real world", flag)
	case o.simulate && o.folder.flag != "":
		return usageError("--simulate and --data-dir exclude each other: what was simulated must not be taken for real later")
	case o.maxRuns < 1:
		return usageError("--max-runs must be at least 1")
	}
	return nil
}

// serve runs the daemon.
func (p *program) serve(ctx context.Context, args []string, o serveOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	if o.simulate {
		folder, err := os.MkdirTemp("", "pdflow-serve-")
		if err != nil {
			return exit(exitFailed, err)
		}
		defer os.RemoveAll(folder)
		o.folder.flag = folder
	}
	site, err := p.site("", runOptions{simulate: o.simulate, simulation: o.simulation})
	if err != nil {
		return err
	}
	defer site.close()
	d := &daemon{program: p, site: site, options: o, log: p.logger(o.logFormat), clock: engine.SystemClock{}, slots: make(chan struct{}, o.maxRuns)}
	if err := d.load(args); err != nil {
		return err
	}
	if d.journal, err = p.openJournal(o.folder, o.retention); err != nil {
		return err
	}
	defer p.closeJournal(d.journal)
	d.records = d.journal
	p.underWay.least(o.drain + stopWithin)
	return d.serve(ctx)
}

// logger logs to stderr, through the redactor.
func (p *program) logger(format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, nil))
	}
	return slog.New(slog.NewTextHandler(p.stderr, nil))
}

// A daemon begins the runs of schedules and works on them.
type daemon struct {
	*program
	site    *site
	journal *journal
	options serveOptions
	log     *slog.Logger
	files   *servedFiles
	slots   chan struct{}
	records engine.Journal // the journal, for what writes runs
	clock   action.Clock

	running  sync.WaitGroup
	active   runSet // those that are worked on
	stranded runSet // those that could not be recorded any more
}

// load reads the files.
func (d *daemon) load(args []string) error {
	d.files = &servedFiles{args: args, compile: d.compile, log: d.log}
	if err := d.files.load(); err != nil {
		return exit(exitUsage, err)
	}
	if len(d.files.plans()) == 0 {
		return usageError("there is nothing to serve: no file of %s has a schedule and can be read", strings.Join(args, ", "))
	}
	return nil
}

// serve waits for its turn, and works until the context ends.
func (d *daemon) serve(ctx context.Context) error {
	lock, err := d.takeTurn(ctx)
	if lock == nil {
		return err
	}
	defer lock.Close()
	s := d.scheduler(ctx)
	if err := s.Replace(ctx, d.entries()); err != nil {
		return exit(exitFailed, err)
	}
	d.log.Info("serving", "workflows", len(d.files.plans()), "data_dir", d.journal.path)
	d.goOn(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { d.every(ctx, reloadEvery, func() { d.reload(ctx, s) }) })
	beside.Go(func() { d.every(ctx, rescueEvery, func() { d.rescue(ctx) }) })
	err = s.Run(ctx)
	beside.Wait()
	d.stop()
	return err
}

// scheduler begins runs until the context ends; they go on after it.
func (d *daemon) scheduler(ctx context.Context) *scheduler.Scheduler {
	return &scheduler.Scheduler{
		Journal: d.records, Clock: d.clock, Observe: d.observe,
		Start: func(_ context.Context, due scheduler.Due) error { return d.start(ctx, due) },
		Skip: func(_ context.Context, due scheduler.Due, reason string) error {
			return d.skip(context.WithoutCancel(ctx), due, reason)
		},
	}
}

// takeTurn waits until no other daemon serves this data folder. Nil, nil means that it
// was stopped before.
func (d *daemon) takeTurn(ctx context.Context) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(d.journal.path, schedulerLock))
	held, err := lock.TryLock()
	if err != nil {
		return nil, exit(exitFailed, fmt.Errorf("%s cannot be locked: %w; use a data folder on a local disk", lock.Path(), err))
	}
	if held {
		return lock, nil
	}
	d.log.Info("standing by: another daemon serves this data folder", "data_dir", d.journal.path)
	if held, err = lock.TryLockContext(ctx, standbyEvery); !held && ctx.Err() == nil {
		return nil, exit(exitFailed, err)
	}
	if !held {
		return nil, nil
	}
	d.log.Info("taking over: the other daemon is gone")
	return lock, nil
}

// compile reads a workflow that can run here.
func (d *daemon) compile(file string) (*workflow.Plan, error) {
	plan, err := compileFile(file, d.site)
	if err != nil || len(plan.Workflow.Schedules) == 0 {
		return plan, err
	}
	return plan, d.site.ready(plan)
}

// entries are the schedules of the files.
func (d *daemon) entries() []scheduler.Entry {
	var entries []scheduler.Entry
	for _, plan := range d.files.plans() {
		for _, s := range plan.Workflow.Schedules {
			entries = append(entries, scheduler.Entry{Workflow: plan.Workflow.Name, Schedule: s.Key(), Spec: s.Spec, CatchUp: s.CatchUp, Data: served{plan, s}})
		}
	}
	return entries
}

// served is what a schedule runs.
type served struct {
	plan     *workflow.Plan
	schedule workflow.Schedule
}

// every does something again and again until the context ends.
func (d *daemon) every(ctx context.Context, pause time.Duration, do func()) {
	for d.clock.Sleep(ctx, pause) == nil {
		do()
	}
}

// reload reads files again when they have changed.
func (d *daemon) reload(ctx context.Context, s *scheduler.Scheduler) {
	changed, err := d.files.reload()
	if err != nil {
		d.log.Error("the files cannot be looked at; those that are loaded stay", "error", err)
	}
	if !changed {
		return
	}
	if err := s.Replace(ctx, d.entries()); err != nil {
		d.log.Error("the schedules cannot be changed; those that are loaded stay", "error", err)
	}
}

// stop waits for the runs, as long as they may take.
func (d *daemon) stop() {
	ended := make(chan struct{})
	go func() {
		d.running.Wait()
		close(ended)
	}()
	if n := len(d.active.list()); n > 0 {
		d.log.Info("stopping: nothing new begins", "runs", n, "drain", d.options.drain)
	}
	select {
	case <-ended:
		d.log.Info("stopped")
	case <-time.After(d.options.drain):
		d.log.Warn("stopped; runs are interrupted, and the next daemon goes on with them", "runs", d.active.list())
	}
}

// observe logs what became of an instant.
func (d *daemon) observe(decision scheduler.Decision) {
	log := d.log.With("workflow", decision.Workflow, "schedule", decision.Schedule, "at", decision.At.UTC().Format(time.RFC3339))
	switch {
	case decision.Err != nil:
		log.Error("an occurrence could not be begun, and is tried again", "error", decision.Err)
	case decision.Reason != "":
		log.Warn("skipped", "reason", decision.Reason, "late", decision.Late.Round(time.Second), "count", decision.Count)
	case decision.Late > 10*time.Second:
		log.Warn("late", "late", decision.Late.Round(time.Second))
	}
}
