package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

func (p *program) runsLogsCommand() *cobra.Command {
	var folder dataFolder
	var output string
	c := &cobra.Command{
		Use:   "logs RUN",
		Short: "Print what the steps of a run logged",
		Example: `  pdflow runs logs last
  pdflow runs logs 01M838X2C49B -o jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.runsLogs(c.Context(), args[0], folder, output) },
	}
	folder.addFlag(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "text", "text or jsonl")
	return c
}

func (p *program) runsLogs(ctx context.Context, name string, folder dataFolder, output string) error {
	if err := oneOf("output", output, "text", "jsonl"); err != nil {
		return err
	}
	j, err := p.records(folder)
	if err != nil {
		return err
	}
	defer p.closeJournal(j)
	run, err := j.read(ctx, name)
	if err != nil {
		return err
	}
	text, err := logsText(run.events, output)
	if err != nil {
		return err
	}
	if text == "" {
		fmt.Fprintf(p.stderr, "the run %s logged nothing; `%s` shows what it did\n", run.Run, j.command("show", run.Run, nil))
	}
	_, err = io.WriteString(p.stdout, text)
	return err
}

// A logReport is a line of a log in `runs logs -o jsonl`.
type logReport struct {
	Time    string        `json:"time"`
	Step    string        `json:"step"`
	Item    int           `json:"item,omitempty"`
	Attempt int           `json:"attempt"`
	Level   string        `json:"level"`
	Message string        `json:"message"`
	Fields  action.Object `json:"fields,omitempty"`
}

func logsText(events []run.Event, output string) (string, error) {
	var b strings.Builder
	for _, e := range events {
		if e.Kind != run.EventLogged {
			continue
		}
		if output == "text" {
			b.WriteString(logText(e) + "\n")
			continue
		}
		const milliseconds = "2006-01-02T15:04:05.000Z07:00"
		line, err := marshalLine(logReport{e.Time.UTC().Format(milliseconds), e.Step, e.Item, e.Attempt, e.Log.Level, e.Log.Message, e.Log.Fields})
		if err != nil {
			return "", err
		}
		b.WriteString(line + "\n")
	}
	return b.String(), nil
}

// logText is a log line for people, with the local time.
func logText(e run.Event) string {
	return fmt.Sprintf("%s  %-5s  %s  %s", e.Time.Local().Format(startedAt+".000"), e.Log.Level, stepOf(e), loggedText(e.Log))
}

// stepOf names the step of an event, and the item where there is one.
func stepOf(e run.Event) string {
	if e.Item > 0 {
		return fmt.Sprintf("%s[%d]", e.Step, e.Item)
	}
	return e.Step
}

// loggedText is the message with its fields.
func loggedText(r *action.LogRecord) string {
	text := printable(r.Message)
	for _, name := range action.SortedNames(r.Fields) {
		text += fmt.Sprintf(" %s=%s", printable(name), printable(valueText(r.Fields[name])))
	}
	return text
}
