package runs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
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

func resumeCommand(env *setup.Environment) *cobra.Command {
	var o resumeOptions
	c := &cobra.Command{
		Use:   "resume RUN... | --all",
		Short: "Resume runs that were interrupted or wait for a decision",
		Long: `Resume runs whose process was killed, or which stopped at a call with an unknown
outcome. Nothing is done twice: a call with a recorded result returns that result, and
a call without one is sent again under the same key, or pdflow first looks whether it
was done.

A run is resumed with the workflow that it started with, not with the file as it is
now, and only against the same PagerDuty with the same keys. If a daemon serves the
data folder, the daemon resumes a single run, because it has the keys, and this
command waits for it.`,
		Example: `  pdflow runs resume last
  pdflow runs resume --all
  pdflow runs resume 01M838X2C49B --call 17=done   # you looked: the call was done`,
		RunE: func(c *cobra.Command, args []string) error { return resumeRuns(c.Context(), env, args, &o) },
	}
	o.addFlags(c)
	c.Flags().BoolVar(&o.all, "all", false, "resume every interrupted run, and wait for all of them")
	return c
}

func resumeRuns(ctx context.Context, env *setup.Environment, names []string, o *resumeOptions) error {
	switch {
	case o.all && len(names) > 0:
		return console.Usage("--all resumes every interrupted run: give RUN or --all, not both")
	case !o.all && len(names) == 0:
		return console.Usage("which run? give its id, `last`, or --all; `pdflow runs list%s --status interrupted` lists them", o.folder.Option())
	case len(names) == 1:
		return continueOne(ctx, env, names[0], &o.continueOptions, false)
	case len(o.calls) > 0:
		return console.Usage("--call is a decision about one run: give one RUN")
	}
	return resumeMany(ctx, env, names, o)
}

// resumeMany resumes several runs at a time, or all interrupted runs if none is named. It prints a line
// for each.
func resumeMany(ctx context.Context, env *setup.Environment, names []string, o *resumeOptions) error {
	recorded, err := env.FindRuns(o.folder)
	if err != nil {
		return err
	}
	if recorded == nil && !o.all {
		return env.NoRuns(o.folder)
	}
	var chosen []*setup.RecordedRun
	if recorded != nil {
		defer env.CloseRuns(recorded)
		recorded.Retain(o.retention)
		if chosen, err = choose(ctx, recorded, names); err != nil {
			return err
		}
	}
	if len(chosen) == 0 {
		_, err := io.WriteString(env.Stderr, "no run is interrupted: nothing to resume\n")
		return err
	}
	target, err := env.RealTarget()
	if err != nil {
		return err
	}
	defer target.Close()
	if err := env.LimitMemory(target, 0); err != nil {
		return err
	}
	many := &manyRuns{env: env, recorded: recorded, target: target, options: o, reports: make([]*runview.RunReport, len(chosen))}
	many.resume(ctx, chosen)
	return many.conclude()
}

// choose reads the named runs, each once, or all interrupted runs if none is named.
func choose(ctx context.Context, recorded *setup.Runs, names []string) (chosen []*setup.RecordedRun, err error) {
	if len(names) == 0 {
		if names, err = recorded.Interrupted(ctx); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for _, name := range names {
		found, err := recorded.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		if !seen[found.Run] {
			seen[found.Run] = true
			chosen = append(chosen, found)
		}
	}
	return chosen, nil
}

// manyRuns resumes several runs.
type manyRuns struct {
	env      *setup.Environment
	recorded *setup.Runs
	target   *setup.Target
	options  *resumeOptions

	mu      sync.Mutex
	reports []*runview.RunReport // one for each run; nil for a run that was not resumed
	worst   int                  // exit code
}

// resume resumes the runs, resumedAtOnce at a time, and returns when all have ended.
func (m *manyRuns) resume(ctx context.Context, chosen []*setup.RecordedRun) {
	var running sync.WaitGroup
	slots := make(chan struct{}, resumedAtOnce)
	for i, found := range chosen {
		slots <- struct{}{}
		running.Go(func() {
			m.resumeOne(ctx, i, found)
			<-slots
		})
	}
	running.Wait()
}

func (m *manyRuns) resumeOne(ctx context.Context, i int, r *setup.RecordedRun) {
	if ctx.Err() != nil {
		m.print(r, int(m.env.Signal.Load()), "not resumed: the command was stopped")
		return
	}
	if m.options.all && r.Start().Target.Simulation != "" {
		m.print(r, console.ExitDone, "not resumed: its simulator has ended")
		return
	}
	c, err := m.options.prepare(ctx, m.env, m.recorded, m.target, r)
	if err == nil {
		c.quiet = true
		maps.DeleteFunc(c.request.Secrets, func(name string, _ any) bool { return !slices.Contains(c.secretInputs, name) }) // inputs of other runs
		var result *run.Result
		result, err = c.work(ctx, engine.Runs.Resume)
		if err == nil {
			m.ended(i, c, result)
			return
		}
	}
	if m.options.all && errors.Is(err, journal.ErrOwned) {
		m.print(r, console.ExitDone, "not resumed: another process works on it")
		return
	}
	m.print(r, console.ExitCode(err), err.Error())
}

// ended keeps the report of a run and prints its result.
func (m *manyRuns) ended(i int, c *continuation, result *run.Result) {
	report := runview.Report(result, m.target.Account())
	m.mu.Lock()
	m.reports[i] = &report
	m.mu.Unlock()
	text := string(result.Status) + " in " + console.Took(result.Duration)
	if result.Error != nil {
		text += ": " + runview.FailureNote(result.Error)
	}
	if more := c.decisions(result); more != "" {
		text += "\n" + more
	}
	m.print(c.found, runview.ExitCode(m.env.Console, result.Status), text)
}

// print prints the line of a run and keeps the worst exit code.
func (m *manyRuns) print(found *setup.RecordedRun, code int, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.worst = max(m.worst, code)
	to := m.env.Stdout
	if m.options.output != "text" {
		to = m.env.Stderr
	}
	fmt.Fprintf(to, "%s  %s  %s\n", found.Run, console.Printable(found.Workflow), text)
}

// conclude prints the reports with -o json. The error carries the worst exit code.
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

func retryCommand(env *setup.Environment) *cobra.Command {
	var o continueOptions
	var failed bool
	c := &cobra.Command{
		Use:   "retry RUN",
		Short: "Run the failed steps of a run again",
		Long: `Run the failed steps of a run again. Steps that succeeded keep their results. Steps that
failed, and steps that were skipped because of them, run again, then on_failure and
finally as usual. Writes that were done are not done again. If a daemon serves the data
folder, the daemon does this, because it has the keys, and this command waits for it.`,
		Example: `  pdflow runs retry last
  pdflow runs retry 01M838X2C49B --call 17=repeat   # you looked: the call was not done`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return continueOne(c.Context(), env, args[0], &o, true) },
	}
	o.addFlags(c)
	c.Flags().BoolVar(&failed, "failed", false, "run the failed steps again; this is the default and the only way")
	return c
}
