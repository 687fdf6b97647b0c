package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/control"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func (p *program) scheduleCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "schedule",
		Short: "Look at schedules, and pause them",
		Long: `Look at the schedules of workflows, pause them, and run one now. Nothing here
begins a run but run-now: ` + "`pdflow serve`" + ` does, in time.`,
	}
	c.AddCommand(p.scheduleNextCommand(), p.scheduleListCommand(), p.schedulePauseCommand(), p.scheduleResumeCommand(), p.scheduleRunNowCommand())
	return c
}

// scheduled returns the plans of files that have schedules.
func (p *program) scheduled(args []string) ([]*workflow.Plan, error) {
	files, err := workflowFiles(args)
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	site, err := checkingSite()
	if err != nil {
		return nil, err
	}
	var plans []*workflow.Plan
	for _, file := range files {
		plan, err := compileFile(file, site)
		if err != nil {
			return nil, err
		}
		if len(plan.Workflow.Schedules) > 0 {
			plans = append(plans, plan)
		}
	}
	if len(plans) == 0 {
		return nil, usageError("no schedule stands in %s (write schedule: \"0 9 * * MON-FRI\")", strings.Join(args, ", "))
	}
	return plans, nil
}

type nextOptions struct {
	from   string
	count  int
	days   int
	output string
}

// An upcoming instant is what `schedule next -o json` prints.
type upcoming struct {
	At       time.Time `json:"at"`
	Schedule int       `json:"schedule"` // its place in the file, from 0
	Note     string    `json:"note,omitempty"`
}

func (p *program) scheduleNextCommand() *cobra.Command {
	var o nextOptions
	c := &cobra.Command{
		Use:   "next FILE",
		Short: "Print when a workflow runs next",
		Long: `Print the next instants of a workflow's schedules, each in its zone, and what
changes of the clocks do to them. Nothing has to be running for that.`,
		Example: `  pdflow schedule next port-check.yaml
  pdflow schedule next report.yaml --from 2026-03-28T00:00:00Z --days 400 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.scheduleNext(args[0], o) },
	}
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "begin after this time, in RFC 3339 (default now)")
	f.IntVar(&o.count, "count", 5, "how many to print")
	f.IntVar(&o.days, "days", 0, "print all of so many days instead")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return c
}

func (p *program) scheduleNext(file string, o nextOptions) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	from := time.Now()
	if o.from != "" {
		var err error
		if from, err = time.Parse(time.RFC3339, o.from); err != nil {
			return usageError("--from %q is no time; write it like 2026-03-28T00:00:00Z", o.from)
		}
	}
	if o.count < 1 || o.days < 0 {
		return usageError("--count and --days are numbers above zero")
	}
	plans, err := p.scheduled([]string{file})
	if err != nil {
		return err
	}
	found := instants(plans[0].Workflow.Schedules, from, o)
	if o.output == "json" {
		return writeJSON(p.stdout, found)
	}
	var b strings.Builder
	for _, u := range found {
		s := plans[0].Workflow.Schedules[u.Schedule]
		line := fmt.Sprintf("%s  %s", u.At.Format("Mon 2006-01-02 15:04 -07:00"), s.Spec.Zone())
		if len(plans[0].Workflow.Schedules) > 1 {
			line += "  " + s.Key()
		}
		if u.Note != "" {
			line += "  " + u.Note
		}
		b.WriteString(line + "\n")
	}
	_, err = io.WriteString(p.stdout, b.String())
	return err
}

// instants are the next ones of several schedules, merged.
func instants(schedules []workflow.Schedule, from time.Time, o nextOptions) []upcoming {
	found := []upcoming{}
	next := make([]time.Time, len(schedules))
	for i, s := range schedules {
		next[i] = s.Spec.Next(from)
	}
	for o.days > 0 || len(found) < o.count {
		first := -1
		for i, at := range next {
			if !at.IsZero() && (first < 0 || at.Before(next[first])) {
				first = i
			}
		}
		if first < 0 || o.days > 0 && next[first].After(from.AddDate(0, 0, o.days)) {
			break
		}
		at := next[first]
		found = append(found, upcoming{at, first, schedules[first].Spec.Note(at)})
		next[first] = schedules[first].Spec.Next(at)
	}
	return found
}

func (p *program) scheduleRunNowCommand() *cobra.Command {
	var o runOptions
	var id string
	c := &cobra.Command{
		Use:   "run-now FILE|WORKFLOW",
		Short: "Run a workflow now, with the inputs of its schedule",
		Long: `Run a workflow now, as its schedule would: with the schedule's inputs. It is a
run of its own; the schedule's instants stay as they are.

A file runs here. Anything else is the name of a workflow that the daemon of the data
folder serves, which runs it; this prints the run's id and does not wait.`,
		Example: "  pdflow schedule run-now port-check.yaml\n  pdflow schedule run-now report.yaml --schedule monthly --simulate\n  pdflow schedule run-now port-check -i host=db2",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if info, err := os.Stat(args[0]); err != nil || info.IsDir() { // a folder may have the name of a workflow
				return p.runInDaemon(c.Context(), args[0], id, o)
			}
			inputs, err := p.scheduleInputs(args[0], id)
			if err != nil {
				return err
			}
			o.given = inputs
			return p.run(c.Context(), args[0], o)
		},
	}
	f := c.Flags()
	f.StringVar(&id, "schedule", "", "the id of the schedule (default the only one)")
	p.addRunFlags(f, &o)
	return c
}

// runInDaemon has the daemon run a workflow that it serves.
func (p *program) runInDaemon(ctx context.Context, name, schedule string, o runOptions) error {
	if o.simulate || o.dryRun || o.confirm || o.noJournal || o.connection != "" {
		return usageError("there is no file %s, and the daemon runs a workflow as its schedule does: leave the flags out but -i and --data-dir", name)
	}
	inputs, err := p.readInputs(&action.Schema{}, o.inputs, o.inputFile)
	if err != nil {
		return err
	}
	run := ""
	lives, err := p.askDaemon(o.folder, func(c *control.Client) (err error) {
		run, err = c.Start(ctx, control.StartRequest{Workflow: name, Schedule: schedule, Inputs: inputs})
		return err
	})
	switch {
	case err != nil:
		return err
	case !lives:
		return usageError("there is no file %s, and no daemon serves this data folder that could run a workflow of that name", name)
	}
	_, err = fmt.Fprintln(p.stdout, run)
	return err
}

// scheduleInputs are the inputs of a schedule of a file.
func (p *program) scheduleInputs(file, id string) (action.Object, error) {
	plans, err := p.scheduled([]string{file})
	if err != nil {
		return nil, err
	}
	s, err := scheduleOf(plans[0], id)
	return s.Inputs, err
}

// scheduleOf is the schedule of an id; without one, the only one that there is.
func scheduleOf(plan *workflow.Plan, id string) (workflow.Schedule, error) {
	schedules := plan.Workflow.Schedules
	var ids []string
	for _, s := range schedules {
		if s.Key() == id || id == "" && len(schedules) == 1 {
			return s, nil
		}
		ids = append(ids, s.Key())
	}
	if id == "" {
		return workflow.Schedule{}, usageError("%s has several schedules; say which with --schedule: %s", plan.Workflow.File, strings.Join(ids, ", "))
	}
	return workflow.Schedule{}, usageError("%s has no schedule %q (it has: %s)", plan.Workflow.File, id, strings.Join(ids, ", "))
}
