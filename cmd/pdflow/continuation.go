package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

// continueOptions are what `runs resume` and `runs retry` share.
type continueOptions struct {
	folder    dataFolder
	retention age
	calls     []string
	inputs    []string
	output    string
	quiet     bool
}

func (o *continueOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	o.folder.addFlag(f)
	addRetention(f, &o.retention)
	f.StringArrayVar(&o.calls, "call", nil, "what became of a call, by its number in runs show: `N=WHAT`, which is done, repeat or fail")
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "a secret input again, as it is not recorded: name=value or name=@file")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl (every event, as it happens)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
}

// decisions reads --call.
func (o *continueOptions) decisions() ([]run.Decision, error) {
	var decisions []run.Decision
	for _, text := range o.calls {
		number, decision, ok := strings.Cut(text, "=")
		n, err := strconv.Atoi(strings.TrimPrefix(number, "#"))
		if !ok || err != nil {
			return nil, usageError("--call %q says nothing of a call; write --call 17=done, =repeat or =fail", text)
		}
		if err := oneOf("call "+number, decision, string(run.CallDone), string(run.CallRepeat), string(run.CallFailed)); err != nil {
			return nil, err
		}
		decisions = slices.DeleteFunc(decisions, func(d run.Decision) bool { return d.Call == n }) // the last one counts
		decisions = append(decisions, run.Decision{Reason: run.CallUnknown, Call: n, Outcome: run.CallOutcome(decision)})
	}
	slices.SortFunc(decisions, func(a, b run.Decision) int { return cmp.Compare(a.Call, b.Call) })
	return decisions, nil
}

// A continuation goes on with a run of the journal.
type continuation struct {
	*execution
	run        *recordedRun
	resumption engine.Resumption
}

// continuation prepares to go on with a run: from the sources that it was made
// from, whatever stands in its files now.
func (p *program) continuation(ctx context.Context, j *journalFolder, site *site, run *recordedRun, o *continueOptions) (*continuation, error) {
	if run.start().Target.Simulator != "" {
		return nil, usageError("the run %s talked to a simulator that ended with its process, so nothing can go on with it: start it again with `pdflow run --simulate`", run.Run)
	}
	plan, err := j.plan(ctx, run.Run, site)
	var problems workflow.Diagnostics
	if errors.As(err, &problems) {
		return nil, fmt.Errorf("%w\npdflow: this version of pdflow does not accept the recorded workflow of the run %s; go on with the version that began it", err, run.Run)
	}
	if err != nil {
		return nil, err
	}
	plan = plan.WithConnection(run.start().Target.Connection)
	if err := site.ready(plan); err != nil {
		return nil, err
	}
	c := &continuation{run: run, resumption: engine.Resumption{Run: run.Run}}
	if c.resumption.Target, c.resumption.Keys, err = site.target(plan); err != nil {
		return nil, err
	}
	c.execution = &execution{
		program: p, plan: plan, site: site, journal: j, secretInputs: run.secretInputs(), before: run.events, output: o.output, quiet: o.quiet,
	}
	if c.resumption.Decisions, err = o.decisions(); err != nil {
		return nil, err
	}
	c.resumption.Inputs, err = p.readInputs(plan.Workflow.Inputs, o.inputs, "")
	return c, err
}

// goOn has the engine go on with the run until it ends.
func (c *continuation) goOn(ctx context.Context) (*run.Result, error) {
	result, err := c.perform(func(local *engine.Local) (*run.Result, error) { return local.Resume(ctx, c.plan, c.resumption) })
	if errors.Is(err, journal.ErrOwned) {
		err = usageError("%w: it is not interrupted\n  try: `%s` to see it, `%s` to end it", err, c.journal.command("show", c.run.Run, nil), c.journal.command("cancel", c.run.Run, nil))
	}
	return result, err
}

// continueOne goes on with one run and prints what became of it, as `run` does. Where
// a daemon lives, that one works on the run.
func (p *program) continueOne(ctx context.Context, name string, o *continueOptions, retry bool) error {
	if err := oneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	if _, err := o.decisions(); err != nil {
		return err
	}
	if done, err := p.continueInDaemon(ctx, name, o, retry); done || err != nil {
		return err
	}
	j, err := p.records(o.folder)
	if err != nil {
		return err
	}
	defer p.closeJournal(j)
	j.retain(o.retention)
	run, err := j.read(ctx, name)
	if err != nil {
		return err
	}
	site, err := p.realSite()
	if err != nil {
		return err
	}
	defer site.close()
	c, err := p.continuation(ctx, j, site, run, o)
	if err != nil {
		return err
	}
	c.resumption.Retry = retry
	result, err := c.goOn(ctx)
	if err != nil {
		return err
	}
	return c.conclude(result)
}
