package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/journal/sqlite"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

// DefaultRetention is how long ended runs are kept by default.
const DefaultRetention = 30 * 24 * time.Hour

// pruneEvery is how often commands look for runs to delete.
const pruneEvery = 24 * time.Hour

// A DataFolder is the folder that the journal is in.
type DataFolder struct {
	Flag string // the value of --data-dir; empty: the default folder
}

// AddFlag adds --data-dir.
func (d *DataFolder) AddFlag(f *pflag.FlagSet) {
	f.StringVar(&d.Flag, "data-dir", "", "the folder of the journal (default $XDG_STATE_HOME/pdflow, else ~/.local/state/pdflow)")
}

// Option returns the flag for a command line, with a space before it; empty for the default folder.
func (d DataFolder) Option() string {
	if d.Flag == "" {
		return ""
	}
	return " --data-dir " + console.ShellWord(d.Flag)
}

// DataDir returns the path of a data folder.
func (e *Environment) DataDir(d DataFolder) (string, error) {
	if d.Flag != "" {
		return d.Flag, nil
	}
	if folder := e.folder("XDG_STATE_HOME", ".local", "state"); folder != "" {
		return folder, nil
	}
	return "", console.Usage("there is no folder for the journal: set HOME or XDG_STATE_HOME, or give --data-dir")
}

// Runs are the recorded runs of a data folder. Commands see runs only through this type and through
// [engine.Runs], which it asks. What only a journal on disk can do, such as to verify it, is asked of
// the journal. Errors of its methods carry an exit code.
type Runs struct {
	Folder    DataFolder
	Path      string // of the data folder
	runs      engine.Runs
	journal   *sqlite.Journal
	retention time.Duration // 0: nothing is deleted
}

// OpenRuns opens the runs of a data folder. It makes the folder if it does not exist. Runs that ended
// longer ago than the retention are deleted when the runs are closed.
func (e *Environment) OpenRuns(d DataFolder, retention Age) (*Runs, error) {
	path, err := e.DataDir(d)
	if err != nil {
		return nil, err
	}
	opened, err := sqlite.Open(sqlite.Config{Dir: path})
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("the journal cannot be opened: %w", err))
	}
	seen := engine.NewHost(&engine.Local{Journal: opened}, engine.Plans{}).As(run.Actor{})
	return &Runs{Folder: d, Path: path, runs: seen, journal: opened, retention: time.Duration(retention)}, nil
}

// FindRuns opens the runs of a data folder for a command that reads them. It returns nil, nil if
// nothing was ever recorded there, and makes no files.
func (e *Environment) FindRuns(d DataFolder) (*Runs, error) {
	path, err := e.DataDir(d)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(path, sqlite.FileName)); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return e.OpenRuns(d, 0)
}

// NeedRuns opens the runs of a data folder for a command that needs a run.
func (e *Environment) NeedRuns(d DataFolder) (*Runs, error) {
	r, err := e.FindRuns(d)
	if err == nil && r == nil {
		err = e.NoRuns(d)
	}
	return r, err
}

// NoRuns returns the error that nothing was ever recorded in a data folder.
func (e *Environment) NoRuns(d DataFolder) error {
	path, err := e.DataDir(d)
	if err != nil {
		return err
	}
	return console.Usage("there are no runs in %s; `pdflow run FILE` records one, --data-dir names another folder", path)
}

// CloseRuns closes runs, and first deletes old runs once a day. It does nothing for nil. An error is
// printed but does not fail the command, because every run is already on disk.
func (e *Environment) CloseRuns(r *Runs) {
	if r == nil {
		return
	}
	if err := errors.Join(r.Tidy(time.Now()), r.Close()); err != nil {
		fmt.Fprintf(e.Stderr, "pdflow: the journal in %s: %v\n", r.Path, err)
	}
}

// Close closes the journal.
func (r *Runs) Close() error { return r.journal.Close() }

// Retain sets how long ended runs are kept.
func (r *Runs) Retain(retention Age) { r.retention = time.Duration(retention) }

