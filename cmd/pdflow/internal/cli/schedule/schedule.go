package schedule

import (
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func Command(p *setup.Environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "schedule",
		Short: "Look at schedules, and pause them",
		Long: `Look at the schedules of workflows, pause them, and run one now. Nothing here
begins a run but run-now: ` + "`pdflow serve`" + ` does, in time.`,
	}
	c.AddCommand(nextCommand(p), listCommand(p), pauseCommand(p), resumeCommand(p), runNowCommand(p))
	return c
}

// scheduled returns the plans of files that have schedules.
func scheduled(p *setup.Environment, args []string) ([]*workflow.Plan, error) {
	files, err := setup.WorkflowFiles(args)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	site, err := setup.Offline()
	if err != nil {
		return nil, err
	}
	var plans []*workflow.Plan
	for _, file := range files {
		plan, err := setup.CompileFile(file, site)
		if err != nil {
			return nil, err
		}
		if len(plan.Workflow.Schedules) > 0 {
			plans = append(plans, plan)
		}
	}
	if len(plans) == 0 {
		return nil, console.Usage("no schedule stands in %s (write schedule: \"0 9 * * MON-FRI\")", strings.Join(args, ", "))
	}
	return plans, nil
}
