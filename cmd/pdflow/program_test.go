package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

// A ranProgram is a command line that was run in this process.
type ranProgram struct {
	code           int
	stdout, stderr string
	screen         string // both, as they come on a terminal
}

// runProgram runs a command line with an environment of its own. Its runs are
// recorded in a folder of the test, unless the environment says where.
func runProgram(t *testing.T, environment map[string]string, args ...string) ranProgram {
	t.Helper()
	state := t.TempDir()
	getenv := func(name string) string {
		if value, ok := environment[name]; ok || name != "XDG_STATE_HOME" {
			return value
		}
		return state
	}
	redactor := &action.Redactor{}
	var stdout, stderr, screen bytes.Buffer
	p := &program{
		stdin: strings.NewReader(""), stdout: &redactingWriter{to: io.MultiWriter(&stdout, &screen), redactor: redactor},
		stderr: &redactingWriter{to: io.MultiWriter(&stderr, &screen), redactor: redactor},
		getenv: getenv, redactor: redactor,
	}
	code := p.main(args)
	return ranProgram{code, stdout.String(), stderr.String(), screen.String()}
}

// TestCommandNames: each command has the name under which it is made.
func TestCommandNames(t *testing.T) {
	for name, make := range (&program{}).commands() {
		if got := make().Name(); got != name {
			t.Errorf("got the command %q under the name %q", got, name)
		}
	}
}
