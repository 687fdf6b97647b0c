package runs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
	"golang.org/x/term"
)

// A dryRunReport is the output of `run --dry-run -o json`.
type dryRunReport struct {
	runview.RunReport
	DryRun bool            `json:"dry_run"`
	Writes []attempt.Write `json:"writes"`
}

// list makes a dry run, which makes reads and lists writes.
func (x *execution) list(ctx context.Context, request engine.Request) (*attempt.DryRun, error) {
	fmt.Fprintln(x.env.Stderr, "dry run: reads are made, writes are listed and not sent")
	local := x.engine()
	local.Observers = []run.Observer{&runview.Logs{To: x.env.Stderr}}
	dry, err := local.DryRun(ctx, x.plan, request)
	if err != nil {
		return nil, x.explain(err)
	}
	return dry, nil
}

// dryRun makes a dry run and prints its writes as the result.
func (x *execution) dryRun(ctx context.Context, request engine.Request) error {
	dry, err := x.list(ctx, request)
	if err != nil {
		return err
	}
	all := dryRunReport{runview.Report(dry.Result, x.target.Account()), true, append([]attempt.Write{}, dry.Writes...)}
	if err := x.env.Print(x.output, all, runview.WritesText(dry.Writes)); err != nil {
		return err
	}
	x.printFailure(dry)
	return exitAs(x.env, dry.Result.Status)
}

// confirm makes a dry run, prints its writes, and asks whether to send them. It returns the request for
// the run that was shown.
func (x *execution) confirm(ctx context.Context, request engine.Request) (engine.Request, error) {
	dry, err := x.list(ctx, request)
	if err != nil {
		return request, err
	}
	fmt.Fprint(x.env.Stderr, runview.WritesText(dry.Writes))
	x.printFailure(dry)
	if ctx.Err() != nil {
		return request, console.Exit(runview.ExitCode(x.env.Console, dry.Result.Status), nil)
	}
	fmt.Fprintf(x.env.Stderr, "send %s? [y/N] ", console.Plural(runview.CountRequests(dry.Writes), "request"))
	answer, err := answer(ctx, x.env)
	if err != nil {
		return request, err
	}
	if answer != "y" && answer != "yes" {
		return request, console.Exit(console.ExitFailed, fmt.Errorf("not confirmed: nothing was sent"))
	}
	request.Confirmed = dry
	return request, nil
}

// answer reads a line of standard input. The end of the input is an empty answer.
func answer(ctx context.Context, env *setup.Environment) (string, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(io.LimitReader(env.Stdin, 1000)).ReadString('\n')
		line <- strings.ToLower(strings.TrimSpace(text))
	}()
	select {
	case text := <-line:
		if f, ok := env.Stdin.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
			fmt.Fprintln(env.Stderr) // no return key has ended the line of the question
		}
		return text, nil
	case <-ctx.Done():
		fmt.Fprintln(env.Stderr)
		return "", console.Exit(int(env.Signal.Load()), fmt.Errorf("interrupted: nothing was sent"))
	}
}

// printFailure prints why the dry run failed, if it did.
func (x *execution) printFailure(r *attempt.DryRun) {
	if r.Result.Error == nil {
		return
	}
	runview.PrintFailure(x.env.Console, r.Result.Error)
	if len(r.Writes) > 0 {
		fmt.Fprintln(x.env.Stderr, "  note: a dry run answers each write with an example, so steps after the first write may see data that does not exist")
	}
}
