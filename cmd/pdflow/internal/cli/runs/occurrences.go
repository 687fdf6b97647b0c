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
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

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
	if output == "json" {
		return console.WriteJSON(env.Stdout, reports)
	}
	_, err := io.WriteString(env.Stdout, occurrencesText(reports, env.Page))
	return err
}

// reportOccurrence reads the scheduled time from the first event of a run. If that event is damaged,
// the scheduled time is when the run started.
func reportOccurrence(r0 *journal.Summary, events []run.Event) occurrenceReport {
	r := occurrenceReport{summaryReport: reportSummary(r0), ScheduledAt: r0.StartedAt.UTC()}
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
