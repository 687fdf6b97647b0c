package setup

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// How long a cancelled command may take to end: a write under way gets ten
// seconds to answer, and one Lua function may take a while to see that its
// script was stopped, or never do. `finally` has a minute of its own.
const (
	stopWithin        = 20 * time.Second
	stopWithinFinally = stopWithin + engine.CleanupTime + 10*time.Second
)

// WithSignals cancels the context at the first signal; at the second, or when
// the command does not end in time, the program ends at once.
func (p *Environment) WithSignals(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case first := <-signals:
			p.Signal.Store(int32(signalCode(first)))
			p.Say(p.Running.stopping())
			cancel()
		case <-ended:
			return
		}
		within := p.Running.within()
		select {
		case second := <-signals:
			p.Say(p.Running.abandoned("ended at once"))
			os.Exit(signalCode(second))
		case <-time.After(within):
			p.Say(p.Running.abandoned(fmt.Sprintf("%s did not stop within %s; ended", p.Running.awaited(), within)))
			os.Exit(int(p.Signal.Load()))
		case <-ended:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(ended)
		cancel()
	}
}

func signalCode(s os.Signal) int {
	if s == syscall.SIGTERM {
		return console.ExitTerminated
	}
	return console.ExitInterrupted
}

// Running are the runs that this process works on: what a signal stops.
type Running struct {
	mu   sync.Mutex
	runs []*watchedRun
	// patience is how long a command may take to stop at least.
	patience time.Duration
}

// Least sets how long the work of the command may take to end at least, before stopWithin.
func (u *Running) Least(d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.patience = d + stopWithin
}

// A watchedRun is a run under way, as far as stopping it needs to know.
type watchedRun struct {
	set    *Running
	within time.Duration
	resume func(run string) string // the command that goes on with it; "" when nothing does
	id     string
	active map[attemptID]bool
}

type attemptID struct {
	step string
	item int
}

// Watch adds a run of a plan. What it returns observes the run.
func (u *Running) Watch(plan *workflow.Plan, resume func(run string) string) *watchedRun {
	w := &watchedRun{set: u, within: stopWithin, resume: resume, active: map[attemptID]bool{}}
	for i := range plan.Steps {
		if plan.Steps[i].Part == workflow.Finally {
			w.within = stopWithinFinally
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.runs = append(u.runs, w)
	return w
}

// Observe keeps the run's id and what is under way in it.
func (w *watchedRun) Observe(e engine.Event) {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.id = e.Run
	switch id := (attemptID{e.Step, e.Item}); e.Kind {
	case engine.AttemptStarted, engine.CallStarted:
		w.active[id] = true // a replayed attempt starts no more, but it calls
	case engine.AttemptFinished, engine.AttemptSuspended, engine.StepExpanded:
		delete(w.active, id)
	}
}

// Done takes the run off the list.
func (w *watchedRun) Done() {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	for i, other := range w.set.runs {
		if other == w {
			w.set.runs = append(w.set.runs[:i], w.set.runs[i+1:]...)
			return
		}
	}
}

// stopping says what the first signal does; nothing when no run is under way.
func (u *Running) stopping() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.runs) == 0 {
		return ""
	}
	text, again := "stopping", "press Ctrl-C again to end at once"
	for _, w := range u.runs {
		if w.within == stopWithinFinally {
			text = "stopping, and running `finally`"
		}
		if w.resume != nil {
			again = "press Ctrl-C again to end at once, interrupted and resumable"
		}
	}
	return "pdflow: " + text + "; " + again
}

// within is how long the runs may take to stop.
func (u *Running) within() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	most := max(stopWithin, u.patience)
	for _, w := range u.runs {
		most = max(most, w.within)
	}
	return most
}

// awaited names what has not ended.
func (u *Running) awaited() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	names := map[string]any{}
	for _, w := range u.runs {
		for id := range w.active {
			names[fmt.Sprintf("the step %q", id.step)] = nil
		}
	}
	if len(names) == 0 {
		return "the command"
	}
	return strings.Join(action.SortedNames(names), ", ")
}

// abandoned says how to go on with the runs that are left as they are.
func (u *Running) abandoned(how string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	lines := []string{}
	for _, w := range u.runs {
		switch {
		case w.id == "":
		case w.resume == nil:
			lines = append(lines, fmt.Sprintf("pdflow: %s; the run %s was not recorded, so it cannot be resumed", how, w.id))
		default:
			lines = append(lines, fmt.Sprintf("pdflow: %s; the run %s is interrupted, `%s` goes on with it", how, w.id, w.resume(w.id)))
		}
	}
	if len(lines) == 0 && how != "ended at once" {
		lines = append(lines, "pdflow: "+how)
	}
	return strings.Join(lines, "\n")
}
