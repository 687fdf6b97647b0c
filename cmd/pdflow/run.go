package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type runOptions struct {
	inputs    []string
	inputFile string
	simulate  bool
	simulation
	folder    dataFolder
	retention age
	noJournal bool
	output    string
	quiet     bool
	// dryRun lists the writes and sends none; confirm asks before it sends them.
	dryRun, confirm bool
	connection      string
	given           action.Object // inputs beside those of the flags, which win
}

// A simulation is what a run under --simulate meets.
type simulation struct {
	world  string // how http and net answer
	seed   string // what the account holds at the start
	faults string // what goes wrong in it
}

func (s *simulation) addFlags(f *pflag.FlagSet, worldDefault string) {
	f.StringVar(&s.world, "world", "", "how http and net answer under --simulate"+worldDefault)
	f.StringVar(&s.seed, "seed", "", "what the account of --simulate holds at the start: a YAML or JSON file (docs/simulator.md)")
	f.StringVar(&s.faults, "faults", "", "what goes wrong in the account of --simulate: a YAML or JSON file (docs/simulator.md)")
}

// given is the name of a flag that was given; empty when none was.
func (s simulation) given() string {
	switch {
	case s.world != "":
		return "world"
	case s.seed != "":
		return "seed"
	case s.faults != "":
		return "faults"
	}
	return ""
}

func (p *program) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Run one workflow",
		Long: `Run one workflow and print its outputs.

Standard output is the result and nothing else; progress, logs and errors go to
standard error. Without --simulate the run talks to PagerDuty itself.

With --dry-run reads are made, every write is printed and none is sent. With
--confirm the same list is printed, and sent after a yes.

The run is recorded while it goes on. When its process is killed, ` + "`pdflow runs\nresume`" + ` goes on with it and does nothing twice.`,
		Example: `  pdflow run --simulate workflows/tour.yaml
  pdflow run onboard-user.yaml -i email=ann@example.com -i name="Ann Lee"
  pdflow run port-check.yaml --simulate --world outage.yaml -o json
  pdflow run mass-resolve.yaml -i service=PABC123 --confirm`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args[0], o) },
	}
	p.addRunFlags(c.Flags(), &o)
	return c
}

func (p *program) addRunFlags(f *pflag.FlagSet, o *runOptions) {
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "an input: name=value, name=@file, or name:=json")
	f.StringVar(&o.inputFile, "input-file", "", "a YAML or JSON file of inputs; - reads standard input")
	f.BoolVar(&o.simulate, "simulate", false, "run offline against a PagerDuty inside this process")
	o.simulation.addFlags(f, " (default FILE's name with .world.yaml, if there is one)")
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be sent, and send nothing")
	f.BoolVar(&o.confirm, "confirm", false, "print what would be sent, and ask before sending it")
	addConnection(f, &o.connection)
	o.folder.addFlag(f)
	f.BoolVar(&o.noJournal, "no-journal", false, "record nothing: the run cannot be resumed (as --simulate does without --data-dir)")
	addRetention(f, &o.retention)
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl (every event, as it happens)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
}

func (o runOptions) check() error {
	if err := oneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	if flag := o.simulation.given(); flag != "" && !o.simulate {
		return usageError("--%s goes with --simulate: a run against PagerDuty itself sees the real world", flag)
	}
	if o.dryRun && o.confirm {
		return usageError("--dry-run and --confirm exclude each other: the one sends nothing, the other asks first")
	}
	if o.dryRun && o.output == "jsonl" {
		return usageError("--dry-run has no events to stream; use -o text or json")
	}
	if o.confirm && (o.inputFile == "-" || slices.ContainsFunc(o.inputs, func(i string) bool { return strings.HasSuffix(i, "=@-") })) {
		return usageError("--confirm reads its answer from standard input, which the inputs come from already: put them into a file")
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
	if len(plan.Workflow.Schedules) > 0 && !o.quiet {
		fmt.Fprintf(p.stderr, "%s: its schedule is for `pdflow serve`; this runs it once, now\n", file)
	}
	plan = plan.WithConnection(o.connection)
	inputs, err := p.readInputs(plan.Workflow.Inputs, o.inputs, o.inputFile)
	if err != nil {
		return err
	}
	for name, v := range o.given {
		if _, ok := inputs[name]; !ok {
			inputs[name] = v
		}
	}
	if err := site.ready(plan); err != nil {
		return err
	}
	x := &execution{program: p, plan: plan, site: site, secretInputs: givenSecrets(plan, inputs), output: o.output, quiet: o.quiet}
	if err := opened().err; err != nil {
		return err
	}
	x.journal = opened().journal
	request, err := site.request(plan, inputs)
	switch {
	case err != nil:
		return err
	case o.dryRun:
		return x.dryRun(ctx, request)
	case o.confirm:
		if request, err = x.confirm(ctx, request); err != nil {
			return err
		}
	}
	result, err := x.perform(func(local *engine.Local) (*run.Result, error) { return local.Run(ctx, plan, request) })
	if err != nil {
		return err
	}
	return x.conclude(result)
}

// An openedJournal is what became of opening one.
type openedJournal struct {
	journal *journalFolder
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
func (p *program) runJournal(o runOptions) (*journalFolder, error) {
	if o.noJournal || o.simulate && o.folder.flag == "" {
		return nil, nil
	}
	if o.dryRun {
		return p.openRecords(o.folder) // for what the last run left; nothing is made
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
	return plan, nil
}

// compileFile reads a workflow and the Lua files beside it, which it cannot leave
// the folder for.
func compileFile(file string, site *site) (*workflow.Plan, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, exit(exitUsage, fileError(err, file))
	}
	// The plan keeps the text; what was read into is larger.
	parsed, _ := workflow.Parse(file, bytes.Clone(source)) // Compile reports its problems too
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
