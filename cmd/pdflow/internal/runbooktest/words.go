package runbooktest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
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
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/pflag"
)

// A testWord is a command of test scripts.
type testWord struct {
	argument string // what its argument is; empty: it has none; "...": it reads its arguments itself
	does     func(t *runbookTest, ts *testscript.TestScript, neg bool, args []string) error
}

// runbookWords are the commands about runbooks. The commands cmp, stdout, stderr and grep read what these
// commands print.
var runbookWords = map[string]testWord{
	"account":   {"FILE", (*runbookTest).account},
	"world":     {"FILE", (*runbookTest).setWorld},
	"faults":    {"FILE", (*runbookTest).setFaults},
	"advance":   {"DURATION", (*runbookTest).advance},
	"run":       {"...", (*runbookTest).run},
	"every":     {"...", (*runbookTest).every},
	"status":    {"success|failure|skipped|cancelled|timed_out|needs_attention", (*runbookTest).status},
	"incidents": {"", (*runbookTest).incidents},
	"users":     {"", (*runbookTest).users},
	"calls":     {"", (*runbookTest).calls},
	"requests":  {"", (*runbookTest).requests},
}

// comparingWords are the commands of testscript that read output. Its other commands are not allowed,
// because they touch the machine.
var comparingWords = []string{"cmp", "stdout", "stderr", "grep"}

type runbookTestKey struct{}

// testWords returns the runbookWords as commands of testscript.
func testWords() map[string]func(*testscript.TestScript, bool, []string) {
	words := map[string]func(*testscript.TestScript, bool, []string){}
	for name, word := range runbookWords {
		words[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			test := ts.Value(runbookTestKey{}).(*runbookTest)
			if neg && name != "run" && name != "every" && name != "status" {
				ts.Fatalf("! goes with run, every, status, stdout, stderr, grep and cmp")
			}
			err := word.check(name, args)
			if err == nil {
				err = word.does(test, ts, neg, args)
			}
			if err != nil {
				ts.Fatalf("%s", test.redactor.Redact(err.Error()))
			}
		}
	}
	return words
}

// checkScript reports a test that could touch files outside its folder, before the test runs: unknown
// commands, and names that lead outside.
func checkScript(file string) error {
	source, err := source.ReadFile(file, source.MaxFileSize)
	if err != nil {
		return setup.FileError(err, file)
	}
	archive := txtar.Parse(source)
	for _, f := range archive.Files {
		if !isOwnFile(f.Name) {
			line := 1 + bytes.Count(source[:bytes.Index(source, []byte("-- "+f.Name+" --"))], []byte("\n"))
			return fmt.Errorf("%s:%d: %q is not a name of a file inside the test (write a plain name, such as world.yaml)", file, line, f.Name)
		}
	}
	for i, line := range strings.Split(string(archive.Comment), "\n") {
		if err := checkLine(line); err != nil {
			return fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
	}
	return nil
}

// isOwnFile reports whether a name is inside a folder. Names with $ are refused, because testscript
// replaces variables.
func isOwnFile(name string) bool { return filepath.IsLocal(name) && !strings.Contains(name, "$") }

func checkLine(line string) error {
	known := append(phrase.Names(runbookWords), comparingWords...)
	slices.Sort(known)
	words := strings.Fields(line)
	if len(words) > 0 && words[0] == "!" {
		words = words[1:]
	}
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return nil
	}
	switch word := words[0]; {
	case words[len(words)-1] == "&":
		return errors.New("a test cannot run commands in the background")
	case !slices.Contains(known, word):
		hint := cmp.Or(phrase.DidYouMean(word, known), "known: "+strings.Join(known, ", "))
		return fmt.Errorf("%q is not a command of tests (%s)", word, hint)
	case word == "cmp" || word == "grep":
		return checkCompared(words[1:])
	}
	return nil
}

// checkCompared reports files outside the test, because their content would be printed.
func checkCompared(words []string) error {
	for _, name := range words {
		name = strings.Trim(name, "'")
		if !strings.HasPrefix(name, "-") && (filepath.IsAbs(name) || strings.Contains(name, "..") || strings.Contains(name, "$")) {
			return fmt.Errorf("%q is outside the test: cmp and grep read only files of the test", name)
		}
	}
	return nil
}

// check checks the number of arguments.
func (w testWord) check(name string, args []string) error {
	switch {
	case w.argument == "" && len(args) > 0:
		return fmt.Errorf("%s has no arguments", name)
	case w.argument != "" && w.argument != "..." && len(args) != 1:
		return fmt.Errorf("write: %s %s", name, w.argument)
	}
	return nil
}

