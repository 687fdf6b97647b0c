package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
standard error. Without --simulate the run talks to PagerDuty itself.`,
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
	f.StringVarP(&o.output, "output", "o", "text", "text, json or jsonl (every event, as it happens)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	return c
}

func (p *program) run(ctx context.Context, file string, o runOptions) error {
	if err := oneOf("output", o.output, "text", "json", "jsonl"); err != nil {
		return err
	}
	if o.world != "" && !o.simulate {
		return usageError("--world goes with --simulate: a run against PagerDuty itself sees the real world")
	}
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
	return p.execute(ctx, plan, site, engine.Request{Inputs: inputs, Target: site.target}, o)
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

// execute runs a plan and prints what became of it.
func (p *program) execute(ctx context.Context, plan *workflow.Plan, site *site, request engine.Request, o runOptions) error {
	local := &engine.Local{Interpreter: site.interpreter, Secrets: site.secret, Redactor: p.redactor}
	show := &progress{program: p, plan: plan, terminal: p.terminal, simulated: site.simulator != nil}
	switch {
	case o.output == "jsonl":
		local.Observers = append(local.Observers, &eventStream{to: p.stdout})
	case !o.quiet:
		local.Observers = append(local.Observers, show)
	}
	result, err := local.Run(ctx, plan, request)
	show.stop()
	if err != nil {
		var problems action.Problems
		switch {
		case errors.As(err, &problems):
			return exit(exitUsage, inputProblems(problems, "-i"))
		case engine.IsInputError(err):
			return exit(exitUsage, err)
		}
		return exit(exitFailed, err)
	}
	if err := p.printResult(result, plan, site, o.output); err != nil {
		return err
	}
	if code := p.resultCode(result); code != exitDone {
		return exit(code, nil)
	}
	return nil
}

// resultCode is the exit code of a run.
func (p *program) resultCode(result *engine.Result) int {
	switch code := int(p.signal.Load()); {
	case result.Status == engine.Success:
		return exitDone
	case result.Status == engine.NeedsAttention:
		return exitUnknown
	case result.Status == engine.Cancelled && code != 0:
		return code
	}
	return exitFailed
}
