// Package runbooktest is `pdflow test`: it runs the tests of runbooks.
//
//   - A test is a txtar file NAME.test.txtar: a script, and the files that it needs. [Files] finds tests
//     and [Run] runs them with testscript (test.go).
//   - The words of scripts, such as run, advance and incidents, are in words.go. A script can
//     touch nothing outside its folder.
//   - Each test has a simulated account and a virtual clock of its own.
//   - [Record] writes a test from a run (record.go), [Report] prints results.
package runbooktest

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins/world"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/rogpeppe/go-internal/testscript"
)

// testExtension is the end of the name of a test file, which is next to its runbook.
const testExtension = ".test.txtar"

// Files returns test files: the given files, the tests of the given runbooks, and the tests in the given
// folders and below. Filter is a regular expression for their names. It is an error if there are none.
func Files(args []string, filter string) ([]string, error) {
	matches, err := regexp.Compile(filter)
	if err != nil {
		return nil, fmt.Errorf("--run %q is not a regular expression: %w", filter, err)
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	var files []string
	for _, arg := range args {
		found, err := testsOf(arg)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	all := len(files)
	files = slices.DeleteFunc(files, func(file string) bool { return !matches.MatchString(filepath.Base(file)) })
	switch {
	case all == 0:
		return nil, fmt.Errorf("there is no *%s in %s\n  try: pdflow test --record RUNBOOK.yaml makes one", testExtension, strings.Join(args, ", "))
	case len(files) == 0:
		return nil, fmt.Errorf("none of %s matches --run %q", console.Plural(all, "test file"), filter)
	}
	return files, nil
}

func testsOf(arg string) ([]string, error) {
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return nil, setup.FileError(err, arg)
	case !info.IsDir() && IsWorkflowFile(arg):
		return testsOf(TestOf(arg))
	case !info.IsDir():
		return []string{arg}, nil
	}
	var files []string
	err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != arg && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case !entry.IsDir() && strings.HasSuffix(path, testExtension):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// IsWorkflowFile reports whether a file has the extension of a workflow.
func IsWorkflowFile(name string) bool {
	return filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".yml"
}

// TestOf returns the path of the test file of a runbook.
func TestOf(workflowFile string) string {
	return strings.TrimSuffix(workflowFile, filepath.Ext(workflowFile)) + testExtension
}

// Run runs tests, several at a time, under the configuration of the operator. Update writes their output into the files that it is compared with.
func Run(ctx context.Context, operator *setup.Configuration, files []string, update bool) []Result {
	results := make([]Result, len(files))
	slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i, file := range files {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			results[i] = runTest(ctx, operator, file, update)
		})
	}
	running.Wait()
	return results
}

// runTest runs the script of one file.
func runTest(ctx context.Context, operator *setup.Configuration, file string, update bool) (result Result) {
	result = Result{Name: strings.TrimSuffix(filepath.Base(file), testExtension), File: file}
	start := time.Now()
	defer func() { result.Duration = time.Since(start) }()
	if err := checkScript(file); err != nil {
		result.Log = err.Error() + "\n"
		return result
	}
	if ctx.Err() != nil {
		result.Log = "interrupted\n"
		return result
	}
	t := &scriptRun{}
	testscript.RunT(t, testscript.Params{
		Files: []string{file}, UpdateScripts: update, RequireExplicitExec: true, Cmds: testWords(),
		Setup: func(env *testscript.Env) error {
			env.Vars = []string{"WORK=" + env.WorkDir} // scripts see no variables of this machine
			test := &runbookTest{
				ctx: ctx, operator: operator, folder: filepath.Dir(file), work: env.WorkDir, clock: clock.NewVirtual(startOfTests), journal: journal.NewMemory(),
				redactor: &action.Redactor{}, views: map[string]*world.World{},
			}
			env.Values[runbookTestKey{}] = test
			env.Defer(test.close)
			return nil
		},
	})
	result.Passed, result.Log = !t.failed, t.readable(file)
	return result
}

