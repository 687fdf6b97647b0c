package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

type runOptions struct {
	inputs    []string
	inputFile string
	simulate  bool
	world     string
	folder    dataFolder
	retention age
	noJournal bool
	output    string
	quiet     bool
}

func (p *program) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Run one workflow",
		Long: `Run one workflow and print its outputs.

Standard output is the result and nothing else; progress, logs and errors go to
standard error. Without --simulate the run talks to PagerDuty itself.

The run is recorded while it goes on. When its process is killed, ` + "`pdflow runs\nresume`" + ` goes on with it and does nothing twice.`,
		Example: `  pdflow run --simulate workflows/tour.yaml
  pdflow run onboard-user.yaml -i email=ann@example.com -i name="Ann Lee"
  pdflow run port-check.yaml --simulate --world outage.yaml -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args[0], o) },
	}
	f := c.Flags()
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "an input: name=value, name=@file, or name:=json")
	f.StringVar(&o.inputFile, "input-file", "", "a YAML or JSON file of inputs; - reads standard input")
	f.BoolVar(&o.simulate, "simulate", false, "run offline against a PagerDuty inside this process")
	f.StringVar(&o.world, "world", "", "how http and net answer under --simulate (default FILE's name with .world.yaml, if there is one)")
	o.folder.addFlag(f)
	f.BoolVar(&o.noJournal, "no-journal", false, "record nothing: the run cannot be resumed (as --simulate does without --data-dir)")
	addRetention(f, &o.retention)
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl (every event, as it happens)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return c
}

func (o runOptions) check() error {
	if err := oneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	if o.world != "" && !o.simulate {
		return usageError("--world goes with --simulate: a run against PagerDuty itself sees the real world")
	}
	if o.noJournal && o.folder.flag != "" {
		return usageError("--no-journal and --data-dir exclude each other: the one records nothing, the other says where to")
	}
	return nil
}

func (p *program) run(ctx context.Context, file string, o runOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	opened := p.openMeanwhile(o)
	defer func() { p.closeJournal(opened().journal) }()
	site, err := p.site(file, o)
	if err != nil {
		return err
	}
	defer site.close()
	plan, err := p.load(file, site)
	if err != nil {
		return err
	}
	inputs, err := p.readInputs(plan.Workflow.Inputs, o.inputs, o.inputFile)
	if err != nil {
		return err
	}
	if err := site.ready(plan); err != nil {
		return err
	}
	x := &execution{program: p, plan: plan, site: site, secretInputs: givenSecrets(plan, inputs), output: o.output, quiet: o.quiet}
	if err := opened().err; err != nil {
		return err
	}
	x.journal = opened().journal
	result, err := x.perform(func(local *engine.Local) (*engine.Result, error) {
		return local.Run(ctx, plan, engine.Request{Inputs: inputs, Target: site.target, Keys: site.keys()})
	})
	if err != nil {
		return err
	}
	return x.conclude(result)
}

// An openedJournal is what became of opening one.
type openedJournal struct {
	journal *journal
	err     error
}

// openMeanwhile opens the journal of a run while its workflow is read: both take
// about as long. The function that it returns waits for it.
func (p *program) openMeanwhile(o runOptions) func() openedJournal {
	opened := make(chan openedJournal, 1)
	go func() {
		j, err := p.runJournal(o)
		opened <- openedJournal{j, err}
	}()
	return sync.OnceValue(func() openedJournal { return <-opened })
}

// runJournal opens the journal of a run; nil when nothing shall be recorded.
func (p *program) runJournal(o runOptions) (*journal, error) {
	if o.noJournal || o.simulate && o.folder.flag == "" {
		return nil, nil
	}
	j, err := p.openJournal(o.folder, o.retention)
	if err != nil {
		return nil, exit(exitUsage, fmt.Errorf("%w\n  try: --data-dir DIR for another folder, or --no-journal to run without a record, and so without a way to resume", err))
	}
	return j, nil
}

// givenSecrets are the secret inputs among those given.
func givenSecrets(plan *workflow.Plan, inputs action.Object) []string {
	var names []string
	for _, name := range action.SortedNames(inputs) {
		if plan.Workflow.Secret(name) {
			names = append(names, name)
		}
	}
	return names
}

// load reads and checks a workflow file. Warnings are printed.
func (p *program) load(file string, site *site) (*workflow.Plan, error) {
	plan, err := compileFile(file, site)
	if err != nil {
		return nil, err
	}
	for _, d := range plan.Warnings {
		fmt.Fprintln(p.stderr, d)
	}
	if len(plan.Workflow.Schedules) > 0 {
		fmt.Fprintf(p.stderr, "%s: its schedule is for a daemon; this runs it once, now\n", file)
	}
	return plan, nil
}

// compileFile reads a workflow and the Lua files beside it, which it cannot leave
// the folder for.
func compileFile(file string, site *site) (*workflow.Plan, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, exit(exitUsage, fileError(err, file))
	}
	parsed, _ := workflow.Parse(file, source) // Compile reports its problems too
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	defer root.Close()
	parsed.Files = root.FS()
	return workflow.Compile(parsed, site.catalog, site.interpreter)
}

func fileError(err error, file string) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no file %s", file)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s may not be read", file)
	}
	return err
}
