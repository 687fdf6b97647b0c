package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An execution is work on one run, with what it reaches, where it is recorded and
// how it is shown.
type execution struct {
	program *program
	plan    *workflow.Plan
	site    *site
	journal *journalFolder // nil: nothing is recorded
	// secretInputs are the inputs that whoever goes on with the run gives again.
	secretInputs []string
	before       []run.Event // of a run that goes on
	output       string      // text, json or jsonl
	quiet        bool
}

// perform has the engine work on the run while people watch, and translates its
// errors.
func (x *execution) perform(work func(*engine.Local) (*run.Result, error)) (*run.Result, error) {
	p := x.program
	watched := p.underWay.watch(x.plan, x.resumable())
	defer watched.done()
	local := x.local()
	local.Observers = []run.Observer{watched}
	switch {
	case x.output == "jsonl":
		local.Observers = append(local.Observers, &eventStream{to: p.stdout})
	case !x.quiet:
		view := newProgress(p, x.plan, x.site.simulator != nil, x.before)
		defer view.stop()
		local.Observers = append(local.Observers, view)
	}
	result, err := work(local)
	if err != nil {
		return nil, x.explain(err)
	}
	return result, nil
}

// local is the engine that works on the run.
func (x *execution) local() *engine.Local {
	local := &engine.Local{Interpreter: x.site.interpreter, Secrets: x.site.secret, Redactor: x.program.redactor, Policy: x.site.ceiling}
	if x.journal != nil {
		local.Journal = x.journal
	}
	return local
}

// resumable returns the function that says how to go on with the run; nil when
// nothing can.
func (x *execution) resumable() func(run string) string {
	if x.journal == nil || x.site.simulator != nil {
		return nil
	}
	return func(run string) string { return x.journal.command("resume", run, x.secretInputs) }
}

// explain gives an error of the engine its exit code, and says how to go on.
func (x *execution) explain(err error) error {
	var problems action.Problems
	var unrecorded *engine.JournalError
	switch {
	case errors.As(err, &problems):
		return exit(exitUsage, inputProblems(problems, "-i"))
	case engine.IsInputError(err):
		return exit(exitUsage, err)
	case errors.As(err, &unrecorded) && x.resumable() != nil:
		return exit(exitFailed, fmt.Errorf("%w\n  try: once it can be, `%s` goes on with it", err, x.resumable()(unrecorded.Run)))
	}
	return exit(exitFailed, err)
}

// conclude prints the result of the run and what a person has to do now. Its
// error has the exit code.
func (x *execution) conclude(result *run.Result) error {
	if err := x.printResult(result); err != nil {
		return err
	}
	if text := x.decisions(result); text != "" {
		_, _ = io.WriteString(x.program.stderr, text)
	}
	if code := x.program.resultCode(result); code != exitDone {
		return exit(code, nil)
	}
	return nil
}

// decisions says which call a person must decide, and how.
func (x *execution) decisions(result *run.Result) string {
	if result.Status != run.NeedsAttention || x.resumable() == nil {
		return ""
	}
	verb := "retry"
	if result.Suspended {
		verb = "resume"
	}
	return decisionText(x.journal.command(verb, result.Run, x.secretInputs), result.Error)
}

// decisionText lists the ways to go on with a run that came upon a call whose
// outcome is unknown.
func decisionText(command string, f *run.Failure) string {
	if f == nil || f.Call == 0 {
		return fmt.Sprintf("  then: %s\n", command)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the call #%d may have been done or not; look there first, then say which:\n", f.Call)
	for _, choice := range []struct{ decision, meaning string }{
		{"done", "it was done: go on"},
		{"repeat", "it was not: send it"},
		{"fail", "let it fail"},
	} {
		fmt.Fprintf(&b, "  %s --call %s  # %s\n", command, pad(fmt.Sprintf("%d=%s", f.Call, choice.decision), len("=repeat")+len(fmt.Sprint(f.Call))), choice.meaning)
	}
	return b.String()
}

// resultCode is the exit code of a run.
func (p *program) resultCode(result *run.Result) int {
	switch code := int(p.signal.Load()); {
	case result.Status == run.Success:
		return exitDone
	case result.Status == run.NeedsAttention:
		return exitUnknown
	case result.Status == run.Cancelled && code != 0:
		return code
	}
	return exitFailed
}
