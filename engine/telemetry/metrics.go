package telemetry

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// other is the label value of workflows that are not loaded.
const other = "other"

var (
	// durations are the bucket bounds of a run's duration in seconds: from a health check
	// to an hour.
	durations = []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600}
	// lags are the bucket bounds of a scheduled start's delay in seconds: from the time of
	// a commit to a start that is caught up.
	lags = []float64{0.01, 0.05, 0.15, 0.5, 1, 5, 30, 300, 3600}
)

// Config has the values that are read at each scrape. A nil function leaves out its
// metric.
type Config struct {
	Version  string
	InFlight func() int       // number of runs that are running in this process
	LastWake func() time.Time // when the scheduler last looked at what is due; zero: never
}

// Metrics counts events of runs and decisions of the scheduler. It is safe for
// concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	runs      *prometheus.CounterVec
	durations *prometheus.HistogramVec
	attempts  *prometheus.CounterVec
	calls     *prometheus.CounterVec
	skipped   *prometheus.CounterVec
	lag       prometheus.Histogram
	loaded    prometheus.Gauge
	broken    prometheus.Gauge

	mu        sync.RWMutex
	workflows map[string]bool
}

// NewMetrics returns metrics whose counters are zero.
func NewMetrics(c Config) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		runs:     counter("runs_total", "Runs that ended, or that wait for a person (suspended).", "workflow", "status"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "pdflow", Name: "run_duration_seconds", Buckets: durations,
			Help: "Time from start to end of runs that started and ended in this process.",
		}, []string{"workflow"}),
		attempts: counter("step_attempts_total", "Attempts of steps that ended.", "workflow", "status"),
		calls:    counter("calls_total", "Calls of actions, by kind of error (none: the call succeeded).", "action", "kind"),
		skipped:  counter("skipped_total", "Scheduled times and runs that were skipped.", "workflow", "reason"),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "pdflow", Name: "scheduler_lag_seconds", Buckets: lags,
			Help: "Time from the scheduled time of a run to the decision to start it.",
		}),
		loaded: gauge("workflows", "Loaded workflows."),
		broken: gauge("workflow_files_broken", "Workflow files whose newest version cannot be loaded."),
	}
	m.registry.MustRegister(m.runs, m.durations, m.attempts, m.calls, m.skipped, m.lag, m.loaded, m.broken, buildInfo(c.Version),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registerFuncs(c)
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "pdflow", Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "pdflow", Name: name, Help: help})
}

// buildInfo returns a metric whose labels are the versions. Its value is always 1.
func buildInfo(version string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "pdflow", Name: "build_info", Help: "1, with the versions of pdflow and Go.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	g.Set(1)
	return g
}

// registerFuncs registers the metrics whose values come from c.
func (m *Metrics) registerFuncs(c Config) {
	if c.InFlight != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "pdflow", Name: "runs_in_flight", Help: "Runs that are running in this process.",
		}, func() float64 { return float64(c.InFlight()) }))
	}
	if c.LastWake != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "pdflow", Name: "scheduler_last_wake_timestamp_seconds", Help: "When the scheduler last looked at what is due, in Unix time; 0 before the first look.",
		}, func() float64 {
			if at := c.LastWake(); !at.IsZero() {
				return float64(at.UnixMilli()) / 1000
			}
			return 0
		}))
	}
}

// Handler serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Load sets the names of the loaded workflows and the number of broken files. It deletes
// the series of workflows that are no longer loaded.
func (m *Metrics) Load(workflows []string, broken int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.workflows
	m.workflows = make(map[string]bool, len(workflows))
	for _, name := range workflows {
		m.workflows[name] = true
	}
	for name := range old {
		if !m.workflows[name] {
			m.forget(name)
		}
	}
	m.loaded.Set(float64(len(m.workflows)))
	m.broken.Set(float64(broken))
}

// forget deletes the series of a workflow by their labels. A search would read the series
// of all other workflows, for each workflow that is unloaded.
func (m *Metrics) forget(workflow string) {
	m.durations.DeleteLabelValues(workflow)
	for _, status := range statuses {
		m.runs.DeleteLabelValues(workflow, string(status))
		m.attempts.DeleteLabelValues(workflow, string(status))
	}
	for _, reason := range skipReasons {
		m.skipped.DeleteLabelValues(workflow, reason)
	}
}

// statuses are the statuses with which runs and attempts can end.
var statuses = []run.Status{
	run.Success, run.Failed, run.Cancelled, run.TimedOut, run.Skipped, run.NeedsAttention, run.Suspended,
}

// count calls do with the label value of a workflow. It holds the lock, because a workflow
// that is unloaded at the same time would get new series that are never deleted.
func (m *Metrics) count(workflow string, do func(label string)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.workflows[workflow] {
		workflow = other
	}
	do(workflow)
}

// Decided counts a decision of the scheduler. With an empty reason a run starts, late
// after its scheduled time. Otherwise count scheduled times are skipped for the reason;
// 0 means one.
func (m *Metrics) Decided(workflow, reason string, count int, late time.Duration) {
	if reason == "" {
		m.lag.Observe(max(late, 0).Seconds())
		return
	}
	m.count(workflow, func(label string) { m.skipped.WithLabelValues(label, SkipReason(reason)).Add(float64(max(count, 1))) })
}

// Run returns the observer of one run of a workflow. It receives the events from the
// start of the run, or from where this process resumed it.
func (m *Metrics) Run(workflow string) run.Observer {
	return &runMetrics{metrics: m, workflow: workflow}
}

// runMetrics counts the events of a run.
type runMetrics struct {
	metrics  *Metrics
	workflow string
	started  time.Time // zero: the run started in another process
}

// Observe counts an event.
func (r *runMetrics) Observe(e run.Event) {
	m := r.metrics
	switch e.Kind {
	case run.EventStarted:
		r.started = e.Time
	case run.EventRetried, run.EventResumed:
		r.started = time.Time{} // the time while the run was interrupted does not count
	case run.EventSkipped:
		if reason := SkipReason(e.Reason); !bySchedule(reason) {
			m.count(r.workflow, func(label string) { m.skipped.WithLabelValues(label, reason).Inc() })
		}
	case run.EventSuspended:
		m.count(r.workflow, func(label string) { m.runs.WithLabelValues(label, string(run.Suspended)).Inc() })
	case run.EventFinished:
		r.finished(e)
	case run.EventAttemptFinished:
		m.count(r.workflow, func(label string) { m.attempts.WithLabelValues(label, string(e.Outcome.Status)).Inc() })
	case run.EventCallReturned:
		r.called(e.Call)
	}
}

func (r *runMetrics) finished(e run.Event) {
	r.metrics.count(r.workflow, func(label string) {
		r.metrics.runs.WithLabelValues(label, string(e.Status)).Inc()
		if !r.started.IsZero() {
			r.metrics.durations.WithLabelValues(label).Observe(e.Time.Sub(r.started).Seconds())
		}
	})
}

// called counts a call, unless its result is a memoized one.
func (r *runMetrics) called(c *run.Call) {
	if c.Again {
		return
	}
	kind := "none"
	if c.Error != nil {
		kind = string(c.Error.Kind)
	}
	r.metrics.calls.WithLabelValues(c.Action, kind).Inc()
}
