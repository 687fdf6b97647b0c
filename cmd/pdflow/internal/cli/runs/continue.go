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
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

// pollEvery is how often a command looks whether a run of another process has ended.
const pollEvery = 100 * time.Millisecond

// continueOptions are the flags of `runs resume`, `runs retry` and `runs cancel`.
type continueOptions struct {
	folder    setup.DataFolder
	retention setup.Age
	calls     []string
	decisions []run.Decision // parsed from calls
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
	setup.AddOutput(c, &o.output, "text", "json", "jsonl")
	f.Lookup("output").Usage += " (every event, as it happens)"
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
}

// A way continues a recorded run, such as [engine.Runs.Resume].
type way = func(runs engine.Runs, ctx context.Context, id string, request engine.ContinueRequest) error

// A continuation is the work of this process on a run that was recorded before.
type continuation struct {
	*execution
	found    *setup.RecordedRun
	prepared engine.Prepared
	request  engine.ContinueRequest
}

// prepare prepares to continue a run as the options say.
func (o *continueOptions) prepare(ctx context.Context, env *setup.Environment, recorded *setup.Runs, target *setup.Target, found *setup.RecordedRun) (*continuation, error) {
	prepared, err := recorded.Prepare(ctx, target, found)
	if err != nil {
		return nil, err
	}
	secrets, err := env.ReadInputs(prepared.Plan.Workflow.Inputs, o.inputs, "")
	return &continuation{&execution{
		env: env, plan: prepared.Plan, target: target, recorded: recorded, secretInputs: found.SecretInputs(), before: found.Events, output: o.output, quiet: o.quiet,
	}, found, prepared, engine.ContinueRequest{Secrets: secrets, Decisions: o.decisions}}, err
}

// work continues the run in this process, and returns its result when it ends. A signal cancels the run.
func (c *continuation) work(ctx context.Context, resume way) (*run.Result, error) {
	id := c.found.Run
	result, err := c.perform(func(local *engine.Local) (*run.Result, error) {
		runs := engine.NewHost(local, engine.Plans{
			Restore: func(context.Context, run.Start, []workflow.Source) (engine.Prepared, error) { return c.prepared, nil },
		}).As(c.env.Actor())
		if err := resume(runs, ctx, id, c.request); err != nil {
			return nil, err
		}
		result, err := runs.Wait(ctx, id)
		if ctx.Err() == nil {
			return result, err
		}
		unsignalled := context.WithoutCancel(ctx)
		if err := runs.Cancel(unsignalled, id, nil); err != nil && !engine.IsInputError(err) { // it may have ended
			return nil, err
		}
		return runs.Wait(unsignalled, id)
	})
	err = c.recorded.Advise(err)
	if errors.Is(err, journal.ErrOwned) {
		err = console.Usage("%w: it is not interrupted\n  try: `%s` to see it, `%s` to end it", err, c.recorded.Command("show", id, nil), c.recorded.Command("cancel", id, nil))
	}
	return result, err
}

// continueOne resumes or retries one run and prints its result as `run` does. If a daemon serves the
// data folder, the daemon works on the run.
func continueOne(ctx context.Context, env *setup.Environment, name string, o *continueOptions, retry bool) (err error) {
	if o.decisions, err = setup.ParseDecisions(o.calls); err != nil {
		return err
	}
	if done, err := continueInDaemon(ctx, env, name, o, retry); done || err != nil {
		return err
	}
	return withRun(ctx, env, o.folder, name, func(recorded *setup.Runs, found *setup.RecordedRun) error {
		recorded.Retain(o.retention)
		resume := engine.Runs.Resume
		if retry {
			resume = engine.Runs.Retry
		}
		c, result, err := o.workHere(ctx, env, recorded, found, resume)
		if err != nil {
			return err
		}
		return c.conclude(result)
	})
}

// workHere continues a run in this process, against PagerDuty.
func (o *continueOptions) workHere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, found *setup.RecordedRun, resume way) (*continuation, *run.Result, error) {
	target, err := env.RealTarget()
	if err != nil {
		return nil, nil, err
	}
	if err := env.LimitMemory(target, 0); err != nil {
		return nil, nil, err
	}
	c, err := o.prepare(ctx, env, recorded, target, found)
	if err != nil {
		return nil, nil, err
	}
	result, err := c.work(ctx, resume)
	return c, result, err
}

