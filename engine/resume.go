package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Resumption asks for a run of the journal to go on.
type Resumption struct {
	Run string
	// Inputs are the texts of secret inputs, which the journal does not have.
	Inputs action.Object
	// Target and Keys must be those of the run: it is never continued against
	// another PagerDuty.
	Target run.Target
	Keys   map[string]string
	// Calls are decisions of a person, by the sequence number of the call.started.
	Calls map[int]run.CallOutcome
	// Retry goes on with a run that has ended, from its failed steps.
	Retry bool
	// Cancel cancels the run: only `finally` still runs.
	Cancel bool
}

// Resume goes on with a run that was interrupted or suspended, or, with Retry,
// with one that has failed. The plan must be that of the journal's sources
// ([workflow.Restore]). It returns as Run does; the error is an [InputError] too
// when the run cannot go on as asked, and then nothing has changed.
func (l *Local) Resume(ctx context.Context, plan *workflow.Plan, resumption Resumption) (*run.Result, error) {
	if l.Journal == nil {
		return nil, &InputError{errors.New("there is no journal, so no run to go on with")}
	}
	if err := l.Journal.Adopt(ctx, resumption.Run); err != nil {
		return nil, &InputError{fmt.Errorf("the run %s: %w", resumption.Run, err)}
	}
	loop := l.loop(plan)
	defer loop.live()()
	loop.id = resumption.Run
	if err := loop.restore(ctx, resumption); err != nil {
		return nil, errors.Join(err, l.Journal.Release(ctx, resumption.Run))
	}
	return loop.goOn(ctx, resumption)
}

// restore folds the events of the run and checks that it can go on as asked.
func (l *loop) restore(ctx context.Context, resumption Resumption) error {
	events, err := l.local.Journal.Events(ctx, l.id)
	if err != nil {
		return &JournalError{l.id, err}
	}
	for _, e := range events {
		if _, err := l.run.Apply(e); err != nil {
			return &JournalError{l.id, fmt.Errorf("its record makes no sense: %w", err)}
		}
		if e.Kind.Record() {
			l.calls.Add(e)
		}
	}
	l.sequence = len(events)
	for _, check := range []func(Resumption) error{l.checkState, l.checkTarget, l.checkCalls, l.restoreSecrets} {
		if err := check(resumption); err != nil {
			return &InputError{err}
		}
	}
	return nil
}

// checkState refuses what the state of the run does not allow.
func (l *loop) checkState(resumption Resumption) error {
	switch {
	case l.run.Start().Source != l.plan.Sources[0].Hash():
		return fmt.Errorf("the run %s was made from another text of its workflow than this plan", l.id)
	case resumption.Retry && !l.run.Over():
		return fmt.Errorf("the run %s has not ended: resume it instead of retrying it", l.id)
	case resumption.Retry && (l.run.Status() == run.Success || l.run.Status() == run.Skipped):
		return fmt.Errorf("the run %s ended as %s: there is nothing to retry", l.id, l.run.Status())
	case !resumption.Retry && l.run.Over():
		return fmt.Errorf("the run %s has ended as %s; `runs retry` goes on from failed steps", l.id, l.run.Status())
	case l.run.Paused() && len(resumption.Calls) == 0 && !resumption.Cancel:
		held := l.run.Held()
		return fmt.Errorf("the run %s waits for a decision: say what became of the call %d of the step %q with --call %d=done, =repeat or =fail",
			l.id, held.Call, held.Step, held.Call)
	}
	return nil
}

// checkTarget refuses another PagerDuty, or another key.
func (l *loop) checkTarget(resumption Resumption) error {
	recorded, given := l.run.Start().Target, resumption.Target.WithKeys(l.id, resumption.Keys)
	switch {
	case recorded.Simulator != given.Simulator && recorded.Simulator != "":
		return fmt.Errorf("the run %s talked to a simulator, which is gone: start it again", l.id)
	case recorded.Simulator != given.Simulator:
		return fmt.Errorf("the run %s talked to PagerDuty itself and cannot go on with a simulator", l.id)
	case recorded.Connection != given.Connection || recorded.Region != given.Region || recorded.APIURL != given.APIURL || recorded.EventsURL != given.EventsURL:
		return fmt.Errorf("the run %s talked to %s and cannot go on with %s", l.id, recorded.Realm(), given.Realm())
	case !slices.EqualFunc(recorded.Others, given.Others, func(a, b run.Target) bool { return reflect.DeepEqual(a, b) }):
		return fmt.Errorf("steps of the run %s talked to other accounts than those that are set now: set the same connections, or start it again", l.id)
	case !reflect.DeepEqual(recorded.Keys, given.Keys) && len(recorded.Keys)+len(given.Keys) > 0:
		return fmt.Errorf("the run %s used other keys than those that are set now: set the same keys, or start it again", l.id)
	}
	return nil
}

// checkCalls refuses decisions of calls that need none.
func (l *loop) checkCalls(resumption Resumption) error {
	for _, sequence := range slices.Sorted(maps.Keys(resumption.Calls)) {
		decision := resumption.Calls[sequence]
		if !slices.Contains([]run.CallOutcome{run.CallDone, run.CallRepeat, run.CallFailed}, decision) {
			return fmt.Errorf("a call is done, repeat or fail, not %q", decision)
		}
		if _, call := l.calls.Find(sequence); call == nil || !call.Unknown() {
			return fmt.Errorf("the event %d of the run %s is no call whose outcome is unknown; `pdflow runs show %s` lists the calls", sequence, l.id, l.id)
		}
	}
	return nil
}

// restoreSecrets resolves the secrets again: the journal has their names only.
func (l *loop) restoreSecrets(resumption Resumption) error {
	inputs := l.run.Start().Inputs
	for name, v := range inputs {
		if _, secret := v.(action.Secret); !secret {
			continue
		}
		text, ok := resumption.Inputs[name].(string)
		if !ok {
			return fmt.Errorf("the run %s needs its secret input %q again, which is kept nowhere: give it with -i %s=... once more", l.id, name, name)
		}
		inputs[name] = text
	}
	for _, name := range action.SortedNames(resumption.Inputs) {
		if _, secret := inputs[name].(string); !secret || !l.plan.Workflow.Secret(name) {
			return fmt.Errorf("the input %q of the run %s is recorded: only secret inputs are given again", name, l.id)
		}
	}
	secrets, err := attempt.ResolveSecrets(l.plan, inputs, l.local.Secrets, l.redactor)
	l.executor.Secrets = secrets
	return err
}

// goOn records what was decided and drives the run.
func (l *loop) goOn(ctx context.Context, resumption Resumption) (*run.Result, error) {
	for _, sequence := range slices.Sorted(maps.Keys(resumption.Calls)) {
		id, call := l.calls.Find(sequence)
		err := l.take(run.Event{
			Kind: run.EventCallDecided, Step: id.Step, Item: id.Item, Attempt: call.Attempt,
			Call: &run.Call{Number: sequence, Action: call.Action, Decision: resumption.Calls[sequence]},
		})
		if err != nil {
			return nil, err
		}
	}
	kind := run.EventResumed
	if resumption.Retry {
		kind = run.EventRetried
	}
	if err := l.take(run.Event{Kind: kind}); err != nil {
		return nil, err
	}
	if resumption.Cancel {
		if err := l.take(run.Event{Kind: run.EventCancelled}); err != nil {
			return nil, err
		}
	}
	if l.run.Waiting() {
		return l.queued(ctx, l.run.Start())
	}
	return l.drive(ctx)
}
