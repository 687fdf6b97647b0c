package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/runs"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/schedule"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Main runs a command line and returns the exit code.
func Main(p *setup.Environment, args []string) int {
	ctx, stop := p.WithSignals(context.Background())
	defer stop()
	root := rootCommand(p, args)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return p.Fail(err)
}

// commands make the commands, by their names.
func commands() map[string]func(*setup.Environment) *cobra.Command {
	return map[string]func(*setup.Environment) *cobra.Command{
		"run": runs.RunCommand, "runs": runs.Command, "check": checkCommand, "call": callCommand, "actions": actionsCommand,
		"connection": connectionCommand, "schedule": schedule.Command, "serve": serveCommand, "simulator": simulatorCommand, "test": testCommand, "version": versionCommand, "exit-codes": exitCodesTopic,
	}
}

// addCommands gives the root its commands: the one that is asked for, where that is
// plain, since making all of them takes longer than a small run.
func addCommands(p *setup.Environment, root *cobra.Command, args []string) {
	all := commands()
	if len(args) > 0 && all[args[0]] != nil {
		root.AddCommand(all[args[0]](p))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		root.AddCommand(all[name](p))
	}
}

func rootCommand(p *setup.Environment, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "pdflow",
		Short: "Run PagerDuty runbooks: YAML workflows with Lua steps",
		Example: `  pdflow run --simulate workflows/tour.yaml   # offline, against a PagerDuty inside the binary
  pdflow check workflows                      # every problem, before anything runs
  pdflow actions pagerduty.create_user        # what a step can call, and how`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return p.FlagsFromEnvironment(c.Flags()) },
	}
	root.PersistentFlags().StringVar(&p.ConfigFile, "config", "", "the operator's configuration (default $XDG_CONFIG_HOME/pdflow/pdflow.yaml, else ~/.config/pdflow/pdflow.yaml)")
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.HiddenDefaultCmd = false
	addCommands(p, root, args)
	return root
}

// flagError adds the near miss to a mistyped flag.
func flagError(c *cobra.Command, err error) error {
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return console.Exit(console.ExitUsage, err)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if hint := action.DidYouMean(name, names); hint != "" {
		return console.Usage("unknown flag --%s (%s)", name, hint)
	}
	return console.Usage("unknown flag --%s; `%s -h` lists them", name, c.CommandPath())
}
