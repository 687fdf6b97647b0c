package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

var _ control.Daemon = (*controlled)(nil)

// controlled is a daemon as the requests of its socket see it.
type controlled struct{ *Daemon }

// Status returns the files, schedules and runs of the daemon.
func (d controlled) Status(ctx context.Context) (control.Status, error) {
	s := control.Status{
		PID: os.Getpid(), Version: setup.VersionText(), StartedAt: d.startedAt.UTC(), Stopping: d.isStopping(), LastWake: d.scheduler.LastWake().UTC(),
		Workflows: []control.WorkflowStatus{}, Runs: d.runs.active.list(), NotResumed: d.runs.givenUp(ctx), LeftOut: d.files.library.Snapshot().LeftOut,
	}
	schedules := map[string][]control.ScheduleStatus{} // by workflow
	for _, known := range d.scheduler.Status() {
		of := control.ScheduleStatus{Schedule: known.Schedule, Cron: known.Spec.Cron(), Timezone: known.Spec.Zone().String(), Next: known.Next, Watermark: known.Watermark}
		if known.Pause.Active(d.clock.Now()) {
			of.Pause = &control.PauseStatus{Reason: known.Pause.Reason, Until: known.Pause.Until}
		}
		schedules[known.Workflow] = append(schedules[known.Workflow], of)
	}
	for _, f := range d.files.library.Snapshot().Files {
		w := control.WorkflowStatus{Name: f.Name(), File: f.Path, Schedules: schedules[f.Name()]}
		if f.Problem != nil {
			w.Problem = f.Problem.Error()
		}
		s.Workflows = append(s.Workflows, w)
	}
	return s, nil
}

// plan returns a loaded workflow.
func (d controlled) plan(name string) (*workflow.Plan, error) {
	var names []string
	for _, plan := range d.files.library.Snapshot().Plans() {
		if plan.Workflow.Name == name {
			return plan, nil
		}
		names = append(names, plan.Workflow.Name)
	}
	return nil, &control.Error{Code: control.NotFound, Message: fmt.Sprintf("the daemon serves no workflow %q", name), Hint: phrase.DidYouMean(name, names)}
}

// Start starts a run and returns its id.
func (d controlled) Start(ctx context.Context, r control.StartRequest) (string, error) {
	if d.isStopping() {
		return "", &control.Error{Code: control.Stopping, Message: "the daemon is stopping and starts no more runs"}
	}
	plan, err := d.plan(r.Workflow)
	if err != nil {
		return "", err
	}
	inputs, err := inputsOf(plan, r)
	if err != nil {
		return "", err
	}
	if err := d.target.Ready(plan); err != nil {
		return "", &control.Error{Code: control.Invalid, Message: err.Error()}
	}
	request, err := d.target.Request(plan, inputs)
	if err != nil {
		return "", err
	}
	request.Actor = actor(ctx)
	id, err := d.runs.start(plan, request)
	if engine.IsInputError(err) {
		return "", &control.Error{Code: control.Invalid, Message: err.Error()}
	}
	return id, err
}

// actor returns who made a request at the control socket.
func actor(ctx context.Context) run.Actor {
	by := run.Actor{Kind: run.ActorSocket}
	if user, known := control.User(ctx); known {
		by.Name = strconv.Itoa(user)
	}
	return by
}

// inputsOf returns the inputs of the schedule that a request names, replaced by the inputs of the
// request.
func inputsOf(plan *workflow.Plan, r control.StartRequest) (action.Object, error) {
	text, err := json.Marshal(r.Inputs)
	if err != nil {
		return nil, err
	}
	given, err := source.ReadPrivateData("inputs", text) // JSON is YAML
	if err != nil {
		return nil, &control.Error{Code: control.Invalid, Message: err.Error()}
	}
	inputs := action.Object{}
	if r.Schedule != "" {
		of, err := setup.FindSchedule(plan, r.Schedule)
		if err != nil {
			return nil, &control.Error{Code: control.NotFound, Message: err.Error()}
		}
		maps.Copy(inputs, of.Inputs)
	}
	o, _ := given.Value.(action.Object)
	for name, v := range o {
		inputs[name] = v
		text, isText := v.(string)
		f, known := plan.Workflow.Inputs.Field(name)
		if !isText || !known {
			continue
		}
		if inputs[name], err = setup.ReadTyped(f.Type.Name, text); err != nil { // the client does not know the types
			return nil, &control.Error{Code: control.Invalid, Message: fmt.Sprintf("the input %s: %v", name, err)}
		}
	}
	return inputs, nil
}

