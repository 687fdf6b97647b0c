package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/health"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/heartbeat"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/telemetry"
	"github.com/pdflow/pdflow/engine/workflow"
)

// standstill is how old the scheduler's last look may be: three times the longest time
// that it rests.
const standstill = 90 * time.Second

// watched makes what others watch the daemon by, as the operator's configuration and
// --listen say. It refuses before anything begins what could not work.
func (d *Daemon) watched() error {
	if d.options.Listen != "" {
		var err error
		if d.listener, err = health.Listen(d.options.Listen); err != nil {
			return console.Exit(console.ExitUsage, err)
		}
	}
	configuration, err := d.Configuration()
	if err != nil || d.options.Simulate {
		return err // nothing of a simulation leaves this machine
	}
	if configuration.Alerts != nil {
		if d.sender, err = d.alertSender(configuration.Alerts.Connection.Text); err != nil {
			return console.Exit(console.ExitUsage, err)
		}
	}
	if h := configuration.Heartbeat; h != nil {
		d.heartbeat, err = heartbeat.New(heartbeat.Config{URL: h.URL, Every: h.Every, Watermark: d.scheduler.Watermark, Clock: d.clock, Log: d.log})
		if err != nil {
			return console.Usage("%s:%d:%d: %w", configuration.File, h.Position.Line, h.Position.Column, err)
		}
	}
	if configuration.Alerts == nil && configuration.Heartbeat == nil {
		d.log.Warn("nobody is told when runs fail or this daemon dies: set alerts and heartbeat in pdflow.yaml")
	}
	return nil
}

// alertSender sends the alerts over a connection of the configuration.
func (d *Daemon) alertSender(name string) (alert.Sender, error) {
	c, err := d.target.Connections.Get(name)
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	if c.Settings.ServiceKey == "" {
		return nil, fmt.Errorf("alerts: the connection %s has no service_key, which events need", c.Name)
	}
	return &eventSender{c.Client}, nil
}

// An eventSender opens and resolves incidents by events.
type eventSender struct{ client *pagerduty.Client }

// Trigger opens the incident of a key, or adds to it.
func (s *eventSender) Trigger(ctx context.Context, key, summary string, details map[string]string) error {
	shown := make(map[string]any, len(details))
	for name, text := range details {
		shown[name] = text
	}
	_, err := s.client.SendEvent(ctx, pagerduty.Event{Action: pagerduty.Trigger, IncidentKey: key, Description: summary, Client: "pdflow", Details: shown})
	return err
}

// Resolve ends the incident of a key.
func (s *eventSender) Resolve(ctx context.Context, key string) error {
	_, err := s.client.SendEvent(ctx, pagerduty.Event{Action: pagerduty.Resolve, IncidentKey: key, Description: "it is over"})
	return err
}

// openAlerts takes up the alerts of the daemon before.
func (d *Daemon) openAlerts() error {
	if d.sender == nil {
		return nil
	}
	alerts, err := alert.New(alert.Config{
		Sender: d.sender, Clock: d.clock, Log: d.log, File: filepath.Join(d.journal.Path, "alerts.json"), Command: d.look,
	})
	if err == nil {
		d.alerts.Store(alerts)
	}
	return err
}

// recallable is how long ago a run may have ended whose alert was cut off.
const recallable = 24 * time.Hour

// recall makes up for the alerts that the end of the daemon before may have cut off,
// between the end of a run and its alert.
func (d *Daemon) recall(ctx context.Context) {
	alerts := d.alerts.Load()
	if alerts == nil {
		return
	}
	since := d.clock.Now().Add(-recallable)
	failed := []engine.Status{engine.Failed, engine.TimedOut, engine.NeedsAttention}
	runs, err := d.journal.Runs(ctx, engine.RunQuery{Trigger: "schedule", Statuses: failed, Since: since})
	if err != nil {
		d.log.Error("runs that failed cannot be looked for", "error", err)
		return
	}
	seen := map[string]bool{}
	for _, run := range runs {
		if seen[run.Workflow] {
			continue
		}
		seen[run.Workflow] = true
		if plan, result := d.lastResult(ctx, run); result != nil {
			alerts.Recalled(plan, result)
		}
	}
}

// lastResult is what became of a run; nil when a later one of its workflow succeeded.
func (d *Daemon) lastResult(ctx context.Context, run engine.RunSummary) (*workflow.Plan, *engine.Result) {
	better, err := d.journal.Runs(ctx, engine.RunQuery{Workflow: run.Workflow, Since: run.BegunAt, Statuses: []engine.Status{engine.Success}, Limit: 1})
	if err != nil || len(better) > 0 {
		return nil, nil
	}
	plan, err := d.journal.Plan(ctx, run.Run, d.target)
	if err != nil {
		return nil, nil // of another version of pdflow
	}
	events, err := d.journal.Events(ctx, run.Run)
	if err != nil {
		return nil, nil
	}
	folded := engine.NewRun(plan)
	for _, e := range events {
		if _, err := folded.Apply(e); err != nil {
			return nil, nil
		}
	}
	return plan, folded.Result()
}

// missed tells that due instants did not run.
func (d *Daemon) missed(o engine.Occurrence, reason string, count int) {
	if alerts := d.alerts.Load(); alerts != nil {
		alerts.Missed(alert.Occurrence{
			Workflow: o.Workflow, Schedule: o.Schedule, Run: o.Run(), At: o.At, Count: count, Reason: telemetry.SkipReason(reason) + ": " + reason,
		})
	}
}

// answer serves /healthz, /readyz and /metrics until the context ends.
func (d *Daemon) answer(ctx context.Context, others *sync.WaitGroup) {
	if d.listener == nil {
		return
	}
	server := health.Server(health.Config{Readiness: d.readiness, Now: d.clock.Now, Metrics: d.metrics.Handler(), Log: d.log})
	d.log.Info("listening", "address", "http://"+d.listener.Addr().String())
	d.serveHTTP(ctx, others, server, d.listener)
}

// serveHTTP lets a server answer until the context ends.
func (d *Daemon) serveHTTP(ctx context.Context, others *sync.WaitGroup, server *http.Server, listener net.Listener) {
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	others.Go(func() {
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("nobody can ask any more", "address", listener.Addr().String(), "error", err)
		}
	})
}

func (d *Daemon) readiness() health.Readiness {
	return health.Readiness{Loaded: d.library != nil, Active: d.serving.Load(), Stopping: d.isStopping(), LastWake: d.scheduler.LastWake()}
}

// alive reports whether the scheduler's loop goes on, where it should.
func (d *Daemon) alive() bool {
	if !d.serving.Load() || d.isStopping() {
		return true
	}
	woke := d.scheduler.LastWake()
	return woke.IsZero() || d.clock.Now().Sub(woke) < standstill
}
