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
	Outputs  []NamedTemplate
	// OutputReads are the steps that the outputs read, as indexes of Steps.
	OutputReads []int
	// Warnings are the problems that do not keep the workflow from running.
	Warnings source.Problems
	// Defaults are inputs that a call of a script gets when the script does not give
	// them. The defaults of a `uses:` step are part of its With.
	Defaults []NamedTemplate
	// Group is the concurrency group. It reads `inputs` only. Nil means the name of the
	// workflow.
	Group *Template
	// ReadsPrevious says that something reads `previous`.
	ReadsPrevious bool
	// Modules are the files that scripts require, by the name in `require`.
	Modules map[string]Program
	// Sources are the texts that the plan was made from, the workflow first. A run
	// records them, so that a change of a file does not change the run.
	Sources []Source

	catalog *action.Catalog // nil in a plan that was not compiled
}

// A Source is a file as it was read.
type Source struct {
	Name string
	Text []byte
}

// Hash returns the SHA-256 of the text, in hexadecimal.
func (s Source) Hash() string {
	sum := sha256.Sum256(s.Text)
	return hex.EncodeToString(sum[:])
}

// A NamedTemplate is one input of a step or one output of the workflow.
type NamedTemplate struct {
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
	// Reads are the steps whose results this step reads, as indexes of Plan.Steps.
	Reads []int

	If     Program        // nil when there is none
	Action *action.Action // of a `uses:` step; nil for a script
	With   []NamedTemplate
	Script Program // of a `lua:` or `lua_file:` step

	ForEach     *Template // the list; nil when the step runs once
	MaxParallel int       // items at a time, at least 1
	FailFast    bool      // no other item starts after one has failed

	Retry           Retry
	Timeout         time.Duration // of one attempt
	ContinueOnError bool
	Limits          Limits
	// Connection names the account that the calls of the step go to.
	Connection source.Text
}

// A PlannedCall is a call of an action that a plan may make, as far as its text
// shows.
type PlannedCall struct {
	Step   string // empty in a module
	Action string
	// Position is the place of the step; zero in a module.
	Position source.Position
	// Connection names the account that the call goes to. It is empty in a module: its
	// calls go to the accounts of the steps that require it.
	Connection string
	// Inputs are the names of the inputs that the call gives. Open says that it may give
	// others.
	Inputs []string
	Open   bool
}

// Gives reports whether the call may give an input.
func (c PlannedCall) Gives(input string) bool {
	return c.Open || slices.Contains(c.Inputs, input)
}

// WithConnection returns the plan with another connection for everything that does
// not name one.
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

// Action returns an action of the catalogue that the plan was compiled with.
func (p *Plan) Action(name string) (*action.Action, bool) {
	if p.catalog == nil {
		return nil, false
	}
	return p.catalog.Lookup(name)
}

// Calls returns the calls that the text of the plan shows, including the calls of
// required modules.
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

// scriptCalls returns a call for each action that a script reads. The step, position
// and connection are those of placed.
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

// PlanCall returns a plan of one step that makes one call, for a person or a program
// that makes the call by hand. The call may reach everything.
func PlanCall(a *action.Action, input action.Object) *Plan {
	step := PlanStep{ID: "call", Action: a, Connection: source.Text{Text: DefaultConnection}, MaxParallel: 1, Retry: Retry{MaxAttempts: 1}, Timeout: DefaultStepTimeout, Limits: DefaultLimits()}
	for _, name := range phrase.Names(input) {
		step.With = append(step.With, NamedTemplate{name, Template{literal: input[name]}})
	}
	w := &Workflow{Name: a.Name, File: a.Name, Inputs: &action.Schema{}, Permissions: permission.Permissions{Everything: true}, Timeout: DefaultTimeout}
	return &Plan{Workflow: w, Steps: []PlanStep{step}, Sources: []Source{{Name: a.Name}}}
}
