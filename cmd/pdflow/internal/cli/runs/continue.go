package runs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

// pollEvery is how often a command looks whether a run of another process has ended.
const pollEvery = 100 * time.Millisecond

// continueOptions are the flags that `runs resume` and `runs retry` share.
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
	f.StringArrayVar(&o.calls, "call", nil, "your decision about a call, by its number in runs show: `N=DECISION`, which is done, repeat or fail")
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "a secret input, which is not recorded: name=value or name=@file")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl (every event, as it happens)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
}

// A continuation is the work of this process on a run that was recorded before.
type continuation struct {
	*execution
	*setup.Continuation
}

// prepare prepares to resume a run as the options say.
func (o *continueOptions) prepare(ctx context.Context, env *setup.Environment, recorded *setup.Runs, target *setup.Target, run *setup.RecordedRun) (*continuation, error) {
	calls, err := setup.ParseDecisions(o.calls)
	if err != nil {
		return nil, err
	}
	c, err := env.Continue(ctx, recorded, target, run, calls, o.inputs)
	if err != nil {
		return nil, err
	}
	return &continuation{&execution{
		env: env, plan: c.Plan, target: target, recorded: recorded, secretInputs: run.SecretInputs(), before: run.Events, output: o.output, quiet: o.quiet,
	}, c}, nil
}

// work asks for something that continues the run in this process, and returns the result of the run
// when it ends. A signal cancels the run.
func (c *continuation) work(ctx context.Context, ask func(engine.Runs) error) (*run.Result, error) {
	result, err := c.perform(func(local *engine.Local) (*run.Result, error) {
		runs := engine.NewHost(local, c.Plans()).As(c.env.Actor())
		if err := ask(runs); err != nil {
			return nil, err
		}
		result, err := runs.Wait(ctx, c.Run.Run)
		if ctx.Err() == nil {
			return result, err
		}
		unsignalled := context.WithoutCancel(ctx)
		if err := runs.Cancel(unsignalled, c.Run.Run, nil); err != nil && !engine.IsInputError(err) {
			return nil, err
		}
		return runs.Wait(unsignalled, c.Run.Run)
	})
	err = c.recorded.Advise(err)
	if errors.Is(err, journal.ErrOwned) {
		err = console.Usage("%w: it is not interrupted\n  try: `%s` to see it, `%s` to end it", err, c.recorded.Command("show", c.Run.Run, nil), c.recorded.Command("cancel", c.Run.Run, nil))
	}
	return result, err
}

// continueOne resumes or retries one run and prints its result as `run` does. If a daemon serves the
// data folder, the daemon works on the run.
func continueOne(ctx context.Context, env *setup.Environment, name string, o *continueOptions, retry bool) error {
	if err := console.OneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	calls, err := setup.ParseDecisions(o.calls)
	if err != nil {
		return err
	}
	if done, err := continueInDaemon(ctx, env, name, o, calls, retry); done || err != nil {
		return err
	}
	return withRun(ctx, env, o.folder, name, func(recorded *setup.Runs, run *setup.RecordedRun) error {
		recorded.Retain(o.retention)
		c, result, err := o.workHere(ctx, env, recorded, run, func(runs engine.Runs, c *continuation) error {
			if retry {
				return runs.Retry(ctx, c.Run.Run, c.Request)
			}
			return runs.Resume(ctx, c.Run.Run, c.Request)
		})
		if err != nil {
			return err
		}
		return c.conclude(result)
	})
}

// workHere continues a run in this process, against PagerDuty, as ask asks for.
func (o *continueOptions) workHere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, run *setup.RecordedRun, ask func(engine.Runs, *continuation) error) (*continuation, *run.Result, error) {
	target, err := env.RealTarget()
	if err != nil {
		return nil, nil, err
	}
	c, err := o.prepare(ctx, env, recorded, target, run)
	if err != nil {
		return nil, nil, err
	}
	result, err := c.work(ctx, func(runs engine.Runs) error { return ask(runs, c) })
	return c, result, err
}

// continueInDaemon asks the daemon, which has the keys, to resume or to retry a run, and waits until
// the run ends. It reports false if there is no daemon, or if the daemon cannot do what the flags ask
// for.
func continueInDaemon(ctx context.Context, env *setup.Environment, name string, o *continueOptions, decisions []run.Decision, retry bool) (done bool, err error) {
	if len(o.inputs) > 0 || o.output != "text" {
		return false, nil
	}
	request := control.ResumeRequest{Retry: retry}
	for _, d := range decisions {
		request.Decisions = append(request.Decisions, control.Decision{Call: d.Call, Decision: string(d.Outcome)})
	}
	lives, err := daemon.Ask(env, o.folder, func(c *control.Client) error { return c.Resume(ctx, name, request) })
	if !lives || err != nil {
		return lives, err
	}
	return true, withRun(ctx, env, o.folder, name, func(recorded *setup.Runs, run *setup.RecordedRun) error {
		if !o.quiet {
			fmt.Fprintf(env.Stderr, "the daemon has resumed the run %s; waiting until it ends (Ctrl-C stops waiting, not the run)\n", run.Run)
		}
		run, err := await(ctx, env, recorded, run.Run, "the run %s has not ended yet: `%s` shows it", func(run *setup.RecordedRun) bool { return !run.Active() })
		if err != nil {
			return err
		}
		if _, err := io.WriteString(env.Stdout, viewOf(ctx, env, recorded, run).Text()); err != nil {
			return err
		}
		return exitAs(env, run.Status)
	})
}

// await reads a run of another process again and again until it is over. If a signal ends the wait,
// the error has the format of interrupted, with the run and the command that shows it.
func await(ctx context.Context, env *setup.Environment, recorded *setup.Runs, id, interrupted string, over func(*setup.RecordedRun) bool) (*setup.RecordedRun, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, console.Exit(int(env.Signal.Load()), fmt.Errorf(interrupted, id, recorded.Command("show", id, nil)))
		case <-ticker.C:
		}
		run, err := recorded.Get(ctx, id)
		if err != nil || over(run) {
			return run, err
		}
	}
}
