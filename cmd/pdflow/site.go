package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/world"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A site is what runs of one command reach: PagerDuty itself or a simulator, the
// network or a world file. It holds what is made for that.
type site struct {
	catalog     *action.Catalog
	interpreter *lua.Interpreter
	connections *connections
	simulator   *localSimulator // nil without --simulate
	secret      func(name string) (string, error)
	ceiling     *attempt.Policy // nil: there is none
}

// checkingSite is the site of commands that call nothing.
func checkingSite() (*site, error) {
	return newSite(builtins.Config{})
}

func newSite(c builtins.Config) (*site, error) {
	catalog, err := action.NewCatalog(builtins.Actions(c)...)
	if err != nil {
		return nil, err
	}
	return &site{catalog: catalog, interpreter: lua.New(catalog)}, nil
}

// site makes what `pdflow run` of a file needs.
func (p *program) site(file string, o runOptions) (*site, error) {
	if o.simulate {
		return p.simulatedSite(file, o.simulation)
	}
	return p.realSite()
}

// realSite talks to PagerDuty as the configuration and the environment say.
func (p *program) realSite() (*site, error) {
	configuration, err := p.configuration()
	if err != nil {
		return nil, err
	}
	connections := p.connections(configuration)
	made, err := newSite(builtins.Config{Connect: connections.client})
	if err != nil {
		return nil, err
	}
	made.connections, made.secret = connections, p.secret
	if a := configuration.Allow; a != nil {
		made.ceiling = &attempt.Policy{Permissions: a.Permissions, Secrets: a.Secrets, File: configuration.File}
	}
	return made, nil
}

// simulatedSite is offline: a simulator on the loopback interface, and a world
// file for everything else.
func (p *program) simulatedSite(file string, o simulation) (*site, error) {
	world, err := readWorld(cmp.Or(o.world, worldBeside(file)))
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	options, err := accountOptions(o.seed, o.faults)
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	local, err := startSimulator("127.0.0.1:0", append(options, simulator.WithLenientServiceKeys())...)
	if err != nil {
		return nil, exit(exitFailed, err)
	}
	s := settings{
		apiKey: local.APIKey(), serviceKey: local.ServiceKey(), apiURL: local.url, eventsURL: local.url,
		fromEmail: simulatedFrom(local.Simulator), eventsAPI: p.getenv("PAGERDUTY_EVENTS_API"), clock: &skippingClock{},
	}
	p.redactor.Add(s.apiKey, s.serviceKey)
	client, err := s.client()
	if err != nil {
		local.close()
		return nil, exit(exitUsage, err)
	}
	made, err := newSite(builtins.Config{PagerDuty: client, Transport: world.Transport(), Network: world.Network()})
	if err != nil {
		local.close()
		return nil, err
	}
	made.connections = one(&connection{workflow.DefaultConnection, s, client})
	made.simulator, made.secret = local, p.simulatedSecret
	return made, nil
}

// in is the same site in another world.
func (s *site) in(world *world.World) (*site, error) {
	made, err := newSite(builtins.Config{Connect: s.connections.client, Transport: world.Transport(), Network: world.Network()})
	if err != nil {
		return nil, err
	}
	moved := *s
	moved.catalog, moved.interpreter = made.catalog, made.interpreter
	return &moved, nil
}

func (s *site) close() {
	if s.simulator != nil {
		s.simulator.close()
	}
}

// worldBeside is the world file of a workflow file; empty when there is none.
func worldBeside(file string) string {
	beside := strings.TrimSuffix(file, filepath.Ext(file)) + ".world.yaml"
	if file == "" || !isFile(beside) {
		return ""
	}
	return beside
}

// readWorld reads a world file; without one the world is empty.
func readWorld(worldFile string) (*world.World, error) {
	if worldFile == "" {
		return world.New(nil)
	}
	text, err := os.ReadFile(worldFile)
	if err != nil {
		return nil, fileError(err, worldFile)
	}
	data, err := source.ReadData(worldFile, text)
	if err != nil {
		return nil, err
	}
	o, ok := data.Value.(action.Object)
	if !ok && data.Value != nil {
		return nil, fmt.Errorf("%s must be a mapping with http and net", worldFile)
	}
	world, err := world.New(o)
	var problems action.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			at := data.Tree.Place(problem.Path, 1)
			if problem.Rule == action.RuleUnknownInput {
				at = data.Tree.PlaceOfName(problem.Path, 1)
			}
			data.Report(at, problem.Rule, problem.Message, problem.Hint)
		}
		err = data.Err()
	}
	return world, err
}

// ready reports a plan that would fail for want of a connection or a key, or that
// asks for more than the operator allows, before anything is called.
func (s *site) ready(plan *workflow.Plan) error {
	if found := s.ceiling.Check(plan); len(found) > 0 {
		return exit(exitUsage, found)
	}
	for _, name := range connectionsOf(plan) {
		if _, err := s.connections.get(name.Text); err != nil && name.Position.Line > 0 {
			return usageError("%s:%d:%d: %w", plan.Workflow.File, name.Position.Line, name.Position.Column, err)
		} else if err != nil {
			return exit(exitUsage, err)
		}
	}
	for _, call := range plan.Calls() {
		a, ok := s.catalog.Lookup(call.Action)
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
func (s *site) hasKey(plan *workflow.Plan, call workflow.PlannedCall, a *action.Action) error {
	c, err := s.connections.get(cmp.Or(call.Connection, plan.Workflow.Connection.Text))
	if err != nil {
		return exit(exitUsage, err)
	}
	where := func(variable, field string) string {
		if c.name == workflow.DefaultConnection {
			return "set " + variable
		}
		return fmt.Sprintf("give the connection %s an %s that is set", c.name, field)
	}
	_, isEvent := a.In.Field("service_key")
	switch {
	case !isEvent && c.settings.apiKey == "":
		return usageError("%s calls %s, which needs a PagerDuty API key: %s, or add --simulate to run offline", plan.Workflow.File, a.Name, where("PAGERDUTY_API_KEY", "api_key"))
	case isEvent && c.settings.serviceKey == "" && !call.Gives("service_key"):
		return usageError("%s calls %s without a service_key: %s, give service_key in the step, or add --simulate to run offline", plan.Workflow.File, a.Name, strings.Replace(where("PAGERDUTY_SERVICE_KEY", "service_key"), "an service", "a service", 1))
	}
	return nil
}
