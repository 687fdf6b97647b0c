package daemon

import (
	"context"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/scheduler"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Load reads the files.
func (d *Daemon) Load(args []string) error {
	var err error
	d.library, err = library.Open(library.Config{Paths: args, Compile: d.compile, Clock: d.clock, Log: d.log, Changed: d.changed})
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	snapshot := d.library.Snapshot()
	if len(d.entries()) > 0 {
		d.count(snapshot)
		return nil
	}
	for _, f := range snapshot.Files {
		if f.Problem != nil {
			return console.Usage("there is nothing to serve: no file of %s has a schedule and can be read, such as\n%w", strings.Join(args, ", "), f.Problem)
		}
	}
	return console.Usage("there is nothing to serve: no file of %s has a schedule (write schedule: \"0 9 * * MON-FRI\")", strings.Join(args, ", "))
}

// compile reads a workflow. One with a schedule must be able to run here.
func (d *Daemon) compile(file string) (*workflow.Plan, error) {
	if err := d.surround(file); err != nil {
		return nil, err
	}
	plan, err := setup.CompileFile(file, d.siteOf(file))
	if err != nil || len(plan.Workflow.Schedules) == 0 {
		return plan, err
	}
	return plan, d.target.Ready(plan)
}

// surround reads the world beside a file when its runs are simulated, unless one world
// was given for all.
func (d *Daemon) surround(file string) error {
	if !d.options.Simulate || d.options.World != "" {
		return nil
	}
	beside := setup.WorldBeside(file)
	if beside == "" {
		d.worlds.Delete(file)
		return nil
	}
	world, err := setup.ReadWorld(beside)
	if err != nil {
		return err
	}
	there, err := d.target.In(world)
	if err != nil {
		return err
	}
	d.worlds.Store(file, there)
	return nil
}

// siteOf is what the runs of a file reach.
func (d *Daemon) siteOf(file string) *setup.Target {
	if there, ok := d.worlds.Load(file); ok {
		return there.(*setup.Target)
	}
	return d.target
}

// served is what a schedule runs.
type served struct {
	plan     *workflow.Plan
	schedule workflow.Schedule
}

// entries are the schedules of the files.
func (d *Daemon) entries() []scheduler.Entry {
	var entries []scheduler.Entry
	for _, plan := range d.library.Snapshot().Plans() {
		for _, s := range plan.Workflow.Schedules {
			entries = append(entries, scheduler.Entry{Workflow: plan.Workflow.Name, Schedule: s.Key(), Spec: s.Spec, CatchUp: s.CatchUp, Data: served{plan, s}})
		}
	}
	return entries
}

// announce says what is wrong with the files that the daemon begins with, and ends the
// alerts of those that were mended or went while nothing served them.
func (d *Daemon) announce() {
	snapshot := d.library.Snapshot()
	d.count(snapshot)
	var broken []string
	for _, f := range snapshot.Files {
		if f.Problem != nil {
			broken = append(broken, f.Path)
			d.broken(f.Name(), f.Path, f.Problem)
		}
	}
	if alerts := d.alerts.Load(); alerts != nil {
		alerts.OnlyBroken(broken)
		d.unserved(alerts, snapshot)
	}
}

// unserved ends the alerts of workflows that no file has any more. As long as a file
// cannot be read at all nobody knows whose it is.
func (d *Daemon) unserved(alerts *alert.Alerts, snapshot *library.Snapshot) {
	var names []string
	for _, f := range snapshot.Files {
		if f.Plan == nil {
			return
		}
		names = append(names, f.Plan.Workflow.Name)
	}
	alerts.OnlyServed(names)
}

// changed hears how the files differ from those before.
func (d *Daemon) changed(snapshot *library.Snapshot, changes []library.Change) {
	d.systemd.Reloading()
	d.count(snapshot)
	if err := d.scheduler.Replace(context.Background(), d.entries()); err != nil {
		d.log.Error("the schedules cannot be changed; those that are loaded stay", "error", err)
	}
	for _, c := range changes {
		if c.Kind == library.Broken {
			d.broken(c.Workflow, c.File, c.Problem)
			continue
		}
		d.log.Info("a file has changed", "change", string(c.Kind), "file", c.File, "workflow", c.Workflow)
		if alerts := d.alerts.Load(); alerts != nil {
			alerts.Mended(c.File)
			d.unserved(alerts, snapshot) // the name of its workflow may be another one now
		}
	}
	d.systemd.Ready("serving " + console.Plural(len(d.entries()), "schedule"))
}

// count tells the metrics what is loaded.
func (d *Daemon) count(snapshot *library.Snapshot) {
	var names []string
	for _, plan := range snapshot.Plans() {
		names = append(names, plan.Workflow.Name)
	}
	d.metrics.Load(names, snapshot.Broken())
}

// broken says that the newest version of a file cannot be served.
func (d *Daemon) broken(name, file string, problem error) {
	d.log.Error("the file cannot be served; the last good version goes on, if there was one", "workflow", name, "file", file, "error", problem)
	if alerts := d.alerts.Load(); alerts != nil {
		alerts.Broken(name, file, problem.Error())
	}
}
