// Package runs has the commands about runs: `pdflow run` and `pdflow runs`.
//
//   - run.go starts a run, or lists its writes instead, or asks before it sends them.
//   - execution.go is the work of this process on one run: progress, result, exit code.
//   - continue.go resumes, retries or cancels a recorded run, in this process or in the daemon.
//   - This file lists runs. The other files have the other commands of `pdflow runs`.
//
// All of them see recorded runs through setup.Runs only.
package runs

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

// Command returns `pdflow runs`.
func Command(env *setup.Environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "runs",
		Short: "List, show, resume and cancel recorded runs",
		Long: `List and show the runs of the journal, and resume the runs that have not ended. RUN is
the id of a run, the beginning of an id, or ` + "`last`" + `.`,
		Example: `  pdflow runs list
  pdflow runs show last
  pdflow runs resume --all   # every interrupted run`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return unknownCommand(c, args) },
	}
	c.AddCommand(
		listCommand(env), showCommand(env), logsCommand(env), resumeCommand(env), retryCommand(env),
		cancelCommand(env), verifyCommand(env), pruneCommand(env),
	)
	return c
}

// unknownCommand reports an unknown subcommand with a suggestion. Without arguments it prints the help.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	hint := cmp.Or(phrase.DidYouMean(args[0], names), "one of: "+strings.Join(names, ", "))
	return console.Usage("unknown command %q for %q (%s)", args[0], c.CommandPath(), hint)
}

// withRun calls a function with a recorded run, which must exist.
func withRun(ctx context.Context, env *setup.Environment, folder setup.DataFolder, name string, do func(*setup.Runs, *setup.RecordedRun) error) error {
	recorded, err := env.NeedRuns(folder)
	if err != nil {
		return err
	}
	defer env.CloseRuns(recorded)
	run, err := recorded.Get(ctx, name)
	if err != nil {
		return err
	}
	return do(recorded, run)
}

type listOptions struct {
	folder   setup.DataFolder
	workflow string
	statuses []string
	schedule bool
	limit    int
	output   string
}

func listCommand(env *setup.Environment) *cobra.Command {
	var o listOptions
	c := &cobra.Command{
		Use:   "list",
		Short: "List recorded runs, the newest first",
		Example: `  pdflow runs list
  pdflow runs list --status interrupted --status needs_attention
  pdflow runs list --workflow onboard-user --limit 100 -o json
  pdflow runs list --schedule --status skipped`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return listRuns(c.Context(), env, o) },
	}
	f := c.Flags()
	o.folder.AddFlag(f)
	f.StringVar(&o.workflow, "workflow", "", "only runs of this workflow")
	f.StringArrayVar(&o.statuses, "status", nil, "only runs of this status; may be repeated")
	f.BoolVar(&o.schedule, "schedule", false, "only runs of schedules: the scheduled time, and the run or why there is none")
	f.IntVar(&o.limit, "limit", 20, "how many at most; 0 lists all")
	setup.AddOutput(c, &o.output, "text", "json")
	return c
}

// runStatuses are the statuses of runs in a list.
var runStatuses = []run.Status{
	run.Queued, run.Running, run.Interrupted, run.NeedsAttention,
	run.Success, run.Failed, run.Cancelled, run.TimedOut, run.Skipped,
}

func listRuns(ctx context.Context, env *setup.Environment, o listOptions) error {
	if o.limit < 0 {
		return console.Usage("--limit cannot be %d; 0 lists all", o.limit)
	}
	query := journal.Query{Workflow: o.workflow, Limit: o.limit}
	names := make([]string, len(runStatuses))
	for i, status := range runStatuses {
		names[i] = string(status)
	}
	if o.schedule {
		query.Trigger = "schedule"
	}
	for _, status := range o.statuses {
		if err := console.OneOf("status", status, names...); err != nil {
			return err
		}
		query.Statuses = append(query.Statuses, run.Status(status))
	}
	recorded, err := env.FindRuns(o.folder)
	if err != nil {
		return err
	}
	defer env.CloseRuns(recorded)
	runs := []journal.Summary{}
	if recorded != nil {
		if runs, err = recorded.List(ctx, query); err != nil {
			return err
		}
	}
	switch {
	case o.schedule && len(runs) > 0:
		return printOccurrences(ctx, env, recorded, runs, o.output)
	case len(runs) == 0 && o.output == "text":
		return printNoRuns(env, o)
	}
	reports := []summaryReport{}
	for i := range runs {
		reports = append(reports, reportSummary(&runs[i]))
	}
	return env.Print(o.output, reports, listText(runs, time.Now(), env.Page))
}

// printNoRuns prints that the list is empty, and a command to type next.
func printNoRuns(env *setup.Environment, o listOptions) error {
	path, err := env.DataDir(o.folder)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("no runs in %s yet: `pdflow run FILE` records one", path)
	if o.workflow != "" || len(o.statuses) > 0 || o.schedule {
		text = fmt.Sprintf("no such runs in %s: `pdflow runs list%s` lists all", path, o.folder.Option())
	}
	_, err = io.WriteString(env.Stderr, text+"\n")
	return err
}

