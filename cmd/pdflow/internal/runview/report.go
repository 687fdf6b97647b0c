package runview

import (
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

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

type stepReport struct {
	ID             string       `json:"id"`
	Status         run.Status   `json:"status"`
	SkippedBecause string       `json:"skipped_because,omitempty"`
	Attempts       int          `json:"attempts"`
	Outputs        any          `json:"outputs"`
	Error          *run.Failure `json:"error"`
	DurationMS     int64        `json:"duration_ms"`
	Used           *run.Usage   `json:"used,omitempty"` // by the script of the last attempt
	// Items are the items of a for_each, in the order of its list.
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
	Incidents []account.IncidentView `json:"incidents"`
	Users     []account.User         `json:"users"`
	Requests  []api.Request          `json:"requests"`
}

// Report returns the report of a result. Account is the simulated account; nil without --simulate.
func Report(result *run.Result, account0 *simulator.Simulator) RunReport {
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
	if account0 != nil {
		// Empty lists are [], not null.
		r.Simulator = &simulatorReport{
			append([]account.IncidentView{}, account0.Incidents()...),
			append([]account.User{}, account0.Users()...),
			append([]api.Request{}, account0.Requests()...),
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

// milliseconds returns how long something took; 0 if it has not ended.
func milliseconds(from, to time.Time) int64 {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return to.Sub(from).Milliseconds()
}
