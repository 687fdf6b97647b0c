package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/spf13/cobra"
)

func (p *program) runsVerifyCommand() *cobra.Command {
	var folder dataFolder
	var output string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check every record of the journal for damage",
		Long: `Check the journal: the database as such, and the checksum and the order of every
record in it. The exit code is 1 when something is damaged.`,
		Example: `  pdflow runs verify
  pdflow runs verify --data-dir /var/lib/pdflow -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.runsVerify(c.Context(), folder, output) },
	}
	folder.addFlag(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// A verifyReport is what `runs verify -o json` prints.
type verifyReport struct {
	Runs   int      `json:"runs"`
	Events int      `json:"events"`
	Damage []string `json:"damage"`
}

func (p *program) runsVerify(ctx context.Context, folder dataFolder, output string) error {
	if err := oneOf("output", output, "text", "json"); err != nil {
		return err
	}
	j, err := p.records(folder)
	if err != nil {
		return err
	}
	defer p.closeJournal(j)
	r := verifyReport{Damage: []string{}}
	damage, err := j.Verify(ctx)
	if err != nil {
		return exit(exitFailed, fmt.Errorf("the journal in %s cannot be checked: %w", j.path, err))
	}
	for _, d := range damage {
		r.Damage = append(r.Damage, d.String())
	}
	runs, err := j.Runs(ctx, journal.Query{})
	if err != nil && len(damage) == 0 {
		return exit(exitFailed, err)
	}
	r.Runs = len(runs)
	for i := range runs {
		r.Events += runs[i].Events
	}
	return p.printVerify(r, j, output)
}

func (p *program) printVerify(r verifyReport, j *journalFolder, output string) error {
	text := ""
	for _, d := range r.Damage {
		text += d + "\n"
	}
	found := plural(len(r.Damage), "damaged record")
	if len(r.Damage) == 0 {
		found = "no damage"
	}
	text += fmt.Sprintf("%s, %s, %s\n", plural(r.Runs, "run"), plural(r.Events, "event"), found)
	var err error
	if output == "json" {
		err = writeJSON(p.stdout, r)
	} else {
		_, err = io.WriteString(p.stdout, text)
	}
	if err == nil && len(r.Damage) > 0 {
		err = exit(exitFailed, fmt.Errorf("the journal in %s is damaged: what is not can be read, but restore a copy if you have one", j.path))
	}
	return err
}
