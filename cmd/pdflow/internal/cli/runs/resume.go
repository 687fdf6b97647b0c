package runs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/spf13/cobra"
)

// resumedAtOnce is how many runs `runs resume` works on at a time.
const resumedAtOnce = 8

type resumeOptions struct {
	continueOptions
	all bool
}

func resumeCommand(p *setup.Environment) *cobra.Command {
	var o resumeOptions
	c := &cobra.Command{
		Use:   "resume RUN... | --all",
		Short: "Go on with runs that were interrupted, or that wait for a decision",
		Long: `Go on with runs whose process was killed, or which came upon a call whose
outcome nobody knows. What was done is not done again: calls that have a result
give it back, one without is sent under the same key or looked for first.

A run goes on with the workflow that it began with, whatever stands in the file
now, and only against the same PagerDuty with the same keys. When a daemon serves the
data folder, it goes on with a single run, as it has the keys; this waits for it.`,
		Example: `  pdflow runs resume last
  pdflow runs resume --all
  pdflow runs resume 01M838X2C49B --call 17=done   # a person looked: it was done`,
		RunE: func(c *cobra.Command, args []string) error { return resumeRuns(c.Context(), p, args, &o) },
	}
	o.addFlags(c)
	c.Flags().BoolVar(&o.all, "all", false, "every run that was interrupted, and wait for all")
	return c
}

func resumeRuns(ctx context.Context, p *setup.Environment, names []string, o *resumeOptions) error {
	switch {
	case o.all && len(names) > 0:
		return console.Usage("--all goes on with every interrupted run: give RUN or --all, not both")
	case !o.all && len(names) == 0:
		return console.Usage("which run? give its id, `last`, or --all; `pdflow runs list%s --status interrupted` lists them", o.folder.Option())
	case len(names) == 1:
		return continueOne(ctx, p, names[0], &o.continueOptions, false)
	case len(o.calls) > 0:
		return console.Usage("--call decides a call of one run: give one RUN")
	}
	return resumeMany(ctx, p, names, o)
}

// resumeMany goes on with several runs at a time, all interrupted ones where none
// is named, and prints a line for each.
func resumeMany(ctx context.Context, p *setup.Environment, names []string, o *resumeOptions) error {
	if err := console.OneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	j, err := p.OpenRecords(o.folder)
	if err != nil {
		return err
	}
	if j == nil {
		return nothingToResume(p, o.all, o.folder)
	}
	defer p.CloseJournal(j)
	j.Retain(o.retention)
	runs, err := j.Chosen(ctx, names)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return nothingToResume(p, true, o.folder)
	}
	site, err := p.RealTarget()
	if err != nil {
		return err
	}
	defer site.Close()
	many := &manyRuns{env: p, journal: j, target: site, options: o, reports: make([]*runview.RunReport, len(runs))}
	many.resume(ctx, runs)
	return many.conclude()
}

func nothingToResume(p *setup.Environment, all bool, folder setup.DataFolder) error {
	if !all {
		return p.NoRuns(folder)
	}
	_, err := io.WriteString(p.Stderr, "no run is interrupted: nothing to resume\n")
	return err
}

// manyRuns goes on with several runs.
type manyRuns struct {
	env     *setup.Environment
	journal *setup.Journal
	target  *setup.Target
	options *resumeOptions

	mu      sync.Mutex
	reports []*runview.RunReport // by run; nil for one that could not go on
	worst   int                  // exit code
}

// resume goes on with the runs, some at a time, and returns when all have ended.
func (m *manyRuns) resume(ctx context.Context, runs []*setup.RecordedRun) {
	var under sync.WaitGroup
	free := make(chan struct{}, resumedAtOnce)
	for i, run := range runs {
		free <- struct{}{}
		under.Go(func() {
			m.resumeOne(ctx, i, run)
			<-free
		})
	}
	under.Wait()
}

func (m *manyRuns) resumeOne(ctx context.Context, i int, run *setup.RecordedRun) {
	if ctx.Err() != nil {
		m.say(run, int(m.env.Signal.Load()), "not resumed: the command was stopped")
		return
	}
	if m.options.all && run.Start().Target.Simulator != "" {
		m.say(run, console.ExitDone, "left alone: its simulator is gone")
		return
	}
	c, err := m.options.resumed(ctx, m.env, m.journal, m.target, run)
	if err == nil {
		c.quiet = true
		c.Resumption.Inputs = c.ownInputs()
		var result *engine.Result
		if result, err = c.goOn(ctx); err == nil {
			m.ended(i, c, result)
			return
		}
	}
	if m.options.all && errors.Is(err, engine.ErrOwned) {
		m.say(run, console.ExitDone, "left alone: another process goes on with it")
		return
	}
	m.say(run, console.ExitCode(err), err.Error())
}

// ownInputs are those of the given inputs that the run has as secrets: others are
// meant for other runs.
func (c *resumedRun) ownInputs() map[string]any {
	own := map[string]any{}
	for _, name := range c.secretInputs {
		if v, ok := c.Resumption.Inputs[name]; ok {
			own[name] = v
		}
	}
	return own
}

// ended notes how a run ended.
func (m *manyRuns) ended(i int, c *resumedRun, result *engine.Result) {
	made := runview.Report(result, m.target.Account())
	m.mu.Lock()
	m.reports[i] = &made
	m.mu.Unlock()
	text := string(result.Status) + " in " + console.Took(result.Duration)
	if result.Error != nil {
		text += ": " + runview.FailureNote(result.Error)
	}
	if more := c.decisions(result); more != "" {
		text += "\n" + more
	}
	m.say(c.Run, runview.ExitCode(m.env.Console, result.Status), text)
}

// say prints the line of a run and remembers the worst exit code.
func (m *manyRuns) say(run *setup.RecordedRun, code int, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.worst = max(m.worst, code)
	to := m.env.Stdout
	if m.options.output != "text" {
		to = m.env.Stderr
	}
	fmt.Fprintf(to, "%s  %s  %s\n", run.Run, console.Printable(run.Workflow), text)
}

// conclude prints the reports where they are wanted.
func (m *manyRuns) conclude() error {
	if m.options.output == "json" {
		reports := []*runview.RunReport{}
		for _, r := range m.reports {
			if r != nil {
				reports = append(reports, r)
			}
		}
		if err := console.WriteJSON(m.env.Stdout, reports); err != nil {
			return err
		}
	}
	if m.worst != console.ExitDone {
		return console.Exit(m.worst, nil)
	}
	return nil
}
