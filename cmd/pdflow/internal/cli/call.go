package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/cli/runs"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func callCommand(p *setup.Environment) *cobra.Command {
	var o runs.Options
	c := &cobra.Command{
		Use:   "call ACTION [NAME=VALUE...]",
		Short: "Make one call from the shell",
		Long: `Make one call of an action and print its outputs. Inputs are written as for
run -i: name=value, name=@file, name:=json.`,
		Example: `  pdflow call pagerduty.get_user_by_email email=ann@example.com
  pdflow call pagerduty.send_trigger_event description="disk full" incident_key=db1-disk
  pdflow call validate.email text=ann@example -o json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return makeCall(c.Context(), p, args[0], args[1:], o) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return actionNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := c.Flags()
	f.BoolVar(&o.Simulate, "simulate", false, "call a PagerDuty inside this process")
	o.Simulation.AddFlags(f, "")
	setup.AddConnection(f, &o.Connection)
	f.StringVarP(&o.Output, "output", "o", "text", "text or json")
	return c
}

func makeCall(ctx context.Context, p *setup.Environment, name string, args []string, o runs.Options) error {
	if err := console.OneOf("output", o.Output, "text", "json"); err != nil {
		return err
	}
	site, err := p.Target("", o.Simulate, o.Simulation)
	if err != nil {
		return err
	}
	defer site.Close()
	a, ok := site.Catalog.Lookup(name)
	if !ok {
		return console.Usage("there is no action %q (%s)", name, unknownActionHint(site.Catalog, name))
	}
	input, err := p.ReadInputs(a.In, args, "")
	if err != nil {
		return err
	}
	if problems := a.In.Check(input); len(problems) > 0 {
		return console.Exit(console.ExitUsage, setup.InputProblems(problems, ""))
	}
	plan := workflow.PlanCall(a, input).WithConnection(o.Connection)
	if err := site.Ready(plan); err != nil {
		return err
	}
	local := &engine.Local{Interpreter: site.Interpreter, Redactor: p.Redactor, Observers: []engine.Observer{&runview.Logs{To: p.Stderr}}}
	request, err := site.Request(plan, nil)
	if err != nil {
		return err
	}
	request.Trigger = engine.Trigger{Kind: "call"}
	result, err := local.Run(ctx, plan, request)
	if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	return printCall(p, result, a, o.Output)
}

// printCall prints the outputs of a call, or why it failed.
func printCall(p *setup.Environment, result *engine.Result, a *action.Action, format string) error {
	if f := result.Error; f != nil {
		f.File, f.Line, f.Step = "", 0, ""
		text := fmt.Sprintf("%s: %s", f.Kind, f.Error())
		if f.Hint != "" {
			text += "\n  try: " + f.Hint
		}
		if format == "json" {
			if err := console.WriteJSON(p.Stdout, map[string]any{"error": f}); err != nil {
				return err
			}
		}
		return console.Exit(runview.ExitCode(p.Console, result.Status), fmt.Errorf("%s", text))
	}
	outputs, _ := result.Steps[0].Outputs.(action.Object)
	if format == "json" {
		return console.WriteJSON(p.Stdout, outputs)
	}
	var b strings.Builder
	for _, f := range a.Out.Fields {
		if v, ok := outputs[f.Name]; ok {
			fmt.Fprintf(&b, "%-14s  %s\n", f.Name, console.ValueText(v))
		}
	}
	_, err := io.WriteString(p.Stdout, b.String())
	return err
}
