package cli

import (
	"context"
	"slices"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runbooktest"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/spf13/cobra"
)

type testOptions struct {
	update, record bool
	filter         string
	output         string
	inputs         []string
	setup.Simulation
}

func testCommand(env *setup.Environment) *cobra.Command {
	var o testOptions
	c := &cobra.Command{
		Use:   "test [FILE|DIR...]",
		Short: "Run the tests of runbooks",
		Long: `Run the tests of runbooks: files NAME.test.txtar in the given folders and below them.
Each test has an account of its own and a virtual clock, so a ten-minute sleep takes no
time. Nothing is sent to other machines. docs/testing.md shows how to write a test.

--record makes the test of a runbook from a run of it.`,
		Example: `  pdflow test
  pdflow test port-check.test.txtar --update   # the present output is right
  pdflow test --record onboard-user.yaml -i email=ann@example.com -i name=Ann`,
		RunE: func(c *cobra.Command, args []string) error {
			configuration, err := env.Configuration()
			if err != nil {
				return err
			}
			if o.record {
				return runbooktest.Record(c.Context(), env.Console, configuration, args, runbooktest.Recording{Inputs: o.inputs, Simulation: o.Simulation, Overwrite: o.update})
			}
			return runTestCommand(c.Context(), env.Console, configuration, args, o)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.update, "update", false, "write the output of the tests into the files that they compare it with")
	f.BoolVar(&o.record, "record", false, "make the test of a runbook from a run of it")
	f.StringVar(&o.filter, "run", "", "run only tests whose file name matches this `regexp`")
	f.StringVarP(&o.output, "output", "o", "text", "text, json or junit")
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "with --record, an input of the run")
	o.Simulation.AddFlags(f, "record", ", with --record")
	return c
}

// runTestCommand runs tests and prints their results.
func runTestCommand(ctx context.Context, c *console.Console, operator *setup.Configuration, args []string, o testOptions) error {
	if err := console.OneOf("output", o.output, "text", "json", "junit"); err != nil {
		return err
	}
	if o.Simulation.Given() != "" || len(o.inputs) > 0 {
		return console.Usage("-i, --world, --seed and --faults go with --record; without it the test file has its own")
	}
	files, err := runbooktest.Files(args, o.filter)
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	start := time.Now()
	results := runbooktest.Run(ctx, operator, files, o.update)
	if err := runbooktest.Report(c, results, time.Since(start), o.output); err != nil {
		return err
	}
	if slices.ContainsFunc(results, func(r runbooktest.Result) bool { return !r.Passed }) {
		return console.Exit(console.ExitFailed, nil)
	}
	return nil
}
