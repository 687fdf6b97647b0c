package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/telemetry"
)

func look(run string) string { return "pdflow runs show " + run }

// lines returns the lines that a log writes about events, without the time.
func lines(events ...engine.Event) []string {
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
	failure := &engine.Failure{Kind: action.Unavailable, Step: "check", Message: "PagerDuty answered 503"}
	started := engine.Event{Kind: engine.RunStarted, Started: &engine.RunStart{Trigger: engine.Trigger{Kind: "schedule", ScheduledAt: &at}}}
	tests := map[string]struct {
		events []engine.Event
		want   []string
	}{
		"success": {
			[]engine.Event{started, attempt(engine.Success), {Kind: engine.RunFinished, Status: engine.Success}},
			[]string{
				`level=INFO msg="run started" workflow=nightly run=01RUN trigger=schedule scheduled_at=2026-03-29T09:00:00Z`,
				`level=INFO msg="run finished" workflow=nightly run=01RUN status=success took=2s`,
			},
		},
		"failure": {
			[]engine.Event{started, attempt(engine.Failed), {Kind: engine.RunFinished, Status: engine.Failed, Error: failure}},
			[]string{
				`level=INFO msg="run started" workflow=nightly run=01RUN trigger=schedule scheduled_at=2026-03-29T09:00:00Z`,
				`level=WARN msg="step failed" workflow=nightly run=01RUN step=check item=0 attempt=1 kind=timeout error="it took too long"`,
				`level=ERROR msg="run finished" workflow=nightly run=01RUN status=failure took=2s kind=unavailable error="PagerDuty answered 503" step=check look="pdflow runs show 01RUN"`,
			},
		},
		"goes on": {
			[]engine.Event{{Kind: engine.RunResumed}, {Kind: engine.RunFinished, Status: engine.TimedOut}},
			[]string{`level=INFO msg="run resumed" workflow=nightly run=01RUN`, `level=ERROR msg="run finished" workflow=nightly run=01RUN status=timed_out`},
		},
		"retried and cancelled": {
			[]engine.Event{{Kind: engine.RunRetried}, {Kind: engine.RunFinished, Status: engine.Cancelled}},
			[]string{`level=INFO msg="run retried" workflow=nightly run=01RUN`, `level=WARN msg="run finished" workflow=nightly run=01RUN status=cancelled`},
		},
		"suspended": {
			[]engine.Event{{Kind: engine.RunSuspended, Error: failure}},
			[]string{`level=ERROR msg="run needs attention" workflow=nightly run=01RUN kind=unavailable error="PagerDuty answered 503" step=check look="pdflow runs show 01RUN"`},
		},
		"needs attention": {
			[]engine.Event{{Kind: engine.RunFinished, Status: engine.NeedsAttention}},
			[]string{`level=ERROR msg="run needs attention" workflow=nightly run=01RUN status=needs_attention`},
		},
		"waits": {
			[]engine.Event{{Kind: engine.RunQueued, Reason: "busy"}},
			[]string{`level=INFO msg="run queued" workflow=nightly run=01RUN reason=busy`},
		},
		"paused":     {[]engine.Event{{Kind: engine.RunSkipped, Reason: "skipped: paused"}}, []string{`level=INFO msg="run skipped" workflow=nightly run=01RUN reason=paused why="skipped: paused"`}},
		"down":       {[]engine.Event{{Kind: engine.RunSkipped, Reason: "skipped: down"}}, []string{`level=WARN msg="run skipped" workflow=nightly run=01RUN reason=down why="skipped: down"`}},
		"cannot run": {[]engine.Event{{Kind: engine.RunSkipped, Reason: "skipped: it cannot run: x"}}, []string{`level=ERROR msg="run skipped" workflow=nightly run=01RUN reason=cannot_run why="skipped: it cannot run: x"`}},
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
	for _, o := range []engine.Observer{log.Run("nightly"), m.Run("nightly")} {
		observe(
			o,
			engine.Event{Kind: engine.RunStarted, Started: &engine.RunStart{Inputs: object, Previous: &engine.Previous{Outputs: object}}},
			engine.Event{Kind: engine.StepExpanded, Step: "check", Items: []any{value}},
			engine.Event{Kind: engine.CallStarted, Call: &engine.Call{Action: "a.b", Input: object, Key: value}},
			engine.Event{Kind: engine.CallReturned, Call: &engine.Call{Action: "a.b", Input: object, Output: object, Before: json.RawMessage(`"` + value + `"`)}},
			engine.Event{Kind: engine.Logged, Log: &action.LogRecord{Message: value}},
			engine.Event{Kind: engine.AttemptFinished, Outcome: &engine.Outcome{Status: engine.Success, Outputs: object}},
			engine.Event{Kind: engine.RunFinished, Status: engine.Success, Outputs: object},
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
