package runs

import (
	"context"
	"fmt"
	"io"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func showCommand(env *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	var output string
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show what happened in a run: its steps, attempts and calls over time",
		Example: `  pdflow runs show last
  pdflow runs show 01M838X2C49B
  pdflow runs show last -o json   # with every event`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return showRun(c.Context(), env, args[0], folder, output) },
	}
	folder.AddFlag(c.Flags())
	setup.AddOutput(c, &output, "text", "json")
	return c
}

// A showReport is the output of `runs show -o json`.
type showReport struct {
	summaryReport
	Inputs  action.Object `json:"inputs"` // secrets as references
	Target  run.Target    `json:"target"`
	Outputs action.Object `json:"outputs"`
	Error   any           `json:"error"`
	GoOn    string        `json:"go_on,omitempty"` // the command that resumes or retries the run
	Events  []run.Event   `json:"events"`
}

func showRun(ctx context.Context, env *setup.Environment, name string, folder setup.DataFolder, output string) error {
	return withRun(ctx, env, folder, name, func(recorded *setup.Runs, found *setup.RecordedRun) error {
		view := viewOf(ctx, env, recorded, found)
		return env.Print(output, reportView(view), view.Text())
	})
}

// viewOf returns the page of a recorded run. If this version of pdflow does not accept the recorded
// sources, the page is made without a plan.
func viewOf(ctx context.Context, env *setup.Environment, recorded *setup.Runs, found *setup.RecordedRun) *runview.View {
	var plan *workflow.Plan
	if target, err := env.Offline(); err == nil {
		if plan, err = recorded.Plan(ctx, found.Run, target); err != nil {
			plan = nil
		}
	}
	next := ""
	if verb := found.Verb(); verb != "" {
		next = recorded.Command(verb, found.Run, found.SecretInputs())
	}
	return runview.NewView(&found.Summary, found.Events, plan, next, env.Page)
}

func reportView(v *runview.View) showReport {
	start, outputs, failure := v.Outcome()
	r := showReport{
		summaryReport: reportSummary(v.Summary), Inputs: start.Inputs, Target: start.Target,
		Outputs: outputs, GoOn: v.Next, Events: v.Events,
	}
	if failure != nil {
		r.Error = failure
	}
	if r.Inputs == nil {
		r.Inputs = action.Object{}
	}
	if r.Outputs == nil {
		r.Outputs = action.Object{}
	}
	return r
}

func logsCommand(env *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	var output string
	c := &cobra.Command{
		Use:   "logs RUN",
		Short: "Print what the steps of a run logged",
		Example: `  pdflow runs logs last
  pdflow runs logs 01M838X2C49B -o jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return printLogs(c.Context(), env, args[0], folder, output)
		},
	}
	folder.AddFlag(c.Flags())
	setup.AddOutput(c, &output, "text", "jsonl")
	return c
}

func printLogs(ctx context.Context, env *setup.Environment, name string, folder setup.DataFolder, output string) error {
	return withRun(ctx, env, folder, name, func(recorded *setup.Runs, found *setup.RecordedRun) error {
		text, err := runview.LogsText(found.Events, output)
		if err != nil {
			return err
		}
		if text == "" {
			fmt.Fprintf(env.Stderr, "the run %s logged nothing; `%s` shows its steps\n", found.Run, recorded.Command("show", found.Run, nil))
		}
		_, err = io.WriteString(env.Stdout, text)
		return err
	})
}
