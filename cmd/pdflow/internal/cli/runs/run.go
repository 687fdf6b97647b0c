package runs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type Options struct {
	Inputs    []string
	InputFile string
	Simulate  bool
	setup.Simulation
	Folder    setup.DataFolder
	retention setup.Age
	NoJournal bool
	Output    string
	quiet     bool
	// dryRun lists the writes and sends none; confirm asks before it sends them.
	DryRun, Confirm bool
	Connection      string
	Given           action.Object // inputs beside those of the flags, which win
}

func RunCommand(p *setup.Environment) *cobra.Command {
	var o Options
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
		RunE: func(c *cobra.Command, args []string) error { return Run(c.Context(), p, args[0], o) },
	}
	AddFlags(p, c.Flags(), &o)
	return c
}

func AddFlags(p *setup.Environment, f *pflag.FlagSet, o *Options) {
	f.StringArrayVarP(&o.Inputs, "input", "i", nil, "an input: name=value, name=@file, or name:=json")
	f.StringVar(&o.InputFile, "input-file", "", "a YAML or JSON file of inputs; - reads standard input")
	f.BoolVar(&o.Simulate, "simulate", false, "run offline against a PagerDuty inside this process")
	o.Simulation.AddFlags(f, " (default FILE's name with .world.yaml, if there is one)")
	f.BoolVar(&o.DryRun, "dry-run", false, "print what would be sent, and send nothing")
	f.BoolVar(&o.Confirm, "confirm", false, "print what would be sent, and ask before sending it")
	setup.AddConnection(f, &o.Connection)
	o.Folder.AddFlag(f)
	f.BoolVar(&o.NoJournal, "no-journal", false, "record nothing: the run cannot be resumed (as --simulate does without --data-dir)")
	setup.AddRetention(f, &o.retention)
	f.StringVarP(&o.Output, "output", "o", "text", "text, json or jsonl (every event, as it happens)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
}

func (o Options) check() error {
	if err := console.OneOf("output", o.Output, "text", "json", "jsonl"); err != nil {
		return err
	}
	if flag := o.Simulation.Given(); flag != "" && !o.Simulate {
		return console.Usage("--%s goes with --simulate: a run against PagerDuty itself sees the real world", flag)
	}
	if o.DryRun && o.Confirm {
		return console.Usage("--dry-run and --confirm exclude each other: the one sends nothing, the other asks first")
	}
	if o.DryRun && o.Output == "jsonl" {
		return console.Usage("--dry-run has no events to stream; use -o text or json")
	}
	if o.Confirm && (o.InputFile == "-" || slices.ContainsFunc(o.Inputs, func(i string) bool { return strings.HasSuffix(i, "=@-") })) {
		return console.Usage("--confirm reads its answer from standard input, which the inputs come from already: put them into a file")
	}
	if o.NoJournal && o.Folder.Flag != "" {
		return console.Usage("--no-journal and --data-dir exclude each other: the one records nothing, the other says where to")
	}
	return nil
}

func Run(ctx context.Context, p *setup.Environment, file string, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	opened := openMeanwhile(p, o)
	defer func() { p.CloseJournal(opened().journal) }()
	site, err := p.Target(file, o.Simulate, o.Simulation)
	if err != nil {
		return err
	}
	defer site.Close()
	plan, err := p.Load(file, site)
	if err != nil {
		return err
	}
	if len(plan.Workflow.Schedules) > 0 && !o.quiet {
		fmt.Fprintf(p.Stderr, "%s: its schedule is for `pdflow serve`; this runs it once, now\n", file)
	}
	plan = plan.WithConnection(o.Connection)
	inputs, err := p.ReadInputs(plan.Workflow.Inputs, o.Inputs, o.InputFile)
	if err != nil {
		return err
	}
	for name, v := range o.Given {
		if _, ok := inputs[name]; !ok {
			inputs[name] = v
		}
	}
	if err := site.Ready(plan); err != nil {
		return err
	}
	x := &execution{env: p, plan: plan, target: site, secretInputs: givenSecrets(plan, inputs), output: o.Output, quiet: o.quiet}
	if err := opened().err; err != nil {
		return err
	}
	x.journal = opened().journal
	request, err := site.Request(plan, inputs)
	switch {
	case err != nil:
		return err
	case o.DryRun:
		return x.dryRun(ctx, request)
	case o.Confirm:
		if request, err = x.confirm(ctx, request); err != nil {
			return err
		}
	}
	result, err := x.perform(func(local *engine.Local) (*engine.Result, error) { return local.Run(ctx, plan, request) })
	if err != nil {
		return err
	}
	return x.conclude(result)
}

// An openedJournal is what became of opening one.
type openedJournal struct {
	journal *setup.Journal
	err     error
}

// openMeanwhile opens the journal of a run while its workflow is read: both take
// about as long. The function that it returns waits for it.
func openMeanwhile(p *setup.Environment, o Options) func() openedJournal {
	opened := make(chan openedJournal, 1)
	go func() {
		j, err := runJournal(p, o)
		opened <- openedJournal{j, err}
	}()
	return sync.OnceValue(func() openedJournal { return <-opened })
}

// runJournal opens the journal of a run; nil when nothing shall be recorded.
func runJournal(p *setup.Environment, o Options) (*setup.Journal, error) {
	if o.NoJournal || o.Simulate && o.Folder.Flag == "" {
		return nil, nil
	}
	if o.DryRun {
		return p.OpenRecords(o.Folder) // for what the last run left; nothing is made
	}
	j, err := p.OpenJournal(o.Folder, o.retention)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("%w\n  try: --data-dir DIR for another folder, or --no-journal to run without a record, and so without a way to resume", err))
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