// Tidy deletes runs that are older than the retention. It does nothing if that was done less than a day
// ago: the modification time of a file in the data folder says when. A time in the future is no reason
// to wait, because the clock was wrong then.
func (r *Runs) Tidy(now time.Time) error {
	if r.retention == 0 {
		return nil
	}
	marker := filepath.Join(r.Path, "pruned")
	if info, err := os.Stat(marker); err == nil {
		if since := now.Sub(info.ModTime()); since >= 0 && since < pruneEvery {
			return nil
		}
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return err
	}
	if err := os.Chtimes(marker, now, now); err != nil {
		return err
	}
	_, err := r.journal.Tidy(context.Background(), now, r.retention)
	return err
}

// Journal returns the journal, for an engine to write to; nil for nil.
func (r *Runs) Journal() journal.Journal {
	if r == nil {
		return nil
	}
	return r.journal
}

// Command returns the command line that does something with a run. It has a place for each secret
// input that must be given again.
func (r *Runs) Command(verb, id string, secretInputs []string) string {
	text := "pdflow runs " + verb + " " + console.ShellWord(id) + r.Folder.Option()
	for _, name := range secretInputs {
		text += " -i " + name + "=..."
	}
	return text
}

// Advise adds the command to type next to an error of the engine about a run.
func (r *Runs) Advise(err error) error {
	var decision *engine.NeedsDecisionError
	var call *engine.DecisionError
	var secret *engine.SecretInputError
	var ended *engine.EndedError
	switch {
	case errors.As(err, &ended) && ended.Status != run.Success && ended.Status != run.Skipped:
		return fmt.Errorf("%w\n  try: `%s` runs its failed steps again", err, r.Command("retry", ended.Run, nil))
	case errors.As(err, &decision) && decision.Suspension.Reason == run.CallUnknown:
		command := r.Command("resume", decision.Run, nil)
		return fmt.Errorf("%w\n  try: `%s --call %d=done`, or =repeat or =fail", err, command, decision.Suspension.Call)
	case errors.As(err, &call):
		return fmt.Errorf("%w\n  try: `%s` lists the calls", err, r.Command("show", call.Run, nil))
	case errors.As(err, &secret):
		return fmt.Errorf("%w: give it with `-i %s=...`", err, secret.Input)
	}
	return err
}

// failed adds the exit code of a failure to an error, and what to type if the journal is damaged.
func (r *Runs) failed(err error) error {
	if err == nil {
		return nil
	}
	if sqlite.Damaged(err) {
		err = fmt.Errorf("%w\n  try: `pdflow runs verify%s` lists what is damaged", err, r.Folder.Option())
	}
	return console.Exit(console.ExitFailed, err)
}

// List returns the runs that match a query, the newest first.
func (r *Runs) List(ctx context.Context, query journal.Query) ([]journal.Summary, error) {
	found, err := r.runs.List(ctx, query)
	return found, r.failed(err)
}

// Interrupted returns the ids of the interrupted runs, the oldest first.
func (r *Runs) Interrupted(ctx context.Context) ([]string, error) {
	found, err := r.List(ctx, journal.Query{Statuses: []run.Status{run.Interrupted}})
	slices.Reverse(found)
	return ids(found), err
}

// Events returns the events of a run in order.
func (r *Runs) Events(ctx context.Context, id string) ([]run.Event, error) {
	events, err := r.runs.Events(ctx, id, 0)
	return events, r.failed(err)
}

// Cancel asks the process that works on a run to cancel it, for an actor.
func (r *Runs) Cancel(ctx context.Context, id string, by run.Actor) error {
	return r.failed(r.journal.RequestCancel(ctx, id, &by))
}

// Verify returns the damage in the journal, one text for each damaged record.
func (r *Runs) Verify(ctx context.Context) (damage []string, err error) {
	found, err := r.journal.Verify(ctx)
	for _, d := range found {
		damage = append(damage, d.String())
	}
	if err != nil {
		return nil, r.failed(fmt.Errorf("the journal in %s cannot be checked: %w", r.Path, err))
	}
	return damage, nil
}

// Prune deletes runs that ended longer ago than an age, and returns their number.
func (r *Runs) Prune(ctx context.Context, now time.Time, age Age) (int, error) {
	pruned, err := r.journal.Prune(ctx, now, time.Duration(age))
	if err != nil {
		return 0, r.failed(fmt.Errorf("the journal in %s: %w", r.Path, err))
	}
	return pruned.Runs, nil
}

