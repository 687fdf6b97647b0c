package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
)

// A ranProgram is a command line that was run in this process.
type ranProgram struct {
	code           int
	stdout, stderr string
}

// runProgram runs a command line with an environment of its own.
func runProgram(t *testing.T, environment map[string]string, args ...string) ranProgram {
	t.Helper()
	redactor := &action.Redactor{}
	var stdout, stderr bytes.Buffer
	p := &program{
		stdin: strings.NewReader(""), stdout: &redactingWriter{&stdout, redactor}, stderr: &redactingWriter{&stderr, redactor},
		getenv: func(name string) string { return environment[name] }, redactor: redactor,
	}
	return ranProgram{p.main(args), stdout.String(), stderr.String()}
}
