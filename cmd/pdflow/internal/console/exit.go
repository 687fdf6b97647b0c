package console

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// The exit codes; `pdflow help exit-codes` explains them.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitInvalid     = 3
	ExitUnknown     = 4
	ExitInterrupted = 130 // 128 + SIGINT
	ExitTerminated  = 143 // 128 + SIGTERM
)

// ErrInterrupted says that a signal ended what a command was doing. Then the exit code is that of the signal.
var ErrInterrupted = errors.New("interrupted")

// An exitError carries an exit code. Its message is empty if the command has already printed
// everything.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Exit returns an error with an exit code. A nil err means that nothing is left to print.
func Exit(code int, err error) error { return &exitError{code, err} }

// Usage returns an error with the exit code for wrong usage.
func Usage(format string, args ...any) error {
	return &exitError{ExitUsage, fmt.Errorf(format, args...)}
}

// ExitCode returns the exit code of an error.
func ExitCode(err error) int {
	var problems source.Problems
	var coded *exitError
	var lost *LostOutput
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &lost):
		return ExitFailed
	case errors.As(err, &problems):
		return ExitInvalid
	}
	return ExitUsage // cobra reports errors of the command line without a code
}

// Fail prints an error and returns its exit code.
func (c *Console) Fail(err error) int {
	if ExitCode(err) == ExitDone {
		err = c.Lost("")
	}
	code := ExitCode(err)
	if err == nil {
		return code
	}
	if signal := int(c.Signal.Load()); signal != 0 && errors.Is(err, ErrInterrupted) {
		code = signal
	}
	if text := err.Error(); text != "" {
		if code != ExitInvalid {
			text = "pdflow: " + text
		}
		fmt.Fprintln(c.Stderr, PrintableLines(text))
	}
	return code
}

// OneOf reports a value of a flag that is not allowed, with a suggestion.
func OneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return Usage("--%s cannot be %q (%s)", flag, value, cmp.Or(phrase.DidYouMean(value, allowed), "one of: "+strings.Join(allowed, ", ")))
}
