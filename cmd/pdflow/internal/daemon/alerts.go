package daemon

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/event"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/telemetry"
	"github.com/pdflow/pdflow/engine/workflow"
)

// recallWindow is how long ago a run may have ended for its missing alert to be sent.
const recallWindow = 24 * time.Hour

// alerting opens and resolves incidents about runs and files. Without a sender, and before open,
// its methods do nothing.
type alerting struct {
	*shared
	sender alert.Sender
	alerts atomic.Pointer[alert.Alerts]
}

// configure sends the alerts over a connection of the configuration.
func (a *alerting) configure(connection string) error {
	c, err := a.target.Connections.Get(connection)
	if err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	if c.Settings.ServiceKey == "" {
		return fmt.Errorf("alerts: the connection %s has no service_key, which alerts need", c.Name)
	}
	a.sender = &eventSender{c.Client}
	return nil
}

// An eventSender sends alert events.
type eventSender struct{ client *pagerduty.Client }

// Trigger opens the incident of a key, or adds to it.
func (s *eventSender) Trigger(ctx context.Context, key, summary string, details map[string]string) error {
	shown := make(map[string]any, len(details))
	for name, text := range details {
		shown[name] = text
	}
	_, err := s.client.SendEvent(ctx, event.Alert{Action: event.Trigger, IncidentKey: key, Description: summary, Client: "pdflow", Details: shown})
	return err
}

// Resolve resolves the incident of a key.
func (s *eventSender) Resolve(ctx context.Context, key string) error {
	_, err := s.client.SendEvent(ctx, event.Alert{Action: event.Resolve, IncidentKey: key, Description: "resolved"})
	return err
}

// open reads the open alerts of the daemon before this one.
func (a *alerting) open() error {
	if a.sender == nil {
		return nil
	}
	alerts, err := alert.New(alert.Config{
		Sender: a.sender, Clock: a.clock, Log: a.log, File: filepath.Join(a.journal.Path, "alerts.json"), Command: a.showCommand,
		Redact: a.env.Redactor.Redact,
	})
	if err == nil {
		a.alerts.Store(alerts)
	}
	return err
}

// Run sends alerts until the context ends.
func (a *alerting) Run(ctx context.Context) { a.do(func(alerts *alert.Alerts) { alerts.Run(ctx) }) }

// do calls a function with the alerts, if there are any.
func (a *alerting) do(f func(*alert.Alerts)) {
	if alerts := a.alerts.Load(); alerts != nil {
		f(alerts)
	}
}

// recall sends the alerts that the daemon before this one may not have sent, because it ended
// between the end of a run and its alert.
func (a *alerting) recall(ctx context.Context) {
	alerts := a.alerts.Load()
	if alerts == nil {
		return
	}
	since := a.clock.Now().Add(-recallWindow)
	failed := []run.Status{run.Failed, run.TimedOut, run.NeedsAttention}
	found, err := a.journal.List(ctx, journal.Query{Trigger: "schedule", Statuses: failed, Since: since})
	if err != nil {
		a.log.Error("the runs that failed cannot be listed", "error", err)
		return
	}
	seen := map[string]bool{}
	for _, summary := range found {
		if summary.Simulated || seen[summary.Workflow] {
			continue
		}
		seen[summary.Workflow] = true
		if plan, result := a.lastResult(ctx, summary); result != nil {
			alerts.Recalled(plan, result)
		}
	}
}

// lastResult returns the result of a run. The result is nil if a later run of the workflow
// succeeded, or if this version of pdflow cannot read the run. What is later follows from the order of
// the journal: the clock may have been wrong when one of the runs started.
func (a *alerting) lastResult(ctx context.Context, r journal.Summary) (*workflow.Plan, *run.Result) {
	better, err := a.journal.List(ctx, journal.Query{Workflow: r.Workflow, After: r.Run, Statuses: []run.Status{run.Success}})
	if err != nil || slices.ContainsFunc(better, func(s journal.Summary) bool { return !s.Simulated }) {
		return nil, nil
	}
	plan, err := a.journal.Plan(ctx, r.Run, a.target)
	if err != nil {
		return nil, nil
	}
	events, err := a.journal.Events(ctx, r.Run)
	if err != nil {
		return nil, nil
	}
	folded := run.New(plan)
	for _, e := range events {
		if _, err := folded.Apply(e); err != nil {
			return nil, nil
		}
	}
	return plan, folded.Result()
}

// ended sends the alert that the result of a run asks for, and resolves those that it ends.
func (a *alerting) ended(plan *workflow.Plan, result *run.Result) {
	a.do(func(alerts *alert.Alerts) {
		if result.Status != run.Skipped {
			alerts.Ended(plan, result)
			return
		}
		reason := result.Error.Message
		alerts.Missed(alert.Occurrence{
			Workflow: result.Workflow, Run: result.Run, At: a.clock.Now(), Reason: telemetry.SkipReason(reason) + ": " + reason,
		})
	})
}

// missed reports scheduled times for which no run started.
func (a *alerting) missed(o run.Occurrence, reason string, count int) {
	a.do(func(alerts *alert.Alerts) {
		alerts.Missed(alert.Occurrence{
			Workflow: o.Workflow, Schedule: o.Schedule, Run: o.RunID(), At: o.At, Count: count, Reason: telemetry.SkipReason(reason) + ": " + reason,
		})
	})
}

// stuck logs and reports a run that cannot be resumed until a person acts.
func (a *alerting) stuck(workflow, id string, problem error) {
	a.log.Error("the run cannot be resumed", "run", id, "workflow", workflow, "error", problem)
	a.do(func(alerts *alert.Alerts) { alerts.Stuck(workflow, id, problem.Error()) })
}
