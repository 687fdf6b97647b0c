package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/telemetry"
)

func look(run string) string { return "pdflow runs show " + run }

// lines returns the lines that a log writes about events, without the time.
func lines(events ...run.Event) []string {
	var text bytes.Buffer
	handler := slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	observe(telemetry.NewLog(slog.New(handler), look).Run("nightly"), events...)
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// TestLines proves the lines of a run's events.
func TestLines(t *testing.T) {
	at := begin
	failure := &run.Failure{Kind: action.Unavailable, Step: "check", Message: "PagerDuty answered 503"}
	started := run.Event{Kind: run.EventStarted, Started: &run.Start{Trigger: run.Trigger{Kind: "schedule", ScheduledAt: &at}}}
	tests := map[string]struct {
		events []run.Event
		want   []string
	}{
		"success": {
			[]run.Event{started, attempt(run.Success), {Kind: run.EventFinished, Status: run.Success}},
			[]string{
				`level=INFO msg="run started" workflow=nightly run=01RUN trigger=schedule scheduled_at=2026-03-29T09:00:00Z`,
				`level=INFO msg="run finished" workflow=nightly run=01RUN status=success took=2s`,
			},
		},
		"failure": {
			[]run.Event{started, attempt(run.Failed), {Kind: run.EventFinished, Status: run.Failed, Error: failure}},
			[]string{
				`level=INFO msg="run started" workflow=nightly run=01RUN trigger=schedule scheduled_at=2026-03-29T09:00:00Z`,
				`level=WARN msg="step failed" workflow=nightly run=01RUN step=check item=0 attempt=1 kind=timeout error="it took too long"`,
				`level=ERROR msg="run finished" workflow=nightly run=01RUN status=failure took=2s kind=unavailable error="PagerDuty answered 503" step=check look="pdflow runs show 01RUN"`,
			},
		},
		"goes on": {
			[]run.Event{{Kind: run.EventResumed}, {Kind: run.EventFinished, Status: run.TimedOut}},
			[]string{`level=INFO msg="run resumed" workflow=nightly run=01RUN`, `level=ERROR msg="run finished" workflow=nightly run=01RUN status=timed_out`},
		},
		"retried and cancelled": {
			[]run.Event{{Kind: run.EventRetried}, {Kind: run.EventFinished, Status: run.Cancelled}},
			[]string{`level=INFO msg="run retried" workflow=nightly run=01RUN`, `level=WARN msg="run finished" workflow=nightly run=01RUN status=cancelled`},
		},
		"suspended": {
			[]run.Event{{Kind: run.EventSuspended, Error: failure}},
			[]string{`level=ERROR msg="run needs attention" workflow=nightly run=01RUN kind=unavailable error="PagerDuty answered 503" step=check look="pdflow runs show 01RUN"`},
		},
		"needs attention": {
			[]run.Event{{Kind: run.EventFinished, Status: run.NeedsAttention}},
			[]string{`level=ERROR msg="run needs attention" workflow=nightly run=01RUN status=needs_attention`},
		},
		"waits": {
			[]run.Event{{Kind: run.EventQueued, Reason: "busy"}},
			[]string{`level=INFO msg="run queued" workflow=nightly run=01RUN reason=busy`},
		},
		"paused":     {[]run.Event{{Kind: run.EventSkipped, Reason: "skipped: paused"}}, []string{`level=INFO msg="run skipped" workflow=nightly run=01RUN reason=paused why="skipped: paused"`}},
		"down":       {[]run.Event{{Kind: run.EventSkipped, Reason: "skipped: down"}}, []string{`level=WARN msg="run skipped" workflow=nightly run=01RUN reason=down why="skipped: down"`}},
		"cannot run": {[]run.Event{{Kind: run.EventSkipped, Reason: "skipped: it cannot run: x"}}, []string{`level=ERROR msg="run skipped" workflow=nightly run=01RUN reason=cannot_run why="skipped: it cannot run: x"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lines(test.events...)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoValueIsLogged proves that no line contains an input or an output. It fills every
// field of an event that can have one.
func TestNoValueIsLogged(t *testing.T) {
	const value = "ann@example.com"
	object := action.Object{"email": value}
	var text bytes.Buffer
	log := telemetry.NewLog(slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})), look)
	m := metrics("nightly")
	for _, o := range []run.Observer{log.Run("nightly"), m.Run("nightly")} {
		observe(
			o,
			run.Event{Kind: run.EventStarted, Started: &run.Start{Inputs: object, Previous: &run.Previous{Outputs: object}}},
			run.Event{Kind: run.EventStepExpanded, Step: "check", Items: []any{value}},
			run.Event{Kind: run.EventCallStarted, Call: &run.Call{Action: "a.b", Input: object, Key: value}},
			run.Event{Kind: run.EventCallReturned, Call: &run.Call{Action: "a.b", Input: object, Output: object, Before: json.RawMessage(`"` + value + `"`)}},
			run.Event{Kind: run.EventLogged, Log: &action.LogRecord{Message: value}},
			run.Event{Kind: run.EventAttemptFinished, Outcome: &run.Outcome{Status: run.Success, Outputs: object}},
			run.Event{Kind: run.EventFinished, Status: run.Success, Outputs: object},
		)
	}
	if got := text.String() + strings.Join(scrape(t, m), "\n"); strings.Contains(got, value) {
		t.Errorf("a line contains a value:\n%s", got)
	}
	for line := range strings.Lines(text.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if _, err := time.Parse(time.RFC3339, fields["time"].(string)); err != nil {
			t.Error(err)
		}
	}
}
