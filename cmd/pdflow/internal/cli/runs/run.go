package runs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/runview"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Options are the flags of `pdflow run`.
type Options struct {
	Inputs    []string
	InputFile string
	Simulate  bool
	setup.Simulation
	Folder     setup.DataFolder
	retention  setup.Age
	NoJournal  bool
	output     string
	quiet      bool
	MaxMemory  setup.MaxMemory
	DryRun     bool // list the writes and send none
	Confirm    bool // list the writes and ask before sending them
	Connection string
	Defaults   action.Object // inputs that the flags replace
}

// RunCommand returns `pdflow run`.
func RunCommand(env *setup.Environment) *cobra.Command {
	var o Options
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Run one workflow",
		Long: `Run one workflow and print its outputs.

Standard output is the result and nothing else; progress, logs and errors go to standard
error. Without --simulate the run talks to PagerDuty.

With --dry-run reads are made, and writes are printed and not sent. With --confirm the
writes are printed, and sent after you answer yes.

The run is recorded as it happens. If its process is killed, ` + "`pdflow runs resume`" + `
resumes it and does nothing twice.`,
		Example: `  pdflow run --simulate workflows/tour.yaml
  pdflow run onboard-user.yaml -i email=ann@example.com -i name="Ann Lee"
  pdflow run port-check.yaml --simulate --world outage.yaml -o json
  pdflow run mass-resolve.yaml -i service=PABC123 --confirm`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return Run(c.Context(), env, args[0], o) },
	}
	o.AddFlags(c)
	return c
}

// AddFlags adds the flags of `pdflow run`.
func (o *Options) AddFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&o.Inputs, "input", "i", nil, "an input: name=value, name=@file, or name:=json")
	f.StringVar(&o.InputFile, "input-file", "", "a YAML or JSON file of inputs; - reads standard input")
	f.BoolVar(&o.Simulate, "simulate", false, "run offline against a simulated PagerDuty in this process")
	o.Simulation.AddFlags(f, "simulate", " (default the name of FILE with .world.yaml, if there is such a file)")
	f.BoolVar(&o.DryRun, "dry-run", false, "print the writes and send none of them")
	f.BoolVar(&o.Confirm, "confirm", false, "print the writes and ask before sending them")
	setup.AddConnection(f, &o.Connection)
	o.Folder.AddFlag(f)
	o.MaxMemory.AddFlag(f)
	f.BoolVar(&o.NoJournal, "no-journal", false, "record nothing: the run cannot be resumed (the default with --simulate and without --data-dir)")
	setup.Yields(f, "data-dir", "simulate", "no-journal")
	setup.Yields(f, "no-journal", "data-dir")
	setup.Yields(f, "confirm", "dry-run")
	setup.Yields(f, "dry-run", "confirm")
	setup.AddRetention(f, &o.retention)
	setup.AddOutput(c, &o.output, "text", "json", "jsonl")
	f.Lookup("output").Usage += " (every event, as it happens)"
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
}

func (o Options) check() error {
	if flag := o.Simulation.Given(); flag != "" && !o.Simulate {
		return console.Usage("--%s goes with --simulate: without it a run talks to PagerDuty and to the network", flag)
	}
	if o.DryRun && o.Confirm {
		return console.Usage("--dry-run and --confirm exclude each other: --dry-run sends nothing, --confirm asks first")
	}
	if o.DryRun && o.output == "jsonl" {
		return console.Usage("--dry-run has no events to stream; use -o text or json")
	}
	if o.Confirm && (o.InputFile == "-" || slices.ContainsFunc(o.Inputs, func(i string) bool { return strings.HasSuffix(i, "=@-") })) {
		return console.Usage("--confirm reads its answer from standard input, so inputs cannot come from there: put them into a file")
	}
	if o.NoJournal && o.Folder.Flag != "" {
		return console.Usage("--no-journal and --data-dir exclude each other: --no-journal records nothing, --data-dir says where to record")
	}
	return nil
}

// Run runs a workflow file and prints its result.
func Run(ctx context.Context, env *setup.Environment, file string, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	opened := openConcurrently(env, o)
	defer func() {
		recorded, _ := opened()
		env.CloseRuns(recorded)
	}()
	// The inputs are read first: no message about another file may quote a secret input.
	read, err := env.ReadWorkflow(source.File{Path: file})
	if err != nil {
		return err
	}
	inputs, unread := env.ReadInputs(read.Inputs(), o.Inputs, o.InputFile)
	target, err := env.Target(file, o.Simulate, o.Simulation)
	if err != nil {
		return err
	}
	defer target.Close()
	if err := env.LimitMemory(target, o.MaxMemory); err != nil {
		return err
	}
	plan, err := read.Compile(target)
	if err != nil {
		return err
	}
	for _, d := range append(plan.Warnings, target.Objections(plan).Of(source.SeverityWarning)...) {
		fmt.Fprintln(env.Stderr, d)
	}
	if len(plan.Workflow.Schedules) > 0 && !o.quiet {
		fmt.Fprintf(env.Stderr, "%s: its schedule is for `pdflow serve`; this command runs it once, now\n", file)
	}
	plan = plan.WithConnection(o.Connection)
	if unread != nil {
		return unread
	}
	for name, v := range o.Defaults {
		if _, ok := inputs[name]; !ok {
			inputs[name] = v
		}
	}
	if err := target.Ready(plan); err != nil {
		return err
	}
	recorded, err := opened()
	if err != nil {
		return err
	}
	x := &execution{env: env, plan: plan, target: target, recorded: recorded, secretInputs: secretsOf(plan, inputs), output: o.output, quiet: o.quiet}
	request, err := target.Request(plan, inputs)
	request.Actor = env.Actor()
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
	result, err := x.perform(func(local *engine.Local) (*run.Result, error) { return local.Run(ctx, plan, request) })
	if err != nil {
		return err
	}
	return x.conclude(result)
}

