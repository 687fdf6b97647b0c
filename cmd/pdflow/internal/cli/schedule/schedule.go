// Package schedule has the commands of `pdflow schedule`, one file for each.
package schedule

import (
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

// Command returns `pdflow schedule`.
func Command(env *setup.Environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "schedule",
		Short: "List, preview and pause schedules",
		Long: `List the schedules of workflows, show when they are due, pause them, and run a workflow
now. Only run-now starts a run. ` + "`pdflow serve`" + ` starts the runs of schedules.`,
	}
	c.AddCommand(nextCommand(env), listCommand(env), pauseCommand(env), resumeCommand(env), runNowCommand(env))
	return c
}

// scheduled returns the plans of the files that have schedules. It is an error if none has one.
func scheduled(env *setup.Environment, args []string) ([]*workflow.Plan, error) {
	files, err := setup.WorkflowFiles(args)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	target, err := setup.Offline()
	if err != nil {
		return nil, err
	}
	var plans []*workflow.Plan
	for _, file := range files {
		plan, err := target.CompileFile(file)
		if err != nil {
			return nil, err
		}
		if len(plan.Workflow.Schedules) > 0 {
			plans = append(plans, plan)
		}
	}
	if len(plans) == 0 {
		return nil, console.Usage("there is no schedule in %s (write schedule: \"0 9 * * MON-FRI\")", strings.Join(args, ", "))
	}
	return plans, nil
}
