package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/world"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Target is what the runs of a command reach: PagerDuty or a simulator, the network or a world
// file. It has the catalogue of actions and the interpreter that are made for it.
type Target struct {
	Catalog     *action.Catalog
	Interpreter *lua.Interpreter
	Connections *Connections // nil for Offline
	Simulator   *Simulator   // nil without --simulate
	secret      func(name string) (string, error)
	ceiling     *attempt.Policy // nil: the operator limits nothing
}

// Offline returns the target of commands that make no call.
func Offline() (*Target, error) { return newTarget(builtins.Config{}) }

func newTarget(c builtins.Config) (*Target, error) {
	catalog, err := action.NewCatalog(builtins.Actions(c)...)
	if err != nil {
		return nil, err
	}
	return &Target{Catalog: catalog, Interpreter: lua.New(catalog)}, nil
}

// WithClient returns a target whose connections all use the client of the configuration, whatever
// their names.
func WithClient(c builtins.Config, s Settings) (*Target, error) {
	t, err := newTarget(c)
	if err != nil {
		return nil, err
	}
	only := &Connection{workflow.DefaultConnection, s, c.PagerDuty}
	t.Connections = &Connections{open: func(string) (*Connection, error) { return only, nil }}
	return t, nil
}

// Target returns what the runs of a workflow file reach. Close it after use.
func (e *Environment) Target(file string, simulate bool, s Simulation) (*Target, error) {
	if simulate {
		return e.simulatedTarget(file, s)
	}
	return e.RealTarget()
}

// RealTarget returns a target with the connections of the configuration and of the environment.
func (e *Environment) RealTarget() (*Target, error) {
	configuration, err := e.Configuration()
	if err != nil {
		return nil, err
	}
	connections := e.Connections(configuration)
	t, err := newTarget(builtins.Config{Connect: connections.client})
	if err != nil {
		return nil, err
	}
	t.Connections, t.secret = connections, e.secret
	if a := configuration.Allow; a != nil {
		t.ceiling = &attempt.Policy{Permissions: a.Permissions, Secrets: a.Secrets, File: configuration.File}
	}
	return t, nil
}

// simulatedTarget returns a target that reaches nothing outside this process: a simulator on the
// loopback interface, and a world file for everything else.
func (e *Environment) simulatedTarget(file string, s Simulation) (*Target, error) {
	world, err := ReadWorld(cmp.Or(s.World, WorldFile(file)))
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	options, err := AccountOptions(s.Seed, s.Faults)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	local, err := StartSimulator("127.0.0.1:0", append(options, simulator.WithLenientServiceKeys())...)
	if err != nil {
		return nil, console.Exit(console.ExitFailed, err)
	}
	settings := local.Settings(&SkippingClock{})
	settings.eventsAPI = e.Getenv("PAGERDUTY_EVENTS_API")
	e.Redactor.Add(settings.APIKey, settings.ServiceKey)
	client, err := settings.Client()
	if err != nil {
		local.Stop()
		return nil, console.Exit(console.ExitUsage, err)
	}
	t, err := WithClient(builtins.Config{PagerDuty: client, Transport: world.Transport(), Network: world.Network()}, settings)
	if err != nil {
		local.Stop()
		return nil, err
	}
	t.Simulator, t.secret = local, e.SimulatedSecret
	return t, nil
}

// In returns the same target with another world.
func (t *Target) In(world *world.World) (*Target, error) {
	made, err := newTarget(builtins.Config{Connect: t.Connections.client, Transport: world.Transport(), Network: world.Network()})
	if err != nil {
		return nil, err
	}
	moved := *t
	moved.Catalog, moved.Interpreter = made.Catalog, made.Interpreter
	return &moved, nil
}

// Account returns the simulated account; nil if runs reach PagerDuty.
func (t *Target) Account() *simulator.Simulator {
	if t.Simulator == nil {
		return nil
	}
	return t.Simulator.Simulator
}

// Close stops the simulator, if there is one.
func (t *Target) Close() {
	if t.Simulator != nil {
		t.Simulator.Stop()
	}
}

// Engine returns an engine for runs of this target. It has no journal and no observers.
func (t *Target) Engine(redactor *action.Redactor) *engine.Local {
	return &engine.Local{Interpreter: t.Interpreter, Secrets: t.secret, Redactor: redactor, Policy: t.ceiling}
}