// Schedules returns the states of the schedules that a daemon has served.
func (r *Runs) Schedules(ctx context.Context) ([]journal.ScheduleState, error) {
	states, err := r.journal.Schedules(ctx)
	return states, r.failed(err)
}

// PauseSchedule sets the pause of a schedule, or removes it if the pause is nil.
func (r *Runs) PauseSchedule(ctx context.Context, workflow, schedule string, pause *journal.Pause) error {
	return r.failed(r.journal.PauseSchedule(ctx, workflow, schedule, pause))
}

// Get returns a run by its id, by the beginning of its id, or by the word "last".
func (r *Runs) Get(ctx context.Context, name string) (*RecordedRun, error) {
	summary, err := r.find(ctx, name)
	if err != nil {
		return nil, err
	}
	events, err := r.Events(ctx, summary.Run)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 || events[0].Started == nil {
		return nil, r.failed(fmt.Errorf("the first event of the run %s is missing: `pdflow runs verify%s` lists what is damaged", summary.Run, r.Folder.Option()))
	}
	return &RecordedRun{summary, events}, nil
}

func (r *Runs) find(ctx context.Context, name string) (journal.Summary, error) {
	query := journal.Query{Run: name, Limit: 6}
	if name == "last" {
		query = journal.Query{Limit: 1}
	}
	found, err := r.List(ctx, query)
	if err != nil {
		return journal.Summary{}, err
	}
	for _, summary := range found {
		if summary.Run == name || len(found) == 1 {
			return summary, nil
		}
	}
	if len(found) > 1 {
		return journal.Summary{}, console.Usage("several runs begin with %s: %s; write more of the id", name, strings.Join(ids(found), ", "))
	}
	return journal.Summary{}, r.unknown(ctx, name)
}

// unknown returns the error that there is no such run. It suggests runs whose ids begin the same way.
func (r *Runs) unknown(ctx context.Context, name string) error {
	list := "`pdflow runs list" + r.Folder.Option() + "` lists them"
	if name == "last" {
		return console.Usage("there are no runs in %s yet", r.Path)
	}
	const enough = 4 // characters; all ids of one month begin with the same first ones
	for n := len(name) - 1; n >= enough; n-- {
		near, err := r.runs.List(ctx, journal.Query{Run: name[:n], Limit: 3})
		if err == nil && len(near) > 0 {
			return console.Usage("there is no run %s (did you mean %s?); %s", name, strings.Join(ids(near), ", "), list)
		}
	}
	return console.Usage("there is no run %s; %s", name, list)
}

func ids(runs []journal.Summary) []string {
	found := make([]string, len(runs))
	for i := range runs {
		found[i] = runs[i].Run
	}
	return found
}

// Plan compiles the sources that a run was started from.
func (r *Runs) Plan(ctx context.Context, id string, target *Target) (*workflow.Plan, error) {
	sources, err := r.journal.Sources(ctx, id)
	if err != nil {
		return nil, r.failed(err)
	}
	restored, err := workflow.Restore(sources)
	if restored == nil {
		return nil, err
	}
	if target.learn != nil {
		target.learn(restored)
	}
	return workflow.Compile(restored, target.Catalog, target.Interpreter) // reports the problems of Restore too
}

// An Age is a duration that may be written in days, such as 30d.
type Age time.Duration

var _ pflag.Value = (*Age)(nil)

// Set reads an age.
func (a *Age) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err == nil && n >= 0 && n < 100_000 {
			*a = Age(n * 24 * float64(time.Hour))
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not an age; write 30d or 12h", text)
	}
	*a = Age(d)
	return nil
}

// String returns whole days as days.
func (a *Age) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(*a); d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return time.Duration(*a).String()
}

// Type names the value in the help.
func (*Age) Type() string { return "age" }

// AddRetention adds --retention.
func AddRetention(f *pflag.FlagSet, a *Age) {
	*a = Age(DefaultRetention)
	f.Var(a, "retention", "how long ended runs are kept; 0 keeps them all")
}

