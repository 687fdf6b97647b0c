package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

type nextOptions struct {
	from   string
	count  int
	days   int
	output string
}

// An upcoming is a scheduled time in the output of `schedule next -o json`.
type upcoming struct {
	At       time.Time `json:"at"`
	Schedule int       `json:"schedule"` // its place in the file, from 0
	Note     string    `json:"note,omitempty"`
}

func nextCommand(env *setup.Environment) *cobra.Command {
	var o nextOptions
	c := &cobra.Command{
		Use:   "next FILE",
		Short: "Print when a workflow runs next",
		Long: `Print the next scheduled times of a workflow, each in its time zone, with a note where a
change of the clocks matters. No daemon is needed.`,
		Example: `  pdflow schedule next port-check.yaml
  pdflow schedule next report.yaml --from 2026-03-28T00:00:00Z --days 400 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return printNext(env, args[0], o) },
	}
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "print times after this time, in RFC 3339 (default now)")
	f.IntVar(&o.count, "count", 5, "how many to print")
	f.IntVar(&o.days, "days", 0, "print all times of this number of days instead")
	setup.AddOutput(c, &o.output, "text", "json")
	return c
}

func printNext(env *setup.Environment, file string, o nextOptions) error {
	from := time.Now()
	if o.from != "" {
		var err error
		if from, err = time.Parse(time.RFC3339, o.from); err != nil {
			return console.Usage("--from %q is not a time; write it like 2026-03-28T00:00:00Z", o.from)
		}
	}
	if o.count < 1 || o.days < 0 {
		return console.Usage("--count must be at least 1 and --days must not be negative")
	}
	plans, _, err := scheduled(env, []string{file})
	if err != nil {
		return err
	}
	found := upcomingTimes(plans[0].Workflow.Schedules, from, o)
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
	return env.Print(o.output, found, b.String())
}

// upcomingTimes returns the next times of several schedules, merged.
func upcomingTimes(schedules []workflow.Schedule, from time.Time, o nextOptions) []upcoming {
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
