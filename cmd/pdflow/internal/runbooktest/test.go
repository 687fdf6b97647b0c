// Package runbooktest is `pdflow test`: it runs the tests of runbooks.
//
//   - A test is a txtar file NAME.test.txtar: a script, and the files that it needs. [Files] finds tests
//     and [Run] runs them (test.go).
//   - A script is a list of lines, each a word and its arguments. script.go reads a script and goes
//     through its lines. The words are in words.go (run, advance, incidents) and compare.go (cmp, grep).
//   - Each test has a simulated account and a virtual clock of its own.
//   - [Record] writes a test from a run (record.go), [Report] prints results (report.go).
//
// # A test is confined
//
// The author of a test may be a stranger, for example of a pull request. A test reads its own files, which
// stay in memory, and regular files in the folder of the test file, which it cannot leave by a name or by a
// link (files.go). It starts no program, sees no variables, and reaches no network. It writes nothing: only
// [Run] with update and [Record] write, and only the test file itself.
package runbooktest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/source"
)

// testExtension is the end of the name of a test file, which is next to its runbook.
const testExtension = ".test.txtar"

// Files returns test files: the given files, the tests of the given runbooks, and the tests in the given
// folders and below. Filter is a regular expression for their names. It is an error if there are none.
func Files(args []string, filter string) ([]source.File, error) {
	matches, err := regexp.Compile(filter)
	if err != nil {
		return nil, fmt.Errorf("--run %q is not a regular expression: %w", filter, err)
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	var files []source.File
	for _, arg := range args {
		found, err := testsOf(arg)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	all := len(files)
	files = slices.DeleteFunc(files, func(file source.File) bool { return !matches.MatchString(filepath.Base(file.Path)) })
	switch {
	case all == 0:
		return nil, fmt.Errorf("there is no *%s in %s\n  try: pdflow test --record RUNBOOK.yaml makes one", testExtension, strings.Join(args, ", "))
	case len(files) == 0:
		return nil, fmt.Errorf("none of %s matches --run %q", console.Plural(all, "test file"), filter)
	}
	return files, nil
}

func testsOf(arg string) ([]source.File, error) {
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return nil, setup.FileError(err, arg)
	case info.IsDir():
		return source.Find(arg, func(name string) bool { return strings.HasSuffix(name, testExtension) })
	case !IsWorkflowFile(arg):
		return []source.File{{Path: arg}}, nil
	}
	// The test of a runbook was found next to it, not named.
	file := source.File{Path: TestOf(arg), Folder: filepath.Dir(arg)}
	if _, err := os.Lstat(file.Path); err != nil {
		return nil, setup.FileError(err, file.Path)
	}
	return []source.File{file}, nil
}

// IsWorkflowFile reports whether a file has the extension of a workflow.
func IsWorkflowFile(name string) bool {
	return filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".yml"
}

// TestOf returns the path of the test file of a runbook.
func TestOf(workflowFile string) string {
	return strings.TrimSuffix(workflowFile, filepath.Ext(workflowFile)) + testExtension
}

// Run runs tests, several at a time, under the configuration of the operator. Update writes their output
// into the files that it is compared with.
func Run(ctx context.Context, operator *setup.Configuration, files []source.File, update bool) []Result {
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

// maxDuration is how long a test may take, in the time of the machine. Its own time is virtual, so a
// test takes milliseconds; the author of a longer one may be a stranger.
const maxDuration = 5 * time.Minute

// runTest runs the script of one file.
func runTest(ctx context.Context, operator *setup.Configuration, file source.File, update bool) (result Result) {
	result = Result{Name: strings.TrimSuffix(filepath.Base(file.Path), testExtension), File: file.Path}
	start := time.Now()
	defer func() { result.Duration = time.Since(start) }()
	fail := func(err error) Result {
		result.Log = err.Error() + "\n"
		return result
	}
	text, err := file.Read(source.MaxFileSize)
	if err != nil {
		return fail(setup.FileError(err, file.Path))
	}
	script, err := parseScript(file.Path, text)
	if err != nil {
		return fail(err)
	}
	folder, err := file.OpenFolder()
	if err != nil {
		return fail(setup.FileError(err, file.Path))
	}
	defer folder.Close()
	limited, stop := context.WithTimeout(ctx, maxDuration)
	defer stop()
	result.Log, err = script.run(limited, operator, folder, update)
	if limited.Err() != nil && ctx.Err() == nil {
		result.Log += fmt.Sprintf("the test took longer than %s\n", maxDuration)
	}
	result.Passed = err == nil && limited.Err() == nil
	if script.updated {
		if err := folder.Replace(filepath.Base(file.Path), script.format()); err != nil {
			result.Passed = false
			return fail(err)
		}
	}
	return result
}
