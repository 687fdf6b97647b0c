package setup

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/workflow"
)

// ParseDecisions reads what a person says of calls: `17=done`, `17=repeat` or `17=fail`.
func ParseDecisions(calls []string) (map[int]engine.Decision, error) {
	decisions := map[int]engine.Decision{}
	for _, text := range calls {
		number, decision, ok := strings.Cut(text, "=")
		n, err := strconv.Atoi(strings.TrimPrefix(number, "#"))
		if !ok || err != nil {
			return nil, console.Usage("--call %q says nothing of a call; write --call 17=done, =repeat or =fail", text)
		}
		if err := console.OneOf("call "+number, decision, string(engine.CallDone), string(engine.CallRepeat), string(engine.CallFail)); err != nil {
			return nil, err
		}
		decisions[n] = engine.Decision(decision)
	}
	return decisions, nil
}

// A Continuation is what the engine needs to go on with a run of the journal.
type Continuation struct {
	Run        *RecordedRun
	Plan       *workflow.Plan
	Resumption engine.Resumption
}

// Continue prepares to go on with a run: from the sources that it was made
// from, whatever stands in its files now.
func (p *Environment) Continue(ctx context.Context, j *Journal, site *Target, run *RecordedRun, calls map[int]engine.Decision, inputs []string) (*Continuation, error) {
	if run.Start().Target.Simulator != "" {
		return nil, console.Usage("the run %s talked to a simulator that ended with its process, so nothing can go on with it: start it again with `pdflow run --simulate`", run.Run)
	}
	plan, err := j.Plan(ctx, run.Run, site)
	var problems workflow.Diagnostics
	if errors.As(err, &problems) {
		return nil, fmt.Errorf("%w\npdflow: this version of pdflow does not accept the recorded workflow of the run %s; go on with the version that began it", err, run.Run)
	}
	if err != nil {
		return nil, err
	}
	plan = plan.WithConnection(run.Start().Target.Connection)
	if err := site.Ready(plan); err != nil {
		return nil, err
	}
	c := &Continuation{Run: run, Plan: plan, Resumption: engine.Resumption{Run: run.Run, Calls: calls}}
	if c.Resumption.Target, c.Resumption.Keys, err = site.Of(plan); err != nil {
		return nil, err
	}
	c.Resumption.Inputs, err = p.ReadInputs(plan.Workflow.Inputs, inputs, "")
	return c, err
}
