package runbooktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/world"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"
)

// A runbookTest is one running test: its account, its clock, and the journal that its runs share.
type runbookTest struct {
	ctx      context.Context
	folder   string // of the test file
	work     string // where the files of the test are
	clock    *clock.Virtual
	journal  journal.Journal
	redactor *action.Redactor

	state    *account.State   // of the account at the start
	local    *setup.Simulator // nil before the account is used first
	settings setup.Settings   // of the connection to it
	client   *pagerduty.Client
	views    map[string]*world.World // by file; a world keeps its state from run to run
	now      string                  // the world file of the next runs

	runs int
	last *run.Result
	made []madeCall // by the last `run` or `every`
	plan *workflow.Plan
	seen int // how many requests there were before that
}

func (t *runbookTest) close() {
	if t.local != nil {
		t.local.Stop()
	}
}

// find returns the path of a file of the test, or of a file next to it.
func (t *runbookTest) find(name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q is outside the folder of the test", name)
	}
	for _, folder := range []string{t.work, t.folder} {
		if path := filepath.Join(folder, name); setup.IsFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no file %s, neither in the test nor next to it", name)
}

// account reads what the account contains at the start: `account FILE`.
func (t *runbookTest) account(_ *testscript.TestScript, _ bool, args []string) error {
	if t.local != nil {
		return errors.New("the account is already in use: `account` must come before the first run")
	}
	file, err := t.find(args[0])
	if err != nil {
		return err
	}
	state, err := setup.ReadDocument(file, account.ParseState)
	t.state = &state
	return err
}

// setWorld sets the answers of http and net from now on: `world FILE`.
func (t *runbookTest) setWorld(_ *testscript.TestScript, _ bool, args []string) error {
	file, err := t.find(args[0])
	if err == nil {
		t.now = file
		_, err = t.world("")
	}
	return err
}

// world returns the world of a run: the world that the test has set, or the world file next to the
// workflow.
func (t *runbookTest) world(workflowFile string) (*world.World, error) {
	file := cmp.Or(t.now, setup.WorldFile(workflowFile))
	if known := t.views[file]; known != nil {
		return known, nil
	}
	made, err := setup.ReadWorld(file)
	t.views[file] = made
	return made, err
}

// setFaults sets what goes wrong in the account from now on: `faults FILE`.
func (t *runbookTest) setFaults(_ *testscript.TestScript, _ bool, args []string) error {
	file, err := t.find(args[0])
	if err != nil {
		return err
	}
	plan, err := setup.ReadDocument(file, fault.Parse)
	if err != nil {
		return err
	}
	account, err := t.opened()
	if err == nil {
		account.SetFaults(plan)
	}
	return err
}

// opened returns the account. The first call starts it.
func (t *runbookTest) opened() (*setup.Simulator, error) {
	if t.local != nil {
		return t.local, nil
	}
	options := []simulator.Option{simulator.WithLenientServiceKeys(), simulator.WithClock(t.clock.Now)}
	if t.state != nil {
		options = append(options, simulator.WithState(*t.state))
	}
	local, err := setup.StartSimulator("127.0.0.1:0", options...)
	if err != nil {
		return nil, err
	}
	t.redactor.Add(local.APIKey(), local.ServiceKey())
	t.settings = local.Settings(impatientClock{t.clock})
	if t.client, err = t.settings.Client(); err != nil {
		local.Stop()
		return nil, err
	}
	t.local = local
	return local, nil
}

// An impatientClock makes the waits of a client within a call take no time.
type impatientClock struct{ *clock.Virtual }

// Sleep moves the clock and returns at once.
func (c impatientClock) Sleep(ctx context.Context, d time.Duration) error { return c.Skip(ctx, d) }

