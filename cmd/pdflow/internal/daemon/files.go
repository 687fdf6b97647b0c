package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// files are the workflow files that the daemon serves.
type files struct {
	*shared
	alerting  *alerting
	scheduler *scheduler.Scheduler
	library   *library.Library // nil before load
	simulated sync.Map         // the *setup.Target of each file that has a world file, with --simulate

	saving  sync.Mutex
	saved   map[string]string // what the journal has of the names
	unsaved bool              // the names could not be saved the last time
}

// load reads the files of the paths. It is an error if none of them has a schedule.
func (f *files) load(paths []string) error {
	var err error
	f.library, err = library.Open(library.Config{Paths: paths, Compile: f.compile, Elsewhere: f.env.NamedFiles, Clock: f.clock, Log: f.log, Changed: f.changed})
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	snapshot := f.library.Snapshot()
	if len(f.entries()) > 0 {
		f.count(snapshot)
		return nil
	}
	if f.env.Signal.Load() != 0 { // it may have ended the reading of a key
		return fmt.Errorf("the files are not read: %w", console.ErrInterrupted)
	}
	for _, file := range snapshot.Files {
		if file.Problem != nil {
			return console.Usage("there is nothing to serve: no valid file in %s has a schedule; the first problem is\n%w", strings.Join(paths, ", "), file.Problem)
		}
	}
	return console.Usage("there is nothing to serve: no file in %s has a schedule (write schedule: \"0 9 * * MON-FRI\")", strings.Join(paths, ", "))
}

// recall gives workflow names to the files that they belonged to under the daemon before this one.
func (f *files) recall(ctx context.Context) {
	names, err := f.records.Names(ctx)
	if err != nil {
		f.log.Error("it cannot be read which file each workflow name belonged to: of two files with one name, the first by path is served", "error", err)
		return
	}
	f.saving.Lock()
	f.saved = names
	f.saving.Unlock()
	f.library.Prefer(names)
}

// saveNames saves which file each workflow name belongs to, for the next daemon. What cannot be saved
// is tried again by the next call.
func (f *files) saveNames(ctx context.Context) {
	f.saving.Lock()
	defer f.saving.Unlock()
	changed := maps.Clone(f.library.Snapshot().Names)
	maps.DeleteFunc(changed, func(name, file string) bool { return f.saved[name] == file })
	if len(changed) == 0 {
		return
	}
	err := f.records.SaveNames(ctx, changed)
	switch {
	case err != nil && !f.unsaved:
		f.log.Error("it cannot be recorded which file each workflow name belongs to; it is tried again until it can", "error", err)
	case err == nil:
		if f.saved == nil {
			f.saved = map[string]string{}
		}
		maps.Copy(f.saved, changed)
	}
	f.unsaved = err != nil
}

// Run watches the files until the context ends.
func (f *files) Run(ctx context.Context) { f.library.Watch(ctx) }

// compile reads a workflow. A workflow with a schedule must have the keys and permissions that it
// needs. Asked are the other files that it looked for.
func (f *files) compile(file source.File) (plan *workflow.Plan, asked []string, err error) {
	if f.options.Simulate && f.options.World == "" { // --world replaces the world files of all workflows
		asked = append(asked, setup.WorldName(file.Path))
		if err := f.readWorld(file); err != nil {
			return nil, asked, err
		}
	}
	text, err := file.Read(source.MaxFileSize)
	if err != nil {
		return nil, asked, setup.FileError(err, file.Path)
	}
	folder, err := file.OpenFolder()
	if err != nil {
		return nil, asked, setup.FileError(err, file.Path)
	}
	defer folder.Close()
	scripts := &asking{Folder: folder}
	plan, err = f.targetOf(file.Path).Compile(file.Path, text, scripts)
	asked = append(asked, scripts.asked...)
	if err != nil || len(plan.Workflow.Schedules) == 0 {
		return plan, asked, err
	}
	return plan, asked, f.target.Ready(plan)
}

// An asking is a folder that remembers the paths of the files that were asked for.
type asking struct {
	*source.Folder
	asked []string
}

