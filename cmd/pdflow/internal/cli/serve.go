package cli

import (
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func serveCommand(env *setup.Environment) *cobra.Command {
	var o daemon.Options
	c := &cobra.Command{
		Use:   "serve [FILE|DIR...]",
		Short: "Run workflows on their schedules",
		Long: `Run the workflows of files and folders on their schedules until the daemon is stopped.

For every scheduled time the daemon starts exactly one run, or records why it does not.
A restart, a second daemon or a changed clock starts no run twice. The daemon resumes
runs that another daemon left unfinished. It reads files again when they change. If a
changed file has problems, its last good version stays loaded.

A second daemon with the same data folder stands by, and takes over when the first one
ends. SIGTERM stops the daemon: no run starts any more, and running runs have --drain
to end. Runs that have not ended then are interrupted, and the next daemon resumes them.

If pdflow.yaml has alerts, the daemon opens incidents in PagerDuty about runs that fail.
If it has heartbeat, the daemon calls a URL regularly.`,
		Example: `  pdflow serve workflows
  pdflow serve --simulate workflows          # a first look: nothing leaves this machine
  pdflow serve /etc/pdflow --data-dir /var/lib/pdflow --log-format json --listen 127.0.0.1:9300`,
		RunE: func(c *cobra.Command, args []string) error { return daemon.Serve(c.Context(), env, args, o) },
	}
	f := c.Flags()
	o.Folder.AddFlag(f)
	setup.AddRetention(f, &o.Retention)
	f.IntVar(&o.MaxRuns, "max-runs", 200, "how many runs may run at a time; the others wait")
	f.DurationVar(&o.Drain, "drain", 30*time.Second, "how long runs may take to end when the daemon is stopped")
	f.StringVar(&o.Listen, "listen", "", "a loopback address for /healthz, /readyz and /metrics, such as 127.0.0.1:9300")
	f.StringVar(&o.LogFormat, "log-format", "text", "text or json")
	o.MaxMemory.AddFlag(f)
	f.BoolVar(&o.Simulate, "simulate", false, "run against a simulated PagerDuty in this process, with a temporary data folder")
	setup.Yields(f, "data-dir", "simulate")
	o.Simulation.AddFlags(f, "simulate", " (default for each file its name with .world.yaml, if there is such a file)")
	return c
}
