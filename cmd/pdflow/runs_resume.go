package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

// resumedAtOnce is how many runs `runs resume` works on at a time.
const resumedAtOnce = 8

type resumeOptions struct {
	continueOptions
	all bool
}

func (p *program) runsResumeCommand() *cobra.Command {
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
		RunE: func(c *cobra.Command, args []string) error { return p.runsResume(c.Context(), args, &o) },
	}
	o.addFlags(c)
	c.Flags().BoolVar(&o.all, "all", false, "every run that was interrupted, and wait for all")
	return c
}

func (p *program) runsResume(ctx context.Context, names []string, o *resumeOptions) error {
	switch {
	case o.all && len(names) > 0:
		return usageError("--all goes on with every interrupted run: give RUN or --all, not both")
	case !o.all && len(names) == 0:
		return usageError("which run? give its id, `last`, or --all; `pdflow runs list%s --status interrupted` lists them", o.folder.option())
	case len(names) == 1:
		return p.continueOne(ctx, names[0], &o.continueOptions, false)
	case len(o.calls) > 0:
		return usageError("--call decides a call of one run: give one RUN")
	}
	return p.resumeMany(ctx, names, o)
}

// resumeMany goes on with several runs at a time, all interrupted ones where none
// is named, and prints a line for each.
func (p *program) resumeMany(ctx context.Context, names []string, o *resumeOptions) error {
	if err := oneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	j, err := p.openRecords(o.folder)
	if err != nil {
		return err
	}
	if j == nil {
		return p.nothingToResume(o.all, o.folder)
	}
	defer p.closeJournal(j)
	j.retain(o.retention)
	runs, err := j.chosen(ctx, names)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return p.nothingToResume(true, o.folder)
	}
	site, err := p.realSite()
	if err != nil {
		return err
	}
	defer site.close()
	many := &manyRuns{program: p, journal: j, site: site, options: o, reports: make([]*runReport, len(runs))}
	many.resume(ctx, runs)
	return many.conclude()
}

func (p *program) nothingToResume(all bool, folder dataFolder) error {
	if !all {
		return p.noRuns(folder)
	}
	_, err := io.WriteString(p.stderr, "no run is interrupted: nothing to resume\n")
	return err
}

// chosen reads the runs of these names, or all that are interrupted.
func (j *journalFolder) chosen(ctx context.Context, names []string) ([]*recordedRun, error) {
	if len(names) == 0 {
		found, err := j.Runs(ctx, journal.Query{Statuses: []run.Status{run.Interrupted}})
		if err != nil {
			return nil, exit(exitFailed, err)
		}
		for i := len(found) - 1; i >= 0; i-- { // the oldest first
			names = append(names, found[i].Run)
		}
	}
	var runs []*recordedRun
	seen := map[string]bool{}
	for _, name := range names {
		run, err := j.read(ctx, name)
		if err != nil {
			return nil, err
		}
		if !seen[run.Run] {
			seen[run.Run] = true
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// manyRuns goes on with several runs.
type manyRuns struct {
	program *program
	journal *journalFolder
	site    *site
	options *resumeOptions

	mu      sync.Mutex
	reports []*runReport // by run; nil for one that could not go on
	worst   int          // exit code
}

// resume goes on with the runs, some at a time, and returns when all have ended.
func (m *manyRuns) resume(ctx context.Context, runs []*recordedRun) {
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

func (m *manyRuns) resumeOne(ctx context.Context, i int, r *recordedRun) {
	if ctx.Err() != nil {
		m.say(r, int(m.program.signal.Load()), "not resumed: the command was stopped")
		return
	}
	if m.options.all && r.start().Target.Simulator != "" {
		m.say(r, exitDone, "left alone: its simulator is gone")
		return
	}
	c, err := m.program.continuation(ctx, m.journal, m.site, r, &m.options.continueOptions)
	if err == nil {
		c.quiet = true
		c.resumption.Inputs = c.ownInputs()
		var result *run.Result
		if result, err = c.goOn(ctx); err == nil {
			m.ended(i, c, result)
			return
		}
	}
	if m.options.all && errors.Is(err, journal.ErrOwned) {
		m.say(r, exitDone, "left alone: another process goes on with it")
		return
	}
	m.say(r, exitCodeOf(err), err.Error())
}

// ownInputs are those of the given inputs that the run has as secrets: others are
// meant for other runs.
func (c *continuation) ownInputs() map[string]any {
	own := map[string]any{}
	for _, name := range c.secretInputs {
		if v, ok := c.resumption.Inputs[name]; ok {
			own[name] = v
		}
	}
	return own
}

// ended notes how a run ended.
func (m *manyRuns) ended(i int, c *continuation, result *run.Result) {
	made := report(result, m.site)
	m.mu.Lock()
	m.reports[i] = &made
	m.mu.Unlock()
	text := string(result.Status) + " in " + took(result.Duration)
	if result.Error != nil {
		text += ": " + failureNote(result.Error)
	}
	if more := c.decisions(result); more != "" {
		text += "\n" + more
	}
	m.say(c.run, m.program.resultCode(result), text)
}

// say prints the line of a run and remembers the worst exit code.
func (m *manyRuns) say(run *recordedRun, code int, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.worst = max(m.worst, code)
	to := m.program.stdout
	if m.options.output != "text" {
		to = m.program.stderr
	}
	fmt.Fprintf(to, "%s  %s  %s\n", run.Run, printable(run.Workflow), text)
}

// conclude prints the reports where they are wanted.
func (m *manyRuns) conclude() error {
	if m.options.output == "json" {
		reports := []*runReport{}
		for _, r := range m.reports {
			if r != nil {
				reports = append(reports, r)
			}
		}
		if err := writeJSON(m.program.stdout, reports); err != nil {
			return err
		}
	}
	if m.worst != exitDone {
		return exit(m.worst, nil)
	}
	return nil
}
