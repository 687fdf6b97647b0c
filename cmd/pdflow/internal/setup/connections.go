package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

func AddConnection(f *pflag.FlagSet, name *string) {
	f.StringVar(name, "connection", "", "the connection of the configuration to use where the workflow names none")
}

// configurationName is the operator's file in the configuration folder.
const configurationName = "pdflow.yaml"

// Configuration reads the operator's file: the one of --config, else that of the
// user's configuration folder, where there may be none. It is never looked for
// beside a workflow.
func (p *Environment) Configuration() (*workflow.Configuration, error) {
	file := p.ConfigFile
	if file == "" {
		file = p.usualConfiguration()
		if _, err := os.Stat(file); file == "" || errors.Is(err, os.ErrNotExist) {
			return &workflow.Configuration{}, nil
		}
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("the configuration: %w", FileError(err, file)))
	}
	c, err := workflow.ParseConfiguration(file, source)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("the configuration has problems:\n%w", err))
	}
	return c, nil
}

// usualConfiguration is where the file is when nothing else is said; empty where
// there is no such folder.
func (p *Environment) usualConfiguration() string {
	if folder := p.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "pdflow", configurationName)
	}
	for _, variable := range []string{"HOME", "USERPROFILE"} { // the second on Windows
		if home := p.Getenv(variable); filepath.IsAbs(home) {
			return filepath.Join(home, ".config", "pdflow", configurationName)
		}
	}
	return ""
}

// A connection is an account of PagerDuty and the client that talks to it.
type connection struct {
	Name     string
	Settings Settings
	Client   *pagerduty.Client
}

// connections are the accounts that the runs of a command reach. Each is opened
// when it is first asked for.
type connections struct {
	open func(name string) (*connection, error)

	mu     sync.Mutex
	opened map[string]*connection
}

// WithClient is a site whose runs all talk to one account, by a client that is there.
func WithClient(c builtins.Config, s Settings) (*Target, error) {
	made, err := NewTarget(c)
	if err != nil {
		return nil, err
	}
	made.Connections = one(&connection{workflow.DefaultConnection, s, c.PagerDuty})
	return made, nil
}

// one are connections that all lead to the same account, whatever their name.
func one(c *connection) *connections {
	return &connections{open: func(string) (*connection, error) { return c, nil }}
}

// Connections returns those of the configuration and the environment. They share
// their pacing, as two names may stand for one key.
func (p *Environment) Connections(c *workflow.Configuration) *connections {
	pacing := &pagerduty.Pacing{}
	return &connections{open: func(name string) (*connection, error) {
		s, err := p.settingsOf(c, name)
		if err != nil {
			return nil, err
		}
		s.pacing = pacing
		client, err := s.Client()
		if err != nil {
			return nil, fmt.Errorf("the connection %s: %w", name, err)
		}
		return &connection{name, s, client}, nil
	}}
}

// Get returns a connection.
func (c *connections) Get(name string) (*connection, error) {
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
	opened, err := c.Get(name)
	if err != nil {
		return nil, &action.Error{Kind: action.Unauthorized, Message: err.Error()}
	}
	return opened.Client, nil
}
