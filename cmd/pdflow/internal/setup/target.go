package setup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
)

// ConnectionsOf are the names of the connections that a plan's calls of PagerDuty
// go to, that of the workflow first, the others in order.
func ConnectionsOf(plan *workflow.Plan) []workflow.Text {
	main := plan.Workflow.Connection
	names := []workflow.Text{main}
	for i := range plan.Steps {
		c := plan.Steps[i].Connection
		if !slices.ContainsFunc(names, func(t workflow.Text) bool { return t.Text == c.Text }) {
			names = append(names, c)
		}
	}
	slices.SortStableFunc(names[1:], func(a, b workflow.Text) int { return strings.Compare(a.Text, b.Text) })
	return names
}

// Of is what a run of the plan talks to, and the keys that it does it with.
func (s *Target) Of(plan *workflow.Plan) (engine.Target, map[string]string, error) {
	keys := map[string]string{}
	var target engine.Target
	for i, name := range ConnectionsOf(plan) {
		c, err := s.Connections.Get(name.Text)
		if err != nil {
			return target, nil, console.Exit(console.ExitUsage, err)
		}
		prefix := ""
		one := engine.Target{Connection: c.Name, Region: c.Settings.region, APIURL: c.Client.APIURL(), EventsURL: c.Client.EventsURL()}
		if s.Simulator != nil {
			one = engine.Target{Simulator: s.Simulator.ID, APIURL: c.Client.APIURL(), EventsURL: c.Client.EventsURL()}
		}
		switch {
		case i == 0:
			target = one
		case s.Simulator != nil || c.Name == target.Connection:
			continue // another name for the same account
		default:
			prefix, target.Others = c.Name+".", append(target.Others, one)
		}
		keys[prefix+"api_key"], keys[prefix+"service_key"] = c.Settings.APIKey, c.Settings.ServiceKey
	}
	return target, keys, nil
}

// Request is what a new run of a plan is asked with.
func (s *Target) Request(plan *workflow.Plan, inputs action.Object) (engine.Request, error) {
	target, keys, err := s.Of(plan)
	return engine.Request{Inputs: inputs, Target: target, Keys: keys}, err
}

// A Target is what runs of one command reach: PagerDuty itself or a simulator, the
// network or a world file. It holds what is made for that.
type Target struct {
	Catalog     *action.Catalog
	Interpreter *lua.Interpreter
	Connections *connections
	Simulator   *Simulator // nil without --simulate
	Secret      func(name string) (string, error)
	Ceiling     *engine.Ceiling // nil: there is none
}

// Offline is the site of commands that call nothing.
func Offline() (*Target, error) {
	return NewTarget(builtins.Config{})
}

func NewTarget(c builtins.Config) (*Target, error) {
	catalog, err := action.NewCatalog(builtins.Actions(c)...)
	if err != nil {
		return nil, err
	}
	return &Target{Catalog: catalog, Interpreter: lua.New(catalog)}, nil
}

// Target makes what `pdflow run` of a file needs.
func (p *Environment) Target(file string, simulate bool, o Simulation) (*Target, error) {
	if simulate {
		return p.simulatedTarget(file, o)
	}
	return p.RealTarget()
}

// RealTarget talks to PagerDuty as the configuration and the environment say.
func (p *Environment) RealTarget() (*Target, error) {
	configuration, err := p.Configuration()
	if err != nil {
		return nil, err
	}
	connections := p.Connections(configuration)
	made, err := NewTarget(builtins.Config{Connect: connections.client})
	if err != nil {
		return nil, err
	}
	made.Connections, made.Secret = connections, p.secret
	if a := configuration.Allow; a != nil {
		made.Ceiling = &engine.Ceiling{Permissions: a.Permissions, Secrets: a.Secrets, File: configuration.File}
	}
	return made, nil
}

