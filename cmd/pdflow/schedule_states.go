package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/control"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/spf13/cobra"
)

// A scheduleReport is what `schedule list -o json` prints of one schedule.
type scheduleReport struct {
	Workflow string         `json:"workflow"`
	File     string         `json:"file"`
	Schedule string         `json:"schedule"`
	Cron     string         `json:"cron"`
	Timezone string         `json:"timezone"`
	Next     time.Time      `json:"next"`
	Settled  *time.Time     `json:"settled_until"` // null before it was served first
	Pause    *journal.Pause `json:"pause"`
}

func (p *program) scheduleListCommand() *cobra.Command {
	var folder dataFolder
	var output string
	c := &cobra.Command{
		Use:   "list [FILE|DIR...]",
		Short: "List schedules: when each runs next, and whether it is paused",
		Long: `List the schedules of files and folders: when each runs next, and whether it is
paused. Without them, the schedules that the daemon of the data folder serves.`,
		Example: "  pdflow schedule list workflows\n  pdflow schedule list -o json",
		RunE:    func(c *cobra.Command, args []string) error { return p.scheduleList(c.Context(), args, folder, output) },
	}
	folder.addFlag(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

func (p *program) scheduleList(ctx context.Context, args []string, folder dataFolder, output string) error {
	if err := oneOf("output", output, "text", "json"); err != nil {
		return err
	}
	list := func() ([]scheduleReport, error) { return p.schedulesOfFiles(ctx, args, folder) }
	if len(args) == 0 {
		list = func() ([]scheduleReport, error) { return p.schedulesOfDaemon(ctx, folder) }
	}
	reports, err := list()
	if err != nil {
		return err
	}
	if output == "json" {
		return writeJSON(p.stdout, reports)
	}
	_, err = io.WriteString(p.stdout, schedulesText(reports, time.Now()))
	return err
}

// schedulesOfDaemon asks the daemon for what it serves.
func (p *program) schedulesOfDaemon(ctx context.Context, folder dataFolder) ([]scheduleReport, error) {
	var status control.Status
	lives, err := p.askDaemon(folder, func(c *control.Client) (err error) {
		status, err = c.Status(ctx)
		return err
	})
	if err == nil && !lives {
		err = usageError("no daemon serves this data folder: start one with `pdflow serve`, or give FILE or DIR")
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

// schedulesOfFiles reads files, and what the journal knows of their schedules.
func (p *program) schedulesOfFiles(ctx context.Context, args []string, folder dataFolder) ([]scheduleReport, error) {
	plans, err := p.scheduled(args)
	if err != nil {
		return nil, err
	}
	states, err := p.scheduleStates(ctx, folder)
	if err != nil {
		return nil, err
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
	return reports, nil
}

// scheduleStates reads the states from the journal, where there is one.
func (p *program) scheduleStates(ctx context.Context, folder dataFolder) (map[string]journal.ScheduleState, error) {
	states := map[string]journal.ScheduleState{}
	j, err := p.openRecords(folder)
	if err != nil || j == nil {
		return states, err
	}
	defer p.closeJournal(j)
	list, err := j.Schedules(ctx)
	if err != nil {
		return nil, exit(exitFailed, err)
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
		rows = append(rows, []string{printable(r.Workflow), r.Schedule, r.Cron + " " + r.Timezone, r.Next.Format("Mon 2006-01-02 15:04 -07:00"), printable(note)})
	}
	widths, _ := columnWidths(rows)
	return table(rows, widths, nil)
}

// pauseOptions name schedules, and say how long they are paused.
type pauseOptions struct {
	folder   dataFolder
	schedule string
	reason   string
	until    string
}

func (p *program) schedulePauseCommand() *cobra.Command {
	var o pauseOptions
	c := &cobra.Command{
		Use:   "pause WORKFLOW",
		Short: "Keep schedules from running",
		Long: `Keep the schedules of a workflow from running, until a time or until they are
resumed. What is due meanwhile is recorded as skipped.`,
		Example: `  pdflow schedule pause port-check --reason "database release" --until 2h
  pdflow schedule pause report --schedule monthly`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pause, err := o.pause(time.Now())
			if err != nil {
				return err
			}
			return p.setPause(c.Context(), args[0], o, pause)
		},
	}
	o.addFlags(c)
	c.Flags().StringVar(&o.reason, "reason", "", "why, for whoever sees it")
	c.Flags().StringVar(&o.until, "until", "", "a time in RFC 3339, or how long, such as 2h (default until it is resumed)")
	return c
}

func (o *pauseOptions) addFlags(c *cobra.Command) {
	o.folder.addFlag(c.Flags())
	c.Flags().StringVar(&o.schedule, "schedule", "", "only the schedule of this id (`pdflow schedule list` shows them)")
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
		return nil, usageError("--until %q is no time that comes; write 2h or 2026-03-29T06:00:00Z", o.until)
	}
	pause.Until = until.UTC()
	return pause, nil
}

func (p *program) scheduleResumeCommand() *cobra.Command {
	var o pauseOptions
	c := &cobra.Command{
		Use:     "resume WORKFLOW",
		Short:   "End a pause",
		Example: "  pdflow schedule resume port-check",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.setPause(c.Context(), args[0], o, nil) },
	}
	o.addFlags(c)
	return c
}

// setPause pauses or resumes the schedules of a workflow.
func (p *program) setPause(ctx context.Context, name string, o pauseOptions, pause *journal.Pause) error {
	schedule := control.ScheduleName{Workflow: name, Schedule: o.schedule}
	lives, err := p.askDaemon(o.folder, func(c *control.Client) error {
		if pause == nil {
			return c.ResumeSchedule(ctx, schedule)
		}
		return c.PauseSchedule(ctx, control.PauseRequest{ScheduleName: schedule, Reason: pause.Reason, Until: pause.Until})
	})
	if err == nil && !lives {
		err = p.setRecordedPause(ctx, name, o, pause)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is %s\n", printable(strings.TrimSpace(name+" "+o.schedule)), pauseText(pause))
	return err
}

// pauseText says what became of a schedule.
func pauseText(pause *journal.Pause) string {
	switch {
	case pause == nil:
		return "not paused any more"
	case pause.Until.IsZero():
		return "paused until it is resumed"
	}
	return "paused until " + pause.Until.Format(time.RFC3339)
}

// setRecordedPause sets a pause in the journal, where no daemon lives. What was never
// served has no state there, and a name that is mistyped should not get one.
func (p *program) setRecordedPause(ctx context.Context, name string, o pauseOptions, pause *journal.Pause) error {
	j, err := p.openRecords(o.folder)
	if err != nil {
		return err
	}
	if j == nil {
		return usageError("nothing was served with this data folder yet (give --data-dir as `pdflow serve` got it)")
	}
	defer p.closeJournal(j)
	states, err := j.Schedules(ctx)
	if err != nil {
		return exit(exitFailed, err)
	}
	var names []string
	found := false
	for _, s := range states {
		names = append(names, s.Workflow)
		if s.Workflow != name || o.schedule != "" && s.Schedule != o.schedule {
			continue
		}
		if err := j.PauseSchedule(ctx, s.Workflow, s.Schedule, orEnded(pause, s.Pause, time.Now())); err != nil {
			return exit(exitFailed, err)
		}
		found = true
	}
	if !found {
		return usageError("no schedule of the workflow %q was served with this data folder (%s)", name, orElse(action.DidYouMean(name, names), "`pdflow schedule list` shows those of files"))
	}
	return nil
}

// orEnded is the pause to keep. One that is ended stays as what it was: an instant that
// was due in it must not be caught up, when nothing has looked since.
func orEnded(pause, before *journal.Pause, now time.Time) *journal.Pause {
	if pause != nil || !before.Active(now) {
		return pause
	}
	ended := *before
	ended.Until = now.UTC()
	return &ended
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