// targetOf returns what a run of a workflow reaches.
func (t *runbookTest) targetOf(file string) (*setup.Target, error) {
	local, err := t.opened()
	if err != nil {
		return nil, err
	}
	world, err := t.world(file)
	if err != nil {
		return nil, err
	}
	made, err := setup.WithClient(builtins.Config{PagerDuty: t.client, Transport: world.Transport(), Network: world.Network()}, t.settings)
	if err != nil {
		return nil, err
	}
	made.Simulator = local
	return made, nil
}

// run runs a runbook, which must succeed, or must fail after `!`: `run FILE [-i name=value...]
// [--input-file FILE]`. It prints the outputs to stdout, and the log and the failure to stderr.
func (t *runbookTest) run(ts *testscript.TestScript, neg bool, args []string) error {
	t.forget()
	return t.runOnce(ts, neg, args)
}

// forget empties what `calls` and `requests` print.
func (t *runbookTest) forget() {
	t.made = nil
	if t.local != nil {
		t.seen = len(t.local.Requests())
	}
}

func (t *runbookTest) runOnce(ts *testscript.TestScript, neg bool, args []string) error {
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	inputs := flags.StringArrayP("input", "i", nil, "")
	inputFile := flags.String("input-file", "", "")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return errors.New("write: run FILE [-i name=value...] [--input-file FILE]")
	}
	file, err := t.find(flags.Arg(0))
	if err != nil {
		return err
	}
	env := &setup.Environment{Console: console.New(strings.NewReader(""), ts.Stdout(), ts.Stderr(), t.redactor), Getenv: func(string) string { return "" }}
	target, err := t.targetOf(file)
	if err != nil {
		return err
	}
	plan, err := target.CompileFile(file)
	if err != nil {
		return err
	}
	t.plan = plan
	for i, input := range *inputs {
		if name, from, ok := strings.Cut(input, "=@"); ok {
			path, err := t.find(from)
			if err != nil {
				return err
			}
			(*inputs)[i] = name + "=@" + path
		}
	}
	if *inputFile != "" {
		if *inputFile, err = t.find(*inputFile); err != nil {
			return err
		}
	}
	given, err := env.ReadInputs(plan.Workflow.Inputs, *inputs, *inputFile)
	if err != nil {
		return err
	}
	request, err := target.Request(plan, given)
	if err != nil {
		return err
	}
	local := &engine.Local{
		Interpreter: target.Interpreter, Clock: t.clock, Secrets: env.SimulatedSecret, Redactor: t.redactor, Journal: t.journal, NewID: t.newID,
		Observers: []run.Observer{&runview.Logs{To: env.Stderr}, t},
	}
	if t.last, err = local.Run(t.ctx, plan, request); err != nil {
		return err
	}
	if t.last.Error != nil {
		runview.PrintFailure(env.Console, t.last.Error)
	}
	if (t.last.Status == run.Success) == neg {
		return fmt.Errorf("the run of %s ended as %s", flags.Arg(0), t.last.Status)
	}
	return printTo(ts, t.redactor.Redact(runview.OutputsText(t.last.Outputs, plan)))
}

// newID numbers the runs of a test, so that everything that derives from an id is the same each time.
func (t *runbookTest) newID(time.Time) string {
	t.runs++
	return fmt.Sprintf("01TEST%020d", t.runs)
}

// Observe keeps the calls.
func (t *runbookTest) Observe(e run.Event) {
	if e.Kind != run.EventCallStarted {
		return
	}
	line, err := console.MarshalLine(e.Call.Input)
	if err != nil {
		line = err.Error()
	}
	step := slices.IndexFunc(t.plan.Steps, func(s workflow.PlanStep) bool { return s.ID == e.Step })
	t.made = append(t.made, madeCall{[]int{t.runs, step, e.Item, e.Attempt, e.Call.Number}, e.Call.Action + " " + line})
}

// A madeCall is a call as a test prints it. Its place is its run, step, item, attempt and number.
type madeCall struct {
	place []int
	text  string
}

func (c madeCall) compare(other madeCall) int { return slices.Compare(c.place, other.place) }
