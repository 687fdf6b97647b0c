package killtest

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A job is what one process is told about a run. Everything else it reads from the journal. A job is sent to
// another process as JSON.
type job struct {
	Scenario   string
	Run        string
	URL        string // of the servers
	APIKey     string
	ServiceKey string
	Time       scaledClock
	// Retry and Decisions are the decisions of a person about a run that needs attention.
	Retry     bool
	Decisions []run.Decision

	Data      string    // the folder of the journal
	KillPoint killPoint // where the process is killed; zero: nowhere
	// Defect is what is broken in this process.
	Defect defect
}

// perform starts the run, or resumes it if the journal has it. It uses the same code as `pdflow run` and
// `pdflow runs resume`, with a journal and a network that the test watches.
func (j *job) perform(journal0 journal.Journal, network http.RoundTripper, observers ...run.Observer) error {
	s, err := named(j.Scenario)
	if err != nil {
		return err
	}
	target, err := j.target(s, network)
	if err != nil {
		return err
	}
	local := &engine.Local{
		Interpreter: target.Interpreter, Clock: j.Time, Journal: journal0, Observers: observers,
		NewID: func(time.Time) string { return j.Run },
	}
	ctx := context.Background()
	sources, err := journal0.Sources(ctx, j.Run)
	if errors.Is(err, journal.ErrNoRun) {
		return j.begin(ctx, local, target)
	}
	if err != nil {
		return err
	}
	restored, _ := workflow.Restore(sources) // Compile reports its problems too
	plan, err := workflow.Compile(restored, target.Catalog, target.Interpreter)
	if err != nil {
		return err
	}
	recorded, keys, err := target.Of(plan)
	if err != nil {
		return err
	}
	_, err = local.Resume(ctx, plan, engine.Resumption{Run: j.Run, Target: recorded, Keys: keys, Retry: j.Retry, Decisions: j.Decisions})
	return err
}

func (j *job) begin(ctx context.Context, local *engine.Local, target *setup.Target) error {
	plan, err := target.CompileFile(source.File{Path: filepath.Join("../../../../testdata/kill", j.Scenario+".yaml")})
	if err != nil {
		return err
	}
	inputs := action.Object{}
	if _, ok := plan.Workflow.Inputs.Field("service"); ok {
		inputs["service"] = j.URL
	}
	request, err := target.Request(plan, inputs)
	if err != nil {
		return err
	}
	_, err = local.Run(ctx, plan, request)
	return err
}

// target reaches the servers of the trial. The client retries quickly.
func (j *job) target(s *scenario, network http.RoundTripper) (*setup.Target, error) {
	client, err := pagerduty.New(pagerduty.Config{
		APIKey: j.APIKey, ServiceKey: j.ServiceKey, APIURL: j.URL, EventsURL: j.URL,
		HTTPClient: &http.Client{Transport: network}, Jitter: func() float64 { return 0.05 }, RetryBudget: s.patience,
	})
	if err != nil {
		return nil, err
	}
	made, err := setup.WithClient(builtins.Config{PagerDuty: client, Transport: network}, setup.Settings{APIKey: j.APIKey, ServiceKey: j.ServiceKey})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// A scaledClock is the clock of the machine, faster by a factor. It keeps its time from process to process.
type scaledClock struct {
	Origin time.Time
	Factor time.Duration
	Ahead  time.Duration // the time that has passed between processes
}

var _ action.Clock = scaledClock{}

// Now returns the time since the origin, multiplied by the factor.
func (c scaledClock) Now() time.Time {
	return c.Origin.Add(time.Since(c.Origin)*c.Factor + c.Ahead)
}

// Sleep waits for d divided by the factor.
func (c scaledClock) Sleep(ctx context.Context, d time.Duration) error {
	return clock.System{}.Sleep(ctx, d/c.Factor)
}

// AfterFunc calls f after d divided by the factor.
func (c scaledClock) AfterFunc(d time.Duration, f func()) func() bool {
	return clock.System{}.AfterFunc(d/c.Factor, f)
}
