package runs

import (
	"context"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

func cancelCommand(env *setup.Environment) *cobra.Command {
	var o continueOptions
	c := &cobra.Command{
		Use:   "cancel RUN",
		Short: "Cancel a run: no more steps start, and finally runs",
		Long: `Cancel a run. If another process works on the run, that process is asked to cancel it,
and this command waits until it has. This command itself cancels a run that is
interrupted or waits for a decision. In both cases ` + "`finally`" + ` runs.`,
		Example: `  pdflow runs cancel last
  pdflow runs cancel 01M838X2C49B`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return cancelRun(c.Context(), env, args[0], &o) },
	}
	f := c.Flags()
	o.folder.AddFlag(f)
	setup.AddRetention(f, &o.retention)
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "a secret input, which finally may need: name=value or name=@file")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return c
}

func cancelRun(ctx context.Context, env *setup.Environment, name string, o *continueOptions) error {
	if err := console.OneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	return withRun(ctx, env, o.folder, name, func(recorded *setup.Runs, run *setup.RecordedRun) error {
		recorded.Retain(o.retention)
		if run.Live {
			var err error
			if run, err = cancelElsewhere(ctx, env, recorded, run); err != nil {
				return err
			}
			if !run.Open() {
				return printCancelled(env, run)
			}
			fmt.Fprintf(env.Stderr, "the process of the run %s ended before it cancelled the run; cancelling it here\n", run.Run)
		}
		if !run.Open() {
			return console.Usage("the run %s has ended as %s: there is nothing to cancel", run.Run, run.Status)
		}
		return cancelHere(ctx, env, recorded, run, o)
	})
}

// cancelElsewhere asks the process of a run to cancel it, and waits until the run or the process ends.
func cancelElsewhere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, run *setup.RecordedRun) (*setup.RecordedRun, error) {
	if err := recorded.Cancel(ctx, run.Run, env.Actor()); err != nil {
		return nil, err
	}
	fmt.Fprintf(env.Stderr, "the process of the run %s was asked to cancel it; waiting until it has (Ctrl-C stops waiting)\n", run.Run)
	return await(ctx, env, recorded, run.Run, "the run %s was asked to end and has not ended yet: `%s` shows it", func(run *setup.RecordedRun) bool { return !run.Open() || !run.Live })
}

// printCancelled prints the status of a run that another process ended.
func printCancelled(env *setup.Environment, r *setup.RecordedRun) error {
	_, err := fmt.Fprintf(env.Stdout, "%s  %s  %s\n", r.Run, console.Printable(r.Workflow), r.Status)
	if err == nil && r.Status != run.Cancelled {
		err = console.Exit(console.ExitFailed, fmt.Errorf("the run %s ended as %s, not as cancelled", r.Run, r.Status))
	}
	return err
}

// cancelHere cancels a run that no process works on.
func cancelHere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, found *setup.RecordedRun, o *continueOptions) error {
	c, result, err := o.workHere(ctx, env, recorded, found, func(runs engine.Runs, c *continuation) error {
		return runs.Cancel(ctx, c.Run.Run, c.Request.Secrets)
	})
	if err != nil {
		return err
	}
	switch {
	case result.Status != run.Cancelled:
		return c.conclude(result)
	case o.output == "json":
		return console.WriteJSON(env.Stdout, runview.Report(result, nil))
	case o.output == "jsonl":
		return nil
	}
	_, err = io.WriteString(env.Stdout, fmt.Sprintf("%s  %s  %s\n", found.Run, console.Printable(found.Workflow), result.Status))
	return err
}
