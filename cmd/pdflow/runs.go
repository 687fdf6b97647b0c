package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func (p *program) runsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "Look at recorded runs, and go on with them",
		Long: `Look at the runs of the journal and go on with those that did not come to their
end. RUN is the id of a run, the beginning of one, or ` + "`last`" + `.`,
		Example: `  pdflow runs list
  pdflow runs show last
  pdflow runs resume --all   # whatever was interrupted goes on`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return unknownCommand(c, args) },
	}
	c.AddCommand(
		p.runsListCommand(), p.runsShowCommand(), p.runsLogsCommand(), p.runsResumeCommand(), p.runsRetryCommand(),
		p.runsCancelCommand(), p.runsVerifyCommand(), p.runsPruneCommand(),
	)
	return c
}

// unknownCommand says which commands there are, with the near miss of a mistyped
// one.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	hint := action.DidYouMean(args[0], names)
	if hint == "" {
		hint = "one of: " + strings.Join(names, ", ")
	}
	return usageError("unknown command %q for %q (%s)", args[0], c.CommandPath(), hint)
}

// A recordedRun is a run of the journal with everything that happened in it.
type recordedRun struct {
	journal.Summary
	events []run.Event
}

// read finds a run by its id, the beginning of it, or the word last.
func (j *journalFolder) read(ctx context.Context, name string) (*recordedRun, error) {
	summary, err := j.summaryOf(ctx, name)
	if err != nil {
		return nil, err
	}
	events, err := j.Events(ctx, summary.Run)
	if err != nil {
		return nil, exit(exitFailed, err)
	}
	if len(events) == 0 || events[0].Started == nil {
		return nil, exit(exitFailed, fmt.Errorf("the record of the run %s has no beginning: `pdflow runs verify%s` says what is damaged", summary.Run, j.folder.option()))
	}
	return &recordedRun{summary, events}, nil
}

// start is what the run knew from its beginning on.
func (r *recordedRun) start() *run.Start { return r.events[0].Started }

// secretInputs are the names of its inputs that the journal does not have.
func (r *recordedRun) secretInputs() []string {
	var names []string
	for _, name := range action.SortedNames(r.start().Inputs) {
		if _, secret := r.start().Inputs[name].(action.Secret); secret {
			names = append(names, name)
		}
	}
	return names
}

// plan compiles the sources that a run was made from.
func (j *journalFolder) plan(ctx context.Context, run string, site *site) (*workflow.Plan, error) {
	sources, err := j.Sources(ctx, run)
	if err != nil {
		return nil, exit(exitFailed, err)
	}
	restored, err := workflow.Restore(sources)
	if restored == nil {
		return nil, err
	}
	return workflow.Compile(restored, site.catalog, site.interpreter) // it reports the problems of Restore too
}

// noRuns says that nothing was ever recorded.
func (p *program) noRuns(d dataFolder) error {
	path, err := p.dataDir(d)
	if err != nil {
		return exit(exitUsage, err)
	}
	return usageError("there are no runs in %s; `pdflow run FILE` records one, --data-dir names another folder", path)
}

// records opens the journal for a command that needs a run in it.
func (p *program) records(d dataFolder) (*journalFolder, error) {
	j, err := p.openRecords(d)
	if err == nil && j == nil {
		err = p.noRuns(d)
	}
	return j, err
}
