package telemetry_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/telemetry"
)

var begin = time.Date(2026, 3, 29, 9, 0, 0, 0, time.UTC)

// scrape returns pdflow's series that are not zero, without the buckets that follow from
// other series.
func scrape(t *testing.T, m *telemetry.Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("got %d, want 200:\n%s", w.Code, w.Body)
	}
	var series []string
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "pdflow_") && !strings.Contains(line, "_bucket") && !strings.HasPrefix(line, "pdflow_build_info") && !strings.HasSuffix(line, " 0") {
			series = append(series, strings.TrimPrefix(line, "pdflow_"))
		}
	}
	return series
}

func metrics(workflows ...string) *telemetry.Metrics {
	m := telemetry.NewMetrics(telemetry.Config{Version: "1.2.3"})
	m.Load(workflows, 0)
	return m
}

// observe passes events to an observer, one second apart.
func observe(o run.Observer, events ...run.Event) {
	for i, e := range events {
		e.Run, e.Sequence, e.Time = "01RUN", i+1, begin.Add(time.Duration(i)*time.Second)
		o.Observe(e)
	}
}

func attempt(status run.Status) run.Event {
	o := &run.Outcome{Status: status}
	if status == run.Failed {
		o.Error = &run.Failure{Kind: action.Timeout, Message: "it took too long"}
	}
	return run.Event{Kind: run.EventAttemptFinished, Step: "check", Attempt: 1, Outcome: o}
}

func call(name string, kind action.Kind, again bool) run.Event {
	c := &run.Call{Number: 1, Action: name, Again: again}
	if kind != "" {
		c.Error = &run.Failure{Kind: kind}
	}
	return run.Event{Kind: run.EventCallReturned, Call: c}
}

