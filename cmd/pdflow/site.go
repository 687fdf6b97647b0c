package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A site is what runs of one command reach: PagerDuty itself or a simulator, the
// network or a world file. It holds what is made for that.
type site struct {
	catalog     *action.Catalog
	interpreter *lua.Interpreter
	target      engine.Target
	settings    settings
	simulator   *localSimulator // nil without --simulate
	secret      func(name string) (string, error)
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
		return p.simulatedSite(file, o.world)
	}
	return p.realSite()
}

// realSite talks to PagerDuty as the environment says.
func (p *program) realSite() (*site, error) {
	s, err := p.settings()
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	client, err := s.client()
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	made, err := newSite(builtins.Config{PagerDuty: client})
	if err != nil {
		return nil, err
	}
	made.settings, made.secret = s, p.secret
	made.target = engine.Target{Connection: "default", Region: s.region, APIURL: client.APIURL(), EventsURL: client.EventsURL()}
	return made, nil
}

// simulatedSite is offline: a simulator on the loopback interface, and a world
// file for everything else.
func (p *program) simulatedSite(file, worldFile string) (*site, error) {
	world, err := p.readWorld(file, worldFile)
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	local, err := startSimulator("127.0.0.1:0")
	if err != nil {
		return nil, exit(exitFailed, err)
	}
	s := settings{
		apiKey: local.APIKey(), serviceKey: local.ServiceKey(), apiURL: local.url, eventsURL: local.url,
		fromEmail: simulatedFrom, eventsAPI: p.getenv("PAGERDUTY_EVENTS_API"), clock: &skippingClock{},
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
	made.settings, made.simulator, made.secret = s, local, p.simulatedSecret
	made.target = engine.Target{Simulator: local.id, APIURL: local.url, EventsURL: local.url}
	return made, nil
}

// keys are the texts of the keys that PagerDuty is talked to with.
func (s *site) keys() map[string]string {
	return map[string]string{"api_key": s.settings.apiKey, "service_key": s.settings.serviceKey}
}

func (s *site) close() {
	if s.simulator != nil {
		s.simulator.close()
	}
}

// readWorld reads the world file, or the one beside the workflow when there is
// one.
func (p *program) readWorld(file, worldFile string) (*builtins.World, error) {
	if worldFile == "" {
		beside := strings.TrimSuffix(file, filepath.Ext(file)) + ".world.yaml"
		if _, err := os.Stat(beside); err != nil {
			return builtins.NewWorld(nil)
		}
		worldFile = beside
	}
	source, err := os.ReadFile(worldFile)
	if err != nil {
		return nil, fileError(err, worldFile)
	}
	v, err := workflow.ParseData(worldFile, source)
	if err != nil {
		return nil, err
	}
	o, ok := v.(action.Object)
	if !ok && v != nil {
		return nil, fmt.Errorf("%s must be a mapping with http and net", worldFile)
	}
	world, err := builtins.NewWorld(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", worldFile, err)
	}
	return world, nil
}

// ready reports a plan that would fail for want of a key, before anything is
// called.
func (s *site) ready(plan *workflow.Plan) error {
	for _, call := range plan.Calls() {
		a, ok := s.catalog.Lookup(call.Action)
		if !ok || a.Module() != "pagerduty" {
			continue
		}
		_, isEvent := a.In.Field("service_key")
		switch {
		case !isEvent && s.settings.apiKey == "":
			return usageError("%s calls %s, which needs a PagerDuty API key: set PAGERDUTY_API_KEY, or add --simulate to run offline", plan.Workflow.File, a.Name)
		case isEvent && s.settings.serviceKey == "" && !call.Gives("service_key"):
			return usageError("%s calls %s without a service_key: set PAGERDUTY_SERVICE_KEY, give service_key in the step, or add --simulate to run offline", plan.Workflow.File, a.Name)
		}
	}
	return nil
}
