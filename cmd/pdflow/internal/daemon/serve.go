package daemon

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
)

type Options struct {
	Folder    setup.DataFolder
	Retention setup.Age
	MaxRuns   int
	Drain     time.Duration
	Listen    string
	LogFormat string
	Simulate  bool
	setup.Simulation
}

func (o Options) Check() error {
	if err := console.OneOf("log-format", o.LogFormat, "text", "json"); err != nil {
		return err
	}
	switch flag := o.Simulation.Given(); {
	case flag != "" && !o.Simulate:
		return console.Usage("--%s goes with --simulate: a daemon for PagerDuty itself sees the real world", flag)
	case o.Simulate && o.Folder.Flag != "":
		return console.Usage("--simulate and --data-dir exclude each other: what was simulated must not be taken for real later")
	case o.MaxRuns < 1:
		return console.Usage("--max-runs must be at least 1")
	case o.Drain < 0:
		return console.Usage("--drain must not be negative")
	}
	return nil
}

// Serve runs the daemon.
func Serve(ctx context.Context, p *setup.Environment, args []string, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	if o.Simulate {
		folder, err := os.MkdirTemp("", "pdflow-serve-")
		if err != nil {
			return console.Exit(console.ExitFailed, err)
		}
		defer os.RemoveAll(folder)
		o.Folder.Flag = folder
	}
	site, err := p.Target("", o.Simulate, o.Simulation)
	if err != nil {
		return err
	}
	defer site.Close()
	d := New(p, site, engine.SystemClock{}, logger(p.Stderr, o.LogFormat), o)
	if err := d.Load(args); err != nil {
		return err
	}
	if err := d.watched(); err != nil {
		return err
	}
	j, err := p.OpenJournal(o.Folder, o.Retention)
	if err != nil {
		return err
	}
	defer p.CloseJournal(j)
	d.Record(j, j)
	p.Running.Least(o.Drain)
	ctx, stop := hangup(ctx)
	defer stop()
	err = d.Run(ctx)
	if site.Simulator != nil && o.LogFormat == "text" {
		runview.PrintSimulator(p.Console, site.Account())
	}
	return err
}

// logger logs to stderr, through the redactor.
func logger(stderr io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(stderr, nil))
	}
	return slog.New(slog.NewTextHandler(stderr, nil))
}

// hangup lets a daemon live longer than what it was started from: SIGHUP ends it as
// SIGTERM does, and a pipe that its log went to may close.
func hangup(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx) // as under nohup
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}
