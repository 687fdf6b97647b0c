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
	"github.com/pdflow/pdflow/engine/workflow"
)

// An order is what one life of a run is told: whatever else it knows, it has from
// the journal. It travels to another process as JSON.
type order struct {
	Scenario   string
	Run        string
	URL        string // of the town
	APIKey     string
	ServiceKey string
	Time       hurriedClock
	// Retry and Calls are what a person says of a run that needs attention.
	Retry bool
	Calls map[int]engine.Decision

	Data string // the folder of the journal, for a process of its own
	Trap trap   // where it dies; the zero trap: nowhere
	// Sabotage is what is broken in this life.
	Sabotage sabotage
}

// perform begins the run, or goes on with it where the journal has it. It uses
// what `pdflow run` and `pdflow runs resume` use, with a journal and a network that
// somebody watches.
func (o *order) perform(journal engine.Journal, network http.RoundTripper, observers ...engine.Observer) error {
	s, err := named(o.Scenario)
	if err != nil {
		return err
	}
	site, err := o.site(s, network)
	if err != nil {
		return err
	}
	local := &engine.Local{
		Interpreter: site.Interpreter, Clock: o.Time, Journal: journal, Observers: observers,
		NewID: func(time.Time) string { return o.Run },
	}
	ctx := context.Background()
	sources, err := journal.Sources(ctx, o.Run)
	if errors.Is(err, engine.ErrNoRun) {
		return o.begin(ctx, local, site)
	}
	if err != nil {
		return err
	}
	restored, _ := workflow.Restore(sources) // Compile reports its problems too
	plan, err := workflow.Compile(restored, site.Catalog, site.Interpreter)
	if err != nil {
		return err
	}
	target, keys, err := site.Of(plan)
	if err != nil {
		return err
	}
	_, err = local.Resume(ctx, plan, engine.Resumption{Run: o.Run, Target: target, Keys: keys, Retry: o.Retry, Calls: o.Calls})
	return err
}

func (o *order) begin(ctx context.Context, local *engine.Local, site *setup.Target) error {
	plan, err := site.CompileFile(filepath.Join("../../../../testdata/kill", o.Scenario+".yaml"))
	if err != nil {
		return err
	}
	inputs := action.Object{}
	if _, ok := plan.Workflow.Inputs.Field("service"); ok {
		inputs["service"] = o.URL
	}
	request, err := site.Request(plan, inputs)
	if err != nil {
		return err
	}
	_, err = local.Run(ctx, plan, request)
	return err
}

// site reaches the town. The client's own tries follow each other quickly.
func (o *order) site(s *scenario, network http.RoundTripper) (*setup.Target, error) {
	client, err := pagerduty.New(pagerduty.Config{
		APIKey: o.APIKey, ServiceKey: o.ServiceKey, APIURL: o.URL, EventsURL: o.URL,
		HTTPClient: &http.Client{Transport: network}, Jitter: func() float64 { return 0.05 }, RetryBudget: s.patience,
	})
	if err != nil {
		return nil, err
	}
	made, err := setup.WithClient(builtins.Config{PagerDuty: client, Transport: network}, setup.Settings{APIKey: o.APIKey, ServiceKey: o.ServiceKey})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// A hurriedClock is the machine's time, faster: what waits a second waits a part
// of one. It goes on from process to process.
type hurriedClock struct {
	Origin time.Time
	Factor time.Duration
	Ahead  time.Duration // what has passed between the lives of a run
}

var _ action.Clock = hurriedClock{}

// Now returns the time that has passed since the origin, times the factor.
func (c hurriedClock) Now() time.Time {
	return c.Origin.Add(time.Since(c.Origin)*c.Factor + c.Ahead)
}

// Sleep waits for a part of d.
func (c hurriedClock) Sleep(ctx context.Context, d time.Duration) error {
	return engine.SystemClock{}.Sleep(ctx, d/c.Factor)
}

// AfterFunc calls f after a part of d.
func (c hurriedClock) AfterFunc(d time.Duration, f func()) func() bool {
	return engine.SystemClock{}.AfterFunc(d/c.Factor, f)
}
