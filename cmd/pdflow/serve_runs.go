package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/scheduler"
)

// start begins the run of an instant and returns when that is durable. One that
// cannot be run at all, since a secret or an input is missing, is recorded as skipped
// with the reason: trying it again would not help.
func (d *daemon) start(ctx context.Context, due scheduler.Due) error {
	what := due.Entry.Data.(served)
	request, err := d.site.request(what.plan, what.schedule.Inputs)
	if err != nil {
		return d.skip(ctx, due, "it cannot run: "+err.Error())
	}
	begun, recorded := make(chan error, 1), false
	request.Occurrence, request.Begun = &due.Occurrence, func() { recorded = true; begun <- nil }
	d.work(ctx, due.Run(), func(ctx context.Context, local *engine.Local) {
		result, err := local.Run(ctx, what.plan, request)
		if err != nil && !recorded {
			begun <- err
			return
		}
		d.left(due.Run(), result, err)
	})
	err = <-begun
	if engine.IsInputError(err) {
		return d.skip(ctx, due, "it cannot run: "+err.Error())
	}
	return err
}

// errStopping ends the work on runs that had no room yet when the daemon was stopped.
var errStopping = errors.New("the daemon stops")

// work has a run worked on beside the others. It waits for room after its beginning
// was recorded, so that a crowd of runs delays no schedule. When the context ends,
// runs that wait stay for the next daemon, and those under way go on.
func (d *daemon) work(ctx context.Context, run string, do func(context.Context, *engine.Local)) {
	d.running.Go(func() {
		local, admitted := d.local(), false
		local.Admit = func(context.Context) error {
			select {
			case d.slots <- struct{}{}:
				admitted = true
				d.active.add(run)
				return nil
			case <-ctx.Done():
				return errStopping
			}
		}
		do(context.WithoutCancel(ctx), local)
		if admitted {
			d.active.remove(run)
			<-d.slots
		}
	})
}

// local is the engine of the daemon's runs.
func (d *daemon) local() *engine.Local {
	return &engine.Local{
		Interpreter: d.site.interpreter, Clock: d.clock, Secrets: d.site.secret, Redactor: d.redactor, Ceiling: d.site.ceiling, Journal: d.records,
		Observers: []engine.Observer{&stepFailures{d}},
	}
}

// skip records that an instant does not run.
func (d *daemon) skip(ctx context.Context, due scheduler.Due, reason string) error {
	what := due.Entry.Data.(served)
	target, _, err := d.site.target(what.plan)
	if err != nil {
		return err
	}
	return d.local().Skip(ctx, what.plan, due.Occurrence, target, "skipped: "+reason)
}

// left says what became of a run that is not worked on any more. One that could not
// be recorded, such as on a full disk, is gone on with when it can be.
func (d *daemon) left(run string, result *engine.Result, err error) {
	var unrecorded *engine.JournalError
	switch {
	case err == nil:
		d.ended(result)
	case errors.As(err, &unrecorded):
		d.log.Error("it stands still, as it cannot be recorded", "run", run, "error", err)
		d.stranded.add(run)
	}
}

// rescue goes on with the runs that could not be recorded.
func (d *daemon) rescue(ctx context.Context) {
	for _, id := range d.stranded.list() {
		run, err := d.journal.read(ctx, id)
		if err != nil {
			continue // then later
		}
		d.stranded.remove(id)
		d.work(ctx, id, func(ctx context.Context, local *engine.Local) { d.goOnWith(ctx, local, run) })
	}
}

// ended logs how a run ended.
func (d *daemon) ended(result *engine.Result) {
	log := d.log.With("workflow", result.Workflow, "run", result.Run, "status", string(result.Status), "took", took(result.Duration))
	switch {
	case result.Status == engine.Success:
		log.Info("ended")
	case result.Status == engine.Skipped:
		log.Warn("skipped", "reason", result.Error.Message)
	case result.Error != nil:
		log.Error("ended", "error", result.Error.Message, "step", result.Error.Step, "look", d.journal.command("show", result.Run, nil))
	default:
		log.Error("ended")
	}
}

// goOn goes on with the runs that a daemon or a person left unfinished. Those of
// simulators, which are gone, stay as they are.
func (d *daemon) goOn(ctx context.Context) {
	runs, err := d.journal.chosen(ctx, nil)
	if err != nil {
		d.log.Error("unfinished runs cannot be looked for", "error", err)
		return
	}
	for _, run := range runs {
		if run.start().Target.Simulator != "" {
			continue
		}
		d.work(ctx, run.Run, func(ctx context.Context, local *engine.Local) { d.goOnWith(ctx, local, run) })
	}
}

func (d *daemon) goOnWith(ctx context.Context, local *engine.Local, run *recordedRun) {
	log := d.log.With("run", run.Run, "workflow", run.Workflow)
	c, err := d.continuation(ctx, d.journal, d.site, run, &continueOptions{folder: d.options.folder, output: "text", quiet: true})
	if err != nil {
		log.Error("cannot go on with it", "error", err)
		return
	}
	log.Info("going on with it")
	result, err := local.Resume(ctx, c.plan, c.resumption)
	switch {
	case errors.Is(err, engine.ErrOwned):
		log.Info("another process goes on with it")
	case engine.IsInputError(err):
		log.Error("cannot go on with it", "error", err)
	default:
		d.left(run.Run, result, err)
	}
}

// A runSet has the ids of runs.
type runSet struct {
	mu  sync.Mutex
	ids []string
}

func (s *runSet) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *runSet) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.ids, id); i >= 0 {
		s.ids = slices.Delete(s.ids, i, i+1)
	}
}

func (s *runSet) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

// stepFailures logs steps that fail, and what scripts log.
type stepFailures struct{ daemon *daemon }

// Observe logs an event that somebody should see.
func (o *stepFailures) Observe(e engine.Event) {
	log := o.daemon.log
	switch {
	case e.Kind == engine.AttemptFinished && e.Outcome.Error != nil:
		log.Warn("an attempt failed", "run", e.Run, "step", e.Step, "attempt", e.Attempt, "kind", string(e.Outcome.Error.Kind), "error", e.Outcome.Error.Message)
	case e.Kind == engine.Logged:
		log.Info(e.Log.Message, "run", e.Run, "step", e.Step, "level_of_step", e.Log.Level)
	}
}
