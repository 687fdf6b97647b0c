package runs

import (
	"context"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/spf13/cobra"
)

func verifyCommand(p *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	var output string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check every record of the journal for damage",
		Long: `Check the journal: the database as such, and the checksum and the order of every
record in it. The exit code is 1 when something is damaged.`,
		Example: `  pdflow runs verify
  pdflow runs verify --data-dir /var/lib/pdflow -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return verifyJournal(c.Context(), p, folder, output) },
	}
	folder.AddFlag(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// A verifyReport is what `runs verify -o json` prints.
type verifyReport struct {
	Runs   int      `json:"runs"`
	Events int      `json:"events"`
	Damage []string `json:"damage"`
}

func verifyJournal(ctx context.Context, p *setup.Environment, folder setup.DataFolder, output string) error {
	if err := console.OneOf("output", output, "text", "json"); err != nil {
		return err
	}
	j, err := p.Records(folder)
	if err != nil {
		return err
	}
	defer p.CloseJournal(j)
	r := verifyReport{Damage: []string{}}
	damage, err := j.Verify(ctx)
	if err != nil {
		return console.Exit(console.ExitFailed, fmt.Errorf("the journal in %s cannot be checked: %w", j.Path, err))
	}
	for _, d := range damage {
		r.Damage = append(r.Damage, d.String())
	}
	runs, err := j.Runs(ctx, engine.RunQuery{})
	if err != nil && len(damage) == 0 {
		return console.Exit(console.ExitFailed, err)
	}
	r.Runs = len(runs)
	for i := range runs {
		r.Events += runs[i].Events
	}
	return printVerify(p, r, j, output)
}

func printVerify(p *setup.Environment, r verifyReport, j *setup.Journal, output string) error {
	text := ""
	for _, d := range r.Damage {
		text += d + "\n"
	}
	found := console.Plural(len(r.Damage), "damaged record")
	if len(r.Damage) == 0 {
		found = "no damage"
	}
	text += fmt.Sprintf("%s, %s, %s\n", console.Plural(r.Runs, "run"), console.Plural(r.Events, "event"), found)
	var err error
	if output == "json" {
		err = console.WriteJSON(p.Stdout, r)
	} else {
		_, err = io.WriteString(p.Stdout, text)
	}
	if err == nil && len(r.Damage) > 0 {
		err = console.Exit(console.ExitFailed, fmt.Errorf("the journal in %s is damaged: what is not can be read, but restore a copy if you have one", j.Path))
	}
	return err
}
