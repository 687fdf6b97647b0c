package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Runs is how commands see runs, in this process or in another one. A Runs belongs to one
// actor, who is recorded with every event that it causes: a command cannot name another
// actor. [Host] implements Runs in this process, and enginetest.TestRuns tests
// implementations. It is safe for concurrent use.
//
// An id that does not exist is [journal.ErrNoRun]. A request that the state of the run
// does not allow is an [InputError], and then nothing has changed.
type Runs interface {
	// Start starts a run of a workflow, and returns its id once the start is durable.
	// A run whose concurrency group is busy is queued or skipped; both are durable too.
	Start(ctx context.Context, request StartRequest) (id string, err error)
	// Get returns what is known of a run.
	Get(ctx context.Context, id string) (*View, error)
	// List returns the runs that a query selects, the newest first.
	List(ctx context.Context, query journal.Query) ([]journal.Summary, error)
	// Events returns the events of a run whose sequence number is greater than after.
	Events(ctx context.Context, id string, after int) ([]run.Event, error)
	// Wait returns the result of a run once it has ended or is suspended. The error is
	// the error of the context when that ends first.
	Wait(ctx context.Context, id string) (*run.Result, error)
	// Cancel cancels a run that has not ended. Only `finally` still runs. secrets are
	// the texts of the secret inputs of a run that no process works on.
	Cancel(ctx context.Context, id string, secrets action.Object) error
	// Decide answers what the suspended attempts of a run wait for, and resumes it.
	Decide(ctx context.Context, id string, decisions ...run.Decision) error
	// Resume continues an interrupted or suspended run.
	Resume(ctx context.Context, id string, request ContinueRequest) error
	// Retry continues an ended run from its failed steps.
	Retry(ctx context.Context, id string, request ContinueRequest) error
}

// A ContinueRequest has what a run needs besides its history to continue.
type ContinueRequest struct {
	Decisions []run.Decision // what its suspended attempts wait for
	Secrets   action.Object  // the texts of its secret inputs
}

// A StartRequest asks for a run of a workflow.
type StartRequest struct {
	Workflow string        // its name
	Inputs   action.Object // as given, before they are checked
}

// A View is what is known of one run.
type View struct {
	journal.Summary
	Start run.Start
	// Result has what is known of the steps so far. Its status is empty until the run
	// has ended or is suspended.
	Result *run.Result
	// Waits are what the suspended attempts of the run wait for, in the order of its
	// steps.
	Waits []run.Suspension
}

// Plans finds the plans of runs, and the account that each run talks to.
type Plans struct {
	// Find returns the plan of a workflow by its name, for a new run. Nil: no run can be
	// started.
	Find func(ctx context.Context, workflow string) (Prepared, error)
	// Restore returns the plan of a recorded run from its sources. Nil: no run can be
	// continued.
	Restore func(ctx context.Context, start run.Start, sources []workflow.Source) (Prepared, error)
}

// A Prepared is a plan with the target that its runs talk to.
type Prepared struct {
	Plan   *workflow.Plan
	Target run.Target
	Keys   map[string]string // see [Request]
}

// A Host executes the runs that are started and resumed through its [Runs], in this
// process and in the background. They do not end with the context of a request.
type Host struct {
	local   *Local
	plans   Plans
	working sync.WaitGroup

	mu   sync.Mutex
	live map[string]*liveRun // by id
}

// NewHost returns a host of the runs of local's journal. Without a journal every request
// is refused.
func NewHost(local *Local, plans Plans) *Host {
	return &Host{local: local, plans: plans, live: map[string]*liveRun{}}
}

// As returns the runs as an actor sees them.
func (h *Host) As(actor run.Actor) Runs { return &localRuns{h, actor} }

// Wait waits until the host executes no run.
func (h *Host) Wait() { h.working.Wait() }

// localRuns are the [Runs] of a host for one actor.
type localRuns struct {
	*Host
	actor run.Actor
}

