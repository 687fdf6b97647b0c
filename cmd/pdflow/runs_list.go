package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

type listOptions struct {
	folder   dataFolder
	workflow string
	statuses []string
	schedule bool
	limit    int
	output   string
}

func (p *program) runsListCommand() *cobra.Command {
	var o listOptions
	c := &cobra.Command{
		Use:   "list",
		Short: "List recorded runs, the newest first",
		Example: `  pdflow runs list
  pdflow runs list --status interrupted --status needs_attention
  pdflow runs list --workflow onboard-user --limit 100 -o json
  pdflow runs list --schedule --status skipped`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.runsList(c.Context(), o) },
	}
	f := c.Flags()
	o.folder.addFlag(f)
	f.StringVar(&o.workflow, "workflow", "", "only runs of this workflow")
	f.StringArrayVar(&o.statuses, "status", nil, "only runs of this status; may be repeated")
	f.BoolVar(&o.schedule, "schedule", false, "only what was due on schedules: when, and what became of it")
	f.IntVar(&o.limit, "limit", 20, "how many at most; 0 lists all")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return c
}

// runStatuses are the statuses that a run can have in a list.
var runStatuses = []run.Status{
	run.Queued, run.Running, run.Interrupted, run.NeedsAttention,
	run.Success, run.Failed, run.Cancelled, run.TimedOut, run.Skipped,
}

func (o listOptions) query() (journal.Query, error) {
	if o.limit < 0 {
		return journal.Query{}, usageError("--limit cannot be %d; 0 lists all", o.limit)
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
		if err := oneOf("status", status, names...); err != nil {
			return query, err
		}
		query.Statuses = append(query.Statuses, run.Status(status))
	}
	return query, nil
}

func (p *program) runsList(ctx context.Context, o listOptions) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	query, err := o.query()
	if err != nil {
		return err
	}
	j, err := p.openRecords(o.folder)
	if err != nil {
		return err
	}
	defer p.closeJournal(j)
	runs := []journal.Summary{}
	if j != nil {
		if runs, err = j.Runs(ctx, query); err != nil {
			return exit(exitFailed, err)
		}
	}
	switch {
	case o.schedule && j != nil && len(runs) > 0:
		return p.printLedger(ctx, j, runs, o.output)
	case o.output == "json":
		return writeJSON(p.stdout, summaryReports(runs))
	case len(runs) == 0:
		return p.printNoRuns(o)
	}
	_, err = io.WriteString(p.stdout, listText(runs, time.Now(), p.page))
	return err
}

// printNoRuns says that the list is empty, and why that may be.
func (p *program) printNoRuns(o listOptions) error {
	path, err := p.dataDir(o.folder)
	if err != nil {
		return exit(exitUsage, err)
	}
	text := fmt.Sprintf("no runs in %s yet: `pdflow run FILE` records one", path)
	if o.workflow != "" || len(o.statuses) > 0 || o.schedule {
		text = fmt.Sprintf("no such runs in %s: `pdflow runs list%s` lists all", path, o.folder.option())
	}
	_, err = io.WriteString(p.stderr, text+"\n")
	return err
}

// A summaryReport is a run in `runs list -o json`.
type summaryReport struct {
	Run        string     `json:"run"`
	Workflow   string     `json:"workflow"`
	Status     run.Status `json:"status"`
	Trigger    string     `json:"trigger"`
	Group      string     `json:"group,omitempty"`
	Live       bool       `json:"live"` // its process lives
	Simulated  bool       `json:"simulated"`
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at"`
	DurationMS *int64     `json:"duration_ms"`
	EventCount int        `json:"event_count"`
}

func summaryReports(runs []journal.Summary) []summaryReport {
	reports := []summaryReport{}
	for i := range runs {
		reports = append(reports, reportSummary(&runs[i]))
	}
	return reports
}

func reportSummary(run *journal.Summary) summaryReport {
	r := summaryReport{
		Run: run.Run, Workflow: run.Workflow, Status: run.Status, Trigger: run.Trigger, Group: run.Group, Live: run.Live,
		Simulated: run.Simulated, StartedAt: run.BegunAt.UTC(), EventCount: run.Events,
	}
	if !run.EndedAt.IsZero() {
		ended, duration := run.EndedAt.UTC(), run.EndedAt.Sub(run.BegunAt).Milliseconds()
		r.EndedAt, r.DurationMS = &ended, &duration
	}
	return r
}

// startedAt is how a list shows when something began.
const startedAt = "2006-01-02 15:04:05"

// The columns of a list.
const (
	workflowColumn = 1
	statusColumn   = 2
	agoColumn      = 4
)

// listText is a line for each run, in aligned columns. On a terminal that is too
// narrow, how long ago a run began is left out, and names are shortened.
func listText(runs []journal.Summary, now time.Time, page terminal) string {
	rows := [][]string{{"RUN", "WORKFLOW", "STATUS", "STARTED", "", "TOOK"}}
	for i := range runs {
		run := &runs[i]
		rows = append(rows, []string{
			run.Run, printable(run.Workflow), string(run.Status), run.BegunAt.Local().Format(startedAt), ago(now.Sub(run.BegunAt)), summaryTook(run, now),
		})
	}
	widths, whole := columnWidths(rows)
	if page.live && whole > page.columns()-1 {
		whole -= widths[agoColumn]
		widths[agoColumn] = 0
		widths[workflowColumn] = max(widths[workflowColumn]-max(whole-page.columns()+1, 0), 8)
	}
	return table(rows, widths, func(n int, row []string) {
		_, style := sign(runs[n].Status)
		row[statusColumn] = page.style(style, row[statusColumn])
	})
}

// table is rows in aligned columns, the headings first. Paint may style the cells of
// the others, which are padded by then; nil leaves them plain.
func table(rows [][]string, widths []int, paint func(n int, row []string)) string {
	var b strings.Builder
	for n, row := range rows {
		for i := range row {
			row[i] = pad(row[i], widths[i])
		}
		if n > 0 && paint != nil {
			paint(n-1, row)
		}
		b.WriteString(strings.TrimRight(strings.Join(row, "  "), " ") + "\n")
	}
	return b.String()
}

// columnWidths are those of the widest cells, and how wide a line is with two
// spaces between.
func columnWidths(rows [][]string) (widths []int, whole int) {
	widths = make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	whole = 2 * (len(widths) - 1)
	for _, width := range widths {
		whole += width
	}
	return widths, whole
}

// summaryTook is how long a run took, or has taken so far while it goes on.
func summaryTook(run *journal.Summary, now time.Time) string {
	switch {
	case !run.EndedAt.IsZero():
		return took(run.EndedAt.Sub(run.BegunAt))
	case run.Live:
		return took(now.Sub(run.BegunAt)) + " so far"
	}
	return "-"
}
