package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/pdflow/pdflow/engine/clock"
	"github.com/spf13/cobra"
)

type serveOptions struct {
	folder    dataFolder
	retention age
	maxRuns   int
	drain     time.Duration
	listen    string
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
What does not is interrupted, and the next daemon goes on with it.

What goes wrong is told to PagerDuty, and that it still lives to a heartbeat's URL,
when pdflow.yaml has alerts and heartbeat.`,
		Example: `  pdflow serve workflows
  pdflow serve --simulate workflows          # a first look: nothing leaves this machine
  pdflow serve /etc/pdflow --data-dir /var/lib/pdflow --log-format json --listen 127.0.0.1:9300`,
		RunE: func(c *cobra.Command, args []string) error { return p.serve(c.Context(), args, o) },
	}
	f := c.Flags()
	o.folder.addFlag(f)
	addRetention(f, &o.retention)
	f.IntVar(&o.maxRuns, "max-runs", 200, "how many runs there may be at a time; others wait")
	f.DurationVar(&o.drain, "drain", 30*time.Second, "how long runs may take to end when the daemon is stopped")
	f.StringVar(&o.listen, "listen", "", "a loopback address for /healthz, /readyz and /metrics, such as 127.0.0.1:9300")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	f.BoolVar(&o.simulate, "simulate", false, "run against a PagerDuty inside this process, with a data folder that is thrown away")
	o.simulation.addFlags(f, " (default for each file that with its name and .world.yaml, if there is one)")
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
	case o.drain < 0:
		return usageError("--drain must not be negative")
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
	d := &daemon{program: p, site: site, clock: clock.System{}, options: o, log: p.logger(o.logFormat)}
	d.assemble()
	if err := d.load(args); err != nil {
		return err
	}
	if err := d.watched(); err != nil {
		return err
	}
	j, err := p.openJournal(o.folder, o.retention)
	if err != nil {
		return err
	}
	defer p.closeJournal(j)
	d.record(j, j)
	p.underWay.least(o.drain + stopWithin)
	ctx, stop := hangup(ctx)
	defer stop()
	err = d.serve(ctx)
	if site.simulator != nil && o.logFormat == "text" {
		p.printSimulator(site.simulator)
	}
	return err
}

// logger logs to stderr, through the redactor.
func (p *program) logger(format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, nil))
	}
	return slog.New(slog.NewTextHandler(p.stderr, nil))
}
