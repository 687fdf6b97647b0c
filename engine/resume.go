package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Resumption asks to continue a run of the journal.
type Resumption struct {
	Run   string
	Actor run.Actor // who asked for it
	// Inputs are the texts of secret inputs, which the journal does not store.
	Inputs action.Object
	// Target and Keys must be the target and keys of the run: a run is never resumed
	// against another target.
	Target run.Target
	Keys   map[string]string
	// Decisions answer what suspended attempts wait for. A decision about a call is accepted
	// for an interrupted run as well. A suspended run can only be resumed with a decision,
	// or after a resume that recorded one.
	Decisions []run.Decision
	// Retry continues an ended run from its failed steps.
	Retry bool
	// Cancel cancels the run: only `finally` still runs.
	Cancel bool
	// Started is called once this process works on the run: it is resumed, or waits for
	// its concurrency group.
	Started func()
}

// Resume continues a run that was interrupted or suspended, or with Retry an ended run.
// The plan must be the plan of the journal's sources ([workflow.Restore]). It returns as
// [Local.Run] does. The error is an [InputError] when the run cannot continue as asked.
//
// A run whose concurrency group is busy waits for it, except to be cancelled. When the
// wait ends first, the error is a [WaitedError]: the decisions are recorded, the run is not
// resumed, and a later resume needs no decisions.
func (l *Local) Resume(ctx context.Context, plan *workflow.Plan, resumption Resumption) (*run.Result, error) {
	if l.Journal == nil {
		return nil, &InputError{errors.New("a run cannot be resumed without a journal")}
	}
	died := l.died(ctx, resumption.Run) // before this process is the owner
	if err := l.Journal.Adopt(ctx, resumption.Run); err != nil {
		return nil, &InputError{fmt.Errorf("the run %s: %w", resumption.Run, err)}
	}
	loop := resuming{l.loop(plan, resumption.Actor), resumption, died}
	defer loop.live()()
	loop.id, loop.started = resumption.Run, resumption.Started
	events, err := l.Journal.Events(ctx, loop.id)
	if err != nil {
		err = &JournalError{loop.id, err}
	} else {
		err = loop.restore(events)
	}
	if err == nil {
		err = loop.resume(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, l.Journal.Release(context.WithoutCancel(ctx), loop.id))
	}
	if loop.state.Queued() {
		return loop.queued(ctx, loop.state.Start())
	}
	return loop.drive(ctx)
}

// died reports whether the process that worked on a run died.
func (l *Local) died(ctx context.Context, id string) bool {
	found, err := l.Journal.Runs(ctx, journal.Query{Run: id})
	return err == nil && len(found) == 1 && found[0].Died
}

// A resuming is a loop that carries out a [Resumption].
type resuming struct {
	*loop
	asked Resumption
	died  bool // the process that worked on the run before
}

// restore folds the events of the run and checks that it can continue as asked.
func (l *resuming) restore(events []run.Event) error {
	for _, e := range events {
		if _, err := l.state.Apply(e); err != nil {
			return &JournalError{l.id, fmt.Errorf("its history is not valid: %w", err)}
		}
		if e.Kind.Record() {
			l.history.Add(e)
		}
		l.keep(e)
		if e.Kind == run.EventStepExpanded {
			l.listed += attempt.Size(e.Items)
		}
	}
	l.sequence = len(events)
	for _, check := range []func() error{l.checkState, l.checkTarget, l.checkDecisions, l.restoreSecrets} {
		if err := check(); err != nil {
			return &InputError{err}
		}
	}
	return nil
}

// An EndedError says that a run cannot be resumed since it has ended.
type EndedError struct {
	Run    string
	Status run.Status
}

// Error says how the run ended.
func (e *EndedError) Error() string {
	return fmt.Sprintf("the run %s has ended as %s", e.Run, e.Status)
}

// A NeedsDecisionError says that a suspended run waits for a decision that was not
// given.
type NeedsDecisionError struct {
	Run        string
	Step       string
	Suspension run.Suspension
}