// A summaryReport is a run in `runs list -o json`.
type summaryReport struct {
	Run        string     `json:"run"`
	Workflow   string     `json:"workflow"`
	Status     run.Status `json:"status"`
	Trigger    string     `json:"trigger"`
	Group      string     `json:"group,omitempty"`
	Live       bool       `json:"live"` // a process works on it
	Simulated  bool       `json:"simulated"`
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at"`
	DurationMS *int64     `json:"duration_ms"`
	EventCount int        `json:"event_count"`
}

func reportSummary(summary *journal.Summary) summaryReport {
	r := summaryReport{
		Run: summary.Run, Workflow: summary.Workflow, Status: summary.Status, Trigger: summary.Trigger, Group: summary.Group, Live: summary.Live,
		Simulated: summary.Simulated, StartedAt: summary.StartedAt.UTC(), EventCount: summary.Events,
	}
	if !summary.EndedAt.IsZero() {
		ended, duration := summary.EndedAt.UTC(), summary.EndedAt.Sub(summary.StartedAt).Milliseconds()
		r.EndedAt, r.DurationMS = &ended, &duration
	}
	return r
}

// The columns of a list.
const (
	workflowColumn = 1
	statusColumn   = 2
	agoColumn      = 4
)

// listText returns a line for each run, in aligned columns. On a narrow terminal the column with how
// long ago a run started is left out, and the names of workflows are shortened.
func listText(runs []journal.Summary, now time.Time, page console.Terminal) string {
	rows := [][]string{{"RUN", "WORKFLOW", "STATUS", "STARTED", "", "TOOK"}}
	for i := range runs {
		summary := &runs[i]
		rows = append(rows, []string{
			summary.Run, console.Printable(summary.Workflow), statusText(summary), summary.StartedAt.Local().Format(console.DateTime), console.Ago(now.Sub(summary.StartedAt)), runview.SummaryTook(summary, now),
		})
	}
	widths, whole := console.ColumnWidths(rows)
	if page.Live && whole > page.Columns()-1 {
		whole -= widths[agoColumn]
		widths[agoColumn] = 0
		widths[workflowColumn] = max(widths[workflowColumn]-max(whole-page.Columns()+1, 0), 8)
	}
	return console.Table(rows, widths, func(n int, row []string) {
		_, style := runview.Sign(runs[n].Status)
		row[statusColumn] = page.Style(style, row[statusColumn])
	})
}

// statusText returns the status of a run, and whether it was simulated.
func statusText(summary *journal.Summary) string {
	if summary.Simulated {
		return string(summary.Status) + " (simulated)"
	}
	return string(summary.Status)
}

// An occurrenceReport is a scheduled time in `runs list --schedule -o json`.
type occurrenceReport struct {
	summaryReport
	Schedule    string    `json:"schedule"`
	ScheduledAt time.Time `json:"scheduled_at"`
	Reason      string    `json:"reason,omitempty"` // why no run started
}

// printOccurrences prints scheduled times with their runs.
func printOccurrences(ctx context.Context, env *setup.Environment, recorded *setup.Runs, runs []journal.Summary, output string) error {
	reports := []occurrenceReport{}
	for i := range runs {
		events, err := recorded.Events(ctx, runs[i].Run)
		if err != nil {
			return err
		}
		reports = append(reports, reportOccurrence(&runs[i], events))
	}
	return env.Print(output, reports, occurrencesText(reports, env.Page))
}

// reportOccurrence reads the scheduled time from the first event of a run. If that event is damaged,
// the scheduled time is when the run started.
func reportOccurrence(summary *journal.Summary, events []run.Event) occurrenceReport {
	r := occurrenceReport{summaryReport: reportSummary(summary), ScheduledAt: summary.StartedAt.UTC()}
	if len(events) == 0 || events[0].Started == nil {
		return r
	}
	trigger := events[0].Started.Trigger
	r.Schedule = trigger.Schedule
	if trigger.ScheduledAt != nil {
		r.ScheduledAt = trigger.ScheduledAt.UTC()
	}
	for i := range events {
		if events[i].Kind == run.EventSkipped {
			r.Reason = strings.TrimPrefix(events[i].Reason, "skipped: ")
		}
	}
	return r
}

// occurrencesText returns a line for each scheduled time. A delay of a second or more is shown.
func occurrencesText(reports []occurrenceReport, page console.Terminal) string {
	const status = 3 // column
	rows := [][]string{{"DUE", "WORKFLOW", "SCHEDULE", "STATUS", "RUN", ""}}
	for i := range reports {
		r := &reports[i]
		note := r.Reason
		if late := r.StartedAt.Sub(r.ScheduledAt).Round(time.Second); note == "" && late >= time.Second {
			note = fmt.Sprintf("%s late", console.Took(late))
		}
		rows = append(rows, []string{
			r.ScheduledAt.Local().Format(console.DateTime), console.Printable(r.Workflow), console.Printable(r.Schedule), string(r.Status), r.Run, console.Printable(note),
		})
	}
	widths, _ := console.ColumnWidths(rows)
	return console.Table(rows, widths, func(n int, row []string) {
		_, style := runview.Sign(reports[n].Status)
		row[status] = page.Style(style, row[status])
	})
}
