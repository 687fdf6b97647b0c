// Package schedule has the commands of `pdflow schedule`, one file for each.
package schedule

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/source"
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

// scheduled returns the plans of the files that have schedules, and the problems of the files that have no
// plan. It is an error if none has a schedule.
func scheduled(env *setup.Environment, args []string) (plans []*workflow.Plan, broken source.Problems, err error) {
	files, err := setup.WorkflowFiles(args)
	if err != nil {
		return nil, nil, console.Exit(console.ExitUsage, err)
	}
	target, err := env.Offline()
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		plan, problems, err := env.CheckFile(target, file)
		if why := setup.LeftOut(file, problems); why != "" {
			fmt.Fprintf(env.Stderr, "left out: %s: %s\n", file.Path, why)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if plan == nil {
			broken = append(broken, problems...)
		} else if len(plan.Workflow.Schedules) > 0 {
			plans = append(plans, plan)
		}
	}
	if len(plans) == 0 && len(broken) > 0 {
		return nil, nil, broken
	}
	if len(plans) == 0 {
		return nil, nil, console.Usage("there is no schedule in %s (write schedule: \"0 9 * * MON-FRI\")", strings.Join(args, ", "))
	}
	return plans, broken, nil
}

// A scheduleReport is a schedule in the output of `schedule list -o json`.
type scheduleReport struct {
	Workflow string         `json:"workflow"`
	File     string         `json:"file"`
	Schedule string         `json:"schedule"`
	Cron     string         `json:"cron"`
	Timezone string         `json:"timezone"`
	Next     time.Time      `json:"next"`
	Settled  *time.Time     `json:"settled_until"` // null if it was never served
	Pause    *journal.Pause `json:"pause"`
}

func listCommand(env *setup.Environment) *cobra.Command {
	var folder setup.DataFolder
	var output string
	c := &cobra.Command{
		Use:   "list [FILE|DIR...]",
		Short: "List schedules: when each runs next, and whether it is paused",
		Long: `List the schedules of files and folders: when each runs next, and whether it is paused. A file
with errors does not keep the others from being listed; then the exit code is 3.
Without files, list the schedules that the daemon of the data folder serves.`,
		Example: "  pdflow schedule list workflows\n  pdflow schedule list -o json",
		RunE: func(c *cobra.Command, args []string) error {
			return list(c.Context(), env, args, folder, output)
		},
	}
	folder.AddFlag(c.Flags())
	setup.AddOutput(c, &output, "text", "json")
	return c
}

func list(ctx context.Context, env *setup.Environment, args []string, folder setup.DataFolder, output string) error {
	var reports []scheduleReport
	var broken source.Problems
	var err error
	if len(args) == 0 {
		reports, err = schedulesOfDaemon(ctx, env, folder)
	} else {
		reports, broken, err = schedulesOfFiles(ctx, env, args, folder)
	}
	if err == nil {
		err = env.Print(output, reports, schedulesText(reports, time.Now()))
	}
	if err != nil || len(broken) == 0 {
		return err
	}
	return broken // after the schedules of the other files
}

// schedulesOfDaemon asks the daemon for the schedules that it serves.
func schedulesOfDaemon(ctx context.Context, env *setup.Environment, folder setup.DataFolder) ([]scheduleReport, error) {
	var status control.Status
	lives, err := daemon.Ask(env, folder, func(c *control.Client) (err error) {
		status, err = c.Status(ctx)
		return err
	})
	if err == nil && !lives {
		err = console.Usage("no daemon serves this data folder: start one with `pdflow serve`, or give FILE or DIR")
	}
	for _, id := range status.NotResumed {
		fmt.Fprintf(env.Stderr, "the run %s is not resumed: processes died while they worked on it, and it got no further; to resume it:\n  pdflow runs resume %s\n", id, id)
	}
	for _, file := range slices.Sorted(maps.Keys(status.LeftOut)) {
		fmt.Fprintf(env.Stderr, "left out: %s: %s\n", file, status.LeftOut[file])
	}
	reports := []scheduleReport{}
	for _, w := range status.Workflows {
		for _, s := range w.Schedules {
			r := scheduleReport{Workflow: w.Name, File: w.File, Schedule: s.Schedule, Cron: s.Cron, Timezone: s.Timezone, Next: s.Next}
			if !s.Watermark.IsZero() {
				r.Settled = &s.Watermark
			}
			if s.Pause != nil {
				r.Pause = &journal.Pause{Reason: s.Pause.Reason, Until: s.Pause.Until}
			}
			reports = append(reports, r)
		}
	}
	return reports, err
}

// schedulesOfFiles returns the schedules of files, with their recorded states.
func schedulesOfFiles(ctx context.Context, env *setup.Environment, args []string, folder setup.DataFolder) ([]scheduleReport, source.Problems, error) {
	plans, broken, err := scheduled(env, args)
	if err != nil {
		return nil, nil, err
	}
	states, err := scheduleStates(ctx, env, folder)
	if err != nil {
		return nil, nil, err
	}
	reports := []scheduleReport{}
	for _, plan := range plans {
		for _, s := range plan.Workflow.Schedules {
			r := scheduleReport{
				Workflow: plan.Workflow.Name, File: plan.Workflow.File, Schedule: s.Key(),
				Cron: s.Spec.Cron(), Timezone: s.Spec.Zone().String(), Next: s.Spec.Next(time.Now()),
			}
			if state, ok := states[r.Workflow+"\x00"+r.Schedule]; ok {
				r.Pause = state.Pause
				if !state.Watermark.IsZero() {
					r.Settled = &state.Watermark
				}
			}
			reports = append(reports, r)
		}
	}
	return reports, broken, nil
}

// scheduleStates returns the recorded states of schedules, by workflow and schedule.
func scheduleStates(ctx context.Context, env *setup.Environment, folder setup.DataFolder) (map[string]journal.ScheduleState, error) {
	states := map[string]journal.ScheduleState{}
	j, err := env.FindRuns(folder)
	if err != nil || j == nil {
		return states, err
	}
	defer env.CloseRuns(j)
	list, err := j.Schedules(ctx)
	if err != nil {
		return nil, console.Exit(console.ExitFailed, err)
	}
	for _, s := range list {
		states[s.Workflow+"\x00"+s.Schedule] = s
	}
	return states, nil
}

func schedulesText(reports []scheduleReport, now time.Time) string {
	rows := [][]string{{"WORKFLOW", "SCHEDULE", "CRON", "NEXT", ""}}
	for _, r := range reports {
		note := ""
		if r.Pause.Active(now) {
			note = "paused"
			if !r.Pause.Until.IsZero() {
				note += " until " + r.Pause.Until.Format("2006-01-02 15:04 -07:00")
			}
			if r.Pause.Reason != "" {
				note += ": " + r.Pause.Reason
			}
		}
		rows = append(rows, []string{console.Printable(r.Workflow), r.Schedule, r.Cron + " " + r.Timezone, r.Next.Format("Mon 2006-01-02 15:04 -07:00"), console.Printable(note)})
	}
	widths, _ := console.ColumnWidths(rows)
	return console.Table(rows, widths, nil)
}
