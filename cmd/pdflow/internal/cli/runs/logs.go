package runs

import (
	"context"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func logsCommand(env *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	var output string
	c := &cobra.Command{
		Use:   "logs RUN",
		Short: "Print what the steps of a run logged",
		Example: `  pdflow runs logs last
  pdflow runs logs 01M838X2C49B -o jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return printLogs(c.Context(), env, args[0], folder, output)
		},
	}
	folder.AddFlag(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "text", "text or jsonl")
	return c
}

func printLogs(ctx context.Context, env *setup.Environment, name string, folder setup.DataFolder, output string) error {
	if err := console.OneOf("output", output, "text", "jsonl"); err != nil {
		return err
	}
	return withRun(ctx, env, folder, name, func(recorded *setup.Runs, run *setup.RecordedRun) error {
		text, err := runview.LogsText(run.Events, output)
		if err != nil {
			return err
		}
		if text == "" {
			fmt.Fprintf(env.Stderr, "the run %s logged nothing; `%s` shows its steps\n", run.Run, recorded.Command("show", run.Run, nil))
		}
		_, err = io.WriteString(env.Stdout, text)
		return err
	})
}
