package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

// lookEvery is how often `runs cancel` looks whether the run has ended.
const lookEvery = 100 * time.Millisecond

func (p *program) runsCancelCommand() *cobra.Command {
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
		RunE: func(c *cobra.Command, args []string) error { return p.runsCancel(c.Context(), args[0], &o) },
	}
	f := c.Flags()
	o.folder.addFlag(f)
	addRetention(f, &o.retention)
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "a secret input again, which finally may need: name=value or name=@file")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return c
}

func (p *program) runsCancel(ctx context.Context, name string, o *continueOptions) error {
	if err := oneOf("output", o.output, "text", "json", "jsonl"); err != nil {
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
	if run.Live {
		if run, err = p.cancelLive(ctx, j, run); err != nil {
			return err
		}
		if !run.open() {
			return p.cancelled(run)
		}
		fmt.Fprintf(p.stderr, "the process of the run %s ended before the run did: ended here\n", run.Run)
	}
	if !run.open() {
		return usageError("the run %s has ended as %s: there is nothing to cancel", run.Run, run.Status)
	}
	return p.cancelHere(ctx, j, run, o)
}

// open reports whether the run can still be cancelled.
func (r *recordedRun) open() bool { return r.EndedAt.IsZero() }

// cancelLive asks the process of a run to end it, and waits until it has or is
// gone.
func (p *program) cancelLive(ctx context.Context, j *journalFolder, run *recordedRun) (*recordedRun, error) {
	if err := j.RequestCancel(ctx, run.Run, nil); err != nil {
		return nil, exit(exitFailed, err)
	}
	fmt.Fprintf(p.stderr, "the process of the run %s is asked to end it; waiting until it has (Ctrl-C waits no longer)\n", run.Run)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, exit(int(p.signal.Load()), fmt.Errorf("the run %s has been asked to end and has not yet: `%s` shows it", run.Run, j.command("show", run.Run, nil)))
		case <-ticker.C:
		}
		now, err := j.read(ctx, run.Run)
		if err != nil || !now.open() || !now.Live {
			return now, err
		}
	}
}

// cancelled prints how a run ended in its own process.
func (p *program) cancelled(r *recordedRun) error {
	_, err := io.WriteString(p.stdout, fmt.Sprintf("%s  %s  %s\n", r.Run, printable(r.Workflow), r.Status))
	if err == nil && r.Status != run.Cancelled {
		err = exit(exitFailed, fmt.Errorf("the run %s ended as %s, not as cancelled", r.Run, r.Status))
	}
	return err
}

// cancelHere adopts a run and ends it.
func (p *program) cancelHere(ctx context.Context, j *journalFolder, r *recordedRun, o *continueOptions) error {
	site, err := p.realSite()
	if err != nil {
		return err
	}
	defer site.close()
	c, err := p.continuation(ctx, j, site, r, o)
	if err != nil {
		return err
	}
	c.resumption.Cancel = true
	result, err := c.goOn(ctx)
	if err != nil {
		return err
	}
	if result.Status != run.Cancelled {
		return c.conclude(result)
	}
	if o.output == "json" {
		return writeJSON(p.stdout, report(result, site))
	}
	if o.output == "jsonl" {
		return nil
	}
	_, err = io.WriteString(p.stdout, fmt.Sprintf("%s  %s  %s\n", r.Run, printable(r.Workflow), result.Status))
	return err
}