// Resume resumes a run with a person's decisions. It returns when the run is resumed.
func (d controlled) Resume(ctx context.Context, id string, request control.ResumeRequest) error {
	found, err := d.journal.Get(ctx, id)
	if err != nil {
		return &control.Error{Code: control.NotFound, Message: err.Error()}
	}
	how := resumption{retry: request.Retry, actor: actor(ctx)}
	var calls []string
	for _, decision := range request.Decisions {
		calls = append(calls, fmt.Sprintf("%d=%s", decision.Call, decision.Decision))
	}
	if how.decisions, err = setup.ParseDecisions(calls); err != nil {
		return &control.Error{Code: control.Conflict, Message: err.Error()}
	}
	started := make(chan error, 2)
	how.started = func(err error) { started <- err }
	d.runs.resume(found, how)
	select {
	case err := <-started:
		if err != nil {
			return &control.Error{Code: control.Conflict, Message: err.Error()}
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// PauseSchedule pauses schedules.
func (d controlled) PauseSchedule(ctx context.Context, r control.PauseRequest) error {
	return d.setPause(ctx, r.ScheduleName, &journal.Pause{Reason: r.Reason, Until: r.Until.UTC(), At: d.clock.Now().UTC(), Actor: new(actor(ctx))})
}

// ResumeSchedule ends a pause.
func (d controlled) ResumeSchedule(ctx context.Context, name control.ScheduleName) error {
	return d.setPause(ctx, name, nil)
}

func (d controlled) setPause(ctx context.Context, name control.ScheduleName, pause *journal.Pause) error {
	found := false
	for _, s := range d.scheduler.Status() {
		if s.Workflow != name.Workflow || name.Schedule != "" && s.Schedule != name.Schedule {
			continue
		}
		found = true
		if err := d.records.PauseSchedule(ctx, s.Workflow, s.Schedule, setup.PauseToRecord(pause, s.Pause, d.clock.Now())); err != nil {
			return err
		}
	}
	if !found {
		return &control.Error{Code: control.NotFound, Message: fmt.Sprintf("the daemon serves no such schedule of %q", name.Workflow), Hint: "`pdflow schedule list` lists the schedules that it serves"}
	}
	return d.scheduler.Replace(ctx, d.files.entries()) // it reads the pauses
}

// Ask sends a request to the daemon that serves a data folder. It reports false if no daemon serves it;
// then the command does the work itself.
func Ask(env *setup.Environment, folder setup.DataFolder, ask func(*control.Client) error) (lives bool, err error) {
	path, err := env.DataDir(folder)
	if err != nil {
		return false, err
	}
	err = ask(control.New(path))
	var refused *control.Error
	switch {
	case errors.Is(err, control.ErrNoDaemon):
		return false, nil
	case err == nil:
		return true, nil
	case !errors.As(err, &refused):
		return true, console.Exit(console.ExitFailed, err)
	}
	switch refused.Code {
	case control.NotFound, control.Invalid, control.Conflict, control.TooLarge, control.Forbidden:
		return true, console.Usage("the daemon refuses: %w", refused)
	}
	return true, console.Exit(console.ExitFailed, fmt.Errorf("the daemon: %w", refused))
}

// Cancel asks a run to stop.
func (d controlled) Cancel(ctx context.Context, id string) error {
	found, err := d.journal.Get(ctx, id)
	if err != nil {
		return &control.Error{Code: control.NotFound, Message: err.Error()}
	}
	if !found.Open() {
		return &control.Error{Code: control.Conflict, Message: fmt.Sprintf("the run %s has ended as %s: there is nothing to cancel", found.Run, found.Status)}
	}
	return d.journal.Cancel(ctx, found.Run, actor(ctx))
}

// Reload reads the files again and returns what has changed.
func (d controlled) Reload(context.Context) (control.Reloaded, error) {
	var r control.Reloaded
	of := map[library.ChangeKind]*[]string{
		library.Added: &r.Added, library.Changed: &r.Changed, library.Removed: &r.Removed, library.Broken: &r.Broken, library.Mended: &r.Mended,
	}
	for _, c := range d.files.library.Check() {
		*of[c.Kind] = append(*of[c.Kind], c.File)
	}
	return r, nil
}
