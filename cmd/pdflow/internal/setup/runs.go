package setup

import (
	"context"
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// summaryOf finds a run by its id, by an unambiguous beginning of it, or by the
// word last.
func (j *Journal) summaryOf(ctx context.Context, name string) (engine.RunSummary, error) {
	query := engine.RunQuery{Run: name, Limit: 6}
	if name == "last" {
		query = engine.RunQuery{Limit: 1}
	}
	found, err := j.Runs(ctx, query)
	if err != nil {
		return engine.RunSummary{}, console.Exit(console.ExitFailed, err)
	}
	for _, run := range found {
		if run.Run == name || len(found) == 1 {
			return run, nil
		}
	}
	if len(found) > 1 {
		return engine.RunSummary{}, console.Usage("several runs begin with %s: %s; write more of the id", name, runIDs(found))
	}
	return engine.RunSummary{}, j.unknownRun(ctx, name)
}

// unknownRun says that there is no such run, with those whose ids begin alike.
func (j *Journal) unknownRun(ctx context.Context, name string) error {
	list := "`pdflow runs list" + j.Folder.Option() + "` lists them"
	if name == "last" {
		return console.Usage("there are no runs in %s yet", j.Path)
	}
	const enough = 4 // characters: the ids of one month have the first in common
	for n := len(name) - 1; n >= enough; n-- {
		near, err := j.Runs(ctx, engine.RunQuery{Run: name[:n], Limit: 3})
		if err == nil && len(near) > 0 {
			return console.Usage("there is no run %s (did you mean %s?); %s", name, runIDs(near), list)
		}
	}
	return console.Usage("there is no run %s; %s", name, list)
}

func runIDs(runs []engine.RunSummary) string {
	ids := make([]string, len(runs))
	for i := range runs {
		ids[i] = runs[i].Run
	}
	return strings.Join(ids, ", ")
}

// A RecordedRun is a run of the journal with everything that happened in it.
type RecordedRun struct {
	engine.RunSummary
	Events []engine.Event
}

// Read finds a run by its id, the beginning of it, or the word last.
func (j *Journal) Read(ctx context.Context, name string) (*RecordedRun, error) {
	summary, err := j.summaryOf(ctx, name)
	if err != nil {
		return nil, err
	}
	events, err := j.Events(ctx, summary.Run)
	if err != nil {
		return nil, console.Exit(console.ExitFailed, err)
	}
	if len(events) == 0 || events[0].Started == nil {
		return nil, console.Exit(console.ExitFailed, fmt.Errorf("the record of the run %s has no beginning: `pdflow runs verify%s` says what is damaged", summary.Run, j.Folder.Option()))
	}
	return &RecordedRun{summary, events}, nil
}

// Start is what the run knew from its beginning on.
func (r *RecordedRun) Start() *engine.RunStart { return r.Events[0].Started }

// SecretInputs are the names of its inputs that the journal does not have.
func (r *RecordedRun) SecretInputs() []string {
	var names []string
	for _, name := range action.SortedNames(r.Start().Inputs) {
		if _, secret := r.Start().Inputs[name].(action.Secret); secret {
			names = append(names, name)
		}
	}
	return names
}

// Plan compiles the sources that a run was made from.
func (j *Journal) Plan(ctx context.Context, run string, site *Target) (*workflow.Plan, error) {
	sources, err := j.Sources(ctx, run)
	if err != nil {
		return nil, console.Exit(console.ExitFailed, err)
	}
	restored, err := workflow.Restore(sources)
	if restored == nil {
		return nil, err
	}
	return workflow.Compile(restored, site.Catalog, site.Interpreter) // it reports the problems of Restore too
}

// Open reports whether the run can still be cancelled.
func (r *RecordedRun) Open() bool { return r.EndedAt.IsZero() }

// Chosen reads the runs of these names, or all that are interrupted.
func (j *Journal) Chosen(ctx context.Context, names []string) ([]*RecordedRun, error) {
	if len(names) == 0 {
		found, err := j.Runs(ctx, engine.RunQuery{Statuses: []engine.Status{engine.Interrupted}})
		if err != nil {
			return nil, console.Exit(console.ExitFailed, err)
		}
		for i := len(found) - 1; i >= 0; i-- { // the oldest first
			names = append(names, found[i].Run)
		}
	}
	var runs []*RecordedRun
	seen := map[string]bool{}
	for _, name := range names {
		run, err := j.Read(ctx, name)
		if err != nil {
			return nil, err
		}
		if !seen[run.Run] {
			seen[run.Run] = true
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// Verb is the command that goes on with the run.
func (r *RecordedRun) Verb() string {
	switch {
	case r.Start().Target.Simulator != "" || r.Live && r.EndedAt.IsZero() && r.Status != engine.NeedsAttention:
		return ""
	case r.Status == engine.Success || r.Status == engine.Skipped:
		return ""
	case r.EndedAt.IsZero():
		return "resume"
	}
	return "retry"
}
