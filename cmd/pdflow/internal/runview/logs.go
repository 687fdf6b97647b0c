package runview

import (
	"fmt"
	"io"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
)

// Logs is an observer that prints the log lines of a run.
type Logs struct{ To io.Writer }

// Observe prints the event if it is a log line.
func (l *Logs) Observe(e run.Event) {
	if e.Kind == run.EventLogged {
		_, _ = io.WriteString(l.To, e.Log.Level+": "+console.Printable(e.Log.Message)+"\n")
	}
}

// An EventStream is an observer that prints every event as a line of JSON.
type EventStream struct{ To io.Writer }

// Observe prints one event.
func (s *EventStream) Observe(e run.Event) {
	if line, err := console.MarshalLine(e); err == nil {
		_, _ = io.WriteString(s.To, line+"\n")
	}
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

// LogsText returns the log lines among events, as text or as jsonl.
func LogsText(events []run.Event, output string) (string, error) {
	var b strings.Builder
	for _, e := range events {
		if e.Kind != run.EventLogged {
			continue
		}
		if output == "text" {
			fmt.Fprintf(&b, "%s  %-5s  %s  %s\n", e.Time.Local().Format(console.DateTime+".000"), e.Log.Level, stepOf(e), loggedText(e.Log))
			continue
		}
		const milliseconds = "2006-01-02T15:04:05.000Z07:00"
		line, err := console.MarshalLine(logReport{e.Time.UTC().Format(milliseconds), e.Step, e.Item, e.Attempt, e.Log.Level, e.Log.Message, e.Log.Fields})
		if err != nil {
			return "", err
		}
		b.WriteString(line + "\n")
	}
	return b.String(), nil
}

// stepOf returns the step of an event, with the number of the item if there is one.
func stepOf(e run.Event) string {
	if e.Item > 0 {
		return fmt.Sprintf("%s[%d]", e.Step, e.Item)
	}
	return e.Step
}

// loggedText returns a message with its fields.
func loggedText(r *action.LogRecord) string {
	text := console.Printable(r.Message)
	for _, name := range phrase.Names(r.Fields) {
		text += fmt.Sprintf(" %s=%s", console.Printable(name), console.Printable(console.ValueText(r.Fields[name])))
	}
	return text
}