// A scriptRun implements testscript.T without a Go test.
type scriptRun struct {
	log    strings.Builder
	failed bool
}

var _ testscript.T = (*scriptRun)(nil)

// Run runs the script.
func (t *scriptRun) Run(_ string, f func(testscript.T)) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f(t)
	}()
	<-ended
}

// Log keeps what the script prints.
func (t *scriptRun) Log(args ...any) { fmt.Fprintln(&t.log, args...) }

// Fatal logs and fails the script.
func (t *scriptRun) Fatal(args ...any) {
	t.Log(args...)
	t.FailNow()
}

// FailNow ends the script as failed.
func (t *scriptRun) FailNow() {
	t.failed = true
	runtime.Goexit()
}

// Skip fails the script, because a skipped test proves nothing.
func (t *scriptRun) Skip(args ...any) { t.Fatal(args...) }

// Parallel does nothing, because files already run in parallel.
func (*scriptRun) Parallel() {}

// Verbose returns false, so that sections that pass print only their comment.
func (*scriptRun) Verbose() bool { return false }

// readable returns the log without the environment at its beginning, and with the path of the script as
// it was given.
func (t *scriptRun) readable(file string) string {
	text := t.log.String()
	if environment, printed, ok := strings.Cut(text, "\n\n"); ok && strings.HasPrefix(environment, "WORK=") {
		text = printed
	}
	return strings.TrimRight(strings.ReplaceAll(text, "FAIL: "+filepath.ToSlash(file), "FAIL: "+file), "\n") + "\n"
}

// A Result is the result of one test file.
type Result struct {
	Name     string        `json:"name"`
	File     string        `json:"file"`
	Passed   bool          `json:"passed"`
	Duration time.Duration `json:"-"`
	MS       int64         `json:"duration_ms"`
	Log      string        `json:"log,omitempty"` // empty if the test passed
}

// Report prints results as text, json or junit.
func Report(p *console.Console, results []Result, took time.Duration, output string) error {
	failed := 0
	for i := range results {
		r := &results[i]
		r.MS = r.Duration.Milliseconds()
		if r.Passed {
			r.Log = ""
		} else {
			failed++
		}
	}
	switch output {
	case "json":
		return console.WriteJSON(p.Stdout, results)
	case "junit":
		return writeJUnit(p.Stdout, results, failed, took)
	}
	var b strings.Builder
	for _, r := range results {
		mark := p.Page.Style(console.StyleGreen, "✓")
		if !r.Passed {
			mark = p.Page.Style(console.StyleRed, "✗")
		}
		fmt.Fprintf(&b, "%s %s\n", mark, console.Printable(r.File))
		if !r.Passed {
			b.WriteString("    " + strings.ReplaceAll(console.PrintableLines(strings.TrimRight(r.Log, "\n")), "\n", "\n    ") + "\n")
		}
	}
	fmt.Fprintf(&b, "%s: %d passed, %d failed (%.1f s)\n", console.Plural(len(results), "test"), len(results)-failed, failed, took.Seconds())
	_, err := io.WriteString(p.Stdout, b.String())
	return err
}

// The elements of a JUnit report, which build servers read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		File    string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(to io.Writer, results []Result, failed int, took time.Duration) error {
	suite := junitSuite{Name: "pdflow", Tests: len(results), Failures: failed, Time: fmt.Sprintf("%.3f", took.Seconds())}
	for _, r := range results {
		c := junitCase{Name: r.Name, File: r.File, Time: fmt.Sprintf("%.3f", r.Duration.Seconds())}
		if !r.Passed {
			c.Failure = &junitFailure{lastLine(r.Log), console.PrintableLines(r.Log)}
		}
		suite.Cases = append(suite.Cases, c)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(to, xml.Header+string(text)+"\n")
	return err
}

// lastLine returns the last line of a log that is not empty, which says why the test failed.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
