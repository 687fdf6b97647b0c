package runs

import (
	"context"
	"fmt"
	"io"
	"strings"

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
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// A verifyReport is the output of `runs verify -o json`.
type verifyReport struct {
	Runs   int      `json:"runs"`
	Events int      `json:"events"`
	Damage []string `json:"damage"`
}

func verifyJournal(ctx context.Context, env *setup.Environment, folder setup.DataFolder, output string) error {
	if err := console.OneOf("output", output, "text", "json"); err != nil {
		return err
	}
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
	if output == "json" {
		err = console.WriteJSON(env.Stdout, r)
	} else {
		_, err = io.WriteString(env.Stdout, r.text())
	}
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
