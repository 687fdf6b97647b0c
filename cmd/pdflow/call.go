package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func (p *program) callCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "call ACTION [NAME=VALUE...]",
		Short: "Make one call from the shell",
		Long: `Make one call of an action and print its outputs. Inputs are written as for
run -i: name=value, name=@file, name:=json.`,
		Example: `  pdflow call pagerduty.get_user_by_email email=ann@example.com
  pdflow call pagerduty.send_trigger_event description="disk full" incident_key=db1-disk
  pdflow call validate.email text=ann@example -o json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.call(c.Context(), args[0], args[1:], o) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return actionNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := c.Flags()
	f.BoolVar(&o.simulate, "simulate", false, "call a PagerDuty inside this process")
	o.simulation.addFlags(f, "")
	addConnection(f, &o.connection)
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return c
}

func (p *program) call(ctx context.Context, name string, args []string, o runOptions) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	site, err := p.site("", o)
	if err != nil {
		return err
	}
	defer site.close()
	a, ok := site.catalog.Lookup(name)
	if !ok {
		return usageError("there is no action %q (%s)", name, unknownActionHint(site.catalog, name))
	}
	input, err := p.readInputs(a.In, args, "")
	if err != nil {
		return err
	}
	if problems := a.In.Check(input); len(problems) > 0 {
		return exit(exitUsage, inputProblems(problems, ""))
	}
	plan := workflow.PlanCall(a, input).WithConnection(o.connection)
	if err := site.ready(plan); err != nil {
		return err
	}
	local := &engine.Local{Interpreter: site.interpreter, Redactor: p.redactor, Observers: []run.Observer{&logLines{to: p.stderr}}}
	request, err := site.request(plan, nil)
	if err != nil {
		return err
	}
	request.Trigger = run.Trigger{Kind: "call"}
	result, err := local.Run(ctx, plan, request)
	if err != nil {
		return exit(exitFailed, err)
	}
	return p.printCall(result, a, o.output)
}

func unknownActionHint(catalog *action.Catalog, name string) string {
	if hint := action.DidYouMean(name, catalog.Names()); hint != "" {
		return hint
	}
	return "`pdflow actions` lists them"
}

// printCall prints the outputs of a call, or why it failed.
func (p *program) printCall(result *run.Result, a *action.Action, format string) error {
	if f := result.Error; f != nil {
		f.File, f.Line, f.Step = "", 0, ""
		text := fmt.Sprintf("%s: %s", f.Kind, f.Error())
		if f.Hint != "" {
			text += "\n  try: " + f.Hint
		}
		if format == "json" {
			if err := writeJSON(p.stdout, map[string]any{"error": f}); err != nil {
				return err
			}
		}
		return exit(p.resultCode(result), fmt.Errorf("%s", text))
	}
	outputs, _ := result.Steps[0].Outputs.(action.Object)
	if format == "json" {
		return writeJSON(p.stdout, outputs)
	}
	var b strings.Builder
	for _, f := range a.Out.Fields {
		if v, ok := outputs[f.Name]; ok {
			fmt.Fprintf(&b, "%-14s  %s\n", f.Name, valueText(v))
		}
	}
	_, err := io.WriteString(p.stdout, b.String())
	return err
}

// logLines prints what a call logs.
type logLines struct{ to io.Writer }

// Observe prints the log lines among the events.
func (l *logLines) Observe(e run.Event) {
	if e.Kind == run.EventLogged {
		_, _ = io.WriteString(l.to, e.Log.Level+": "+e.Log.Message+"\n")
	}
}

func actionNames() []string {
	site, err := checkingSite()
	if err != nil {
		return nil
	}
	return site.catalog.Names()
}
