package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/control"
	"github.com/pdflow/pdflow/engine/run"
)

// askDaemon asks the daemon that serves a data folder. It reports false when none
// does: then the command works by itself.
func (p *program) askDaemon(folder dataFolder, ask func(*control.Client) error) (lives bool, err error) {
	path, err := p.dataDir(folder)
	if err != nil {
		return false, exit(exitUsage, err)
	}
	switch err = ask(control.New(path)); {
	case errors.Is(err, control.ErrNoDaemon):
		return false, nil
	case err != nil:
		return true, daemonError(err)
	}
	return true, nil
}

// daemonError is what a daemon answered, with the exit code for it.
func daemonError(err error) error {
	var refused *control.Error
	if !errors.As(err, &refused) {
		return exit(exitFailed, err)
	}
	switch refused.Code {
	case control.NotFound, control.Invalid, control.Conflict, control.TooLarge, control.Forbidden:
		return usageError("the daemon refuses: %w", refused)
	}
	return exit(exitFailed, fmt.Errorf("the daemon: %w", refused))
}

// continueInDaemon has the daemon go on with a run, which has the keys for it, and waits
// until the run ends. It reports false when there is no daemon, or when it lacks what
// only this command was given.
func (p *program) continueInDaemon(ctx context.Context, name string, o *continueOptions, retry bool) (done bool, err error) {
	decided, err := o.decisions()
	if err != nil || len(o.inputs) > 0 || o.output != "text" {
		return false, err
	}
	request := control.ResumeRequest{Retry: retry}
	for _, d := range decided {
		request.Decisions = append(request.Decisions, control.Decision{Call: d.Call, Decision: string(d.Outcome)})
	}
	lives, err := p.askDaemon(o.folder, func(c *control.Client) error { return c.Resume(ctx, name, request) })
	if !lives || err != nil {
		return lives, err
	}
	j, err := p.records(o.folder)
	if err != nil {
		return true, err
	}
	defer p.closeJournal(j)
	run, err := j.read(ctx, name)
	if err != nil {
		return true, err
	}
	if !o.quiet {
		fmt.Fprintf(p.stderr, "the daemon goes on with the run %s; waiting until it ends (Ctrl-C waits no longer)\n", run.Run)
	}
	if run, err = p.await(ctx, j, run); err != nil {
		return true, err
	}
	return true, p.showEnded(ctx, j, run)
}

// await waits until a run of another process is not worked on any more.
func (p *program) await(ctx context.Context, j *journalFolder, run *recordedRun) (*recordedRun, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, exit(int(p.signal.Load()), fmt.Errorf("the run %s has not ended yet: `%s` shows it", run.Run, j.command("show", run.Run, nil)))
		case <-ticker.C:
		}
		now, err := j.read(ctx, run.Run)
		if err != nil || !now.UnderWay() {
			return now, err
		}
	}
}

// showEnded prints what became of a run, with the exit code for it.
func (p *program) showEnded(ctx context.Context, j *journalFolder, r *recordedRun) error {
	if _, err := io.WriteString(p.stdout, p.runView(ctx, j, r).text()); err != nil {
		return err
	}
	if code := p.resultCode(&run.Result{Status: r.Status}); code != exitDone {
		return exit(code, nil)
	}
	return nil
}
