package runview

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// DecisionText returns the commands that continue a run that needs a person. If the outcome of a call is
// unknown, there is one for each decision.
func DecisionText(command string, f *run.Failure) string {
	if f == nil || f.Call == 0 {
		return fmt.Sprintf("  then: %s\n", command)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the outcome of the call #%d is unknown: look whether it was done, then type one of these:\n", f.Call)
	for _, choice := range []struct{ decision, meaning string }{
		{"done", "it was done"},
		{"repeat", "it was not done: send it"},
		{"fail", "let the call fail"},
	} {
		fmt.Fprintf(&b, "  %s --call %s  # %s\n", command, console.Pad(fmt.Sprintf("%d=%s", f.Call, choice.decision), len("=repeat")+len(fmt.Sprint(f.Call))), choice.meaning)
	}
	return b.String()
}

// ExitCode returns the exit code for the status of a run.
func ExitCode(c *console.Console, status run.Status) int {
	switch code := int(c.Signal.Load()); {
	case status == run.Success:
		return console.ExitDone
	case status == run.NeedsAttention:
		return console.ExitUnknown
	case status == run.Cancelled && code != 0:
		return code
	}
	return console.ExitFailed
}

// PrintResult prints the result of a run: the outputs as text, or a RunReport as JSON. With jsonl it
// prints nothing, because the last event has the result. Account is nil without --simulate.
func PrintResult(c *console.Console, result *run.Result, plan *workflow.Plan, account *simulator.Simulator, output string) error {
	switch output {
	case "jsonl":
		return nil
	case "json":
		return console.WriteJSON(c.Stdout, Report(result, account))
	}
	if account != nil {
		PrintSimulator(c, account)
	}
	switch {
	case result.Status == run.Skipped:
		fmt.Fprintf(c.Stderr, "– the run %s was %s\n", result.Run, result.Error.Message)
	case result.Error != nil:
		PrintFailure(c, result.Error)
	}
	_, err := io.WriteString(c.Stdout, OutputsText(result.Outputs, plan))
	return err
}

// OutputsText returns the outputs in the order of the file, with aligned names.
func OutputsText(outputs action.Object, plan *workflow.Plan) string {
	width := 0
	for _, o := range plan.Outputs {
		width = max(width, len(o.Name))
	}
	var b strings.Builder
	for _, o := range plan.Outputs {
		if v, ok := outputs[o.Name]; ok {
			fmt.Fprintf(&b, "%-*s  %s\n", width, o.Name, console.ValueText(v))
		}
	}
	return b.String()
}

// PrintFailure prints which step failed, why, where, and what to try.
func PrintFailure(c *console.Console, f *run.Failure) {
	lines := failureLines(f)
	lines[0] = c.Terminal.Style(console.StyleRed, "✗ "+lines[0])
	_, _ = io.WriteString(c.Stderr, strings.Join(lines, "\n  ")+"\n")
}

// failureLines returns a failure as lines: the step and the kind first, then the details.
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

// PrintSimulator prints the incidents and users of a simulated account.
func PrintSimulator(c *console.Console, s *simulator.Simulator) {
	var b strings.Builder
	incidents, users := s.Incidents(), s.Users()
	fmt.Fprintf(&b, "simulator: %s, %s, %s\n", console.Plural(len(incidents), "incident"), console.Plural(len(users), "user"), console.Plural(len(s.Requests()), "request"))
	for _, incident := range incidents {
		fmt.Fprintf(&b, "  %-13s %s  %s  %s\n", incident.Status, incident.ID, console.Printable(incident.Key), console.Printable(incident.Description))
	}
	for _, user := range users {
		fmt.Fprintf(&b, "  %-13s %s  %s  %s\n", "user", user.ID, user.Email, user.Name)
	}
	_, _ = io.WriteString(c.Stderr, b.String())
}

// A RunReport is the output of `run -o json`.
type RunReport struct {
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

// A stepReport is a step, or an item of a step, which has no id.
type stepReport struct {
	ID             string       `json:"id,omitempty"`
	Status         run.Status   `json:"status"`
	SkippedBecause string       `json:"skipped_because,omitempty"`
	Attempts       int          `json:"attempts"`
	Outputs        any          `json:"outputs"`
	Error          *run.Failure `json:"error"`
	DurationMS     int64        `json:"duration_ms"`
	Used           *run.Usage   `json:"used,omitempty"` // by the script of the last attempt
	// Items are the items of a for_each, in the order of its list.
	Items []stepReport `json:"items,omitzero"`
}

type simulatorReport struct {
	Incidents []account.IncidentView `json:"incidents"`
	Users     []account.User         `json:"users"`
	Requests  []api.Request          `json:"requests"`
}

// Report returns the report of a result. Simulated is the account; nil without --simulate.
func Report(result *run.Result, simulated *simulator.Simulator) RunReport {
	r := RunReport{
		Run: result.Run, Workflow: result.Workflow, Status: result.Status, Outputs: result.Outputs, Error: result.Error,
		StartedAt: result.StartedAt.UTC(), DurationMS: result.Duration.Milliseconds(), Steps: []stepReport{},
	}
	if r.Outputs == nil {
		r.Outputs = action.Object{}
	}
	for i := range result.Steps {
		r.Steps = append(r.Steps, reportStep(&result.Steps[i]))
	}
	if simulated != nil {
		// Empty lists are [], not null.
		r.Simulator = &simulatorReport{
			append([]account.IncidentView{}, simulated.Incidents()...),
			append([]account.User{}, simulated.Users()...),
			append([]api.Request{}, simulated.Requests()...),
		}
	}
	return r
}

func reportStep(s *run.StepResult) stepReport {
	r := stepReport{s.ID, s.Status, s.SkippedBecause, s.Attempts, s.Outputs, s.Error, milliseconds(s.StartedAt, s.EndedAt), s.Used, nil}
	for _, item := range s.Items {
		r.Items = append(r.Items, stepReport{"", item.Status, "", item.Attempts, item.Outputs, item.Error, milliseconds(item.StartedAt, item.EndedAt), item.Used, nil})
	}
	if s.Items != nil && r.Items == nil {
		r.Items = []stepReport{}
	}
	return r
}

// milliseconds returns how long something took; 0 if it has not ended.
func milliseconds(from, to time.Time) int64 {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return to.Sub(from).Milliseconds()
}
