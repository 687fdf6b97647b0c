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
	d.slots <- struct{}{}
	begun := make(chan error, 2)
	request.Occurrence, request.Begun = &due.Occurrence, func() { begun <- nil }
	d.running.Go(func() {
		defer func() { <-d.slots }()
		d.active.add(due.Run())
		defer d.active.remove(due.Run())
		result, err := d.local().Run(ctx, what.plan, request)
		if err != nil {
			begun <- err
			return
		}
		d.ended(result)
	})
	err = <-begun
	if engine.IsInputError(err) {
		return d.skip(ctx, due, "it cannot run: "+err.Error())
	}
	return err
}

// local is the engine of the daemon's runs.
func (d *daemon) local() *engine.Local {
	return &engine.Local{
		Interpreter: d.site.interpreter, Clock: d.clock, Secrets: d.site.secret, Redactor: d.redactor, Ceiling: d.site.ceiling, Journal: d.journal,
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
		d.running.Go(func() {
			d.slots <- struct{}{}
			defer func() { <-d.slots }()
			d.active.add(run.Run)
			defer d.active.remove(run.Run)
			d.goOnWith(ctx, run)
		})
	}
}

func (d *daemon) goOnWith(ctx context.Context, run *recordedRun) {
	log := d.log.With("run", run.Run, "workflow", run.Workflow)
	c, err := d.continuation(ctx, d.journal, d.site, run, &continueOptions{folder: d.options.folder, output: "text", quiet: true})
	if err != nil {
		log.Error("cannot go on with it", "error", err)
		return
	}
	log.Info("going on with it")
	result, err := d.local().Resume(ctx, c.plan, c.resumption)
	switch {
	case errors.Is(err, engine.ErrOwned):
		log.Info("another process goes on with it")
	case err != nil:
		log.Error("cannot go on with it", "error", err)
	default:
		d.ended(result)
	}
}

// active are the runs that the daemon works on.
type active struct {
	mu  sync.Mutex
	ids []string
}

func (a *active) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids = append(a.ids, id)
}

func (a *active) remove(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.ids, id); i >= 0 {
		a.ids = slices.Delete(a.ids, i, i+1)
	}
}

func (a *active) count() int { return len(a.list()) }

func (a *active) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.ids)
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
