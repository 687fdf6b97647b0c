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

// runProgram runs a command line with an environment of its own.
func runProgram(t *testing.T, environment map[string]string, args ...string) ranProgram {
	t.Helper()
	redactor := &action.Redactor{}
	var stdout, stderr, screen bytes.Buffer
	p := &program{
		stdin: strings.NewReader(""), stdout: &redactingWriter{io.MultiWriter(&stdout, &screen), redactor},
		stderr: &redactingWriter{io.MultiWriter(&stderr, &screen), redactor},
		getenv: func(name string) string { return environment[name] }, redactor: redactor,
	}
	code := p.main(args)
	return ranProgram{code, stdout.String(), stderr.String(), screen.String()}
}
