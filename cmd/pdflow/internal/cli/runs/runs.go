// Package runs has the commands about runs: `pdflow run` and `pdflow runs`.
//
//   - run.go starts a run, or lists its writes instead, or asks before it sends them.
//   - execution.go is the work of this process on one run: progress, result, exit code.
//   - continue.go resumes, retries or cancels a recorded run, in this process or in the daemon.
//   - The other files have the commands of `pdflow runs`.
//
// All of them see recorded runs through setup.Runs only.
package runs

import (
	"cmp"
	"context"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/spf13/cobra"
)

// Command returns `pdflow runs`.
func Command(env *setup.Environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "List, show, resume and cancel recorded runs",
		Long: `List and show the runs of the journal, and resume the runs that have not ended. RUN is
the id of a run, the beginning of an id, or ` + "`last`" + `.`,
		Example: `  pdflow runs list
  pdflow runs show last
  pdflow runs resume --all   # every interrupted run`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return unknownCommand(c, args) },
	}
	c.AddCommand(
		listCommand(env), showCommand(env), logsCommand(env), resumeCommand(env), retryCommand(env),
		cancelCommand(env), verifyCommand(env), pruneCommand(env),
	)
	return c
}

// unknownCommand reports an unknown subcommand with a suggestion. Without arguments it prints the help.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	hint := cmp.Or(action.DidYouMean(args[0], names), "one of: "+strings.Join(names, ", "))
	return console.Usage("unknown command %q for %q (%s)", args[0], c.CommandPath(), hint)
}

// withRun calls a function with a recorded run, which must exist.
func withRun(ctx context.Context, env *setup.Environment, folder setup.DataFolder, name string, do func(*setup.Runs, *setup.RecordedRun) error) error {
	recorded, err := env.NeedRuns(folder)
	if err != nil {
		return err
	}
	defer env.CloseRuns(recorded)
	run, err := recorded.Get(ctx, name)
	if err != nil {
		return err
	}
	return do(recorded, run)
}
