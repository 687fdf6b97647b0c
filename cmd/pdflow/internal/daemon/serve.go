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
	"github.com/pdflow/pdflow/engine/clock"
)

// Options are the flags of `pdflow serve`.
type Options struct {
	Folder    setup.DataFolder
	Retention setup.Age
	MaxRuns   int           // how many runs may run at a time
	Drain     time.Duration // how long runs may take to end when the daemon is stopped
	Listen    string        // the address of the health server; empty: there is none
	LogFormat string        // text or json
	Simulate  bool
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
