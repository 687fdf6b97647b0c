package runs

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/spf13/cobra"
)

// lookEvery is how often `runs cancel` looks whether the run has ended.
const lookEvery = 100 * time.Millisecond

func cancelCommand(p *setup.Environment) *cobra.Command {
	var o continueOptions
	c := &cobra.Command{
		Use:   "cancel RUN",
		Short: "End a run early: nothing more of it starts, and its finally runs",
		Long: `End a run early. When its process lives, it is asked to stop, and this command
waits until it has. A run that was interrupted, or that waits for a decision, is
ended by this command itself. Either way ` + "`finally`" + ` runs.`,
		Example: `  pdflow runs cancel last
  pdflow runs cancel 01M838X2C49B`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return cancelRun(c.Context(), p, args[0], &o) },
	}
	f := c.Flags()
	o.folder.AddFlag(f)
	setup.AddRetention(f, &o.retention)
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "a secret input again, which finally may need: name=value or name=@file")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return c
}

func cancelRun(ctx context.Context, p *setup.Environment, name string, o *continueOptions) error {
	if err := console.OneOf("output", o.output, "text", "json", "jsonl"); err != nil {
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
	if run.Live {
		if run, err = cancelLive(ctx, p, j, run); err != nil {
			return err
		}
		if !run.Open() {
			return printCancelled(p, run)
		}
		fmt.Fprintf(p.Stderr, "the process of the run %s ended before the run did: ended here\n", run.Run)
	}
	if !run.Open() {
		return console.Usage("the run %s has ended as %s: there is nothing to cancel", run.Run, run.Status)
	}
	return cancelHere(ctx, p, j, run, o)
}

// cancelLive asks the process of a run to end it, and waits until it has or is
// gone.
func cancelLive(ctx context.Context, p *setup.Environment, j *setup.Journal, run *setup.RecordedRun) (*setup.RecordedRun, error) {
	if err := j.RequestCancel(ctx, run.Run); err != nil {
		return nil, console.Exit(console.ExitFailed, err)
	}
	fmt.Fprintf(p.Stderr, "the process of the run %s is asked to end it; waiting until it has (Ctrl-C waits no longer)\n", run.Run)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, console.Exit(int(p.Signal.Load()), fmt.Errorf("the run %s has been asked to end and has not yet: `%s` shows it", run.Run, j.Command("show", run.Run, nil)))
		case <-ticker.C:
		}
		now, err := j.Read(ctx, run.Run)
		if err != nil || !now.Open() || !now.Live {
			return now, err
		}
	}
}

// printCancelled prints how a run ended in its own process.
func printCancelled(p *setup.Environment, run *setup.RecordedRun) error {
	_, err := io.WriteString(p.Stdout, fmt.Sprintf("%s  %s  %s\n", run.Run, console.Printable(run.Workflow), run.Status))
	if err == nil && run.Status != engine.Cancelled {
		err = console.Exit(console.ExitFailed, fmt.Errorf("the run %s ended as %s, not as cancelled", run.Run, run.Status))
	}
	return err
}

// cancelHere adopts a run and ends it.
func cancelHere(ctx context.Context, p *setup.Environment, j *setup.Journal, run *setup.RecordedRun, o *continueOptions) error {
	site, err := p.RealTarget()
	if err != nil {
		return err
	}
	defer site.Close()
	c, err := o.resumed(ctx, p, j, site, run)
	if err != nil {
		return err
	}
	c.Resumption.Cancel = true
	result, err := c.goOn(ctx)
	if err != nil {
		return err
	}
	if result.Status != engine.Cancelled {
		return c.conclude(result)
	}
	if o.output == "json" {
		return console.WriteJSON(p.Stdout, runview.Report(result, site.Account()))
	}
	if o.output == "jsonl" {
		return nil
	}
	_, err = io.WriteString(p.Stdout, fmt.Sprintf("%s  %s  %s\n", run.Run, console.Printable(run.Workflow), result.Status))
	return err
}
