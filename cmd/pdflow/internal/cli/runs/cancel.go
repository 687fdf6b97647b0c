package runs

import (
	"context"
	"fmt"

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
	setup.AddOutput(c, &o.output, "text", "json", "jsonl")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return c
}

func cancelRun(ctx context.Context, env *setup.Environment, name string, o *continueOptions) error {
	return withRun(ctx, env, o.folder, name, func(recorded *setup.Runs, found *setup.RecordedRun) (err error) {
		recorded.Retain(o.retention)
		if found.Live {
			if found, err = cancelElsewhere(ctx, env, recorded, found); err != nil {
				return err
			}
			if !found.Open() {
				return printCancelled(env, found, found.Status)
			}
			fmt.Fprintf(env.Stderr, "the process of the run %s ended before it cancelled the run; cancelling it here\n", found.Run)
		}
		if !found.Open() {
			return console.Usage("the run %s has ended as %s: there is nothing to cancel", found.Run, found.Status)
		}
		return cancelHere(ctx, env, recorded, found, o)
	})
}

// cancelElsewhere asks the process of a run to cancel it, and waits until the run or the process ends.
func cancelElsewhere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, found *setup.RecordedRun) (*setup.RecordedRun, error) {
	if err := recorded.Cancel(ctx, found.Run, env.Actor()); err != nil {
		return nil, err
	}
	fmt.Fprintf(env.Stderr, "the process of the run %s was asked to cancel it; waiting until it has (Ctrl-C stops waiting)\n", found.Run)
	return await(ctx, env, recorded, found.Run, "the run %s was asked to end and has not ended yet: `%s` shows it", func(r *setup.RecordedRun) bool { return !r.Open() || !r.Live })
}

// printCancelled prints the status of a run that has ended. A status other than cancelled is an error.
func printCancelled(env *setup.Environment, r *setup.RecordedRun, status run.Status) error {
	_, err := fmt.Fprintf(env.Stdout, "%s  %s  %s\n", r.Run, console.Printable(r.Workflow), status)
	if err == nil && status != run.Cancelled {
		err = console.Exit(console.ExitFailed, fmt.Errorf("the run %s ended as %s, not as cancelled", r.Run, status))
	}
	return err
}

// cancelHere cancels a run that no process works on.
func cancelHere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, found *setup.RecordedRun, o *continueOptions) error {
	c, result, err := o.workHere(ctx, env, recorded, found, func(runs engine.Runs, ctx context.Context, id string, request engine.ContinueRequest) error {
		return runs.Cancel(ctx, id, request.Secrets)
	})
	switch {
	case err != nil:
		return err
	case result.Status != run.Cancelled:
		return c.conclude(result)
	case o.output == "json":
		return console.WriteJSON(env.Stdout, runview.Report(result, nil))
	case o.output == "jsonl":
		return nil
	}
	return printCancelled(env, found, result.Status)
}
