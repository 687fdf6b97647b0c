package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func actionsCommand(env *setup.Environment) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "actions [NAME]",
		Short: "Show the actions that steps can call",
		Long:  "List the actions that steps can call, or the actions of one module, or describe one action.",
		Example: `  pdflow actions
  pdflow actions pagerduty.send_trigger_event
  pdflow actions text -o json`,
		Args:              cobra.MaximumNArgs(1),
		RunE:              func(_ *cobra.Command, args []string) error { return printActions(env, args, output) },
		ValidArgsFunction: completeAction,
	}
	setup.AddOutput(c, &output, "text", "json")
	return c
}

func printActions(env *setup.Environment, args []string, output string) error {
	target, err := env.Offline()
	if err != nil {
		return err
	}
	selected, one, err := selectActions(target.Catalog, args)
	if err != nil {
		return err
	}
	if one {
		return env.Print(output, describe(selected[0]), selected[0].Markdown())
	}
	reports, width := make([]actionReport, len(selected)), 0
	for i, a := range selected {
		reports[i], width = describe(a), max(width, len(a.Name))
	}
	var b strings.Builder
	for _, a := range selected {
		fmt.Fprintf(&b, "%-*s  %s\n", width, a.Name, a.Summary)
	}
	return env.Print(output, reports, b.String())
}

// selectActions returns all actions, the actions of a module, or one action.
func selectActions(catalog *action.Catalog, args []string) (selected []*action.Action, one bool, err error) {
	if len(args) == 0 {
		return catalog.All(), false, nil
	}
	if a, ok := catalog.Lookup(args[0]); ok {
		return []*action.Action{a}, true, nil
	}
	for _, a := range catalog.All() {
		if a.Module() == args[0] {
			selected = append(selected, a)
		}
	}
	if selected == nil {
		return nil, false, console.Usage("there is no action %q (%s)", args[0], unknownActionHint(catalog, args[0]))
	}
	return selected, false, nil
}

// An actionReport is an action in the output of `actions -o json`.
type actionReport struct {
	Name      string        `json:"name"`
	Summary   string        `json:"summary"`
	Doc       string        `json:"doc,omitempty"`
	Effect    string        `json:"effect"`
	Guarded   bool          `json:"must_be_permitted"`
	Signature string        `json:"lua"`
	Input     []fieldReport `json:"input"`
	Output    []fieldReport `json:"output"`
}

type fieldReport struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Default     any      `json:"default,omitempty"`
	Required    bool     `json:"required"`
	Description string   `json:"description"`
	Enum        []string `json:"enum,omitempty"`
	Format      string   `json:"format,omitempty"`
}

func describe(a *action.Action) actionReport {
	return actionReport{
		Name: a.Name, Summary: a.Summary, Doc: a.Doc, Effect: a.Effect.String(), Guarded: a.Guarded,
		Signature: a.Signature(), Input: describeFields(a.In), Output: describeFields(a.Out),
	}
}

func describeFields(s *action.Schema) []fieldReport {
	fields := []fieldReport{}
	for _, f := range s.Fields {
		fields = append(fields, fieldReport{f.Name, f.Type.String(), f.Default, f.Required, f.Doc, f.Enum, f.Format})
	}
	return fields
}

func unknownActionHint(catalog *action.Catalog, name string) string {
	return cmp.Or(phrase.DidYouMean(name, catalog.Names()), "`pdflow actions` lists them")
}

// completeAction returns the names of the actions, for a shell to complete.
func completeAction(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	target, err := setup.Offline()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return target.Catalog.Names(), cobra.ShellCompDirectiveNoFileComp
}

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
		Args:              cobra.MinimumNArgs(1),
		RunE:              func(c *cobra.Command, args []string) error { return makeCall(c.Context(), env, args[0], args[1:], o) },
		ValidArgsFunction: completeAction,
	}
	f := c.Flags()
	f.BoolVar(&o.simulate, "simulate", false, "call a simulated PagerDuty in this process")
	o.Simulation.AddFlags(f, "simulate", "")
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
			_ = console.WriteJSON(env.Stdout, map[string]any{"error": f}) // the error is printed too
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
	err := env.Print(format, outputs, b.String())
	return cmp.Or(env.Lost(a.Name+" was called and succeeded"), err)
}
