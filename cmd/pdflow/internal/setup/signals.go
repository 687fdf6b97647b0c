package setup

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// How long a cancelled command may take to end. A write that was sent has ten seconds to be answered.
// A Lua function may take a while to notice that its script was stopped, or may never notice it.
// `finally` has run.CleanupTime in addition.
const (
	stopWithin        = 20 * time.Second
	stopWithinFinally = stopWithin + run.CleanupTime + 10*time.Second
)

// WithSignals returns a context that the first SIGINT or SIGTERM ends. The second signal ends the
// process at once. So does a command that has not ended in time after the first.
func (e *Environment) WithSignals(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	e.stop = ctx.Done()
	signals, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case first := <-signals:
			e.Signal.Store(int32(signalCode(first)))
			e.Say(e.Running.stopping())
			cancel()
		case <-ended:
			return
		}
		within := e.Running.within()
		select {
		case second := <-signals:
			e.Say(e.Running.abandoned("ended at once"))
			os.Exit(signalCode(second))
		case <-time.After(within):
			e.Say(e.Running.abandoned(fmt.Sprintf("%s did not stop within %s; ended", e.Running.awaited(), within)))
			os.Exit(int(e.Signal.Load()))
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

// Running are the runs that this process works on. The zero value is ready to use.
type Running struct {
	mu       sync.Mutex
	runs     []*watchedRun
	patience time.Duration // how long a command may take to end at least
}

// Least sets how long runs may take to end. The command may take stopWithin longer.
func (u *Running) Least(d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.patience = d + stopWithin
}

// A watchedRun is what a signal needs to know of a running run.
type watchedRun struct {
	set    *Running
	within time.Duration
	resume func(id string) string // the command that resumes it; nil: it is not recorded
	id     string
	active map[attemptID]bool
}

type attemptID struct {
	step string
	item int
}

// Watch adds a run of a plan. The result must observe the run. Resume returns the command that resumes
// the run; it is nil if the run is not recorded.
func (u *Running) Watch(plan *workflow.Plan, resume func(id string) string) *watchedRun {
	w := &watchedRun{set: u, within: stopWithin, resume: resume, active: map[attemptID]bool{}}
	if slices.ContainsFunc(plan.Steps, func(s workflow.PlanStep) bool { return s.Part == workflow.Finally }) {
		w.within = stopWithinFinally
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.runs = append(u.runs, w)
	return w
}

// Observe keeps the id of the run and the attempts that are running.
func (w *watchedRun) Observe(e run.Event) {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.id = e.Run
	switch id := (attemptID{e.Step, e.Item}); e.Kind {
	case run.EventAttemptStarted, run.EventCallStarted:
		w.active[id] = true // a replayed attempt has no new start, but it makes calls
	case run.EventAttemptFinished, run.EventAttemptSuspended, run.EventStepExpanded:
		delete(w.active, id)
	}
}

// Done removes the run.
func (w *watchedRun) Done() {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	w.set.runs = slices.DeleteFunc(w.set.runs, func(other *watchedRun) bool { return other == w })
}

// stopping returns what the first signal does; empty if no run is running.
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

// within returns how long the runs may take to end.
func (u *Running) within() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	most := max(stopWithin, u.patience)
	for _, w := range u.runs {
		most = max(most, w.within)
	}
	return most
}

// awaited names the steps that have not ended.
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
	return strings.Join(phrase.Names(names), ", ")
}

// abandoned returns how to resume the runs that are left as they are. How says why the process ends.
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
			lines = append(lines, fmt.Sprintf("pdflow: %s; the run %s is interrupted, `%s` resumes it", how, w.id, w.resume(w.id)))
		}
	}
	if len(lines) == 0 && how != "ended at once" {
		lines = append(lines, "pdflow: "+how)
	}
	return strings.Join(lines, "\n")
}