// FindSchedule returns the schedule of an id; without an id, the only schedule of the workflow.
func FindSchedule(plan *workflow.Plan, id string) (workflow.Schedule, error) {
	schedules := plan.Workflow.Schedules
	var keys []string
	for _, s := range schedules {
		if s.Key() == id || id == "" && len(schedules) == 1 {
			return s, nil
		}
		keys = append(keys, s.Key())
	}
	if id == "" {
		return workflow.Schedule{}, console.Usage("%s has several schedules; choose one with --schedule: %s", plan.Workflow.File, strings.Join(keys, ", "))
	}
	return workflow.Schedule{}, console.Usage("%s has no schedule %q (it has: %s)", plan.Workflow.File, id, strings.Join(keys, ", "))
}

// PauseToRecord returns the pause to record in place of the one before. A pause that is removed
// becomes a pause that has ended: times that were due during it are not caught up later.
func PauseToRecord(pause, before *journal.Pause, now time.Time) *journal.Pause {
	if pause != nil || !before.Active(now) {
		return pause
	}
	ended := *before
	ended.Until = now.UTC()
	return &ended
}

// A RecordedRun is a run with its events.
type RecordedRun struct {
	journal.Summary
	Events []run.Event // at least one, which has Started
}

// Start returns how the run started.
func (r *RecordedRun) Start() *run.Start { return r.Events[0].Started }

// Open reports whether the run can still be cancelled.
func (r *RecordedRun) Open() bool { return r.EndedAt.IsZero() }

// SecretInputs returns the names of the inputs that are not recorded because they are secret.
func (r *RecordedRun) SecretInputs() []string {
	inputs := r.Start().Inputs
	return slices.DeleteFunc(phrase.Names(inputs), func(name string) bool {
		_, secret := inputs[name].(action.Secret)
		return !secret
	})
}

// Verb returns the command that continues the run: resume or retry; empty if none can.
func (r *RecordedRun) Verb() string {
	switch {
	case r.Start().Target.Simulation != "", r.Live && r.Open() && r.Status != run.NeedsAttention, r.Status == run.Success, r.Status == run.Skipped:
		return ""
	case r.Open():
		return "resume"
	}
	return "retry"
}

// ParseDecisions reads a person's decisions about calls: 17=done, 17=repeat or 17=fail.
func ParseDecisions(calls []string) ([]run.Decision, error) {
	var decisions []run.Decision
	for _, text := range calls {
		number, decision, ok := strings.Cut(text, "=")
		n, err := strconv.Atoi(strings.TrimPrefix(number, "#"))
		if !ok || err != nil {
			return nil, console.Usage("--call %q is not a decision about a call; write --call 17=done, =repeat or =fail", text)
		}
		if err := console.OneOf("call "+number, decision, string(run.CallDone), string(run.CallRepeat), string(run.CallFailed)); err != nil {
			return nil, err
		}
		decisions = slices.DeleteFunc(decisions, func(d run.Decision) bool { return d.Call == n }) // the last one counts
		decisions = append(decisions, run.Decision{Reason: run.CallUnknown, Call: n, Outcome: run.CallOutcome(decision)})
	}
	slices.SortFunc(decisions, func(a, b run.Decision) int { return cmp.Compare(a.Call, b.Call) })
	return decisions, nil
}

// Prepare returns the plan of a recorded run, and what its runs reach, to resume or to retry it. The plan
// is made from the recorded sources, not from the files as they are now.
func (r *Runs) Prepare(ctx context.Context, target *Target, recorded *RecordedRun) (engine.Prepared, error) {
	if recorded.Start().Target.Simulation != "" {
		return engine.Prepared{}, console.Usage("the run %s cannot be resumed, because its simulator ended with its process; start it again with `pdflow run --simulate`", recorded.Run)
	}
	plan, err := r.Plan(ctx, recorded.Run, target)
	var problems source.Problems
	if errors.As(err, &problems) {
		err = fmt.Errorf("%w\npdflow: this version of pdflow does not accept the recorded workflow of the run %s; resume it with the version that started it", err, recorded.Run)
	}
	if err != nil {
		return engine.Prepared{}, err
	}
	plan = plan.WithConnection(recorded.Start().Target.Connection)
	if err := target.Ready(plan); err != nil {
		return engine.Prepared{}, err
	}
	reached, keys, err := target.Of(plan)
	return engine.Prepared{Plan: plan, Target: reached, Keys: keys}, err
}