// Stat describes a file.
func (a *asking) Stat(name string) (fs.FileInfo, error) {
	a.asked = append(a.asked, a.Path(name))
	return a.Folder.Stat(name)
}

// readWorld reads the world file next to a workflow file.
func (f *files) readWorld(file source.File) error {
	world, err := setup.WorldOf(file)
	if err != nil {
		return err
	}
	if world == nil {
		f.simulated.Delete(file.Path)
		return nil
	}
	target, err := f.target.In(world)
	if err != nil {
		return err
	}
	f.simulated.Store(file.Path, target)
	return nil
}

// targetOf returns what the runs of a file reach.
func (f *files) targetOf(file string) *setup.Target {
	if target, ok := f.simulated.Load(file); ok {
		return target.(*setup.Target)
	}
	return f.target
}

// scheduled is what a schedule runs.
type scheduled struct {
	plan     *workflow.Plan
	schedule workflow.Schedule
}

// entries returns the schedules of the files.
func (f *files) entries() []scheduler.Entry {
	var entries []scheduler.Entry
	for _, plan := range f.library.Snapshot().Plans() {
		for _, s := range plan.Workflow.Schedules {
			entries = append(entries, scheduler.Entry{Workflow: plan.Workflow.Name, Schedule: s.Key(), Spec: s.Spec, CatchUp: s.CatchUp, Data: scheduled{plan, s}})
		}
	}
	return entries
}

// report logs the problems of the files that the daemon begins with. It resolves the alerts of
// files that were fixed or removed while no daemon served them.
func (f *files) report() {
	snapshot := f.library.Snapshot()
	f.count(snapshot)
	var broken []string
	for _, file := range snapshot.Files {
		if file.Problem != nil {
			broken = append(broken, file.Path)
			f.broken(file.Name(), file.Path, file.Problem)
		}
	}
	f.alerting.do(func(a *alert.Alerts) { a.OnlyBroken(broken) })
	f.resolveRemoved(snapshot)
}

// resolveRemoved resolves the alerts of workflows that no file contains any more. It does nothing
// while a file cannot be read, because its workflow is then unknown.
func (f *files) resolveRemoved(snapshot *library.Snapshot) {
	var names []string
	for _, file := range snapshot.Files {
		if file.Plan == nil {
			return
		}
		names = append(names, file.Plan.Workflow.Name)
	}
	f.alerting.do(func(a *alert.Alerts) { a.OnlyServed(names) })
}

// changed takes over a change of the files.
func (f *files) changed(snapshot *library.Snapshot, changes []library.Change) {
	f.systemd.Reloading()
	f.count(snapshot)
	if err := f.scheduler.Replace(context.Background(), f.entries()); err != nil {
		f.log.Error("the schedules cannot be changed yet; the loaded ones stay, and the change is tried again", "error", err)
	}
	f.saveNames(context.Background())
	for _, c := range changes {
		if c.Kind == library.Broken {
			f.broken(c.Workflow, c.File, c.Problem)
			continue
		}
		f.log.Info("a file has changed", "change", string(c.Kind), "file", c.File, "workflow", c.Workflow)
		f.alerting.do(func(a *alert.Alerts) { a.Mended(c.File) })
		f.resolveRemoved(snapshot) // the file may have a workflow of another name now
	}
	f.systemd.Ready("serving " + console.Plural(len(f.entries()), "schedule"))
}

// count sets the metrics of the loaded workflows.
func (f *files) count(snapshot *library.Snapshot) {
	var names []string
	for _, plan := range snapshot.Plans() {
		names = append(names, f.label(plan.Workflow.Name))
	}
	f.metrics.Load(names, snapshot.Broken())
}

// broken reports that the newest version of a file cannot be served.
func (f *files) broken(name, file string, problem error) {
	f.log.Error("the file cannot be served; its last good version stays loaded, if there was one", "workflow", name, "file", file, "error", problem)
	f.alerting.do(func(a *alert.Alerts) { a.Broken(name, file, problem.Error()) })
}
