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

func runNowCommand(p *setup.Environment) *cobra.Command {
	var o runs.Options
	var id string
	c := &cobra.Command{
		Use:   "run-now FILE|WORKFLOW",
		Short: "Run a workflow now, with the inputs of its schedule",
		Long: `Run a workflow now, as its schedule would: with the schedule's inputs. It is a
run of its own; the schedule's instants stay as they are.

A file runs here. Anything else is the name of a workflow that the daemon of the data
folder serves, which runs it; this prints the run's id and does not wait.`,
		Example: "  pdflow schedule run-now port-check.yaml\n  pdflow schedule run-now report.yaml --schedule monthly --simulate\n  pdflow schedule run-now port-check -i host=db2",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err != nil || info.IsDir() { // a folder may have the name of a workflow
				return runInDaemon(c.Context(), p, args[0], id, o)
			}
			inputs, err := scheduleInputs(p, args[0], id)
			if err != nil {
				return err
			}
			o.Given = inputs
			return runs.Run(c.Context(), p, args[0], o)
		},
	}
	f := c.Flags()
	f.StringVar(&id, "schedule", "", "the id of the schedule (default the only one)")
	runs.AddFlags(p, f, &o)
	return c
}

// runInDaemon has the daemon run a workflow that it serves.
func runInDaemon(ctx context.Context, p *setup.Environment, name, schedule string, o runs.Options) error {
	if o.Simulate || o.DryRun || o.Confirm || o.NoJournal || o.Connection != "" {
		return console.Usage("there is no file %s, and the daemon runs a workflow as its schedule does: leave the flags out but -i and --data-dir", name)
	}
	inputs, err := p.ReadInputs(&action.Schema{}, o.Inputs, o.InputFile)
	if err != nil {
		return err
	}
	run := ""
	lives, err := daemon.Ask(p, o.Folder, func(c *control.Client) (err error) {
		run, err = c.Start(ctx, control.StartRequest{Workflow: name, Schedule: schedule, Inputs: inputs})
		return err
	})
	switch {
	case err != nil:
		return err
	case !lives:
		return console.Usage("there is no file %s, and no daemon serves this data folder that could run a workflow of that name", name)
	}
	_, err = fmt.Fprintln(p.Stdout, run)
	return err
}

// scheduleInputs are the inputs of a schedule of a file.
func scheduleInputs(p *setup.Environment, file, id string) (action.Object, error) {
	plans, err := scheduled(p, []string{file})
	if err != nil {
		return nil, err
	}
	s, err := setup.ScheduleOf(plans[0], id)
	return s.Inputs, err
}
