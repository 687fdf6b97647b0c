package runs

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
)

// continueInDaemon has the daemon go on with a run, which has the keys for it, and waits
// until the run ends. It reports false when there is no daemon, or when it lacks what
// only this command was given.
func continueInDaemon(ctx context.Context, p *setup.Environment, name string, o *continueOptions, retry bool) (done bool, err error) {
	decided, err := setup.ParseDecisions(o.calls)
	if err != nil || len(o.inputs) > 0 || o.output != "text" {
		return false, err
	}
	request := control.ResumeRequest{Retry: retry}
	for _, call := range slices.Sorted(maps.Keys(decided)) {
		request.Decisions = append(request.Decisions, control.Decision{Call: call, Decision: string(decided[call])})
	}
	lives, err := daemon.Ask(p, o.folder, func(c *control.Client) error { return c.Resume(ctx, name, request) })
	if !lives || err != nil {
		return lives, err
	}
	j, err := p.Records(o.folder)
	if err != nil {
		return true, err
	}
	defer p.CloseJournal(j)
	run, err := j.Read(ctx, name)
	if err != nil {
		return true, err
	}
	if !o.quiet {
		fmt.Fprintf(p.Stderr, "the daemon goes on with the run %s; waiting until it ends (Ctrl-C waits no longer)\n", run.Run)
	}
	if run, err = await(ctx, p, j, run); err != nil {
		return true, err
	}
	return true, showEnded(ctx, p, j, run)
}

// await waits until a run of another process is not worked on any more.
func await(ctx context.Context, p *setup.Environment, j *setup.Journal, run *setup.RecordedRun) (*setup.RecordedRun, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, console.Exit(int(p.Signal.Load()), fmt.Errorf("the run %s has not ended yet: `%s` shows it", run.Run, j.Command("show", run.Run, nil)))
		case <-ticker.C:
		}
		now, err := j.Read(ctx, run.Run)
		if err != nil || !now.UnderWay() {
			return now, err
		}
	}
}

// showEnded prints what became of a run, with the exit code for it.
func showEnded(ctx context.Context, p *setup.Environment, j *setup.Journal, run *setup.RecordedRun) error {
	if _, err := io.WriteString(p.Stdout, viewOf(ctx, p, j, run).Text()); err != nil {
		return err
	}
	if code := runview.ExitCode(p.Console, run.Status); code != console.ExitDone {
		return console.Exit(code, nil)
	}
	return nil
}
