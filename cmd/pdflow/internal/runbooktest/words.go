package runbooktest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
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
	source, err := os.ReadFile(file)
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
	known := append(action.SortedNames(runbookWords), comparingWords...)
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
		hint := cmp.Or(action.DidYouMean(word, known), "known: "+strings.Join(known, ", "))
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
	for i := range n {
		if i > 0 {
			if err := t.advance(ts, false, args[:1]); err != nil {
				return err
			}
		}
		if i == 0 {
			t.forget()
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
