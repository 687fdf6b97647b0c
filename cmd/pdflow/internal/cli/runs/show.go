package runs

import (
	"context"
	"io"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func showCommand(p *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	var output string
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show what happened in a run: its steps, attempts and calls over time",
		Example: `  pdflow runs show last
  pdflow runs show 01M838X2C49B
  pdflow runs show last -o json   # with every event`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return showRun(c.Context(), p, args[0], folder, output) },
	}
	folder.AddFlag(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// A showReport is what `runs show -o json` prints.
type showReport struct {
	summaryReport
	Inputs  action.Object  `json:"inputs"` // secrets as references
	Target  engine.Target  `json:"target"`
	Outputs action.Object  `json:"outputs"`
	Error   any            `json:"error"`
	GoOn    string         `json:"go_on,omitempty"` // the command that does
	Events  []engine.Event `json:"events"`
}

func showRun(ctx context.Context, p *setup.Environment, name string, folder setup.DataFolder, output string) error {
	if err := console.OneOf("output", output, "text", "json"); err != nil {
		return err
	}
	j, err := p.Records(folder)
	if err != nil {
		return err
	}
	defer p.CloseJournal(j)
	run, err := j.Read(ctx, name)
	if err != nil {
		return err
	}
	view := viewOf(ctx, p, j, run)
	if output == "json" {
		return console.WriteJSON(p.Stdout, reportView(view))
	}
	_, err = io.WriteString(p.Stdout, view.Text())
	return err
}

// viewOf is a recorded run as a page. A later version of pdflow may not make a plan of
// the recorded sources any more.
func viewOf(ctx context.Context, p *setup.Environment, j *setup.Journal, run *setup.RecordedRun) *runview.View {
	var plan *workflow.Plan
	if site, err := setup.Offline(); err == nil {
		if plan, err = j.Plan(ctx, run.Run, site); err != nil {
			plan = nil
		}
	}
	goOn := ""
	if verb := run.Verb(); verb != "" {
		goOn = j.Command(verb, run.Run, run.SecretInputs())
	}
	return runview.NewView(&run.RunSummary, run.Events, plan, goOn, p.Page)
}

func reportView(v *runview.View) showReport {
	start, outputs, failure := v.Outcome()
	r := showReport{
		summaryReport: reportSummary(v.Summary), Inputs: start.Inputs, Target: start.Target,
		Outputs: outputs, GoOn: v.GoOn, Events: v.Events,
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
