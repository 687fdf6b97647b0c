package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/telemetry"
	"github.com/pdflow/pdflow/engine/workflow"
)

// start begins the run of an instant and returns when that is durable. One that
// cannot be run at all, since a secret or an input is missing, is recorded as skipped
// with the reason: trying it again would not help.
func (d *Daemon) start(ctx context.Context, due scheduler.Due) error {
	what := due.Entry.Data.(served)
	request, err := d.target.Request(what.plan, what.schedule.Inputs)
	if err == nil {
		request.Occurrence, request.Patient = &due.Occurrence, due.Several
		_, err = d.launch(what.plan, request)
	}
	if err == nil || !engine.IsInputError(err) {
		return err
	}
	reason := "it cannot run: " + err.Error()
	d.missed(due.Occurrence, reason, 1)
	return d.skip(ctx, due, reason)
}

// launch begins a run, and returns its id when its beginning is durable.
func (d *Daemon) launch(plan *workflow.Plan, request engine.Request) (run string, err error) {
	type beginning struct {
		run string
		err error
	}
	begun, recorded, id := make(chan beginning, 1), false, ""
	request.Begun = func() { recorded = true; begun <- beginning{id, nil} }
	d.running.Go(func() {
		local, leave := d.local(plan)
		defer leave()
		local.Observers = append(local.Observers, observer(func(e engine.Event) {
			if id == "" {
				id = e.Run
				d.tended.add(id)
			}
		}))
		defer func() { d.tended.remove(id) }()
		result, err := local.Run(context.Background(), plan, request)
		if err != nil && !recorded {
			begun <- beginning{err: err}
			return
		}
		d.left(plan, id, result, err)
	})
	b := <-begun
	return b.run, b.err
}

// An observer is a function that hears of events.
type observer func(engine.Event)

// Observe hears of an event.
func (o observer) Observe(e engine.Event) { o(e) }

// errStopping ends the work on runs that had no room yet when the daemon was stopped.
var errStopping = errors.New("the daemon stops")

// local is the engine of one run of the daemon. The run waits for room after its
// beginning was recorded, so that a crowd of runs delays no schedule; when the daemon
// is stopped, those that wait stay for the next one. Leave gives the room back.
func (d *Daemon) local(plan *workflow.Plan) (local *engine.Local, leave func()) {
	admitted, name := "", plan.Workflow.Name
	local = &engine.Local{
		Interpreter: d.siteOf(plan.Workflow.File).Interpreter, Clock: d.clock, Secrets: d.target.Secret, Redactor: d.Redactor, Ceiling: d.target.Ceiling, Journal: d.records,
		Observers: []engine.Observer{d.metrics.Run(name), d.events.Run(name)},
		Admit: func(_ context.Context, run string) error {
			if !d.room() {
				d.waiting.add(run)
				return errStopping
			}
			admitted = run
			d.active.add(run)
			return nil
		},
	}
	return local, func() {
		if admitted != "" {
			d.active.remove(admitted)
			<-d.slots
		}
	}
}

// room waits for room for a run; false when the daemon is stopped before. Where there
// is room a run goes on all the same: it has begun, and the next daemon may be far.
func (d *Daemon) room() bool {
	select {
	case d.slots <- struct{}{}:
		return true
	default:
	}
	select {
	case d.slots <- struct{}{}:
		return true
	case <-d.stopping:
		return false
	}
}

// skip records that an instant does not run. That is written whatever becomes of the
// daemon meanwhile.
func (d *Daemon) skip(ctx context.Context, due scheduler.Due, reason string) error {
	what := due.Entry.Data.(served)
	target, _, err := d.target.Of(what.plan)
	if err != nil {
		return err
	}
	local, _ := d.local(what.plan)
	return local.Skip(context.WithoutCancel(ctx), what.plan, due.Occurrence, target, "skipped: "+reason)
}

// left says what became of a run that is not worked on any more. One that could not
// be recorded, such as on a full disk, is gone on with when it can be.
func (d *Daemon) left(plan *workflow.Plan, run string, result *engine.Result, err error) {
	var unrecorded *engine.JournalError
	switch {
	case errors.As(err, &unrecorded):
		d.log.Error("the run stands still, as it cannot be recorded", "run", run, "error", err)
		d.stranded.add(run)
	case errors.Is(err, errStopping):
	case err != nil:
		d.stuck(plan.Workflow.Name, run, err)
	default:
		d.ended(plan, result)
	}
}

