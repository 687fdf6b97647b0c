package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

type callOptions struct {
	simulate bool
	setup.Simulation
	connection string
	output     string
}

func callCommand(env *setup.Environment) *cobra.Command {
	var o callOptions
	c := &cobra.Command{
		Use:   "call ACTION [NAME=VALUE...]",
		Short: "Call one action from the shell",
		Long: `Call one action and print its outputs. Inputs are written as for run -i: name=value,
name=@file, or name:=json.`,
		Example: `  pdflow call pagerduty.get_user_by_email email=ann@example.com
  pdflow call pagerduty.send_trigger_event description="disk full" incident_key=db1-disk
  pdflow call validate.email text=ann@example -o json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return makeCall(c.Context(), env, args[0], args[1:], o) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return actionNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := c.Flags()
	f.BoolVar(&o.simulate, "simulate", false, "call a simulated PagerDuty in this process")
	o.Simulation.AddFlags(f, "")
	setup.AddConnection(f, &o.connection)
	setup.AddOutput(c, &o.output, "text", "json")
	return c
}

func makeCall(ctx context.Context, env *setup.Environment, name string, args []string, o callOptions) error {
	target, err := env.Target("", o.simulate, o.Simulation)
	if err != nil {
		return err
	}
	defer target.Close()
	a, ok := target.Catalog.Lookup(name)
	if !ok {
		return console.Usage("there is no action %q (%s)", name, unknownActionHint(target.Catalog, name))
	}
	input, err := env.ReadInputs(a.In, args, "")
	if err != nil {
		return err
	}
	if problems := a.In.Check(input); len(problems) > 0 {
		return console.Exit(console.ExitUsage, setup.InputProblems(problems, ""))
	}
	plan := workflow.PlanCall(a, input).WithConnection(o.connection)
	if err := target.Ready(plan); err != nil {
		return err
	}
	local := &engine.Local{Interpreter: target.Interpreter, Redactor: env.Redactor, Observers: []run.Observer{&runview.Logs{To: env.Stderr}}}
	request, err := target.Request(plan, nil)
	if err != nil {
		return err
	}
	request.Trigger = run.Trigger{Kind: "call"}
	result, err := local.Run(ctx, plan, request)
	if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	return printCall(env, result, a, o.output)
}

// printCall prints the outputs of a call. The error says why the call failed.
func printCall(env *setup.Environment, result *run.Result, a *action.Action, format string) error {
	if f := result.Error; f != nil {
		f.File, f.Line, f.Step = "", 0, ""
		text := fmt.Sprintf("%s: %s", f.Kind, f.Error())
		if f.Hint != "" {
			text += "\n  try: " + f.Hint
		}
		if format == "json" {
			if err := console.WriteJSON(env.Stdout, map[string]any{"error": f}); err != nil {
				return err
			}
		}
		return console.Exit(runview.ExitCode(env.Console, result.Status), fmt.Errorf("%s", text))
	}
	outputs, _ := result.Steps[0].Outputs.(action.Object)
	var b strings.Builder
	for _, f := range a.Out.Fields {
		if v, ok := outputs[f.Name]; ok {
			fmt.Fprintf(&b, "%-14s  %s\n", f.Name, console.ValueText(v))
		}
	}
	return env.Print(format, outputs, b.String())
}
