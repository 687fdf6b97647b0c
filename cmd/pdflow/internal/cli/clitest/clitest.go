// Package clitest runs command lines of pdflow in tests.
package clitest

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/redact"
)

// A Result is the result of a command line that was run in this process.
type Result struct {
	Code           int
	Stdout, Stderr string
	Screen         string // both streams in order
}

// Run runs a command line with its own environment. Runs are recorded in a folder of the test, unless the
// environment sets XDG_STATE_HOME.
func Run(t *testing.T, environment map[string]string, args ...string) Result {
	t.Helper()
	state := t.TempDir()
	getenv := func(name string) string {
		if value, ok := environment[name]; ok || name != "XDG_STATE_HOME" {
			return value
		}
		return state
	}
	var stdout, stderr, screen bytes.Buffer
	env := &setup.Environment{
		Console: console.New(strings.NewReader(""), io.MultiWriter(&stdout, &screen), io.MultiWriter(&stderr, &screen), &redact.Redactor{}),
		Getenv:  getenv,
	}
	code := cli.Main(env, args)
	return Result{code, stdout.String(), stderr.String(), screen.String()}
}
