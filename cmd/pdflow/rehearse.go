package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
	"golang.org/x/term"
)

// maxShownBody is how much of a body people are shown; -o json has all of it.
const maxShownBody = 2000

// A rehearsalReport is what `run --dry-run -o json` prints: what `run` does, and
// the writes that were not sent.
type rehearsalReport struct {
	runReport
	DryRun bool            `json:"dry_run"`
	Writes []attempt.Write `json:"writes"`
}

// rehearse does the run without its writes. Only reads are made.
func (x *execution) rehearse(ctx context.Context, request engine.Request) (*attempt.DryRun, error) {
	fmt.Fprintln(x.program.stderr, "dry run: reads are made, writes are listed and not sent")
	local := x.local()
	local.Observers = []run.Observer{&logLines{to: x.program.stderr}}
	rehearsal, err := local.DryRun(ctx, x.plan, request)
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
		all := rehearsalReport{report(rehearsal.Result, x.site), true, rehearsal.Writes}
		if all.Writes == nil {
			all.Writes = []attempt.Write{}
		}
		err = writeJSON(x.program.stdout, all)
	} else {
		_, err = io.WriteString(x.program.stdout, writesText(rehearsal.Writes))
	}
	if err != nil {
		return err
	}
	x.sayOutcome(rehearsal)
	if code := x.program.resultCode(rehearsal.Result); code != exitDone {
		return exit(code, nil)
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
	p := x.program
	fmt.Fprint(p.stderr, writesText(rehearsal.Writes))
	x.sayOutcome(rehearsal)
	if ctx.Err() != nil {
		return request, exit(p.resultCode(rehearsal.Result), nil)
	}
	fmt.Fprintf(p.stderr, "send %s? [y/N] ", plural(countRequests(rehearsal.Writes), "request"))
	answer, err := p.answer(ctx)
	if err != nil {
		return request, err
	}
	if answer != "y" && answer != "yes" {
		return request, exit(exitFailed, fmt.Errorf("not confirmed: nothing was sent"))
	}
	request.Confirmed = rehearsal
	return request, nil
}

// answer reads a line of standard input; its end is an empty answer.
func (p *program) answer(ctx context.Context) (string, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(io.LimitReader(p.stdin, 1000)).ReadString('\n')
		line <- strings.ToLower(strings.TrimSpace(text))
	}()
	select {
	case text := <-line:
		if f, ok := p.stdin.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
			fmt.Fprintln(p.stderr) // nobody's return key has ended the line
		}
		return text, nil
	case <-ctx.Done():
		fmt.Fprintln(p.stderr)
		return "", exit(int(p.signal.Load()), fmt.Errorf("interrupted: nothing was sent"))
	}
}

// sayOutcome says how the rehearsal ended, where that is not as a success.
func (x *execution) sayOutcome(r *attempt.DryRun) {
	if r.Result.Error == nil {
		return
	}
	x.program.printFailure(r.Result.Error)
	if len(r.Writes) > 0 {
		fmt.Fprintln(x.program.stderr, "  note: a dry run answers each write with an example, so what comes after the first may see a world that is not there")
	}
}

func countRequests(writes []attempt.Write) int {
	n := 0
	for _, w := range writes {
		n += len(w.Requests)
	}
	return n
}

// writesText lists writes for people.
func writesText(writes []attempt.Write) string {
	if len(writes) == 0 {
		return "nothing would be sent\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "would send %s:\n", plural(countRequests(writes), "request"))
	n := 0
	for _, w := range writes {
		where := "step " + w.Step
		if w.Item > 0 {
			where += fmt.Sprintf(", item %d", w.Item)
		}
		for _, r := range w.Requests {
			n++
			fmt.Fprintf(&b, "%3d  %s  (%s)\n", n, w.Action, where)
			b.WriteString(requestText(r, w.Key))
		}
	}
	return b.String()
}

func requestText(r action.Request, key string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "     %s %s\n", r.Method, printable(r.URL))
	if r.From != "" {
		fmt.Fprintf(&b, "     From: %s\n", printable(r.From))
	}
	if key != "" {
		fmt.Fprintf(&b, "     key: %s\n", key)
	}
	if body := bodyText(r.Body); body != "" {
		b.WriteString("     " + strings.ReplaceAll(body, "\n", "\n     ") + "\n")
	}
	return b.String()
}

// bodyText is a body as people read it, JSON over several lines when it is long.
func bodyText(body string) string {
	const line = 80
	var indented bytes.Buffer
	if len(body) > line && json.Indent(&indented, []byte(body), "", "  ") == nil {
		body = indented.String()
	}
	if len(body) > maxShownBody {
		total := len(body)
		body = strings.ToValidUTF8(body[:maxShownBody], "") + fmt.Sprintf("\n... (%d bytes in all; -o json shows them)", total)
	}
	return printableLines(body)
}