// openConcurrently opens the runs while the caller reads the workflow, because both take about equally
// long. The returned function waits for the result.
func openConcurrently(env *setup.Environment, o Options) func() (*setup.Runs, error) {
	open := sync.OnceValues(func() (*setup.Runs, error) { return openRuns(env, o) })
	go func() { _, _ = open() }()
	return open
}

// openRuns opens the runs to record a run in; nil if nothing is recorded. A dry run reads the last run
// and makes no files.
func openRuns(env *setup.Environment, o Options) (*setup.Runs, error) {
	if o.NoJournal || o.Simulate && o.Folder.Flag == "" {
		return nil, nil
	}
	if o.DryRun {
		return env.FindRuns(o.Folder)
	}
	r, err := env.OpenRuns(o.Folder, o.retention)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("%w\n  try: --data-dir DIR for another folder, or --no-journal to record nothing, so that the run cannot be resumed", err))
	}
	return r, nil
}

// secretsOf returns the names of the secret inputs among the given inputs.
func secretsOf(plan *workflow.Plan, inputs action.Object) []string {
	return slices.DeleteFunc(phrase.Names(inputs), func(name string) bool { return !plan.Workflow.Secret(name) })
}

// A dryRunReport is the output of `run --dry-run -o json`.
type dryRunReport struct {
	runview.RunReport
	DryRun bool            `json:"dry_run"`
	Writes []attempt.Write `json:"writes"`
}

// list makes a dry run, which makes reads and lists writes.
func (x *execution) list(ctx context.Context, request engine.Request) (*attempt.DryRun, error) {
	fmt.Fprintln(x.env.Stderr, "dry run: reads are made, writes are listed and not sent")
	local := x.engine()
	local.Observers = []run.Observer{&runview.Logs{To: x.env.Stderr}}
	dry, err := local.DryRun(ctx, x.plan, request)
	if err != nil {
		return nil, x.explain(err)
	}
	return dry, nil
}

// dryRun makes a dry run and prints its writes as the result.
func (x *execution) dryRun(ctx context.Context, request engine.Request) error {
	dry, err := x.list(ctx, request)
	if err != nil {
		return err
	}
	all := dryRunReport{runview.Report(dry.Result, x.target.Account()), true, append([]attempt.Write{}, dry.Writes...)}
	if err := x.env.Print(x.output, all, runview.WritesText(dry.Writes)); err != nil {
		return err
	}
	x.printFailure(dry)
	return exitAs(x.env, dry.Result.Status)
}

// confirm makes a dry run, prints its writes, and asks whether to send them. It returns the request for
// the run that was shown.
func (x *execution) confirm(ctx context.Context, request engine.Request) (engine.Request, error) {
	dry, err := x.list(ctx, request)
	if err != nil {
		return request, err
	}
	fmt.Fprint(x.env.Stderr, runview.WritesText(dry.Writes))
	x.printFailure(dry)
	if ctx.Err() != nil {
		return request, console.Exit(runview.ExitCode(x.env.Console, dry.Result.Status), nil)
	}
	fmt.Fprintf(x.env.Stderr, "send %s? [y/N] ", console.Plural(runview.CountRequests(dry.Writes), "request"))
	answer, err := answer(ctx, x.env)
	if err != nil {
		return request, err
	}
	if answer != "y" && answer != "yes" {
		return request, console.Exit(console.ExitFailed, fmt.Errorf("not confirmed: nothing was sent"))
	}
	request.Confirmed = dry
	return request, nil
}

// answer reads a line of standard input. The end of the input is an empty answer.
func answer(ctx context.Context, env *setup.Environment) (string, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(io.LimitReader(env.Stdin, 1000)).ReadString('\n')
		line <- strings.ToLower(strings.TrimSpace(text))
	}()
	select {
	case text := <-line:
		if f, ok := env.Stdin.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
			fmt.Fprintln(env.Stderr) // no return key has ended the line of the question
		}
		return text, nil
	case <-ctx.Done():
		fmt.Fprintln(env.Stderr)
		return "", console.Exit(int(env.Signal.Load()), fmt.Errorf("interrupted: nothing was sent"))
	}
}

// printFailure prints why the dry run failed, if it did.
func (x *execution) printFailure(r *attempt.DryRun) {
	if r.Result.Error == nil {
		return
	}
	runview.PrintFailure(x.env.Console, r.Result.Error)
	if len(r.Writes) > 0 {
		fmt.Fprintln(x.env.Stderr, "  note: a dry run answers each write with an example, so steps after the first write may see data that does not exist")
	}
}
