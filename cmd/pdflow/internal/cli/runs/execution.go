package runs

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An execution is the work of this process on one run: what the run reaches, where it is recorded and
// how it is shown.
type execution struct {
	env          *setup.Environment
	plan         *workflow.Plan
	target       *setup.Target
	recorded     *setup.Runs // nil: nothing is recorded
	secretInputs []string    // must be given again to resume the run
	before       []run.Event // the events of a run that is resumed
	output       string      // text, json or jsonl
	quiet        bool
}

// perform lets the engine work on the run and shows its progress. Its errors carry an exit code.
func (x *execution) perform(work func(*engine.Local) (*run.Result, error)) (*run.Result, error) {
	watched := x.env.Running.Watch(x.plan, x.resumable())
	defer watched.Done()
	local := x.engine()
	local.Observers = []run.Observer{watched}
	if !x.quiet {
		local.Waiting = func(id string, busy *journal.BusyError) {
			fmt.Fprintf(x.env.Stderr, "the run %s waits: %v (Ctrl-C stops waiting)\n", id, busy)
		}
	}
	switch {
	case x.output == "jsonl":
		local.Observers = append(local.Observers, &runview.EventStream{To: x.env.Stdout})
	case !x.quiet:
		view := runview.NewProgress(x.env.Console, x.plan, x.target.Simulator != nil, x.before)
		defer view.Stop()
		local.Observers = append(local.Observers, view)
	}
	result, err := work(local)
	if err != nil {
		return nil, x.explain(err)
	}
	return result, nil
}

func (x *execution) engine() *engine.Local {
	local := x.target.Engine(x.env.Redactor)
	local.Journal = x.recorded.Journal()
	return local
}

// resumable returns a function that returns the command to resume the run; nil if the run cannot be
// resumed.
func (x *execution) resumable() func(id string) string {
	if x.recorded == nil || x.target.Simulator != nil {
		return nil
	}
	return func(id string) string { return x.recorded.Command("resume", id, x.secretInputs) }
}

// explain adds an exit code, and the command to type next, to an error of the engine.
func (x *execution) explain(err error) error {
	var problems action.Problems
	var unrecorded *engine.JournalError
	var waited *engine.WaitedError
	switch {
	case errors.As(err, &problems):
		return console.Exit(console.ExitUsage, setup.InputProblems(problems, "-i"))
	case engine.IsInputError(err):
		return console.Exit(console.ExitUsage, err)
	case errors.As(err, &waited) && x.env.Signal.Load() != 0:
		return console.Exit(int(x.env.Signal.Load()), err)
	case errors.As(err, &unrecorded) && x.resumable() != nil:
		return console.Exit(console.ExitFailed, fmt.Errorf("%w\n  try: when the journal can be written again, resume the run with\n  %s", err, x.resumable()(unrecorded.Run)))
	}
	return console.Exit(console.ExitFailed, err)
}

// conclude prints the result of the run, and the decisions that it needs from a person. The error
// carries the exit code of the run.
func (x *execution) conclude(result *run.Result) error {
	err := runview.PrintResult(x.env.Console, result, x.plan, x.target.Account(), x.output)
	if text := x.decisions(result); text != "" {
		_, _ = io.WriteString(x.env.Stderr, text)
	}
	if lost := x.env.Lost(fmt.Sprintf("the run %s ended as %s", result.Run, result.Status)); lost != nil {
		return console.Exit(max(console.ExitFailed, runview.ExitCode(x.env.Console, result.Status)), lost)
	}
	return cmp.Or(err, exitAs(x.env, result.Status))
}

// exitAs returns an error with the exit code of a status; nil for a success.
func exitAs(env *setup.Environment, status run.Status) error {
	if code := runview.ExitCode(env.Console, status); code != console.ExitDone {
		return console.Exit(code, nil)
	}
	return nil
}

// decisions returns the ways to continue a run that needs a person; empty for other runs.
func (x *execution) decisions(result *run.Result) string {
	if result.Status != run.NeedsAttention || x.resumable() == nil {
		return ""
	}
	verb := "retry"
	if result.Suspended {
		verb = "resume"
	}
	return runview.DecisionText(x.recorded.Command(verb, result.Run, x.secretInputs), result.Error)
}