// Ready reports a plan that needs a connection or a key that is missing, or more than the operator
// allows. It makes no call.
func (t *Target) Ready(plan *workflow.Plan) error {
	if found := t.ceiling.Check(plan); len(found) > 0 {
		return console.Exit(console.ExitUsage, found)
	}
	for _, name := range ConnectionsOf(plan) {
		if _, err := t.Connections.Get(name.Text); err != nil && name.Position.Line > 0 {
			return console.Usage("%s:%d:%d: %w", plan.Workflow.File, name.Position.Line, name.Position.Column, err)
		} else if err != nil {
			return console.Exit(console.ExitUsage, err)
		}
	}
	for _, call := range plan.Calls() {
		a, ok := t.Catalog.Lookup(call.Action)
		if !ok || a.Module() != "pagerduty" {
			continue
		}
		if err := t.hasKey(plan, call, a); err != nil {
			return err
		}
	}
	return nil
}

// hasKey reports a call whose connection has no key for it. A call in a Lua module is assumed to use
// the connection of the workflow.
func (t *Target) hasKey(plan *workflow.Plan, call workflow.PlannedCall, a *action.Action) error {
	c, err := t.Connections.Get(cmp.Or(call.Connection, plan.Workflow.Connection.Text))
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	remedy := func(variable, field string) string {
		if c.Name == workflow.DefaultConnection {
			return "set " + variable
		}
		return fmt.Sprintf("give the connection %s %s that is set", c.Name, field)
	}
	_, isEvent := a.In.Field("service_key")
	switch {
	case !isEvent && c.Settings.APIKey == "":
		return console.Usage("%s calls %s, which needs a PagerDuty API key: %s, or add --simulate to run offline", plan.Workflow.File, a.Name, remedy("PAGERDUTY_API_KEY", "an api_key"))
	case isEvent && c.Settings.ServiceKey == "" && !call.Gives("service_key"):
		return console.Usage("%s calls %s without a service_key: %s, give service_key in the step, or add --simulate to run offline", plan.Workflow.File, a.Name, remedy("PAGERDUTY_SERVICE_KEY", "a service_key"))
	}
	return nil
}

// ConnectionsOf returns the names of the connections that a plan uses: the connection of the
// workflow first, then the others in order.
func ConnectionsOf(plan *workflow.Plan) []source.Text {
	names := []source.Text{plan.Workflow.Connection}
	for i := range plan.Steps {
		c := plan.Steps[i].Connection
		if !slices.ContainsFunc(names, func(t source.Text) bool { return t.Text == c.Text }) {
			names = append(names, c)
		}
	}
	slices.SortStableFunc(names[1:], func(a, b source.Text) int { return strings.Compare(a.Text, b.Text) })
	return names
}

// Of returns what a run of a plan records of its target, and the keys that it uses.
func (t *Target) Of(plan *workflow.Plan) (run.Target, map[string]string, error) {
	keys := map[string]string{}
	var target run.Target
	for i, name := range ConnectionsOf(plan) {
		c, err := t.Connections.Get(name.Text)
		if err != nil {
			return target, nil, console.Exit(console.ExitUsage, err)
		}
		prefix := ""
		one := run.Target{Connection: c.Name, Region: c.Settings.region, APIURL: c.Client.APIURL(), EventsURL: c.Client.EventsURL()}
		if t.Simulator != nil {
			one = run.Target{Simulation: t.Simulator.ID, APIURL: c.Client.APIURL(), EventsURL: c.Client.EventsURL()}
		}
		switch {
		case i == 0:
			target = one
		case t.Simulator != nil || c.Name == target.Connection:
			continue // another name of the same account
		default:
			prefix, target.Others = c.Name+".", append(target.Others, one)
		}
		keys[prefix+"api_key"], keys[prefix+"service_key"] = c.Settings.APIKey, c.Settings.ServiceKey
	}
	return target, keys, nil
}

// Request returns the request for a new run of a plan.
func (t *Target) Request(plan *workflow.Plan, inputs action.Object) (engine.Request, error) {
	target, keys, err := t.Of(plan)
	return engine.Request{Inputs: inputs, Target: target, Keys: keys}, err
}
