package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// An occurrenceReport is an instant of a schedule in `runs list --schedule -o json`.
type occurrenceReport struct {
	summaryReport
	Schedule    string    `json:"schedule"`
	ScheduledAt time.Time `json:"scheduled_at"`
	Reason      string    `json:"reason,omitempty"` // why it was skipped
}

// printLedger prints what became of instants of schedules.
func (p *program) printLedger(ctx context.Context, j *journalFolder, runs []journal.Summary, output string) error {
	reports := []occurrenceReport{}
	for i := range runs {
		events, err := j.Events(ctx, runs[i].Run)
		if err != nil {
			return exit(exitFailed, err)
		}
		reports = append(reports, reportOccurrence(&runs[i], events))
	}
	if output == "json" {
		return writeJSON(p.stdout, reports)
	}
	_, err := io.WriteString(p.stdout, ledgerText(reports, p.page))
	return err
}

// reportOccurrence finds the instant in the first event of a run. A record that is
// damaged has none.
func reportOccurrence(r0 *journal.Summary, events []run.Event) occurrenceReport {
	r := occurrenceReport{summaryReport: reportSummary(r0), ScheduledAt: r0.BegunAt.UTC()}
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

// ledgerText is a line for each instant. How late a run began is shown from a second
// on.
func ledgerText(reports []occurrenceReport, page terminal) string {
	rows := [][]string{{"DUE", "WORKFLOW", "SCHEDULE", "STATUS", "RUN", ""}}
	for i := range reports {
		r := &reports[i]
		note := r.Reason
		if late := r.StartedAt.Sub(r.ScheduledAt).Round(time.Second); note == "" && late >= time.Second {
			note = fmt.Sprintf("%s late", took(late))
		}
		rows = append(rows, []string{
			r.ScheduledAt.Local().Format(startedAt), printable(r.Workflow), printable(r.Schedule), string(r.Status), r.Run, printable(note),
		})
	}
	widths, _ := columnWidths(rows)
	return table(rows, widths, func(n int, row []string) {
		_, style := sign(reports[n].Status)
		row[ledgerStatus] = page.style(style, row[ledgerStatus])
	})
}

// ledgerStatus is the column of the status in a ledger.
const ledgerStatus = 3