// A liveRun is a run that this process executes.
type liveRun struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when it has ended or is suspended; result and err are set then
	result *run.Result
	err    error
}

// running reports whether the run is not over.
func (l *liveRun) running() bool {
	select {
	case <-l.done:
		return false
	default:
		return true
	}
}

func (r *localRuns) Start(ctx context.Context, request StartRequest) (string, error) {
	switch {
	case r.local.Journal == nil:
		return "", errNoJournal
	case r.plans.Find == nil:
		return "", &InputError{errors.New("runs cannot be started here")}
	}
	prepared, err := r.plans.Find(ctx, request.Workflow)
	if err != nil {
		return "", err
	}
	var id string
	first := run.ObserverFunc(func(e run.Event) {
		if id == "" {
			id = e.Run
		}
	})
	return r.background(&id, first, func(ctx context.Context, local *Local, started func()) (*run.Result, error) {
		return local.Run(ctx, prepared.Plan, Request{Inputs: request.Inputs, Actor: r.actor, Target: prepared.Target, Keys: prepared.Keys, Started: started})
	})
}

// background executes a run in the background, and returns once the run has started. The
// observer is called before that; for a new run, it sets the id.
func (r *localRuns) background(id *string, first run.Observer, execute func(context.Context, *Local, func()) (*run.Result, error)) (string, error) {
	local := *r.local
	local.Observers = append([]run.Observer{first}, r.local.Observers...)
	ctx, cancel := context.WithCancelCause(context.Background())
	here := &liveRun{cancel: cancel, done: make(chan struct{})}
	started := make(chan struct{})
	var once sync.Once
	r.working.Go(func() {
		defer cancel(nil)
		here.result, here.err = execute(ctx, &local, func() {
			r.mu.Lock()
			r.live[*id] = here
			r.mu.Unlock()
			once.Do(func() { close(started) })
		})
		r.mu.Lock()
		if r.live[*id] == here && here.err == nil {
			delete(r.live, *id) // the journal has the result; an error is kept for Wait
		}
		r.mu.Unlock()
		close(here.done)
	})
	select {
	case <-started:
		return *id, nil
	case <-here.done:
		return *id, here.err
	}
}

var errNoJournal = &InputError{errors.New("without a journal, runs cannot be started, listed or resumed here")}

func (r *localRuns) List(ctx context.Context, query journal.Query) ([]journal.Summary, error) {
	if r.local.Journal == nil {
		return nil, errNoJournal
	}
	return r.local.Journal.Runs(ctx, query)
}

// cancelledBy is the cause of a context that an actor ended to cancel a run.
type cancelledBy struct{ actor run.Actor }

func (c *cancelledBy) Error() string { return "cancelled by " + c.actor.String() }

// canceller returns the actor who ended the context of a run; otherwise if none did.
func canceller(ctx context.Context, otherwise *run.Actor) *run.Actor {
	var by *cancelledBy
	if errors.As(context.Cause(ctx), &by) {
		return &by.actor
	}
	return otherwise
}

// summary returns the summary of the run with exactly this id.
func (r *localRuns) summary(ctx context.Context, id string) (journal.Summary, error) {
	found, err := r.List(ctx, journal.Query{Run: id})
	for _, s := range found {
		if s.Run == id {
			return s, err
		}
	}
	return journal.Summary{}, cmp.Or(err, fmt.Errorf("the run %s: %w", id, journal.ErrNoRun))
}

func (r *localRuns) Events(ctx context.Context, id string, after int) ([]run.Event, error) {
	if r.local.Journal == nil {
		return nil, errNoJournal
	}
	events, err := r.local.Journal.Events(ctx, id)
	return events[min(max(after, 0), len(events)):], err
}

