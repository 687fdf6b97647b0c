// Package cli has the commands of pdflow, one file for each command: its flags, its constructor and the
// function that runs it. root.go has the root command. The commands about runs and schedules have
// packages of their own.
package cli

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/runs"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/schedule"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Main runs a command line and returns its exit code.
func Main(env *setup.Environment, args []string) int {
	// Libraries log here what they got from the network, such as a header with a key that a
	// server sent back. It cannot be masked, because they quote and cut it.
	log.SetOutput(io.Discard)
	env.LearnKeys()
	ctx, stop := env.WithSignals(context.Background())
	defer stop()
	root := rootCommand(env, args)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return env.Fail(err)
}

// commands returns the constructors of the commands by name.
func commands() map[string]func(*setup.Environment) *cobra.Command {
	return map[string]func(*setup.Environment) *cobra.Command{
		"run": runs.RunCommand, "runs": runs.Command, "check": checkCommand, "call": callCommand, "actions": actionsCommand,
		"connection": connectionCommand, "schedule": schedule.Command, "serve": serveCommand, "simulator": simulatorCommand, "test": testCommand, "version": versionCommand, "exit-codes": exitCodesTopic,
	}
}

// addCommands adds commands to the root: only the command that the first argument names, if it names one,
// because making all commands takes longer than a small run.
func addCommands(env *setup.Environment, root *cobra.Command, args []string) {
	all := commands()
	if len(args) > 0 && all[args[0]] != nil {
		root.AddCommand(all[args[0]](env))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		root.AddCommand(all[name](env))
	}
}

func rootCommand(env *setup.Environment, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "pdflow",
		Short: "Run PagerDuty runbooks: YAML workflows with Lua steps",
		Example: `  pdflow run --simulate workflows/tour.yaml   # offline, against a simulated PagerDuty
  pdflow check workflows                      # every problem, before anything runs
  pdflow actions pagerduty.create_user        # the inputs and outputs of an action`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := env.FlagsFromEnvironment(c.Flags()); err != nil || env.ConfigFile == "" {
				return err
			}
			_, err := env.Configuration() // a file that was named must be right, also if the command does not need it
			return err
		},
	}
	root.PersistentFlags().StringVar(&env.ConfigFile, "config", "", "the operator's configuration (default $XDG_CONFIG_HOME/pdflow/pdflow.yaml, else ~/.config/pdflow/pdflow.yaml)")
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = false
	addCommands(env, root, args)
	return root
}

// flagError adds a suggestion to the error about an unknown flag.
func flagError(c *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return console.Exit(console.ExitUsage, err)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if hint := phrase.DidYouMean(name, names); hint != "" {
		return console.Usage("unknown flag --%s (%s)", name, hint)
	}
	return console.Usage("unknown flag --%s; `%s -h` lists them", name, c.CommandPath())
}

func versionCommand(env *setup.Environment) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "version", Short: "Print the version",
		Example: "  pdflow version\n  pdflow version -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version, platform := setup.VersionText(), runtime.GOOS+"/"+runtime.GOARCH
			return env.Print(output, map[string]string{"version": version, "go": runtime.Version(), "platform": platform}, fmt.Sprintf("pdflow %s (%s, %s)\n", version, runtime.Version(), platform))
		},
	}
	setup.AddOutput(c, &output, "text", "json")
	return c
}

// exitCodesTopic returns the help page about exit codes.
func exitCodesTopic(*setup.Environment) *cobra.Command {
	return &cobra.Command{
		Use: "exit-codes", Short: "What the exit codes mean",
		Long: `The exit codes of pdflow:

  0    success
  1    a run, a call or a test failed
  2    wrong usage, or invalid inputs or configuration; nothing was called
  3    the workflow is invalid; nothing was called
  4    the outcome of a call is unknown: a person must decide
  130  ended by Ctrl-C (SIGINT)
  143  ended by SIGTERM`,
	}
}
