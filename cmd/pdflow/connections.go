package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

func addConnection(f *pflag.FlagSet, name *string) {
	f.StringVar(name, "connection", "", "the connection of the configuration to use where the workflow names none")
}

// configurationName is the operator's file in the configuration folder.
const configurationName = "pdflow.yaml"

// configuration reads the operator's file: the one of --config, else that of the
// user's configuration folder, where there may be none. It is never looked for
// beside a workflow.
func (p *program) configuration() (*workflow.Configuration, error) {
	file := p.configFile
	if file == "" {
		file = p.usualConfiguration()
		if _, err := os.Stat(file); file == "" || errors.Is(err, os.ErrNotExist) {
			return &workflow.Configuration{}, nil
		}
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, exit(exitUsage, fmt.Errorf("the configuration: %w", fileError(err, file)))
	}
	c, err := workflow.ParseConfiguration(file, source)
	if err != nil {
		return nil, exit(exitUsage, fmt.Errorf("the configuration has problems:\n%w", err))
	}
	return c, nil
}

// usualConfiguration is where the file is when nothing else is said; empty where
// there is no such folder.
func (p *program) usualConfiguration() string {
	if folder := p.getenv("XDG_CONFIG_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "pdflow", configurationName)
	}
	for _, variable := range []string{"HOME", "USERPROFILE"} { // the second on Windows
		if home := p.getenv(variable); filepath.IsAbs(home) {
			return filepath.Join(home, ".config", "pdflow", configurationName)
		}
	}
	return ""
}

// A connection is an account of PagerDuty and the client that talks to it.
type connection struct {
	name     string
	settings settings
	client   *pagerduty.Client
}

// connections are the accounts that the runs of a command reach. Each is opened
// when it is first asked for.
type connections struct {
	open func(name string) (*connection, error)

	mu     sync.Mutex
	opened map[string]*connection
}

// one are connections that all lead to the same account, whatever their name.
func one(c *connection) *connections {
	return &connections{open: func(string) (*connection, error) { return c, nil }}
}

// connections returns those of the configuration and the environment. They share
// their pacing, as two names may stand for one key.
func (p *program) connections(c *workflow.Configuration) *connections {
	pacing := &pagerduty.Pacing{}
	return &connections{open: func(name string) (*connection, error) {
		s, err := p.settingsOf(c, name)
		if err != nil {
			return nil, err
		}
		s.pacing = pacing
		client, err := s.client()
		if err != nil {
			return nil, fmt.Errorf("the connection %s: %w", name, err)
		}
		return &connection{name, s, client}, nil
	}}
}

// get returns a connection.
func (c *connections) get(name string) (*connection, error) {
	if name == "" {
		name = workflow.DefaultConnection
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if opened, ok := c.opened[name]; ok {
		return opened, nil
	}
	opened, err := c.open(name)
	if err != nil {
		return nil, err
	}
	if c.opened == nil {
		c.opened = map[string]*connection{}
	}
	c.opened[name] = opened
	return opened, nil
}

// client returns the client of a connection, for the actions.
func (c *connections) client(name string) (*pagerduty.Client, error) {
	opened, err := c.get(name)
	if err != nil {
		return nil, &action.Error{Kind: action.Unauthorized, Message: err.Error()}
	}
	return opened.client, nil
}

// connectionsOf are the names of the connections that a plan's calls of PagerDuty
// go to, that of the workflow first, the others in order.
func connectionsOf(plan *workflow.Plan) []workflow.Text {
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

// target is what a run of the plan talks to, and the keys that it does it with.
func (s *site) target(plan *workflow.Plan) (run.Target, map[string]string, error) {
	keys := map[string]string{}
	var target run.Target
	for i, name := range connectionsOf(plan) {
		c, err := s.connections.get(name.Text)
		if err != nil {
			return target, nil, exit(exitUsage, err)
		}
		prefix := ""
		one := run.Target{Connection: c.name, Region: c.settings.region, APIURL: c.client.APIURL(), EventsURL: c.client.EventsURL()}
		if s.simulator != nil {
			one = run.Target{Simulator: s.simulator.id, APIURL: c.client.APIURL(), EventsURL: c.client.EventsURL()}
		}
		switch {
		case i == 0:
			target = one
		case s.simulator != nil || c.name == target.Connection:
			continue // another name for the same account
		default:
			prefix, target.Others = c.name+".", append(target.Others, one)
		}
		keys[prefix+"api_key"], keys[prefix+"service_key"] = c.settings.apiKey, c.settings.serviceKey
	}
	return target, keys, nil
}

// request is what a new run of a plan is asked with.
func (s *site) request(plan *workflow.Plan, inputs action.Object) (engine.Request, error) {
	target, keys, err := s.target(plan)
	return engine.Request{Inputs: inputs, Target: target, Keys: keys}, err
}
