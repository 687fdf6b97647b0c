package runbooktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"
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
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

// A testWord is a word of test scripts.
type testWord struct {
	argument string // what its argument is; empty: it has none; "...": it reads its arguments itself
	flags    wordFlags
	does     func(t *runbookTest, not bool, args []string) error
}

// wordFlags say what a word does.
type wordFlags uint8

const (
	prints  wordFlags = 1 << iota // it replaces stdout and stderr
	negates                       // it may follow `!`
)

// testWords are the words of test scripts.
var testWords = map[string]testWord{
	"account":   {"FILE", 0, (*runbookTest).account},
	"world":     {"FILE", 0, (*runbookTest).setWorld},
	"faults":    {"FILE", 0, (*runbookTest).setFaults},
	"advance":   {"DURATION", 0, (*runbookTest).advance},
	"run":       {"...", prints | negates, (*runbookTest).run},
	"every":     {"...", prints | negates, (*runbookTest).every},
	"status":    {"success|failure|skipped|cancelled|timed_out|needs_attention", negates, (*runbookTest).status},
	"incidents": {"", prints, (*runbookTest).incidents},
	"users":     {"", prints, (*runbookTest).users},
	"calls":     {"", prints, (*runbookTest).calls},
	"requests":  {"", prints, (*runbookTest).requests},
	"cmp":       {"...", negates, (*runbookTest).compare},
	"stdout":    {"...", negates, (*runbookTest).matchStdout},
	"stderr":    {"...", negates, (*runbookTest).matchStderr},
	"grep":      {"...", negates, (*runbookTest).grep},
}

// knownWords returns the words of test scripts, sorted.
func knownWords() []string { return phrase.Names(testWords) }

// do does a line of the script.
func (t *runbookTest) do(l line) error {
	name, args := l.words[0], l.words[1:]
	word := testWords[name]
	if l.not && word.flags&negates == 0 {
		return errors.New("! goes with run, every, status, stdout, stderr, grep and cmp")
	}
	if err := word.check(name, args); err != nil {
		return err
	}
	if word.flags&prints == 0 {
		return word.does(t, l.not, args)
	}
	t.stdout.Reset()
	t.stderr.Reset()
	err := word.does(t, l.not, args)
	for _, printed := range []struct{ name, text string }{{"stdout", t.stdout.String()}, {"stderr", t.stderr.String()}} {
		if printed.text != "" {
			fmt.Fprintf(&t.log, "[%s]\n%s\n", printed.name, printed.text)
		}
	}
	return err
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
func (t *runbookTest) advance(_ bool, args []string) error {
	d, err := action.DurationOf(args[0])
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration; write 30s, 2m or 1h30m", args[0])
	}
	t.clock.Advance(d)
	return nil
}

// maxEvery is the most runs of one line: a week of a check every minute.
const maxEvery = 10_080

