package cli

import (
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func serveCommand(p *setup.Environment) *cobra.Command {
	var o daemon.Options
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
		RunE: func(c *cobra.Command, args []string) error { return daemon.Serve(c.Context(), p, args, o) },
	}
	f := c.Flags()
	o.Folder.AddFlag(f)
	setup.AddRetention(f, &o.Retention)
	f.IntVar(&o.MaxRuns, "max-runs", 200, "how many runs there may be at a time; others wait")
	f.DurationVar(&o.Drain, "drain", 30*time.Second, "how long runs may take to end when the daemon is stopped")
	f.StringVar(&o.Listen, "listen", "", "a loopback address for /healthz, /readyz and /metrics, such as 127.0.0.1:9300")
	f.StringVar(&o.LogFormat, "log-format", "text", "text or json")
	f.BoolVar(&o.Simulate, "simulate", false, "run against a PagerDuty inside this process, with a data folder that is thrown away")
	o.Simulation.AddFlags(f, " (default for each file that with its name and .world.yaml, if there is one)")
	return c
}
