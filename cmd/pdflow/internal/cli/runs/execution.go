package runs

import (
	"errors"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An execution is work on one run, with what it reaches, where it is recorded and
// how it is shown.
type execution struct {
	env     *setup.Environment
	plan    *workflow.Plan
	target  *setup.Target
	journal *setup.Journal // nil: nothing is recorded
	// secretInputs are the inputs that whoever goes on with the run gives again.
	secretInputs []string
	before       []engine.Event // of a run that goes on
	output       string         // text, json or jsonl
	quiet        bool
}

// perform has the engine work on the run while people watch, and translates its
// errors.
func (x *execution) perform(work func(*engine.Local) (*engine.Result, error)) (*engine.Result, error) {
	p := x.env
	watched := p.Running.Watch(x.plan, x.resumable())
	defer watched.Done()
	local := x.local()
	local.Observers = []engine.Observer{watched}
	switch {
	case x.output == "jsonl":
		local.Observers = append(local.Observers, &runview.EventStream{To: p.Stdout})
	case !x.quiet:
		view := runview.NewProgress(p.Console, x.plan, x.target.Simulator != nil, x.before)
		defer view.Stop()
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
	local := &engine.Local{Interpreter: x.target.Interpreter, Secrets: x.target.Secret, Redactor: x.env.Redactor, Ceiling: x.target.Ceiling}
	if x.journal != nil {
		local.Journal = x.journal
	}
	return local
}

// resumable returns the function that says how to go on with the run; nil when
// nothing can.
func (x *execution) resumable() func(run string) string {
	if x.journal == nil || x.target.Simulator != nil {
		return nil
	}
	return func(run string) string { return x.journal.Command("resume", run, x.secretInputs) }
}

// explain gives an error of the engine its exit code, and says how to go on.
func (x *execution) explain(err error) error {
	var problems action.Problems
	var unrecorded *engine.JournalError
	switch {
	case errors.As(err, &problems):
		return console.Exit(console.ExitUsage, setup.InputProblems(problems, "-i"))
	case engine.IsInputError(err):
		return console.Exit(console.ExitUsage, err)
	case errors.As(err, &unrecorded) && x.resumable() != nil:
		return console.Exit(console.ExitFailed, fmt.Errorf("%w\n  try: once it can be, `%s` goes on with it", err, x.resumable()(unrecorded.Run)))
	}
	return console.Exit(console.ExitFailed, err)
}

// conclude prints the result of the run and what a person has to do now. Its
// error has the exit code.
func (x *execution) conclude(result *engine.Result) error {
	if err := runview.PrintResult(x.env.Console, result, x.plan, x.target.Account(), x.output); err != nil {
		return err
	}
	if text := x.decisions(result); text != "" {
		_, _ = io.WriteString(x.env.Stderr, text)
	}
	if code := runview.ExitCode(x.env.Console, result.Status); code != console.ExitDone {
		return console.Exit(code, nil)
	}
	return nil
}

// decisions says which call a person must decide, and how.
func (x *execution) decisions(result *engine.Result) string {
	if result.Status != engine.NeedsAttention || x.resumable() == nil {
		return ""
	}
	verb := "retry"
	if result.Suspended {
		verb = "resume"
	}
	return runview.DecisionText(x.journal.Command(verb, result.Run, x.secretInputs), result.Error)
}
