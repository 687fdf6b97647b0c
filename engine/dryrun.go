package engine

import (
	"context"

	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Rehearse runs a plan without making a write and without recording anything. The
// error is that of [Local.Run]; a run that fails is a Rehearsal too.
func (l *Local) Rehearse(ctx context.Context, plan *workflow.Plan, request Request) (*attempt.DryRun, error) {
	dry := *l
	dry.Journal = nil
	loop, start, err := dry.prepare(plan, request)
	if err != nil {
		return nil, err
	}
	defer loop.live()()
	if l.Journal != nil {
		loop.local = l // for what the last run left
		start.Previous, err = loop.previous(start)
		if loop.local = &dry; err != nil {
			return nil, &JournalError{loop.id, err}
		}
	}
	r := attempt.NewDryRun(loop.id)
	loop.executor.DryRun = r
	r.Result, err = loop.begin(ctx, start)
	return r, err
}
