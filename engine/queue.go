package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// MaxQueued is how many runs of a concurrency group may wait.
const MaxQueued = 10

// queueEvery is how often a waiting run checks whether its concurrency group is free.
const queueEvery = 250 * time.Millisecond

// start starts a run and drives it.
func (l *loop) start(ctx context.Context, start *run.Start) (*run.Result, error) {
	group, err := l.group(ctx, start)
	if err != nil {
		return nil, &InputError{err}
	}
	if l.local.Journal == nil {
		return l.begin(ctx, start)
	}
	l.entry = l.newEntry(start, group)
	if group != "" {
		return l.enterGroup(ctx, start)
	}
	if start.Previous, err = l.previous(start); err != nil {
		return nil, &JournalError{l.id, err}
	}
	return l.begin(ctx, start)
}

// newEntry returns the journal's entry of a run. Simulated runs have groups of their own, so
// that no real run waits for one.
func (l *loop) newEntry(start *run.Start, group string) *journal.Entry {
	if group != "" && start.Target.Simulation != "" {
		group = "simulated " + group
	}
	return &journal.Entry{
		Run: l.id, Workflow: start.Workflow, Realm: start.Target.Realm(), Trigger: start.Trigger.Kind,
		Sources: l.plan.Sources, Group: group,
	}
}

// begin takes the start of a run and drives the run.
func (l *loop) begin(ctx context.Context, start *run.Start) (*run.Result, error) {
	if err := l.take(run.Event{Kind: run.EventStarted, Started: start, Actor: l.actor}); err != nil {
		return nil, err
	}
	return l.drive(ctx)
}

// previous returns the last successful run of the workflow, if the workflow reads it.
func (l *loop) previous(start *run.Start) (*run.Previous, error) {
	if !l.plan.ReadsPrevious {
		return nil, nil
	}
	return l.local.Journal.Previous(context.Background(), start.Workflow, start.Target.Realm())
}

// concurrency returns the concurrency policy of a run: what the workflow says, else the
// default of the trigger.
func concurrency(plan *workflow.Plan, trigger run.Trigger) workflow.ConcurrencyPolicy {
	switch p := plan.Workflow.Concurrency.Policy; {
	case p != "":
		return p
	case trigger.Kind == "schedule":
		return workflow.Skip
	}
	return workflow.Allow
}

// group returns the concurrency group of a run. It is empty when any number of runs may
// run at a time.
func (l *loop) group(ctx context.Context, start *run.Start) (string, error) {
	switch {
	case concurrency(l.plan, start.Trigger) == workflow.Allow:
		return "", nil
	case l.plan.Group == nil:
		return start.Workflow, nil
	}
	evaluation := l.local.Interpreter.Open(ctx, attempt.Environment{Clock: l.clock, Data: func(name string) (any, bool) {
		return start.Inputs, name == "inputs"
	}, Limits: workflow.DefaultLimits()})
	v, err := l.plan.Group.Evaluate(evaluation.Eval)
	if err != nil {
		return "", fmt.Errorf("concurrency.group cannot be evaluated: %w", err)
	}
	if text, ok := v.(string); ok && strings.TrimSpace(text) != "" {
		return start.Workflow + "/" + text, nil
	}
	return "", fmt.Errorf("concurrency.group must be text that is not empty, got %v", v)
}

// enterGroup starts a run as soon as its group is free, or does what its policy says.
func (l *loop) enterGroup(ctx context.Context, start *run.Start) (*run.Result, error) {
	var busy *journal.BusyError
	switch err := l.tryStart(start); {
	case err == nil:
		return l.drive(ctx)
	case !errors.As(err, &busy):
		return nil, err
	}
	policy := concurrency(l.plan, start.Trigger)
	switch {
	case policy == workflow.Skip && !l.patient:
		return l.skip(start, fmt.Sprintf("skipped: %v", busy))
	case (policy == workflow.Queue || l.patient) && len(busy.Runs) > MaxQueued:
		return l.skip(start, fmt.Sprintf("skipped: %d runs wait already: %v", MaxQueued, busy))
	case policy == workflow.CancelBusy:
		for _, id := range busy.Runs {
			if err := l.local.Journal.RequestCancel(ctx, id, l.actor); err != nil {
				return nil, &JournalError{l.id, err}
			}
		}
	}
	if err := l.take(run.Event{Kind: run.EventQueued, Started: start, Actor: l.actor, Reason: busy.Error()}); err != nil {
		return nil, err
	}
	return l.queued(ctx, start)
}

// skip records that the run does not start.
func (l *loop) skip(start *run.Start, reason string) (*run.Result, error) {
	if err := l.take(run.Event{Kind: run.EventSkipped, Started: start, Actor: l.actor, Reason: reason}); err != nil {
		return nil, err
	}
	if err := l.write(); err != nil {
		return nil, err
	}
	return l.state.Result(), nil
}

// queued waits until the group of a run is free. It checks the journal, since the other
// runs of the group may be in other processes.
func (l *loop) queued(ctx context.Context, start *run.Start) (*run.Result, error) {
	if err := l.write(); err != nil {
		return nil, err
	}
	l.urgent = false
	for {
		cancelled := l.clock.Sleep(ctx, queueEvery) != nil
		by := canceller(ctx, l.actor)
		if !cancelled {
			if request, err := l.local.Journal.CancelRequested(ctx, l.id); err == nil && request != nil {
				cancelled, by = true, request.Actor
			}
		}
		if cancelled {
			if err := l.take(run.Event{Kind: run.EventCancelled, Actor: by}); err != nil {
				return nil, err
			}
			return l.drive(context.WithoutCancel(ctx))
		}
		var busy *journal.BusyError
		if err := l.tryStart(start); err == nil {
			return l.drive(ctx)
		} else if !errors.As(err, &busy) {
			return nil, err
		}
	}
}

// tryStart starts the run if the journal allows it. The error is a [journal.BusyError]
// while its group is busy.
func (l *loop) tryStart(start *run.Start) error {
	var err error
	if start.Previous, err = l.previous(start); err != nil {
		return &JournalError{l.id, err}
	}
	return l.claim(run.Event{Kind: run.EventStarted, Started: start, Actor: l.actor})
}

// claim writes an event with which the run claims its group, and then takes it. The
// error is a [journal.BusyError] while another run of the group is running.
func (l *loop) claim(e run.Event) error {
	e.Sequence, e.Time, e.Run = l.sequence+1, l.clock.Now(), l.id
	var err error
	if l.sequence == 0 {
		err = l.local.Journal.Begin(context.Background(), *l.entry, []run.Event{l.shown(e)})
	} else {
		err = l.local.Journal.Append(context.Background(), l.id, []run.Event{l.shown(e)})
	}
	if busy := (*journal.BusyError)(nil); errors.As(err, &busy) {
		return err
	} else if err != nil {
		return &JournalError{l.id, err}
	}
	l.entry = nil
	if err := l.take(e); err != nil {
		return err
	}
	l.batch = l.batch[1:] // the journal has it
	l.hasStarted()
	return nil
}