// simulatedTarget is offline: a simulator on the loopback interface, and a world
// file for everything else.
func (p *Environment) simulatedTarget(file string, o Simulation) (*Target, error) {
	world, err := ReadWorld(cmp.Or(o.World, WorldBeside(file)))
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	options, err := AccountOptions(o.Seed, o.Faults)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	local, err := StartSimulator("127.0.0.1:0", append(options, simulator.WithLenientServiceKeys())...)
	if err != nil {
		return nil, console.Exit(console.ExitFailed, err)
	}
	s := local.Settings(&SkippingClock{})
	s.eventsAPI = p.Getenv("PAGERDUTY_EVENTS_API")
	p.Redactor.Add(s.APIKey, s.ServiceKey)
	client, err := s.Client()
	if err != nil {
		local.Stop()
		return nil, console.Exit(console.ExitUsage, err)
	}
	made, err := WithClient(builtins.Config{PagerDuty: client, Transport: world.Transport(), Network: world.Network()}, s)
	if err != nil {
		local.Stop()
		return nil, err
	}
	made.Simulator, made.Secret = local, p.SimulatedSecret
	return made, nil
}

// In is the same site in another world.
func (s *Target) In(world *builtins.World) (*Target, error) {
	made, err := NewTarget(builtins.Config{Connect: s.Connections.client, Transport: world.Transport(), Network: world.Network()})
	if err != nil {
		return nil, err
	}
	moved := *s
	moved.Catalog, moved.Interpreter = made.Catalog, made.Interpreter
	return &moved, nil
}

// Account is the simulator's account; nil when runs talk to PagerDuty itself.
func (s *Target) Account() *simulator.Simulator {
	if s.Simulator == nil {
		return nil
	}
	return s.Simulator.Simulator
}

func (s *Target) Close() {
	if s.Simulator != nil {
		s.Simulator.Stop()
	}
}

// Ready reports a plan that would fail for want of a connection or a key, or that
// asks for more than the operator allows, before anything is called.
func (s *Target) Ready(plan *workflow.Plan) error {
	if found := s.Ceiling.Check(plan); len(found) > 0 {
		return console.Exit(console.ExitUsage, found)
	}
	for _, name := range ConnectionsOf(plan) {
		if _, err := s.Connections.Get(name.Text); err != nil && name.Position.Line > 0 {
			return console.Usage("%s:%d:%d: %w", plan.Workflow.File, name.Position.Line, name.Position.Column, err)
		} else if err != nil {
			return console.Exit(console.ExitUsage, err)
		}
	}
	for _, call := range plan.Calls() {
		a, ok := s.Catalog.Lookup(call.Action)
		if !ok || a.Module() != "pagerduty" {
			continue
		}
		if err := s.hasKey(plan, call, a); err != nil {
			return err
		}
	}
	return nil
}

// hasKey reports a call whose connection has no key for it. One of a module is
// taken to go where the workflow's do.
func (s *Target) hasKey(plan *workflow.Plan, call workflow.PlannedCall, a *action.Action) error {
	c, err := s.Connections.Get(cmp.Or(call.Connection, plan.Workflow.Connection.Text))
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	where := func(variable, field string) string {
		if c.Name == workflow.DefaultConnection {
			return "set " + variable
		}
		return fmt.Sprintf("give the connection %s an %s that is set", c.Name, field)
	}
	_, isEvent := a.In.Field("service_key")
	switch {
	case !isEvent && c.Settings.APIKey == "":
		return console.Usage("%s calls %s, which needs a PagerDuty API key: %s, or add --simulate to run offline", plan.Workflow.File, a.Name, where("PAGERDUTY_API_KEY", "api_key"))
	case isEvent && c.Settings.ServiceKey == "" && !call.Gives("service_key"):
		return console.Usage("%s calls %s without a service_key: %s, give service_key in the step, or add --simulate to run offline", plan.Workflow.File, a.Name, strings.Replace(where("PAGERDUTY_SERVICE_KEY", "service_key"), "an service", "a service", 1))
	}
	return nil
}
