package runs

import (
	"context"
	"errors"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/spf13/cobra"
)

// continueOptions are what `runs resume` and `runs retry` share.
type continueOptions struct {
	folder    setup.DataFolder
	retention setup.Age
	calls     []string
	inputs    []string
	output    string
	quiet     bool
}

func (o *continueOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	o.folder.AddFlag(f)
	setup.AddRetention(f, &o.retention)
	f.StringArrayVar(&o.calls, "call", nil, "what became of a call, by its number in runs show: `N=WHAT`, which is done, repeat or fail")
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "a secret input again, as it is not recorded: name=value or name=@file")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl (every event, as it happens)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
}

// A resumedRun is work on a run that was recorded before.
type resumedRun struct {
	*execution
	*setup.Continuation
}

// resumed prepares to go on with a run as the options say.
func (o *continueOptions) resumed(ctx context.Context, p *setup.Environment, j *setup.Journal, site *setup.Target, run *setup.RecordedRun) (*resumedRun, error) {
	calls, err := setup.ParseDecisions(o.calls)
	if err != nil {
		return nil, err
	}
	c, err := p.Continue(ctx, j, site, run, calls, o.inputs)
	if err != nil {
		return nil, err
	}
	return &resumedRun{&execution{
		env: p, plan: c.Plan, target: site, journal: j, secretInputs: run.SecretInputs(), before: run.Events, output: o.output, quiet: o.quiet,
	}, c}, nil
}

// goOn has the engine go on with the run until it ends.
func (c *resumedRun) goOn(ctx context.Context) (*engine.Result, error) {
	result, err := c.perform(func(local *engine.Local) (*engine.Result, error) {
		return local.Resume(ctx, c.Continuation.Plan, c.Resumption)
	})
	if errors.Is(err, engine.ErrOwned) {
		err = console.Usage("%w: it is not interrupted\n  try: `%s` to see it, `%s` to end it", err, c.journal.Command("show", c.Run.Run, nil), c.journal.Command("cancel", c.Run.Run, nil))
	}
	return result, err
}

// continueOne goes on with one run and prints what became of it, as `run` does. Where
// a daemon lives, that one works on the run.
func continueOne(ctx context.Context, p *setup.Environment, name string, o *continueOptions, retry bool) error {
	if err := console.OneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	if _, err := setup.ParseDecisions(o.calls); err != nil {
		return err
	}
	if done, err := continueInDaemon(ctx, p, name, o, retry); done || err != nil {
		return err
	}
	j, err := p.Records(o.folder)
	if err != nil {
		return err
	}
	defer p.CloseJournal(j)
	j.Retain(o.retention)
	run, err := j.Read(ctx, name)
	if err != nil {
		return err
	}
	site, err := p.RealTarget()
	if err != nil {
		return err
	}
	defer site.Close()
	c, err := o.resumed(ctx, p, j, site, run)
	if err != nil {
		return err
	}
	c.Resumption.Retry = retry
	result, err := c.goOn(ctx)
	if err != nil {
		return err
	}
	return c.conclude(result)
}