func TestRun(t *testing.T) {
	started, finished := run.Event{Kind: run.EventStarted}, run.Event{Kind: run.EventFinished, Status: run.Success}
	tests := map[string]struct {
		events []run.Event
		want   []string
	}{
		"success": {
			[]run.Event{started, call("http.get", "", false), attempt(run.Success), finished},
			[]string{
				`calls_total{action="http.get",kind="none"} 1`, `run_duration_seconds_sum{workflow="nightly"} 3`, `run_duration_seconds_count{workflow="nightly"} 1`,
				`runs_total{status="success",workflow="nightly"} 1`, `step_attempts_total{status="success",workflow="nightly"} 1`, `workflows 1`,
			},
		},
		"failure after a retry": {
			[]run.Event{
				started, call("http.get", action.Timeout, false), attempt(run.Failed), call("http.get", "", false), call("pagerduty.send_trigger_event", "", true),
				attempt(run.Failed),
				{Kind: run.EventFinished, Status: run.Failed},
			},
			[]string{
				`calls_total{action="http.get",kind="none"} 1`, `calls_total{action="http.get",kind="timeout"} 1`,
				`run_duration_seconds_sum{workflow="nightly"} 6`, `run_duration_seconds_count{workflow="nightly"} 1`,
				`runs_total{status="failure",workflow="nightly"} 1`, `step_attempts_total{status="failure",workflow="nightly"} 2`, `workflows 1`,
			},
		},
		"resumed": {
			[]run.Event{{Kind: run.EventResumed}, finished},
			[]string{`runs_total{status="success",workflow="nightly"} 1`, `workflows 1`},
		},
		"suspended": {
			[]run.Event{{Kind: run.EventResumed}, {Kind: run.EventSuspended}},
			[]string{`runs_total{status="suspended",workflow="nightly"} 1`, `workflows 1`},
		},
		"overlap": {
			[]run.Event{{Kind: run.EventSkipped, Reason: `skipped: the concurrency group "nightly" is busy with 01OTHER`}},
			[]string{`skipped_total{reason="overlap",workflow="nightly"} 1`, `workflows 1`},
		},
		// The scheduler has counted the scheduled times already.
		"down": {
			[]run.Event{{Kind: run.EventSkipped, Reason: "skipped: down: 12 occurrences"}},
			[]string{`workflows 1`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := metrics("nightly")
			observe(m.Run("nightly"), test.events...)
			if diff := cmp.Diff(test.want, scrape(t, m)); diff != "" {
				t.Errorf("series (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecided(t *testing.T) {
	m := metrics("nightly")
	m.Decided("nightly", "", 1, 250*time.Millisecond)
	m.Decided("nightly", "", 1, -time.Hour) // the clock was set back
	m.Decided("nightly", "window: 12 occurrences from a to b", 12, time.Hour)
	m.Decided("nightly", "paused", 0, 0)
	want := []string{
		`scheduler_lag_seconds_sum 0.25`, `scheduler_lag_seconds_count 2`,
		`skipped_total{reason="paused",workflow="nightly"} 1`, `skipped_total{reason="window",workflow="nightly"} 12`, `workflows 1`,
	}
	if diff := cmp.Diff(want, scrape(t, m)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestAsked(t *testing.T) {
	wake := time.Time{}
	m := telemetry.NewMetrics(telemetry.Config{InFlight: func() int { return 3 }, LastWake: func() time.Time { return wake }})
	if diff := cmp.Diff([]string{`runs_in_flight 3`}, scrape(t, m)); diff != "" {
		t.Errorf("series before the first look (-want +got):\n%s", diff)
	}
	wake = begin.Add(500 * time.Millisecond)
	if want, got := fmt.Sprintf("scheduler_last_wake_timestamp_seconds %.10g", float64(wake.UnixMilli())/1000), scrape(t, m); len(got) != 2 || !sameNumber(want, got[1]) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// sameNumber compares series whose numbers may be written differently.
func sameNumber(a, b string) bool {
	var name, other string
	var x, y float64
	fmt.Sscan(a, &name, &x)
	fmt.Sscan(b, &other, &y)
	return name == other && x-y < 1 && y-x < 1
}

// TestSeriesAreBounded proves that only loaded workflows have series of their own.
func TestSeriesAreBounded(t *testing.T) {
	m := metrics("nightly", "hourly")
	finished := run.Event{Kind: run.EventFinished, Status: run.Success}
	for i := range 1000 {
		observe(m.Run(fmt.Sprintf("someone's %d", i)), finished)
	}
	hourly := m.Run("hourly")
	observe(hourly, run.Event{Kind: run.EventStarted}, attempt(run.Success), finished)
	m.Decided("hourly", "down", 1, 0)
	m.Load([]string{"nightly"}, 2)
	observe(hourly, finished) // it was running when its file was removed
	want := []string{`run_duration_seconds_count{workflow="other"} 1`, `runs_total{status="success",workflow="other"} 1001`, `workflow_files_broken 2`, `workflows 1`}
	if diff := cmp.Diff(want, scrape(t, m)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestNamesFollowPrometheusHabits(t *testing.T) {
	m := metrics("nightly")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{`pdflow_build_info{go="go1.`, `version="1.2.3"} 1`, "go_goroutines ", "process_resident_memory_bytes "} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 4 && fields[1] == "TYPE" && strings.HasPrefix(fields[2], "pdflow_") && (fields[3] == "counter") != strings.HasSuffix(fields[2], "_total") {
			t.Errorf("%s is a %s", fields[2], fields[3])
		}
	}
}

// TestTogether uses all methods at the same time, for the race detector.
func TestTogether(t *testing.T) {
	m := metrics("nightly")
	var together sync.WaitGroup
	for i := range 8 {
		together.Go(func() {
			for range 50 {
				observe(m.Run("nightly"), run.Event{Kind: run.EventStarted}, attempt(run.Success), run.Event{Kind: run.EventFinished, Status: run.Success})
				m.Decided("nightly", "", 1, time.Second)
				m.Load([]string{"nightly", fmt.Sprint(i)}, i)
				scrape(t, m)
			}
		})
	}
	together.Wait()
	if want := `runs_total{status="success",workflow="nightly"} 400`; !slices.Contains(scrape(t, m), want) {
		t.Errorf("got %q, want %q in it", scrape(t, m), want)
	}
}

func TestSkipReason(t *testing.T) {
	tests := map[string]string{
		"down": telemetry.Down, "skipped: down": telemetry.Down, "skipped: window: 3 occurrences from a to b": telemetry.Window,
		"skipped: paused": telemetry.Paused, "skipped: it cannot run: the secret X is not set": telemetry.CannotRun,
		`skipped: the concurrency group "paused" is busy with 01A`:                       telemetry.Overlap,
		`skipped: 10 runs wait already: the concurrency group "x" is busy with 01A, 01B`: telemetry.QueueFull,
		"": telemetry.Overlap,
	}
	for text, want := range tests {
		if got := telemetry.SkipReason(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestForgottenWhole proves that all series of an unloaded workflow are deleted.
func TestForgottenWhole(t *testing.T) {
	m := metrics("a")
	for _, status := range []run.Status{
		run.Success, run.Failed, run.Cancelled, run.TimedOut, run.Skipped, run.NeedsAttention,
	} {
		observe(m.Run("a"), run.Event{Kind: run.EventStarted}, attempt(status), run.Event{Kind: run.EventFinished, Status: status})
	}
	observe(m.Run("a"), run.Event{Kind: run.EventStarted}, run.Event{Kind: run.EventSuspended})
	for _, reason := range []string{"down", "window", "paused", "it cannot run: x", "the concurrency group is busy", "10 runs wait already"} {
		m.Decided("a", reason, 1, 0)
	}
	if len(scrape(t, m)) < 20 {
		t.Fatalf("got %v, want many series", scrape(t, m))
	}
	m.Load(nil, 0)
	for _, line := range scrape(t, m) {
		if strings.Contains(line, `workflow="a"`) {
			t.Errorf("%s is left", line)
		}
	}
}

// BenchmarkLoadLess unloads many workflows. The time is linear: B/op and ns/op per
// workflow stay the same.
func BenchmarkLoadLess(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprint("workflow-", i)
			}
			for b.Loop() {
				m := metrics(names...)
				for _, name := range names {
					observe(m.Run(name), attempt(run.Success), run.Event{Kind: run.EventFinished, Status: run.Success})
				}
				m.Load(nil, 0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/workflow")
		})
	}
}
