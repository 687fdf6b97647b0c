package runs

import (
	"context"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

func pruneCommand(env *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	olderThan := setup.Age(setup.DefaultRetention)
	c := &cobra.Command{
		Use:   "prune",
		Short: "Delete runs that ended long ago",
		Long: `Delete runs that ended long ago, and free their space on disk. Runs that have not ended
are kept. The last success of each workflow is kept too, because the next run may read
it as ` + "`previous`" + `. Other commands also do this once a day (--retention).`,
		Example: `  pdflow runs prune
  pdflow runs prune --older-than 7d`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return pruneRuns(c.Context(), env, folder, olderThan) },
	}
	folder.AddFlag(c.Flags())
	c.Flags().Var(&olderThan, "older-than", "how long ago a run must have ended, such as 30d or 12h")
	return c
}

func pruneRuns(ctx context.Context, env *setup.Environment, folder setup.DataFolder, olderThan setup.Age) error {
	recorded, err := env.FindRuns(folder)
	if err != nil {
		return err
	}
	if recorded == nil {
		return printNoRuns(env, listOptions{folder: folder})
	}
	defer env.CloseRuns(recorded)
	before := time.Now().Add(-time.Duration(olderThan))
	n, err := recorded.Prune(ctx, before)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s deleted that ended before %s\n", console.Plural(n, "run"), before.Local().Format(console.DateTime))
	return err
}