// Error says what the run waits for.
func (e *NeedsDecisionError) Error() string {
	if e.Suspension.Reason == run.CallUnknown {
		return fmt.Sprintf("the run %s waits for a decision about call %d of step %q, whose outcome is unknown: done, repeat or fail", e.Run, e.Suspension.Call, e.Step)
	}
	return fmt.Sprintf("the run %s waits for a decision (%s) in step %q", e.Run, e.Suspension.Reason, e.Step)
}

// checkState refuses what the state of the run does not allow.
func (l *resuming) checkState() error {
	switch {
	case l.state.Start().Source != l.plan.Sources[0].Hash():
		return fmt.Errorf("the run %s was started from another text of its workflow than this plan", l.id)
	case l.asked.Retry && !l.state.Ended():
		return fmt.Errorf("the run %s has not ended: resume it instead of retrying it", l.id)
	case l.asked.Retry && (l.state.Status() == run.Success || l.state.Status() == run.Skipped):
		return fmt.Errorf("the run %s ended as %s: there is nothing to retry", l.id, l.state.Status())
	case !l.asked.Retry && l.state.Ended():
		return &EndedError{l.id, l.state.Status()}
	case l.state.Suspended() && !l.state.Decided() && len(l.asked.Decisions) == 0 && !l.asked.Cancel:
		task, suspension := l.state.Suspension()
		return &NeedsDecisionError{l.id, task.Step, suspension}
	}
	return nil
}

// checkTarget refuses another target, or other keys.
func (l *resuming) checkTarget() error {
	recorded, given := l.state.Start().Target, l.asked.Target.WithKeys(l.id, l.asked.Keys)
	switch {
	case recorded.Simulation != given.Simulation && recorded.Simulation != "":
		return fmt.Errorf("the run %s was simulated, and its simulated service is gone: start the workflow again", l.id)
	case recorded.Simulation != given.Simulation:
		return fmt.Errorf("the run %s was not simulated and cannot continue simulated", l.id)
	case recorded.Connection != given.Connection || recorded.Region != given.Region || recorded.APIURL != given.APIURL || recorded.EventsURL != given.EventsURL:
		return fmt.Errorf("the run %s talked to %s and cannot continue with %s", l.id, recorded.Realm(), given.Realm())
	case !slices.EqualFunc(recorded.Others, given.Others, func(a, b run.Target) bool { return reflect.DeepEqual(a, b) }):
		return fmt.Errorf("steps of the run %s talked to other accounts than the accounts that are set now: set the same connections, or start the workflow again", l.id)
	case !reflect.DeepEqual(recorded.Keys, given.Keys) && len(recorded.Keys)+len(given.Keys) > 0:
		return fmt.Errorf("the run %s used other keys than the keys that are set now: set the same keys, or start the workflow again", l.id)
	}
	return nil
}

// A DecisionError says that a decision is about a call that needs none.
type DecisionError struct {
	Run  string
	Call int
}

// Error names the event that is not such a call.
func (e *DecisionError) Error() string {
	return fmt.Sprintf("event %d of the run %s is not a call whose outcome is unknown", e.Call, e.Run)
}

// checkDecisions refuses decisions that the run does not wait for.
func (l *resuming) checkDecisions() error {
	for _, d := range l.asked.Decisions {
		if d.Reason != run.CallUnknown {
			if _, ok := l.state.WaitingFor(d.Reason); !ok {
				return fmt.Errorf("the run %s does not wait for a decision of reason %q", l.id, d.Reason)
			}
			continue
		}
		if !d.Outcome.Valid() {
			return fmt.Errorf("a call is done, repeat or fail, not %q", d.Outcome)
		}
		if _, call := l.history.Find(d.Call); call == nil || !call.Unknown() {
			return &DecisionError{l.id, d.Call}
		}
	}
	return nil
}

// restoreSecrets resolves the secrets again: the journal has only their names.
func (l *resuming) restoreSecrets() error {
	inputs := l.state.Start().Inputs
	for name, v := range inputs {
		if _, secret := v.(action.Secret); !secret {
			continue
		}
		text, ok := l.asked.Inputs[name].(string)
		if !ok {
			return &SecretInputError{l.id, name}
		}
		inputs[name] = text
	}
	for _, name := range phrase.Names(l.asked.Inputs) {
		if _, secret := inputs[name].(string); !secret || !l.plan.Workflow.Secret(name) {
			return fmt.Errorf("the input %q of the run %s is recorded: only secret inputs are given again", name, l.id)
		}
	}
	secrets, err := attempt.ResolveSecrets(l.plan, inputs, l.local.Secrets, l.redactor)
	l.executor.Secrets = secrets
	return err
}

