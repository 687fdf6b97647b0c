package runs

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func pruneCommand(p *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	olderThan := setup.Age(setup.DefaultRetention)
	c := &cobra.Command{
		Use:   "prune",
		Short: "Delete runs that ended long ago",
		Long: `Delete runs that ended before a time, and give their space back. Runs that have
not ended stay, and so does the last success of each workflow, which the next
run may read as ` + "`previous`" + `. This also happens by itself, once a day.`,
		Example: `  pdflow runs prune
  pdflow runs prune --older-than 7d`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return pruneRuns(c.Context(), p, folder, olderThan) },
	}
	folder.AddFlag(c.Flags())
	c.Flags().Var(&olderThan, "older-than", "how long ago a run must have ended, such as 30d or 12h")
	return c
}

func pruneRuns(ctx context.Context, p *setup.Environment, folder setup.DataFolder, olderThan setup.Age) error {
	j, err := p.OpenRecords(folder)
	if err != nil {
		return err
	}
	if j == nil {
		return printNoRuns(p, listOptions{folder: folder})
	}
	defer p.CloseJournal(j)
	before := time.Now().Add(-time.Duration(olderThan))
	pruned, err := j.Prune(ctx, before)
	if err != nil {
		return console.Exit(console.ExitFailed, fmt.Errorf("the journal in %s: %w", j.Path, err))
	}
	_, err = io.WriteString(p.Stdout, fmt.Sprintf("%s deleted that ended before %s\n", console.Plural(pruned.Runs, "run"), before.Local().Format(console.DateTime)))
	return err
}
