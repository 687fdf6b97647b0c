package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

func (p *program) runsPruneCommand() *cobra.Command {
	var folder dataFolder
	olderThan := age(defaultRetention)
	c := &cobra.Command{
		Use:   "prune",
		Short: "Delete runs that ended long ago",
		Long: `Delete runs that ended before a time, and give their space back. Runs that have
not ended stay, and so does the last success of each workflow, which the next
run may read as ` + "`previous`" + `. This also happens by itself, once a day.`,
		Example: `  pdflow runs prune
  pdflow runs prune --older-than 7d`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.runsPrune(c.Context(), folder, olderThan) },
	}
	folder.addFlag(c.Flags())
	c.Flags().Var(&olderThan, "older-than", "how long ago a run must have ended, such as 30d or 12h")
	return c
}

func (p *program) runsPrune(ctx context.Context, folder dataFolder, olderThan age) error {
	j, err := p.openRecords(folder)
	if err != nil {
		return err
	}
	if j == nil {
		return p.printNoRuns(listOptions{folder: folder})
	}
	defer p.closeJournal(j)
	before := time.Now().Add(-time.Duration(olderThan))
	pruned, err := j.Prune(ctx, before)
	if err != nil {
		return exit(exitFailed, fmt.Errorf("the journal in %s: %w", j.path, err))
	}
	_, err = io.WriteString(p.stdout, fmt.Sprintf("%s deleted that ended before %s\n", plural(pruned.Runs, "run"), before.Local().Format(startedAt)))
	return err
}
