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

// queueEvery is how often a queued run looks whether its turn has come.
const queueEvery = 250 * time.Millisecond

// start begins a run and drives it to its end.
func (l *loop) start(ctx context.Context, start *run.Start) (*run.Result, error) {
	group, err := l.group(ctx, start)
	if err != nil {
		return nil, &InputError{err}
	}
	if l.local.Journal == nil {
		return l.begin(ctx, start)
	}
	l.entry = &journal.Entry{
		Run: l.id, Workflow: start.Workflow, Realm: start.Target.Realm(), Trigger: start.Trigger.Kind,
		Sources: l.plan.Sources, Group: group,
	}
	if group != "" {
		return l.enterGroup(ctx, start)
	}
	if start.Previous, err = l.previous(start); err != nil {
		return nil, &JournalError{l.id, err}
	}
	return l.begin(ctx, start)
}

func (l *loop) begin(ctx context.Context, start *run.Start) (*run.Result, error) {
	if err := l.take(run.Event{Kind: run.EventStarted, Started: start}); err != nil {
		return nil, err
	}
	return l.drive(ctx)
}

// previous is what the workflow knows of its last successful run, if it asks.
func (l *loop) previous(start *run.Start) (*run.Previous, error) {
	if !l.plan.ReadsPrevious {
		return nil, nil
	}
	return l.local.Journal.Previous(context.Background(), start.Workflow, start.Target.Realm())
}

// policy is the concurrency policy of a run: what the workflow says, else the
// default of the trigger.
func policy(plan *workflow.Plan, trigger run.Trigger) workflow.ConcurrencyPolicy {
	switch p := plan.Workflow.Concurrency.Policy; {
	case p != "":
		return p
	case trigger.Kind == "schedule":
		return workflow.Skip
	}
	return workflow.Allow
}

// group is the concurrency group of a run, empty when any number may run.
func (l *loop) group(ctx context.Context, start *run.Start) (string, error) {
	switch {
	case policy(l.plan, start.Trigger) == workflow.Allow:
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

// enterGroup begins a run as soon as its group allows it.
func (l *loop) enterGroup(ctx context.Context, start *run.Start) (*run.Result, error) {
	var busy *journal.BusyError
	switch err := l.tryStart(start); {
	case err == nil:
		return l.drive(ctx)
	case !errors.As(err, &busy):
		return nil, err
	}
	policy := policy(l.plan, start.Trigger)
	switch {
	case policy == workflow.Skip && !l.patient:
		return l.skip(start, fmt.Sprintf("skipped: %v", busy))
	case (policy == workflow.Queue || l.patient) && len(busy.Runs) > MaxQueued:
		return l.skip(start, fmt.Sprintf("skipped: %d runs wait already: %v", MaxQueued, busy))
	case policy == workflow.CancelBusy:
		for _, run := range busy.Runs {
			if err := l.local.Journal.RequestCancel(ctx, run); err != nil {
				return nil, &JournalError{l.id, err}
			}
		}
	}
	if err := l.take(run.Event{Kind: run.EventQueued, Started: start, Reason: busy.Error()}); err != nil {
		return nil, err
	}
	return l.queued(ctx, start)
}

// skip records that the run does not run.
func (l *loop) skip(start *run.Start, reason string) (*run.Result, error) {
	if err := l.take(run.Event{Kind: run.EventSkipped, Started: start, Reason: reason}); err != nil {
		return nil, err
	}
	if err := l.write(); err != nil {
		return nil, err
	}
	return l.run.Result(), nil
}

// queued waits for the run's turn. It goes through the journal alone: whoever is
// in the way may be in another process.
func (l *loop) queued(ctx context.Context, start *run.Start) (*run.Result, error) {
	if err := l.write(); err != nil {
		return nil, err
	}
	l.urgent = false
	for {
		cancelled := l.clock.Sleep(ctx, queueEvery) != nil
		if !cancelled {
			asked, err := l.local.Journal.CancelRequested(ctx, l.id)
			cancelled = err == nil && asked
		}
		if cancelled {
			if err := l.take(run.Event{Kind: run.EventCancelled}); err != nil {
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

// tryStart asks the journal first, and begins the run if that allows it.
func (l *loop) tryStart(start *run.Start) error {
	e := run.Event{Kind: run.EventStarted, Started: start, Sequence: l.sequence + 1, Time: l.clock.Now(), Run: l.id}
	var err error
	if start.Previous, err = l.previous(start); err != nil {
		return &JournalError{l.id, err}
	}
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
	l.hasBegun()
	return nil
}

// Skip records that an occurrence does not run, and why. One that is there already
// stays as it is.
func (l *Local) Skip(ctx context.Context, plan *workflow.Plan, o run.Occurrence, target run.Target, reason string) error {
	if l.Journal == nil {
		return &InputError{errors.New("there is no journal to keep it")}
	}
	loop := l.loop(plan)
	loop.id = o.RunID()
	start := &run.Start{Workflow: plan.Workflow.Name, Source: plan.Sources[0].Hash(), Trigger: o.Trigger(), Target: target}
	loop.entry = &journal.Entry{Run: loop.id, Workflow: start.Workflow, Realm: target.Realm(), Trigger: start.Trigger.Kind, Sources: plan.Sources}
	_, err := loop.skip(start, reason)
	if errors.Is(err, journal.ErrExists) {
		return nil
	}
	return err
}
