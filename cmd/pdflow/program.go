package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit codes; `pdflow help exit-codes` explains them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInvalid     = 3
	exitUnknown     = 4
	exitInterrupted = 130 // 128 + SIGINT
	exitTerminated  = 143 // 128 + SIGTERM
)

// A program is what all commands share. Everything that it prints goes through
// its redactor.
type program struct {
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	terminal terminal // of stderr
	page     terminal // of stdout
	getenv   func(string) string
	redactor *action.Redactor
	signal   atomic.Int32 // the exit code of the first signal that came, or 0
	underWay underWay
	// configFile is the operator's configuration of --config; empty for the usual
	// one.
	configFile string
}

func newProgram() *program {
	redactor := &action.Redactor{}
	return &program{
		stdin:    os.Stdin,
		stdout:   &redactingWriter{to: os.Stdout, redactor: redactor},
		stderr:   &redactingWriter{to: os.Stderr, redactor: redactor},
		terminal: newTerminal(os.Stderr, os.Getenv),
		page:     newTerminal(os.Stdout, os.Getenv),
		getenv:   os.Getenv,
		redactor: redactor,
	}
}

// A redactingWriter masks secret texts in whatever is written. Callers write
// whole lines or documents at once, also several at a time.
type redactingWriter struct {
	to       io.Writer
	redactor *action.Redactor
	mu       sync.Mutex
}

// Write writes the masked text and reports the length of the text given.
func (w *redactingWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := io.WriteString(w.to, w.redactor.Redact(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// An exitError ends the program with a code. Its message may be empty when
// everything was said before.
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

func exit(code int, err error) error { return &exitError{code, err} }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// main runs a command line and returns the exit code.
func (p *program) main(args []string) int {
	ctx, stop := p.withSignals(context.Background())
	defer stop()
	root := p.rootCommand(args)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return p.exitCode(err)
}

// exitCodeOf is the exit code of an error.
func exitCodeOf(err error) int {
	var problems workflow.Diagnostics
	var coded *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &problems):
		return exitInvalid
	}
	return exitUsage // errors of the command line itself come without a code
}

// exitCode prints an error and returns its exit code.
func (p *program) exitCode(err error) int {
	code := exitCodeOf(err)
	if err == nil {
		return code
	}
	if text := err.Error(); text != "" {
		if code != exitInvalid {
			text = "pdflow: " + text
		}
		fmt.Fprintln(p.stderr, text)
	}
	return code
}

// commands make the commands, by their names.
func (p *program) commands() map[string]func() *cobra.Command {
	return map[string]func() *cobra.Command{
		"run": p.runCommand, "runs": p.runsCommand, "check": p.checkCommand, "call": p.callCommand, "actions": p.actionsCommand,
		"connection": p.connectionCommand, "schedule": p.scheduleCommand, "serve": p.serveCommand, "simulator": p.simulatorCommand, "test": p.testCommand, "version": p.versionCommand, "exit-codes": exitCodesTopic,
	}
}

// addCommands gives the root its commands: the one that is asked for, where that is
// plain, since making all of them takes longer than a small run.
func (p *program) addCommands(root *cobra.Command, args []string) {
	all := p.commands()
	if len(args) > 0 && all[args[0]] != nil {
		root.AddCommand(all[args[0]]())
		return
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		root.AddCommand(all[name]())
	}
}

func (p *program) rootCommand(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "pdflow",
		Short: "Run PagerDuty runbooks: YAML workflows with Lua steps",
		Example: `  pdflow run --simulate workflows/tour.yaml   # offline, against a PagerDuty inside the binary
  pdflow check workflows                      # every problem, before anything runs
  pdflow actions pagerduty.create_user        # what a step can call, and how`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return p.flagsFromEnvironment(c) },
	}
	root.PersistentFlags().StringVar(&p.configFile, "config", "", "the operator's configuration (default $XDG_CONFIG_HOME/pdflow/pdflow.yaml, else ~/.config/pdflow/pdflow.yaml)")
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = false
	p.addCommands(root, args)
	return root
}

// flagError adds the near miss to a mistyped flag.
func flagError(c *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return exit(exitUsage, err)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if hint := action.DidYouMean(name, names); hint != "" {
		return usageError("unknown flag --%s (%s)", name, hint)
	}
	return usageError("unknown flag --%s; `%s -h` lists them", name, c.CommandPath())
}

// flagsFromEnvironment sets each flag that was not given from PDFLOW_FLAG.
func (p *program) flagsFromEnvironment(c *cobra.Command) error {
	var failed error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		name := "PDFLOW_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		text := p.getenv(name)
		if f.Changed || text == "" || f.Name == "help" {
			return
		}
		if err := c.Flags().Set(f.Name, text); err != nil {
			failed = usageError("%s: %v", name, err)
		}
	})
	return failed
}

// oneOf checks the value of a flag.
func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	hint := action.DidYouMean(value, allowed)
	if hint == "" {
		hint = "one of: " + strings.Join(allowed, ", ")
	}
	return usageError("--%s cannot be %q (%s)", flag, value, hint)
}