// advance moves the clock: `advance DURATION`.
func (t *runbookTest) advance(_ *testscript.TestScript, _ bool, args []string) error {
	d, err := action.DurationOf(args[0])
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration; write 30s, 2m or 1h30m", args[0])
	}
	t.clock.Advance(d)
	return nil
}

// every runs a runbook several times and moves the clock between the runs: `every DURATION TIMES run FILE
// ...`.
func (t *runbookTest) every(ts *testscript.TestScript, neg bool, args []string) error {
	if len(args) < 4 || args[2] != "run" {
		return fmt.Errorf("write: every DURATION TIMES run FILE [-i name=value...]")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number of runs", args[1])
	}
	t.forget()
	for i := range n {
		if i > 0 {
			if err := t.advance(ts, false, args[:1]); err != nil {
				return err
			}
		}
		if err := t.runOnce(ts, neg, args[3:]); err != nil {
			return fmt.Errorf("run %d of %d: %w", i+1, n, err)
		}
	}
	return nil
}

// status compares the status of the last run: `status failure`.
func (t *runbookTest) status(_ *testscript.TestScript, neg bool, args []string) error {
	if t.last == nil {
		return fmt.Errorf("nothing has run yet")
	}
	if got := string(t.last.Status); (got == args[0]) == neg {
		return fmt.Errorf("the last run ended as %s", got)
	}
	return nil
}

// incidents prints the incidents of the account, sorted by key, because parallel steps open incidents in
// any order.
func (t *runbookTest) incidents(ts *testscript.TestScript, _ bool, _ []string) error {
	opened, err := t.opened()
	if err != nil {
		return err
	}
	opened.Settle()
	incidents := opened.Incidents()
	slices.SortStableFunc(incidents, func(a, b account.IncidentView) int { return strings.Compare(a.Key, b.Key) })
	if len(incidents) == 0 {
		return printTo(ts, "no incidents\n")
	}
	var b strings.Builder
	for _, i := range incidents {
		fmt.Fprintf(&b, "%-12s  %s  %s\n", i.Status, i.Key, i.Description)
		for _, note := range i.Notes {
			fmt.Fprintf(&b, "%-12s  %s\n", "", note.Content)
		}
	}
	return printTo(ts, b.String())
}

// users prints the users of the account, sorted by address.
func (t *runbookTest) users(ts *testscript.TestScript, _ bool, _ []string) error {
	opened, err := t.opened()
	if err != nil {
		return err
	}
	users := opened.Users()
	slices.SortFunc(users, func(a, b account.User) int { return strings.Compare(a.Email, b.Email) })
	var b strings.Builder
	for _, u := range users {
		fmt.Fprintf(&b, "%-32s  %-18s  %s\n", u.Email, u.Role, u.Name)
	}
	return printTo(ts, b.String())
}

// calls prints the calls of the last `run` or `every` with their inputs, in the order of the file.
func (t *runbookTest) calls(ts *testscript.TestScript, _ bool, _ []string) error {
	slices.SortStableFunc(t.made, madeCall.compare)
	var b strings.Builder
	for _, c := range t.made {
		b.WriteString(c.text + "\n")
	}
	if b.Len() == 0 {
		b.WriteString("no calls\n")
	}
	return printTo(ts, t.redactor.Redact(b.String()))
}

// requests prints the requests that the last `run` or `every` sent to PagerDuty.
func (t *runbookTest) requests(ts *testscript.TestScript, _ bool, _ []string) error {
	opened, err := t.opened()
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, r := range opened.Requests()[t.seen:] {
		status := strconv.Itoa(r.Status)
		if r.Status == 0 {
			status = "---" // the request was not answered
		}
		fmt.Fprintf(&b, "%s %s %s\n", status, r.Method, r.Path)
	}
	if b.Len() == 0 {
		b.WriteString("no requests\n")
	}
	return printTo(ts, b.String())
}

func printTo(ts *testscript.TestScript, text string) error {
	_, err := fmt.Fprint(ts.Stdout(), text)
	return err
}

// startOfTests is the time of the clock at the start of every test.
var startOfTests = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// A runbookTest is one running test: its account, its clock, and the journal that its runs share.
type runbookTest struct {
	ctx      context.Context
	folder   string // of the test file
	work     string // where the files of the test are
	clock    *clock.Virtual
	journal  journal.Journal
	redactor *action.Redactor

	state    *account.State   // of the account at the start
	operator *setup.Configuration
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
	return made, made.Under(t.operator)
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
	if found := target.Objections(plan); len(found) > 0 {
		return found
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
