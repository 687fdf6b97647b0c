package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A runReport is what `run -o json` prints.
type runReport struct {
	Run        string           `json:"run"`
	Workflow   string           `json:"workflow"`
	Status     run.Status       `json:"status"`
	Outputs    action.Object    `json:"outputs"`
	Error      *run.Failure     `json:"error"`
	StartedAt  time.Time        `json:"started_at"`
	DurationMS int64            `json:"duration_ms"`
	Steps      []stepReport     `json:"steps"`
	Simulator  *simulatorReport `json:"simulator,omitempty"`
}

type stepReport struct {
	ID             string       `json:"id"`
	Status         run.Status   `json:"status"`
	SkippedBecause string       `json:"skipped_because,omitempty"`
	Attempts       int          `json:"attempts"`
	Outputs        any          `json:"outputs"`
	Error          *run.Failure `json:"error"`
	DurationMS     int64        `json:"duration_ms"`
	Used           *run.Usage   `json:"used,omitempty"` // by the script of the last attempt
	// Items are the iterations of a for_each step, in the order of its list.
	Items []itemReport `json:"items,omitzero"`
}

type itemReport struct {
	Status     run.Status   `json:"status"`
	Attempts   int          `json:"attempts"`
	Outputs    any          `json:"outputs"`
	Error      *run.Failure `json:"error"`
	DurationMS int64        `json:"duration_ms"`
	Used       *run.Usage   `json:"used,omitempty"`
}

type simulatorReport struct {
	Incidents []simulator.Incident `json:"incidents"`
	Users     []simulator.User     `json:"users"`
	Requests  []simulator.Request  `json:"requests"`
}

// printResult prints the result of a run: its outputs as text, or one object.
func (x *execution) printResult(result *run.Result) error {
	p := x.program
	switch x.output {
	case "jsonl":
		return nil // the last event says it all
	case "json":
		return writeJSON(p.stdout, report(result, x.site))
	}
	if x.site.simulator != nil {
		p.printSimulator(x.site.simulator)
	}
	switch {
	case result.Status == run.Skipped:
		fmt.Fprintf(p.stderr, "– the run %s was %s\n", result.Run, result.Error.Message)
	case result.Error != nil:
		p.printFailure(result.Error)
	}
	_, err := io.WriteString(p.stdout, outputsText(result.Outputs, x.plan))
	return err
}

func report(result *run.Result, site *site) runReport {
	r := runReport{
		Run: result.Run, Workflow: result.Workflow, Status: result.Status, Outputs: result.Outputs, Error: result.Error,
		StartedAt: result.StartedAt.UTC(), DurationMS: result.Duration.Milliseconds(), Steps: []stepReport{},
	}
	if r.Outputs == nil {
		r.Outputs = action.Object{}
	}
	for i := range result.Steps {
		r.Steps = append(r.Steps, reportStep(&result.Steps[i]))
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

func reportStep(s *run.StepResult) stepReport {
	r := stepReport{s.ID, s.Status, s.SkippedBecause, s.Attempts, s.Outputs, s.Error, milliseconds(s.StartedAt, s.EndedAt), s.Used, nil}
	for _, item := range s.Items {
		r.Items = append(r.Items, itemReport{item.Status, item.Attempts, item.Outputs, item.Error, milliseconds(item.StartedAt, item.EndedAt), item.Used})
	}
	if s.Items != nil && r.Items == nil {
		r.Items = []itemReport{}
	}
	return r
}

// milliseconds is how long something took; what has not ended took nothing yet.
func milliseconds(from, to time.Time) int64 {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return to.Sub(from).Milliseconds()
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
func (p *program) printFailure(f *run.Failure) {
	lines := failureLines(f)
	lines[0] = p.terminal.style(styleRed, "✗ "+lines[0])
	_, _ = io.WriteString(p.stderr, strings.Join(lines, "\n  ")+"\n")
}

// failureLines are a failure for people: what failed first, then the details.
func failureLines(f *run.Failure) []string {
	where := fmt.Sprintf("step %q", f.Step)
	if f.Item > 0 {
		where += fmt.Sprintf(", item %d", f.Item)
	}
	lines := []string{where + ": " + string(f.Kind), f.Error()}
	if f.Step == "" {
		lines = []string{f.Error()}
	}
	if f.File != "" && f.Line > 0 {
		lines = append(lines, fmt.Sprintf("at %s:%d", f.File, f.Line))
	}
	if f.Hint != "" {
		lines = append(lines, "try: "+f.Hint)
	}
	return lines
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

// An eventStream prints every event as a line of JSON.
type eventStream struct{ to io.Writer }

// Observe prints one event.
func (s *eventStream) Observe(e run.Event) {
	if line, err := marshalLine(e); err == nil {
		_, _ = io.WriteString(s.to, line+"\n")
	}
}
