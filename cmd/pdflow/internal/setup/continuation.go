package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A RecordedRun is a run with its events.
type RecordedRun struct {
	journal.Summary
	Events []run.Event // at least one, which has Started
}

// Start returns how the run started.
func (r *RecordedRun) Start() *run.Start { return r.Events[0].Started }

// Open reports whether the run can still be cancelled.
func (r *RecordedRun) Open() bool { return r.EndedAt.IsZero() }

// SecretInputs returns the names of the inputs that are not recorded because they are secret.
func (r *RecordedRun) SecretInputs() []string {
	var names []string
	for _, name := range phrase.Names(r.Start().Inputs) {
		if _, secret := r.Start().Inputs[name].(action.Secret); secret {
			names = append(names, name)
		}
	}
	return names
}

// Verb returns the command that continues the run: resume or retry; empty if none can.
func (r *RecordedRun) Verb() string {
	switch {
	case r.Start().Target.Simulation != "" || r.Live && r.EndedAt.IsZero() && r.Status != run.NeedsAttention:
		return ""
	case r.Status == run.Success || r.Status == run.Skipped:
		return ""
	case r.EndedAt.IsZero():
		return "resume"
	}
	return "retry"
}

// ParseDecisions reads a person's decisions about calls: 17=done, 17=repeat or 17=fail.
func ParseDecisions(calls []string) ([]run.Decision, error) {
	var decisions []run.Decision
	for _, text := range calls {
		number, decision, ok := strings.Cut(text, "=")
		n, err := strconv.Atoi(strings.TrimPrefix(number, "#"))
		if !ok || err != nil {
			return nil, console.Usage("--call %q is not a decision about a call; write --call 17=done, =repeat or =fail", text)
		}
		if err := console.OneOf("call "+number, decision, string(run.CallDone), string(run.CallRepeat), string(run.CallFailed)); err != nil {
			return nil, err
		}
		decisions = slices.DeleteFunc(decisions, func(d run.Decision) bool { return d.Call == n }) // the last one counts
		decisions = append(decisions, run.Decision{Reason: run.CallUnknown, Call: n, Outcome: run.CallOutcome(decision)})
	}
	slices.SortFunc(decisions, func(a, b run.Decision) int { return cmp.Compare(a.Call, b.Call) })
	return decisions, nil
}

// A Continuation is a recorded run that can be resumed or retried, and what was given for that.
type Continuation struct {
	Run *RecordedRun
	engine.Prepared
	Request engine.ContinueRequest
}

// Plans returns the plan of this run, for an engine that continues it.
func (c *Continuation) Plans() engine.Plans {
	return engine.Plans{Restore: func(context.Context, run.Start, []workflow.Source) (engine.Prepared, error) { return c.Prepared, nil }}
}

// Continue prepares to resume a run. The plan is made from the recorded sources, not from the files
// as they are now. Inputs are the secret inputs, as flags.
func (e *Environment) Continue(ctx context.Context, r *Runs, target *Target, recorded *RecordedRun, decisions []run.Decision, inputs []string) (*Continuation, error) {
	if recorded.Start().Target.Simulation != "" {
		return nil, console.Usage("the run %s cannot be resumed, because its simulator ended with its process; start it again with `pdflow run --simulate`", recorded.Run)
	}
	plan, err := r.Plan(ctx, recorded.Run, target)
	var problems source.Problems
	if errors.As(err, &problems) {
		return nil, fmt.Errorf("%w\npdflow: this version of pdflow does not accept the recorded workflow of the run %s; resume it with the version that started it", err, recorded.Run)
	}
	if err != nil {
		return nil, err
	}
	plan = plan.WithConnection(recorded.Start().Target.Connection)
	if err := target.Ready(plan); err != nil {
		return nil, err
	}
	c := &Continuation{Run: recorded, Prepared: engine.Prepared{Plan: plan}, Request: engine.ContinueRequest{Decisions: decisions}}
	if c.Target, c.Keys, err = target.Of(plan); err != nil {
		return nil, err
	}
	c.Request.Secrets, err = e.ReadInputs(plan.Workflow.Inputs, inputs, "")
	return c, err
}
