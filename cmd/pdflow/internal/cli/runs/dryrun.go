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
	"golang.org/x/term"
)

// A rehearsalReport is what `run --dry-run -o json` prints: what `run` does, and
// the writes that were not sent.
type rehearsalReport struct {
	runview.RunReport
	DryRun bool           `json:"dry_run"`
	Writes []engine.Write `json:"writes"`
}

// rehearse does the run without its writes. Only reads are made.
func (x *execution) rehearse(ctx context.Context, request engine.Request) (*engine.Rehearsal, error) {
	fmt.Fprintln(x.env.Stderr, "dry run: reads are made, writes are listed and not sent")
	local := x.local()
	local.Observers = []engine.Observer{&runview.Logs{To: x.env.Stderr}}
	rehearsal, err := local.Rehearse(ctx, x.plan, request)
	if err != nil {
		return nil, x.explain(err)
	}
	return rehearsal, nil
}

// dryRun rehearses the run and prints what it would send. That is its result.
func (x *execution) dryRun(ctx context.Context, request engine.Request) error {
	rehearsal, err := x.rehearse(ctx, request)
	if err != nil {
		return err
	}
	if x.output == "json" {
		all := rehearsalReport{runview.Report(rehearsal.Result, x.target.Account()), true, rehearsal.Writes}
		if all.Writes == nil {
			all.Writes = []engine.Write{}
		}
		err = console.WriteJSON(x.env.Stdout, all)
	} else {
		_, err = io.WriteString(x.env.Stdout, runview.WritesText(rehearsal.Writes))
	}
	if err != nil {
		return err
	}
	x.sayOutcome(rehearsal)
	if code := runview.ExitCode(x.env.Console, rehearsal.Result.Status); code != console.ExitDone {
		return console.Exit(code, nil)
	}
	return nil
}

// confirm rehearses the run, shows what it would send, and asks whether it shall
// be. The request that it returns is that of the run which was shown.
func (x *execution) confirm(ctx context.Context, request engine.Request) (engine.Request, error) {
	rehearsal, err := x.rehearse(ctx, request)
	if err != nil {
		return request, err
	}
	p := x.env
	fmt.Fprint(p.Stderr, runview.WritesText(rehearsal.Writes))
	x.sayOutcome(rehearsal)
	if ctx.Err() != nil {
		return request, console.Exit(runview.ExitCode(p.Console, rehearsal.Result.Status), nil)
	}
	fmt.Fprintf(p.Stderr, "send %s? [y/N] ", console.Plural(runview.CountRequests(rehearsal.Writes), "request"))
	answer, err := answer(ctx, p)
	if err != nil {
		return request, err
	}
	if answer != "y" && answer != "yes" {
		return request, console.Exit(console.ExitFailed, fmt.Errorf("not confirmed: nothing was sent"))
	}
	request.Rehearsed = rehearsal
	return request, nil
}

// answer reads a line of standard input; its end is an empty answer.
func answer(ctx context.Context, p *setup.Environment) (string, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(io.LimitReader(p.Stdin, 1000)).ReadString('\n')
		line <- strings.ToLower(strings.TrimSpace(text))
	}()
	select {
	case text := <-line:
		if f, ok := p.Stdin.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
			fmt.Fprintln(p.Stderr) // nobody's return key has ended the line
		}
		return text, nil
	case <-ctx.Done():
		fmt.Fprintln(p.Stderr)
		return "", console.Exit(int(p.Signal.Load()), fmt.Errorf("interrupted: nothing was sent"))
	}
}

// sayOutcome says how the rehearsal ended, where that is not as a success.
func (x *execution) sayOutcome(r *engine.Rehearsal) {
	if r.Result.Error == nil {
		return
	}
	runview.PrintFailure(x.env.Console, r.Result.Error)
	if len(r.Writes) > 0 {
		fmt.Fprintln(x.env.Stderr, "  note: a dry run answers each write with an example, so what comes after the first may see a world that is not there")
	}
}