func (r *localRuns) Get(ctx context.Context, id string) (*View, error) {
	summary, err := r.summary(ctx, id)
	if err != nil {
		return nil, err
	}
	events, err := r.Events(ctx, id, 0) // read after the summary, so they are at least as new
	if err != nil {
		return nil, err
	}
	prepared, err := r.prepared(ctx, id, events)
	if err != nil {
		return nil, err
	}
	state := run.New(prepared.Plan)
	for _, e := range events {
		if _, err := state.Apply(e); err != nil {
			return nil, &JournalError{id, fmt.Errorf("its history is not valid: %w", err)}
		}
	}
	return &View{Summary: summary, Start: *state.Start(), Result: state.Result(), Waits: state.Waits()}, nil
}

// prepared returns the plan of a recorded run.
func (r *localRuns) prepared(ctx context.Context, id string, events []run.Event) (Prepared, error) {
	sources, err := r.local.Journal.Sources(ctx, id)
	if err != nil {
		return Prepared{}, err
	}
	if len(events) == 0 || events[0].Started == nil {
		return Prepared{}, &JournalError{id, errors.New("its first event is missing")}
	}
	if r.plans.Restore == nil {
		return Prepared{}, &InputError{errors.New("runs cannot be continued here")}
	}
	return r.plans.Restore(ctx, *events[0].Started, sources)
}

func (r *localRuns) Wait(ctx context.Context, id string) (*run.Result, error) {
	r.mu.Lock()
	here := r.live[id]
	r.mu.Unlock()
	if here == nil {
		return r.await(ctx, id)
	}
	select {
	case <-here.done:
		return here.result, here.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// await waits for a run that this host does not execute.
func (r *localRuns) await(ctx context.Context, id string) (*run.Result, error) {
	for {
		view, err := r.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if !view.Active() || !view.Live {
			return view.Result, nil
		}
		if err := r.local.clock().Sleep(ctx, queueEvery); err != nil {
			return nil, err
		}
	}
}

func (r *localRuns) Cancel(ctx context.Context, id string, secrets action.Object) error {
	r.mu.Lock()
	here := r.live[id]
	r.mu.Unlock()
	if here != nil && here.running() {
		here.cancel(&cancelledBy{r.actor})
		return nil
	}
	summary, err := r.summary(ctx, id)
	switch {
	case err != nil:
		return err
	case !summary.EndedAt.IsZero():
		return &InputError{fmt.Errorf("the run %s has ended as %s: it cannot be cancelled", id, summary.Status)}
	case summary.Live:
		return r.local.Journal.RequestCancel(ctx, id, &r.actor)
	}
	return r.resume(ctx, Resumption{Run: id, Inputs: secrets, Cancel: true})
}

func (r *localRuns) Decide(ctx context.Context, id string, decisions ...run.Decision) error {
	return r.resume(ctx, Resumption{Run: id, Decisions: decisions})
}

func (r *localRuns) Resume(ctx context.Context, id string, request ContinueRequest) error {
	return r.resume(ctx, Resumption{Run: id, Inputs: request.Secrets, Decisions: request.Decisions})
}

func (r *localRuns) Retry(ctx context.Context, id string, request ContinueRequest) error {
	return r.resume(ctx, Resumption{Run: id, Inputs: request.Secrets, Decisions: request.Decisions, Retry: true})
}

func (r *localRuns) resume(ctx context.Context, resumption Resumption) error {
	events, err := r.Events(ctx, resumption.Run, 0)
	if err != nil {
		return err
	}
	prepared, err := r.prepared(ctx, resumption.Run, events)
	if err != nil {
		return err
	}
	resumption.Actor, resumption.Target, resumption.Keys = r.actor, prepared.Target, prepared.Keys
	_, err = r.background(&resumption.Run, run.ObserverFunc(func(run.Event) {}), func(ctx context.Context, local *Local, started func()) (*run.Result, error) {
		resumption.Started = started
		return local.Resume(ctx, prepared.Plan, resumption)
	})
	return err
}
