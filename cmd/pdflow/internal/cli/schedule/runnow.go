package schedule

import (
	"context"
	"fmt"
	"os"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/runs"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/spf13/cobra"
)

func runNowCommand(env *setup.Environment) *cobra.Command {
	var o runs.Options
	var id string
	c := &cobra.Command{
		Use:   "run-now FILE|WORKFLOW",
		Short: "Run a workflow now, with the inputs of its schedule",
		Long: `Run a workflow now with the inputs of its schedule. The schedule itself does not change.

If the argument is a file, this command runs it. Otherwise it is the name of a workflow
that the daemon of the data folder serves. Then the daemon runs it, and this command
prints the id of the run and does not wait.`,
		Example: "  pdflow schedule run-now port-check.yaml\n  pdflow schedule run-now report.yaml --schedule monthly --simulate\n  pdflow schedule run-now port-check -i host=db2",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err != nil || info.IsDir() { // a folder may have the name of a workflow
				return runInDaemon(c.Context(), env, args[0], id, o)
			}
			plans, _, err := scheduled(env, args)
			if err != nil {
				return err
			}
			s, err := setup.FindSchedule(plans[0], id)
			if err != nil {
				return err
			}
			o.Defaults = s.Inputs
			return runs.Run(c.Context(), env, args[0], o)
		},
	}
	c.Flags().StringVar(&id, "schedule", "", "the id of the schedule (default the only schedule)")
	o.AddFlags(c)
	return c
}

// runInDaemon asks the daemon to run a workflow that it serves.
func runInDaemon(ctx context.Context, env *setup.Environment, name, schedule string, o runs.Options) error {
	if o.Simulate || o.DryRun || o.Confirm || o.NoJournal || o.Connection != "" {
		return console.Usage("there is no file %s, so %[1]s is the name of a workflow of the daemon, which accepts only -i, --input-file, --schedule and --data-dir", name)
	}
	inputs, err := env.ReadInputs(&action.Schema{}, o.Inputs, o.InputFile)
	if err != nil {
		return err
	}
	run := ""
	lives, err := daemon.Ask(env, o.Folder, func(c *control.Client) (err error) {
		run, err = c.Start(ctx, control.StartRequest{Workflow: name, Schedule: schedule, Inputs: inputs})
		return err
	})
	switch {
	case err != nil:
		return err
	case !lives:
		return console.Usage("there is no file %s, and no daemon serves this data folder that has a workflow of this name", name)
	}
	_, err = fmt.Fprintln(env.Stdout, run)
	return err
}