// ended tells how a run ended to those who want to know; the log has it already.
func (d *Daemon) ended(plan *workflow.Plan, result *engine.Result) {
	alerts := d.alerts.Load()
	if alerts == nil {
		return
	}
	if result.Status != engine.Skipped {
		alerts.Ended(plan, result)
		return
	}
	reason := result.Error.Message
	alerts.Missed(alert.Occurrence{
		Workflow: result.Workflow, Run: result.Run, At: d.clock.Now(), Reason: telemetry.SkipReason(reason) + ": " + reason,
	})
}

// rescue goes on with the runs that could not be recorded.
func (d *Daemon) rescue(ctx context.Context) {
	for _, id := range d.stranded.list() {
		run, err := d.journal.Read(ctx, id)
		if err != nil {
			continue // then later
		}
		d.stranded.remove(id)
		d.goOnWith(run, goingOn{})
	}
}

// goOn goes on with the runs that a daemon or a person left unfinished. Those of
// simulators, which are gone, stay as they are. It returns when each is owned: until
// then its concurrency group looks free, and an instant could begin beside it.
func (d *Daemon) goOn(ctx context.Context) {
	found, err := d.journal.Runs(ctx, engine.RunQuery{Statuses: []engine.Status{engine.Interrupted}})
	if err != nil {
		d.log.Error("unfinished runs cannot be looked for", "error", err)
		return
	}
	var begun sync.WaitGroup
	for i := len(found) - 1; i >= 0; i-- { // the oldest first
		run, err := d.journal.Read(ctx, found[i].Run)
		if err != nil {
			d.stuck(found[i].Workflow, found[i].Run, err)
			continue
		}
		if run.Start().Target.Simulator != "" {
			continue
		}
		begun.Add(1)
		d.goOnWith(run, goingOn{begun: func() func(error) {
			done := sync.OnceFunc(begun.Done)
			return func(error) { done() }
		}()})
	}
	begun.Wait()
}

// stuck tells that a run cannot be gone on with until a person does something.
func (d *Daemon) stuck(workflow, run string, problem error) {
	d.log.Error("the run cannot be gone on with", "run", run, "workflow", workflow, "error", problem)
	if alerts := d.alerts.Load(); alerts != nil {
		alerts.Stuck(workflow, run, problem.Error())
	}
}

// goingOn says how a run is gone on with.
type goingOn struct {
	retry bool        // from its failed steps
	calls []string    // what a person decided of calls, as --call has it
	begun func(error) // hears whether that could be begun; nil: nobody does
}

// goOnWith goes on with a run.
func (d *Daemon) goOnWith(run *setup.RecordedRun, how goingOn) {
	begun := how.begun
	if begun == nil {
		begun = func(error) {}
	}
	if !d.tended.add(run.Run) {
		begun(fmt.Errorf("the run %s is worked on already", run.Run))
		return
	}
	d.running.Go(func() {
		defer d.tended.remove(run.Run)
		calls, err := setup.ParseDecisions(how.calls)
		var c *setup.Continuation
		if err == nil {
			c, err = d.Continue(context.Background(), d.journal, d.target, run, calls, nil)
		}
		if err != nil {
			begun(err)
			d.stuck(run.Workflow, run.Run, err)
			return
		}
		c.Resumption.Retry = how.retry
		local, leave := d.local(c.Plan)
		defer leave()
		goes := sync.OnceFunc(func() { begun(nil) })
		local.Observers = append(local.Observers, observer(func(engine.Event) { goes() }))
		result, err := local.Resume(context.Background(), c.Plan, c.Resumption)
		if err != nil {
			begun(err)
		}
		if errors.Is(err, engine.ErrOwned) {
			d.log.Info("another process goes on with the run", "run", run.Run)
			return
		}
		d.left(c.Plan, run.Run, result, err)
	})
}

// A runSet has the ids of runs, or of schedules.
type runSet struct {
	mu  sync.Mutex
	ids []string
}

// add adds an id, and reports whether it was not there.
func (s *runSet) add(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.ids, id) {
		return false
	}
	s.ids = append(s.ids, id)
	return true
}

// remove takes an id out, and reports whether it was there.
func (s *runSet) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.ids, id)
	if i >= 0 {
		s.ids = slices.Delete(s.ids, i, i+1)
	}
	return i >= 0
}

func (s *runSet) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}