// continueInDaemon asks the daemon, which has the keys, to resume or to retry a run, and waits until
// the run ends. It reports false if there is no daemon, or if the daemon cannot do what the flags ask
// for.
func continueInDaemon(ctx context.Context, env *setup.Environment, name string, o *continueOptions, retry bool) (done bool, err error) {
	if len(o.inputs) > 0 || o.output != "text" {
		return false, nil
	}
	request := control.ResumeRequest{Retry: retry}
	for _, d := range o.decisions {
		request.Decisions = append(request.Decisions, control.Decision{Call: d.Call, Decision: string(d.Outcome)})
	}
	lives, err := daemon.Ask(env, o.folder, func(c *control.Client) error { return c.Resume(ctx, name, request) })
	if !lives || err != nil {
		return lives, err
	}
	return true, withRun(ctx, env, o.folder, name, func(recorded *setup.Runs, found *setup.RecordedRun) error {
		if !o.quiet {
			fmt.Fprintf(env.Stderr, "the daemon works on the run %s; waiting until it ends (Ctrl-C stops waiting, not the run)\n", found.Run)
		}
		found, err := await(ctx, env, recorded, found.Run, "the run %s has not ended yet: `%s` shows it", func(r *setup.RecordedRun) bool { return !r.Active() })
		if err != nil {
			return err
		}
		if _, err := io.WriteString(env.Stdout, viewOf(ctx, env, recorded, found).Text()); err != nil {
			return err
		}
		return exitAs(env, found.Status)
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
		found, err := recorded.Get(ctx, id)
		if err != nil || over(found) {
			return found, err
		}
	}
}

func cancelCommand(env *setup.Environment) *cobra.Command {
	var o continueOptions
	c := &cobra.Command{
		Use:   "cancel RUN",
		Short: "Cancel a run: no more steps start, and finally runs",
		Long: `Cancel a run. If another process works on the run, that process is asked to cancel it,
and this command waits until it has. This command itself cancels a run that is
interrupted or waits for a decision. In both cases ` + "`finally`" + ` runs.`,
		Example: `  pdflow runs cancel last
  pdflow runs cancel 01M838X2C49B`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return cancelRun(c.Context(), env, args[0], &o) },
	}
	f := c.Flags()
	o.folder.AddFlag(f)
	setup.AddRetention(f, &o.retention)
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "a secret input, which finally may need: name=value or name=@file")
	setup.AddOutput(c, &o.output, "text", "json", "jsonl")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return c
}

func cancelRun(ctx context.Context, env *setup.Environment, name string, o *continueOptions) error {
	return withRun(ctx, env, o.folder, name, func(recorded *setup.Runs, found *setup.RecordedRun) (err error) {
		recorded.Retain(o.retention)
		if found.Live {
			if found, err = cancelElsewhere(ctx, env, recorded, found); err != nil {
				return err
			}
			if !found.Open() {
				return printCancelled(env, found, found.Status)
			}
			fmt.Fprintf(env.Stderr, "the process of the run %s ended before it cancelled the run; cancelling it here\n", found.Run)
		}
		if !found.Open() {
			return console.Usage("the run %s has ended as %s: there is nothing to cancel", found.Run, found.Status)
		}
		return cancelHere(ctx, env, recorded, found, o)
	})
}

// cancelElsewhere asks the process of a run to cancel it, and waits until the run or the process ends.
func cancelElsewhere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, found *setup.RecordedRun) (*setup.RecordedRun, error) {
	if err := recorded.Cancel(ctx, found.Run, env.Actor()); err != nil {
		return nil, err
	}
	fmt.Fprintf(env.Stderr, "the process of the run %s was asked to cancel it; waiting until it has (Ctrl-C stops waiting)\n", found.Run)
	return await(ctx, env, recorded, found.Run, "the run %s was asked to end and has not ended yet: `%s` shows it", func(r *setup.RecordedRun) bool { return !r.Open() || !r.Live })
}

// printCancelled prints the status of a run that has ended. A status other than cancelled is an error.
func printCancelled(env *setup.Environment, r *setup.RecordedRun, status run.Status) error {
	_, err := fmt.Fprintf(env.Stdout, "%s  %s  %s\n", r.Run, console.Printable(r.Workflow), status)
	if err == nil && status != run.Cancelled {
		err = console.Exit(console.ExitFailed, fmt.Errorf("the run %s ended as %s, not as cancelled", r.Run, status))
	}
	return err
}

// cancelHere cancels a run that no process works on.
func cancelHere(ctx context.Context, env *setup.Environment, recorded *setup.Runs, found *setup.RecordedRun, o *continueOptions) error {
	c, result, err := o.workHere(ctx, env, recorded, found, func(runs engine.Runs, ctx context.Context, id string, request engine.ContinueRequest) error {
		return runs.Cancel(ctx, id, request.Secrets)
	})
	switch {
	case err != nil:
		return err
	case result.Status != run.Cancelled:
		return c.conclude(result)
	case o.output == "json":
		return console.WriteJSON(env.Stdout, runview.Report(result, nil))
	case o.output == "jsonl":
		return nil
	}
	return printCancelled(env, found, result.Status)
}
