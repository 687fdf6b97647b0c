package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A runReport is what `run -o json` prints.
type runReport struct {
	Run        string           `json:"run"`
	Workflow   string           `json:"workflow"`
	Status     engine.Status    `json:"status"`
	Outputs    action.Object    `json:"outputs"`
	Error      *engine.Failure  `json:"error"`
	StartedAt  time.Time        `json:"started_at"`
	DurationMS int64            `json:"duration_ms"`
	Steps      []stepReport     `json:"steps"`
	Simulator  *simulatorReport `json:"simulator,omitempty"`
}

type stepReport struct {
	ID             string          `json:"id"`
	Status         engine.Status   `json:"status"`
	SkippedBecause string          `json:"skipped_because,omitempty"`
	Attempts       int             `json:"attempts"`
	Outputs        any             `json:"outputs"`
	Error          *engine.Failure `json:"error"`
	DurationMS     int64           `json:"duration_ms"`
}

type simulatorReport struct {
	Incidents []simulator.Incident `json:"incidents"`
	Users     []simulator.User     `json:"users"`
	Requests  []simulator.Request  `json:"requests"`
}

// printResult prints the result of a run: its outputs as text, or one object.
func (p *program) printResult(result *engine.Result, plan *workflow.Plan, site *site, format string) error {
	switch format {
	case "jsonl":
		return nil // the last event says it all
	case "json":
		return writeJSON(p.stdout, report(result, site))
	}
	if site.simulator != nil {
		p.printSimulator(site.simulator)
	}
	if result.Error != nil {
		p.printFailure(result)
	}
	_, err := io.WriteString(p.stdout, outputsText(result.Outputs, plan))
	return err
}

func report(result *engine.Result, site *site) runReport {
	r := runReport{
		Run: result.Run, Workflow: result.Workflow, Status: result.Status, Outputs: result.Outputs, Error: result.Error,
		StartedAt: result.StartedAt.UTC(), DurationMS: result.Duration.Milliseconds(), Steps: []stepReport{},
	}
	if r.Outputs == nil {
		r.Outputs = action.Object{}
	}
	for _, s := range result.Steps {
		r.Steps = append(r.Steps, stepReport{s.ID, s.Status, s.SkippedBecause, s.Attempts, s.Outputs, s.Error, s.EndedAt.Sub(s.StartedAt).Milliseconds()})
	}
	if site.simulator != nil {
		// Empty lists are [], not null.
		r.Simulator = &simulatorReport{
			append([]simulator.Incident{}, site.simulator.Incidents()...),
			append([]simulator.User{}, site.simulator.Users()...),
			append([]simulator.Request{}, site.simulator.Requests()...),
		}
	}
	return r
}

// writeJSON writes a value as one indented document, in a single write.
func writeJSON(to io.Writer, v any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// outputsText lists outputs in the order of the file, names aligned.
func outputsText(outputs action.Object, plan *workflow.Plan) string {
	width := 0
	for _, o := range plan.Outputs {
		width = max(width, len(o.Name))
	}
	var b strings.Builder
	for _, o := range plan.Outputs {
		if v, ok := outputs[o.Name]; ok {
			fmt.Fprintf(&b, "%-*s  %s\n", width, o.Name, valueText(v))
		}
	}
	return b.String()
}

// valueText writes text as it is and everything else as JSON.
func valueText(v any) string {
	if s, ok := v.(string); ok && !strings.ContainsAny(s, "\n\r") {
		return s
	}
	text, err := marshalLine(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return text
}

func marshalLine(v any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// printFailure says which step failed, where, why, and what to try.
func (p *program) printFailure(result *engine.Result) {
	f := result.Error
	var b strings.Builder
	if f.Step == "" {
		fmt.Fprintf(&b, "%s\n", p.terminal.style(styleRed, "✗ "+f.Error()))
	} else {
		fmt.Fprintf(&b, "%s\n  %s\n", p.terminal.style(styleRed, fmt.Sprintf("✗ step %q: %s", f.Step, f.Kind)), f.Error())
	}
	if f.File != "" && f.Line > 0 {
		fmt.Fprintf(&b, "  at %s:%d\n", f.File, f.Line)
	}
	if f.Hint != "" {
		fmt.Fprintf(&b, "  try: %s\n", f.Hint)
	}
	_, _ = io.WriteString(p.stderr, b.String())
}

// printSimulator shows what the simulator holds after a run.
func (p *program) printSimulator(s *localSimulator) {
	var b strings.Builder
	incidents, users := s.Incidents(), s.Users()
	fmt.Fprintf(&b, "simulator: %s, %s, %s\n", plural(len(incidents), "incident"), plural(len(users), "user"), plural(len(s.Requests()), "request"))
	for _, incident := range incidents {
		fmt.Fprintf(&b, "  %-13s %s  %s  %s\n", incident.Status, incident.ID, incident.Key, incident.Description)
	}
	for _, user := range users {
		fmt.Fprintf(&b, "  %-13s %s  %s  %s\n", "user", user.ID, user.Email, user.Name)
	}
	_, _ = io.WriteString(p.stderr, b.String())
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// An eventStream prints every event as a line of JSON.
type eventStream struct{ to io.Writer }

// Observe prints one event.
func (s *eventStream) Observe(e engine.Event) {
	if line, err := marshalLine(e); err == nil {
		_, _ = io.WriteString(s.to, line+"\n")
	}
}
