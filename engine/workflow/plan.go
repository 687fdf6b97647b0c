package workflow

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// A Plan is a workflow that passed every check. It is immutable and safe for
// concurrent use.
type Plan struct {
	Workflow *Workflow
	Steps    []PlanStep
	Outputs  []OutputTemplate
	// OutputReads are the steps that the outputs read, as indexes of Steps.
	OutputReads []int
	// Warnings are the problems that do not keep it from running.
	Warnings source.Problems
	// Defaults are inputs that scripts' calls are given where they have none of
	// their own; those of `uses:` steps stand in their With.
	Defaults []OutputTemplate
	// Group is the concurrency group, evaluated with `inputs` alone; nil for the
	// workflow's name.
	Group *Template
	// ReadsPrevious says that something reads `previous`.
	ReadsPrevious bool
	// Modules are the files that scripts require, by the name they are required
	// under.
	Modules map[string]Program
	// Sources are the texts that the plan was made from, the workflow first. A
	// run records them, so that a changed file never changes it.
	Sources []Source

	catalog *action.Catalog // nil in a plan that was not compiled
}

// A Source is a file as it was read.
type Source struct {
	Name string
	Text []byte
}

// Hash identifies the text of the source.
func (s Source) Hash() string {
	sum := sha256.Sum256(s.Text)
	return hex.EncodeToString(sum[:])
}

// An OutputTemplate is one output of the workflow.
type OutputTemplate struct {
	Name  string
	Value Template
}

// A PlanStep is a step ready to run.
type PlanStep struct {
	ID       string
	Position source.Position
	Part     Part
	// Needs are the steps that must have ended before, as indexes of Plan.Steps.
	Needs []int
	// Reads are the steps whose results it reads, as indexes of Plan.Steps.
	Reads []int

	If     Program        // nil when there is none
	Action *action.Action // of a `uses:` step; nil for a script
	With   []OutputTemplate
	Script Program // of a `lua:` or `lua_file:` step

	ForEach     *Template // its list; nil when the step runs once
	MaxParallel int       // items at a time, at least 1
	FailFast    bool      // no new item starts once one has failed

	Retry           Retry
	Timeout         time.Duration // of one attempt
	ContinueOnError bool
	Limits          Limits
	// Connection names the account that its calls of PagerDuty go to.
	Connection source.Text
}

// A PlannedCall is a call of an action that a plan makes, as far as its text
// shows.
type PlannedCall struct {
	Step   string // empty in a module
	Action string
	// Position is that of the step; zero in a module.
	Position source.Position
	// Connection is the account that the call goes to; empty in a module, whose
	// calls go to those of the steps that require it.
	Connection string
	// Inputs are the names of the inputs that it gives; Open says that there may
	// be others.
	Inputs []string
	Open   bool
}

// Gives reports whether the call may give an input.
func (c PlannedCall) Gives(input string) bool {
	return c.Open || slices.Contains(c.Inputs, input)
}

// WithConnection returns the plan with another account for all that names none.
func (p *Plan) WithConnection(name string) *Plan {
	if name == "" || p.Workflow.Connection.Text != DefaultConnection {
		return p
	}
	out, w := *p, *p.Workflow
	w.Connection.Text = name
	out.Workflow, out.Steps = &w, slices.Clone(p.Steps)
	for i := range out.Steps {
		if out.Steps[i].Connection == p.Workflow.Connection {
			out.Steps[i].Connection = w.Connection
		}
	}
	return &out
}

// Action returns an action that the plan was compiled with.
func (p *Plan) Action(name string) (*action.Action, bool) {
	if p.catalog == nil {
		return nil, false
	}
	return p.catalog.Lookup(name)
}

// Calls returns the calls that the plan's text shows, those of required modules
// too.
func (p *Plan) Calls() []PlannedCall {
	var calls []PlannedCall
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Action != nil {
			call := PlannedCall{Step: s.ID, Position: s.Position, Connection: s.Connection.Text, Action: s.Action.Name}
			for _, named := range s.With {
				call.Inputs = append(call.Inputs, named.Name)
			}
			calls = append(calls, call)
		}
		calls = append(calls, p.scriptCalls(PlannedCall{Step: s.ID, Position: s.Position, Connection: s.Connection.Text}, s.Script)...)
	}
	for _, name := range phrase.Names(p.Modules) {
		calls = append(calls, p.scriptCalls(PlannedCall{}, p.Modules[name])...)
	}
	return calls
}

// scriptCalls returns the actions that a script names, each placed as the call
// given; the other names that it reads are data, and Lua's own.
func (p *Plan) scriptCalls(placed PlannedCall, script Program) []PlannedCall {
	if script == nil || p.catalog == nil {
		return nil
	}
	var calls []PlannedCall
	for _, r := range script.References() {
		if len(r.Path) < 2 {
			continue
		}
		if a, ok := p.catalog.Lookup(r.Path[0] + "." + r.Path[1]); ok {
			call := placed
			call.Action, call.Inputs, call.Open = a.Name, phrase.Names(r.Input), r.Open || r.Input == nil
			for i := range p.Defaults {
				call.Inputs = append(call.Inputs, p.Defaults[i].Name)
			}
			calls = append(calls, call)
		}
	}
	return calls
}

// PlanCall returns a plan of one step that makes one call, as a person or a
// program asks for it by hand: permitted by being made.
func PlanCall(a *action.Action, input action.Object) *Plan {
	step := PlanStep{ID: "call", Action: a, Connection: source.Text{Text: DefaultConnection}, MaxParallel: 1, Retry: Retry{MaxAttempts: 1}, Timeout: DefaultStepTimeout, Limits: DefaultLimits()}
	for _, name := range phrase.Names(input) {
		step.With = append(step.With, OutputTemplate{name, Template{literal: input[name]}})
	}
	w := &Workflow{Name: a.Name, File: a.Name, Inputs: &action.Schema{}, Permissions: permission.Permissions{Everything: true}, Timeout: DefaultTimeout}
	return &Plan{Workflow: w, Steps: []PlanStep{step}, Sources: []Source{{Name: a.Name}}}
}