// A SecretInputError says that the text of a secret input is needed again.
type SecretInputError struct{ Run, Input string }

// Error names the input.
func (e *SecretInputError) Error() string {
	return fmt.Sprintf("the run %s needs its secret input %q again, since its text is never stored", e.Run, e.Input)
}

// resume records the decisions and that the run continues.
func (l *resuming) resume(ctx context.Context) error {
	for _, d := range l.asked.Decisions {
		if err := l.take(l.decided(d)); err != nil {
			return err
		}
	}
	l.todo = nil // the resume enables again what the decisions enabled
	resumed := run.Event{Kind: run.EventResumed, Actor: l.actor}
	switch {
	case l.asked.Retry:
		resumed.Kind = run.EventRetried
	case l.died:
		resumed.Reason = run.Died
	}
	if !l.asked.Cancel && !l.state.Queued() && l.local.Journal != nil {
		return l.reclaim(ctx, resumed)
	}
	if err := l.take(resumed); err != nil || !l.asked.Cancel {
		return err
	}
	return l.take(run.Event{Kind: run.EventCancelled, Actor: l.actor})
}

// decided returns the event of a decision.
func (l *resuming) decided(d run.Decision) run.Event {
	if d.Reason == run.CallUnknown {
		task, call := l.history.Find(d.Call)
		return run.Event{
			Kind: run.EventCallDecided, Step: task.Step, Item: task.Item, Attempt: call.Attempt, Actor: l.actor,
			Call: &run.Call{Number: d.Call, Action: call.Action, Decision: d.Outcome},
		}
	}
	a, _ := l.state.WaitingFor(d.Reason)
	return run.Event{Kind: run.EventAttemptDecided, Step: a.Step, Item: a.Item, Attempt: a.Number, Actor: l.actor, Decision: &d}
}

// A WaitedError says that a run was not resumed because its concurrency group was busy
// until the wait for it ended. The run can still be resumed.
type WaitedError struct {
	Run  string
	Busy *journal.BusyError
}

// Error names the runs that were in the way.
func (e *WaitedError) Error() string {
	return fmt.Sprintf("the run %s was not resumed: %v", e.Run, e.Busy)
}

// Unwrap returns what the run waited for.
func (e *WaitedError) Unwrap() error { return e.Busy }

// reclaim resumes a run as soon as its concurrency group is free: another run of the
// group may have started since. A request to cancel the run ends the wait.
func (l *resuming) reclaim(ctx context.Context, resumed run.Event) error {
	started := l.started
	l.started = nil
	if err := l.write(); err != nil { // the decisions
		return err
	}
	l.urgent = false
	var before *journal.CancelRequest // the resume answers it: the run continues
	for first := true; ; first = false {
		err := l.claim(resumed)
		var busy *journal.BusyError
		isBusy := errors.As(err, &busy)
		if first && started != nil && (err == nil || isBusy) {
			started()
		}
		if !isBusy {
			return err
		}
		if first {
			before, err = l.local.Journal.CancelRequested(ctx, l.id)
			if err != nil && ctx.Err() == nil {
				return &JournalError{l.id, err}
			}
			if l.local.Waiting != nil {
				l.local.Waiting(l.id, busy)
			}
		}
		if l.clock.Sleep(ctx, queueEvery) != nil || l.gaveUp() {
			return &WaitedError{l.id, busy}
		}
		if request, err := l.local.Journal.CancelRequested(ctx, l.id); err == nil && request != nil && before == nil {
			if err := l.take(resumed); err != nil {
				return err
			}
			return l.take(run.Event{Kind: run.EventCancelled, Actor: request.Actor})
		}
	}
}

// gaveUp reports whether the wait for the group is to end.
func (l *resuming) gaveUp() bool {
	select {
	case <-l.local.GiveUp:
		return true
	default:
		return false
	}
}
