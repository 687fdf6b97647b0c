package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/telemetry"
	"github.com/pdflow/pdflow/engine/workflow"
)

// errStopping ends the work on runs that had no slot yet when the daemon was asked to stop.
var errStopping = errors.New("the daemon is stopping")

// runs are the runs that the daemon works on.
type runs struct {
	*shared
	files    *files
	alerting *alerting
	events   *telemetry.Log

	slots      chan struct{}  // one for each run that has a slot
	shares     shares         // of the slots, for each workflow
	running    sync.WaitGroup // the goroutines that work on runs
	claimed    runSet         // the runs that such a goroutine has, or will have
	active     runSet         // the runs that have a slot
	unadmitted runSet         // the runs that got no slot before the daemon was asked to stop
	unrecorded runSet         // the runs that stopped because they could not be recorded
	notResumed runSet         // the runs that are not resumed, because they may be why processes died
}

// start starts a run and returns its id when its start is recorded.
func (r *runs) start(plan *workflow.Plan, request engine.Request) (id string, err error) {
	first, recorded := make(chan error, 1), false
	request.Started = func() { recorded = true; first <- nil }
	r.running.Go(func() {
		local, leave := r.local(plan)
		defer leave()
		local.Observers = append(local.Observers, run.ObserverFunc(func(e run.Event) {
			if id == "" { // written before first is sent to, and not after
				id = e.Run
				r.claimed.add(id)
			}
		}))
		defer func() { r.claimed.remove(id) }()
		result, err := local.Run(context.Background(), plan, request)
		if err != nil && !recorded {
			first <- err
			return
		}
		r.ended(plan, id, result, err)
	})
	err = <-first
	return id, err
}

// local returns the engine for one run. The run waits for a slot after its start was recorded, so
// many runs do not delay the schedules. When the daemon is asked to stop, runs without a slot are
// left to the next daemon. Leave frees the slot.
func (r *runs) local(plan *workflow.Plan) (local *engine.Local, leave func()) {
	admitted, name := "", plan.Workflow.Name
	local = r.files.targetOf(plan.Workflow.File).Engine(r.env.Redactor)
	local.Clock, local.Journal, local.GiveUp = r.clock, r.records, r.stopping
	local.Waiting = func(id string, busy *journal.BusyError) {
		r.log.Info("the run waits for its concurrency group", "run", id, "busy", busy)
	}
	local.Observers = []run.Observer{r.metrics.Run(r.label(name)), r.events.Run(name)}
	local.Admit = func(_ context.Context, id string) (waited bool, err error) {
		waited, ok := r.takeSlot(name)
		if !ok {
			r.unadmitted.add(id)
			return waited, errStopping
		}
		admitted = id
		r.active.add(id)
		return waited, nil
	}
	return local, func() {
		if admitted != "" {
			r.active.remove(admitted)
			<-r.slots
			<-r.shares.of(name)
		}
	}
}

// takeSlot waits for a slot and reports whether it had to. ok is false if the daemon is asked to
// stop first. A free slot is taken even then: the run has started, and the next daemon may start
// much later.
func (r *runs) takeSlot(workflow string) (waited, ok bool) {
	share := r.shares.of(workflow)
	waitedForShare, ok := r.take(share)
	if !ok {
		return true, false
	}
	waited, ok = r.take(r.slots)
	if !ok {
		<-share
	}
	return waited || waitedForShare, ok
}

func (r *runs) take(slots chan struct{}) (waited, ok bool) {
	select {
	case slots <- struct{}{}:
		return false, true
	default:
	}
	select {
	case slots <- struct{}{}:
		return true, true
	case <-r.stopping:
		return true, false
	}
}

// shares are the slots that each workflow may have: a half of all, so that a workflow whose runs
// hang does not keep the others from running.
type shares struct {
	most  int
	mu    sync.Mutex
	slots map[string]chan struct{}
}

// of returns the slots of a workflow.
func (s *shares) of(workflow string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	share := s.slots[workflow]
	if share == nil {
		share = make(chan struct{}, (s.most+1)/2)
		if s.slots == nil {
			s.slots = map[string]chan struct{}{}
		}
		s.slots[workflow] = share
	}
	return share
}

// ended takes over the result of the work on a run. A run that could not be recorded, for example
// because the disk is full, is resumed later.
func (r *runs) ended(plan *workflow.Plan, id string, result *run.Result, err error) {
	var unrecorded *engine.JournalError
	switch {
	case errors.As(err, &unrecorded):
		r.log.Error("the run has stopped because it cannot be recorded; it is resumed when it can be", "run", id, "error", err)
		r.unrecorded.add(id)
	case errors.Is(err, errStopping):
	case err != nil:
		r.alerting.stuck(plan.Workflow.Name, id, err)
	default:
		r.alerting.ended(plan, result)
	}
}

