package engine

import (
	"context"

	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// DryRun executes a plan without sending a write and without recording anything. The
// error is the error of [Local.Run]; a run that fails is a dry run too.
func (l *Local) DryRun(ctx context.Context, plan *workflow.Plan, request Request) (*attempt.DryRun, error) {
	dry := l.unrecorded()
	loop, start, err := dry.prepare(plan, request)
	if err != nil {
		return nil, err
	}
	defer loop.live()()
	if l.Journal != nil {
		loop.local = l // for the last successful run
		start.Previous, err = loop.previous(start)
		if loop.local = dry; err != nil {
			return nil, &JournalError{loop.id, err}
		}
	}
	d := attempt.NewDryRun(loop.id)
	loop.executor.DryRun = d
	d.Result, err = loop.begin(ctx, start)
	return d, err
}

// DryResume continues a run from any history without sending a write and without
// recording anything: it shows what [Local.Resume] would send. The calls that the
// history has return their recorded results, as in a resume.
func (l *Local) DryResume(ctx context.Context, plan *workflow.Plan, history []run.Event, resumption Resumption) (*attempt.DryRun, error) {
	loop := resuming{l.unrecorded().loop(plan, resumption.Actor), resumption, false}
	defer loop.live()()
	loop.id = resumption.Run
	d := attempt.NewDryRun(loop.id)
	loop.executor.DryRun = d
	err := loop.restore(history)
	if err == nil {
		err = loop.resume(ctx)
	}
	if err != nil {
		return nil, err
	}
	if loop.state.Queued() {
		d.Result, err = loop.begin(ctx, loop.state.Start())
	} else {
		d.Result, err = loop.drive(ctx)
	}
	return d, err
}

// unrecorded returns a copy without journal.
func (l *Local) unrecorded() *Local {
	dry := *l
	dry.Journal = nil
	return &dry
}
