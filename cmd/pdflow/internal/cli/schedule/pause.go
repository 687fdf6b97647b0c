package schedule

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/spf13/cobra"
)

// pauseOptions are the flags of `schedule pause` and `schedule resume`.
type pauseOptions struct {
	folder   setup.DataFolder
	schedule string
	reason   string
	until    string
}

func pauseCommand(env *setup.Environment) *cobra.Command {
	var o pauseOptions
	c := &cobra.Command{
		Use:   "pause WORKFLOW",
		Short: "Pause schedules",
		Long: `Pause the schedules of a workflow until a time or until they are resumed. Times that are
due while a schedule is paused are recorded as skipped.`,
		Example: `  pdflow schedule pause port-check --reason "database release" --until 2h
  pdflow schedule pause report --schedule monthly`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pause, err := o.pause(time.Now())
			if err != nil {
				return err
			}
			pause.Actor = new(env.Actor())
			return setPause(c.Context(), env, args[0], o, pause)
		},
	}
	o.addFlags(c)
	c.Flags().StringVar(&o.reason, "reason", "", "why the schedules are paused")
	c.Flags().StringVar(&o.until, "until", "", "a time in RFC 3339, or a duration such as 2h (default until they are resumed)")
	return c
}

func (o *pauseOptions) addFlags(c *cobra.Command) {
	o.folder.AddFlag(c.Flags())
	c.Flags().StringVar(&o.schedule, "schedule", "", "only the schedule with this id (`pdflow schedule list` shows the ids)")
}

func (o *pauseOptions) pause(now time.Time) (*journal.Pause, error) {
	pause := &journal.Pause{Reason: o.reason, At: now.UTC()}
	if o.until == "" {
		return pause, nil
	}
	if d, err := action.DurationOf(o.until); err == nil && d > 0 {
		pause.Until = now.Add(d).UTC()
		return pause, nil
	}
	until, err := time.Parse(time.RFC3339, o.until)
	if err != nil || !until.After(now) {
		return nil, console.Usage("--until %q is not a time in the future; write 2h or 2026-03-29T06:00:00Z", o.until)
	}
	pause.Until = until.UTC()
	return pause, nil
}

func resumeCommand(env *setup.Environment) *cobra.Command {
	var o pauseOptions
	c := &cobra.Command{
		Use:     "resume WORKFLOW",
		Short:   "Resume paused schedules",
		Example: "  pdflow schedule resume port-check",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return setPause(c.Context(), env, args[0], o, nil) },
	}
	o.addFlags(c)
	return c
}

// setPause sets the pause of the schedules of a workflow; nil resumes them.
func setPause(ctx context.Context, env *setup.Environment, name string, o pauseOptions, pause *journal.Pause) error {
	schedule := control.ScheduleName{Workflow: name, Schedule: o.schedule}
	lives, err := daemon.Ask(env, o.folder, func(c *control.Client) error {
		if pause == nil {
			return c.ResumeSchedule(ctx, schedule)
		}
		return c.PauseSchedule(ctx, control.PauseRequest{ScheduleName: schedule, Reason: pause.Reason, Until: pause.Until})
	})
	if err == nil && !lives {
		err = setRecordedPause(ctx, env, name, o, pause)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s is %s\n", console.Printable(strings.TrimSpace(name+" "+o.schedule)), pauseText(pause))
	return err
}

// pauseText returns the state of a schedule for people.
func pauseText(pause *journal.Pause) string {
	switch {
	case pause == nil:
		return "not paused any more"
	case pause.Until.IsZero():
		return "paused until it is resumed"
	}
	return "paused until " + pause.Until.Format(time.RFC3339)
}

// setRecordedPause sets a pause in the journal when no daemon is running. Only schedules that a daemon has
// served can be paused, so that a mistyped name is noticed.
func setRecordedPause(ctx context.Context, env *setup.Environment, name string, o pauseOptions, pause *journal.Pause) error {
	j, err := env.FindRuns(o.folder)
	if err != nil {
		return err
	}
	if j == nil {
		return console.Usage("no daemon has served this data folder yet (give the same --data-dir as to `pdflow serve`)")
	}
	defer env.CloseRuns(j)
	states, err := j.Schedules(ctx)
	if err != nil {
		return console.Exit(console.ExitFailed, err)
	}
	var names []string
	found := false
	for _, s := range states {
		names = append(names, s.Workflow)
		if s.Workflow != name || o.schedule != "" && s.Schedule != o.schedule {
			continue
		}
		if err := j.PauseSchedule(ctx, s.Workflow, s.Schedule, setup.PauseToRecord(pause, s.Pause, time.Now())); err != nil {
			return console.Exit(console.ExitFailed, err)
		}
		found = true
	}
	if !found {
		return console.Usage("no daemon has served a schedule of the workflow %q with this data folder (%s)", name, cmp.Or(phrase.DidYouMean(name, names), "`pdflow schedule list DIR` lists the schedules of files"))
	}
	return nil
}
