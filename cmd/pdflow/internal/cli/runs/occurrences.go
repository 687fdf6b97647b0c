package runs

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
)

// An occurrenceReport is an instant of a schedule in `runs list --schedule -o json`.
type occurrenceReport struct {
	summaryReport
	Schedule    string    `json:"schedule"`
	ScheduledAt time.Time `json:"scheduled_at"`
	Reason      string    `json:"reason,omitempty"` // why it was skipped
}

// printOccurrences prints what became of instants of schedules.
func printOccurrences(ctx context.Context, p *setup.Environment, j *setup.Journal, runs []engine.RunSummary, output string) error {
	reports := []occurrenceReport{}
	for i := range runs {
		events, err := j.Events(ctx, runs[i].Run)
		if err != nil {
			return console.Exit(console.ExitFailed, err)
		}
		reports = append(reports, reportOccurrence(&runs[i], events))
	}
	if output == "json" {
		return console.WriteJSON(p.Stdout, reports)
	}
	_, err := io.WriteString(p.Stdout, ledgerText(reports, p.Page))
	return err
}

// reportOccurrence finds the instant in the first event of a run. A record that is
// damaged has none.
func reportOccurrence(run *engine.RunSummary, events []engine.Event) occurrenceReport {
	r := occurrenceReport{summaryReport: reportSummary(run), ScheduledAt: run.BegunAt.UTC()}
	if len(events) == 0 || events[0].Started == nil {
		return r
	}
	trigger := events[0].Started.Trigger
	r.Schedule = trigger.Schedule
	if trigger.ScheduledAt != nil {
		r.ScheduledAt = trigger.ScheduledAt.UTC()
	}
	for i := range events {
		if events[i].Kind == engine.RunSkipped {
			r.Reason = strings.TrimPrefix(events[i].Reason, "skipped: ")
		}
	}
	return r
}

// ledgerText is a line for each instant. How late a run began is shown from a second
// on.
func ledgerText(reports []occurrenceReport, page console.Terminal) string {
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
		row[ledgerStatus] = page.Style(style, row[ledgerStatus])
	})
}

// ledgerStatus is the column of the status in a ledger.
const ledgerStatus = 3