// resumeUnrecorded resumes the runs that could not be recorded.
func (r *runs) resumeUnrecorded(ctx context.Context) {
	for _, id := range r.unrecorded.list() {
		found, err := r.journal.Get(ctx, id)
		if err != nil {
			continue // the next call tries again
		}
		r.unrecorded.remove(id)
		r.resume(found, resumption{})
	}
}

// resumeInterrupted resumes the interrupted runs. Runs against a simulator stay interrupted,
// because the simulator ended with its process. It returns when this process owns each of them:
// before that its concurrency group looks free, and a scheduled run could start at the same time.
func (r *runs) resumeInterrupted(ctx context.Context) {
	found, err := r.journal.List(ctx, journal.Query{Statuses: []run.Status{run.Interrupted}})
	if err != nil {
		r.log.Error("the interrupted runs cannot be listed", "error", err)
		return
	}
	var started sync.WaitGroup
	for _, summary := range slices.Backward(found) { // the oldest first
		interrupted, err := r.journal.Get(ctx, summary.Run)
		if err != nil {
			r.alerting.stuck(summary.Workflow, summary.Run, err)
			continue
		}
		if interrupted.Start().Target.Simulation != "" {
			continue
		}
		if deaths := deathsOf(interrupted); deaths >= maxDeaths {
			r.notResumed.add(summary.Run)
			r.alerting.stuck(summary.Workflow, summary.Run, r.tooManyDeaths(summary.Run, deaths))
			continue
		}
		started.Add(1)
		done := sync.OnceFunc(started.Done)
		r.resume(interrupted, resumption{started: func(error) { done() }})
	}
	started.Wait()
}

// maxDeaths is how many processes may die while they work on a run that gets no further.
// Then the run waits for a person: it may be why they died, and the daemon would die again.
const maxDeaths = 5

// deathsOf returns how many processes died while they worked on an interrupted run, since it
// last got further.
func deathsOf(found *setup.RecordedRun) int {
	deaths := run.Deaths(found.Events)
	if found.Died {
		deaths++
	}
	return deaths
}

// tooManyDeaths says why a run is not resumed, and what to type.
func (r *runs) tooManyDeaths(id string, deaths int) error {
	return fmt.Errorf("%d processes died while they worked on it, and it got no further: it may take too much memory. To resume it: %s",
		deaths, r.journal.Command("resume", id, nil))
}

// givenUp returns the runs that wait for a person because processes died on them.
func (r *runs) givenUp(ctx context.Context) []string {
	for _, id := range r.notResumed.list() {
		if found, err := r.journal.Get(ctx, id); err == nil && found.Status != run.Interrupted {
			r.notResumed.remove(id)
		}
	}
	return r.notResumed.list()
}

// A resumption says how a run is resumed.
type resumption struct {
	retry     bool           // run its failed steps again
	actor     run.Actor      // who asked for it; zero: the daemon continues it on its own
	decisions []run.Decision // of the actor
	started   func(error)    // called when the run is resumed, or cannot be; may be called twice; nil: not needed
}

// resume resumes a run in a goroutine. If an actor asked for it and it is refused, only the actor is told,
// because nothing has changed.
func (r *runs) resume(found *setup.RecordedRun, how resumption) {
	started := how.started
	if started == nil {
		started = func(error) {}
	}
	if !r.claimed.add(found.Run) {
		started(fmt.Errorf("the daemon is already working on the run %s", found.Run))
		return
	}
	r.running.Go(func() {
		defer r.claimed.remove(found.Run)
		asked := how.actor.Kind != ""
		prepared, err := r.journal.Prepare(context.Background(), r.target, found)
		if err != nil {
			started(err)
			if !asked {
				r.alerting.stuck(found.Workflow, found.Run, err)
			}
			return
		}
		local, leave := r.local(prepared.Plan)
		defer leave()
		result, err := local.Resume(context.Background(), prepared.Plan, engine.Resumption{
			Run: found.Run, Actor: how.actor, Target: prepared.Target, Keys: prepared.Keys, Decisions: how.decisions,
			Retry: how.retry, Started: func() { started(nil) },
		})
		var waited *engine.WaitedError
		if errors.As(err, &waited) { // the daemon is stopping
			r.unadmitted.add(found.Run)
			return
		}
		refused := engine.IsInputError(err)
		err = r.journal.Advise(err)
		if err != nil {
			started(err)
		}
		switch {
		case errors.Is(err, journal.ErrOwned):
			r.log.Info("another process has resumed the run", "run", found.Run)
		case !asked || !refused:
			r.ended(prepared.Plan, found.Run, result, err)
		}
	})
}

// A runSet is a set of ids that several goroutines use.
type runSet struct {
	mu  sync.Mutex
	ids []string
}

// add adds an id and reports whether it was missing.
func (s *runSet) add(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.ids, id) {
		return false
	}
	s.ids = append(s.ids, id)
	return true
}

// remove removes an id and reports whether it was there.
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
