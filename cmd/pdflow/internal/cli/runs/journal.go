package runs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/spf13/cobra"
)

func verifyCommand(env *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	var output string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check the journal for damage",
		Long: `Check the journal for damage: the database, and the checksum and the order of every
record. The exit code is 1 if something is damaged.`,
		Example: `  pdflow runs verify
  pdflow runs verify --data-dir /var/lib/pdflow -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return verifyJournal(c.Context(), env, folder, output) },
	}
	folder.AddFlag(c.Flags())
	setup.AddOutput(c, &output, "text", "json")
	return c
}

// A verifyReport is the output of `runs verify -o json`.
type verifyReport struct {
	Runs   int      `json:"runs"`
	Events int      `json:"events"`
	Damage []string `json:"damage"`
}

func verifyJournal(ctx context.Context, env *setup.Environment, folder setup.DataFolder, output string) error {
	recorded, err := env.NeedRuns(folder)
	if err != nil {
		return err
	}
	defer env.CloseRuns(recorded)
	damage, err := recorded.Verify(ctx)
	if err != nil {
		return err
	}
	r := verifyReport{Damage: append([]string{}, damage...)}
	runs, err := recorded.List(ctx, journal.Query{})
	if err != nil && len(damage) == 0 {
		return err
	}
	r.Runs = len(runs)
	for i := range runs {
		r.Events += runs[i].Events
	}
	err = env.Print(output, r, r.text())
	if err == nil && len(damage) > 0 {
		err = console.Exit(console.ExitFailed, fmt.Errorf("the journal in %s is damaged: undamaged records can still be read; restore a backup if you have one", recorded.Path))
	}
	return err
}

func (r verifyReport) text() string {
	found := "no damage"
	if len(r.Damage) > 0 {
		found = console.Plural(len(r.Damage), "damaged record")
	}
	summary := fmt.Sprintf("%s, %s, %s\n", console.Plural(r.Runs, "run"), console.Plural(r.Events, "event"), found)
	return strings.Join(append(r.Damage, summary), "\n")
}

func pruneCommand(env *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	olderThan := setup.Age(setup.DefaultRetention)
	c := &cobra.Command{
		Use:   "prune",
		Short: "Delete runs that ended long ago",
		Long: `Delete runs that ended long ago, and free their space on disk. Runs that have not ended
are kept. The last success of each workflow is kept too, because the next run may read
it as ` + "`previous`" + `. What is long ago follows from the order in which runs ended, so a run
that a wrong clock recorded in the future is deleted with the runs around it. The clock
must be right now. Other commands also do this once a day (--retention).`,
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
	now := time.Now()
	n, err := recorded.Prune(ctx, now, olderThan)
	if err != nil {
		return err
	}
	before := now.Add(-time.Duration(olderThan))
	_, err = fmt.Fprintf(env.Stdout, "%s deleted that ended before %s\n", console.Plural(n, "run"), before.Local().Format(console.DateTime))
	return err
}