// every runs a runbook several times and moves the clock between the runs: `every DURATION TIMES run FILE
// ...`.
func (t *runbookTest) every(not bool, args []string) error {
	if len(args) < 4 || args[2] != "run" {
		return fmt.Errorf("write: every DURATION TIMES run FILE [-i name=value...]")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 1 || n > maxEvery {
		return fmt.Errorf("%q is not a number of runs from 1 to %d", args[1], maxEvery)
	}
	t.forget()
	for i := range n {
		if i > 0 {
			if err := t.advance(false, args[:1]); err != nil {
				return err
			}
		}
		if err := t.runOnce(not, args[3:]); err != nil {
			return fmt.Errorf("run %d of %d: %w", i+1, n, err)
		}
	}
	return nil
}

// status compares the status of the last run: `status failure`.
func (t *runbookTest) status(not bool, args []string) error {
	if t.last == nil {
		return fmt.Errorf("nothing has run yet")
	}
	if got := string(t.last.Status); (got == args[0]) == not {
		return fmt.Errorf("the last run ended as %s", got)
	}
	return nil
}

// incidents prints the incidents of the account, sorted by key, because parallel steps open incidents in
// any order.
func (t *runbookTest) incidents(_ bool, _ []string) error {
	opened, err := t.opened()
	if err != nil {
		return err
	}
	opened.Settle()
	incidents := opened.Incidents()
	slices.SortStableFunc(incidents, func(a, b account.IncidentView) int { return strings.Compare(a.Key, b.Key) })
	if len(incidents) == 0 {
		return t.print("no incidents\n")
	}
	var b strings.Builder
	for _, i := range incidents {
		fmt.Fprintf(&b, "%-12s  %s  %s\n", i.Status, i.Key, i.Description)
		for _, note := range i.Notes {
			fmt.Fprintf(&b, "%-12s  %s\n", "", note.Content)
		}
	}
	return t.print(b.String())
}

// users prints the users of the account, sorted by address.
func (t *runbookTest) users(_ bool, _ []string) error {
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
	return t.print(b.String())
}

// calls prints the calls of the last `run` or `every` with their inputs, in the order of the file.
func (t *runbookTest) calls(_ bool, _ []string) error {
	slices.SortStableFunc(t.made, madeCall.compare)
	var b strings.Builder
	for _, c := range t.made {
		b.WriteString(c.text + "\n")
	}
	if b.Len() == 0 {
		b.WriteString("no calls\n")
	}
	return t.print(b.String())
}

// requests prints the requests that the last `run` or `every` sent to PagerDuty.
func (t *runbookTest) requests(_ bool, _ []string) error {
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
	return t.print(b.String())
}

// print prints for the next words. What is printed may become a file of the test.
func (t *runbookTest) print(text string) error {
	t.stdout.WriteString(t.redactor.Redact(text))
	return nil
}

// startOfTests is the time of the clock at the start of every test.
var startOfTests = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// A runbookTest is one running test: its account, its clock, and the journal that its runs share.
type runbookTest struct {
	ctx      context.Context
	script   *script
	update   bool           // cmp changes the files of the test
	own      fstest.MapFS   // the files of the test
	folder   *source.Folder // of the test file
	clock    *clock.Virtual
	journal  journal.Journal
	redactor *redact.Redactor

	stdout, stderr strings.Builder // of the last word that prints
	log            strings.Builder // of the present line

	state    *account.State // of the account at the start
	operator *setup.Configuration
	local    *setup.Simulator // nil before the account is used first
	settings setup.Settings   // of the connection to it
	client   *pagerduty.Client
	views    map[string]*world.World // by key of the file; a world keeps its state from run to run
	now      *found                  // the world file of the next runs; nil: the file next to the workflow

	runs int
	last *run.Result
	made []madeCall // by the last `run` or `every`
	plan *workflow.Plan
	seen int // how many requests there were before that
}

func newRunbookTest(ctx context.Context, operator *setup.Configuration, s *script, folder *source.Folder, update bool) *runbookTest {
	return &runbookTest{
		ctx: ctx, operator: operator, script: s, update: update, own: inMemory(s.archive), folder: folder, clock: clock.NewVirtual(startOfTests),
		journal: journal.NewMemory(), redactor: &redact.Redactor{}, views: map[string]*world.World{},
	}
}

func (t *runbookTest) close() {
	if t.local != nil {
		t.local.Stop()
	}
}

// account reads what the account contains at the start: `account FILE`.
func (t *runbookTest) account(_ bool, args []string) error {
	if t.local != nil {
		return errors.New("the account is already in use: `account` must come before the first run")
	}
	file, err := t.find(args[0])
	if err != nil {
		return err
	}
	state, err := setup.ParseDocument(file.path, file.text, account.ParseState)
	t.state = &state
	return err
}

// setWorld sets the answers of http and net from now on: `world FILE`.
func (t *runbookTest) setWorld(_ bool, args []string) error {
	file, err := t.find(args[0])
	if err == nil {
		t.now = file
		_, err = t.world(nil)
	}
	return err
}

// world returns the world of a run: the world that the test has set, or the world file next to the
// workflow.
func (t *runbookTest) world(of *found) (*world.World, error) {
	file := t.now
	if file == nil {
		var err error
		if file, err = t.besides(of, setup.WorldName(of.name)); err != nil {
			return nil, err
		}
	}
	if file == nil {
		file = &found{}
	}
	if known := t.views[file.key()]; known != nil {
		return known, nil
	}
	made, err := setup.ParseWorld(file.path, file.text)
	t.views[file.key()] = made
	return made, err
}

// setFaults sets what goes wrong in the account from now on: `faults FILE`.
func (t *runbookTest) setFaults(_ bool, args []string) error {
	file, err := t.find(args[0])
	if err != nil {
		return err
	}
	plan, err := setup.ParseDocument(file.path, file.text, fault.Parse)
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
func (t *runbookTest) targetOf(file *found) (*setup.Target, error) {
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
	return made, made.Under(t.operator, func(string) string { return "" })
}

// run runs a runbook, which must succeed, or must fail after `!`: `run FILE [-i name=value...]
// [--input-file FILE]`. It prints the outputs to stdout, and the log and the failure to stderr.
func (t *runbookTest) run(not bool, args []string) error {
	t.forget()
	return t.runOnce(not, args)
}

// forget empties what `calls` and `requests` print.
func (t *runbookTest) forget() {
	t.made = nil
	if t.local != nil {
		t.seen = len(t.local.Requests())
	}
}

func (t *runbookTest) runOnce(not bool, args []string) error {
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
	env := &setup.Environment{
		Console: console.New(strings.NewReader(""), &t.stdout, &t.stderr, t.redactor),
		Getenv:  func(string) string { return "" }, ReadInput: t.readInput,
	}
	declared, _ := workflow.Parse(file.path, file.text) // its problems are reported below
	given, unread := env.ReadInputs(declared.Inputs, *inputs, *inputFile)
	target, err := t.targetOf(file)
	if err != nil {
		return err
	}
	folder, err := file.near()
	if err != nil {
		return err
	}
	plan, err := target.Compile(file.path, file.text, folder)
	if err != nil {
		return err
	}
	objections := target.Objections(plan)
	if found := objections.Of(source.SeverityError); len(found) > 0 {
		return found
	}
	for _, warning := range objections {
		fmt.Fprintln(env.Stderr, warning)
	}
	t.plan = plan
	if unread != nil {
		return unread
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
	if (t.last.Status == run.Success) == not {
		return fmt.Errorf("the run of %s ended as %s", flags.Arg(0), t.last.Status)
	}
	return t.print(runview.OutputsText(t.last.Outputs, plan))
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
