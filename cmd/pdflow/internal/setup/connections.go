package setup

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/wire"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

// AddConnection adds the flag --connection.
func AddConnection(f *pflag.FlagSet, name *string) {
	f.StringVar(name, "connection", "", "the connection of the configuration to use if the workflow names none")
}

// Settings are the settings of a connection.
type Settings struct {
	APIKey, ServiceKey string
	region             string
	apiURL, eventsURL  string
	fromEmail          string
	eventsAPI          string
	authorities        []byte            // certificates in PEM to trust in addition to the system's
	clock              Clock             // of a simulator; nil: the machine's
	pacing             *pagerduty.Pacing // nil: the client's own
}

// A Clock is the clock of a client.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Client returns a client with these settings.
func (s Settings) Client() (*pagerduty.Client, error) {
	c := pagerduty.Config{
		APIKey: s.APIKey, ServiceKey: s.ServiceKey, FromEmail: s.fromEmail, CACertificates: s.authorities,
		Region: pagerduty.Region(s.region), APIURL: s.apiURL, EventsURL: s.eventsURL,
		EventsAPI: pagerduty.EventsVersion(s.eventsAPI), UserAgent: "pdflow/" + VersionText(),
		Pacing: s.pacing, Wrap: builtins.Previewing,
	}
	if s.clock != nil {
		c.Sleep, c.Now = s.clock.Sleep, s.clock.Now
	}
	return pagerduty.New(c)
}

// A Connection is a PagerDuty account and the client for it.
type Connection struct {
	Name     string
	Settings Settings
	Client   *pagerduty.Client
}

// Connections are the accounts that runs can reach. Each connection is opened on first use. It is
// safe for concurrent use.
type Connections struct {
	open func(name string) (*Connection, error)

	mu     sync.Mutex
	opened map[string]*Connection
}

// Connections returns the connections of the configuration and of the environment. They share their
// pacing, because two names may have the same key.
func (e *Environment) Connections(c *Configuration) *Connections {
	pacing := &pagerduty.Pacing{}
	return &Connections{open: func(name string) (*Connection, error) {
		if err := wire.CheckProxy(e.Getenv); err != nil {
			return nil, err
		}
		s, err := e.settings(c, name)
		if err != nil {
			return nil, err
		}
		s.pacing = pacing
		client, err := s.Client()
		if err != nil {
			return nil, fmt.Errorf("the connection %s: %w", name, err)
		}
		return &Connection{name, s, client}, nil
	}}
}

// Get returns a connection. An empty name means the default connection.
func (c *Connections) Get(name string) (*Connection, error) {
	name = cmp.Or(name, workflow.DefaultConnection)
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
		c.opened = map[string]*Connection{}
	}
	c.opened[name] = opened
	return opened, nil
}

// client returns the client of a connection. Its errors are errors of an action.
func (c *Connections) client(name string) (*pagerduty.Client, error) {
	opened, err := c.Get(name)
	if err != nil {
		return nil, &action.Error{Kind: action.Unauthorized, Message: err.Error(), Final: true}
	}
	return opened.Client, nil
}

// settings reads the settings of a connection from the configuration. Variables of the environment
// replace the settings of the default connection. The redactor learns the keys at once.
func (e *Environment) settings(c *Configuration, name string) (Settings, error) {
	entry, ok := c.Connection(name)
	if !ok && name != workflow.DefaultConnection {
		return Settings{}, e.unknownConnection(c, name)
	}
	s, err := e.configured(c, entry)
	if err == nil && name == workflow.DefaultConnection {
		err = e.override(&s)
	}
	e.Redactor.Add(s.APIKey, s.ServiceKey)
	return s, err
}

func (e *Environment) unknownConnection(c *Configuration, name string) error {
	if c.File == "" {
		hint := "there is no configuration: write one and name it with --config"
		if file := e.configurationFile(); file != "" {
			hint = "there is no configuration: write " + file
		}
		return fmt.Errorf("there is no connection %q (%s; or leave `connection` out and set PAGERDUTY_API_KEY)", name, hint)
	}
	return fmt.Errorf("%s (%s)", c.missing(name), c.nearest(name))
}

// knows reports whether a workflow may name a connection. Without a file nothing is known, and
// every name may be right.
func (c *Configuration) knows(name string) bool {
	if c == nil || c.File == "" || name == "" || name == workflow.DefaultConnection {
		return true
	}
	_, ok := c.Connection(name)
	return ok
}

// fromEmail returns the address on whose behalf a connection writes; empty if it has none.
func (c *Configuration) fromEmail(connection string, getenv func(string) string) string {
	entry, _ := c.Connection(connection)
	if connection == workflow.DefaultConnection {
		return cmp.Or(getenv("PAGERDUTY_FROM_EMAIL"), entry.FromEmail)
	}
	return entry.FromEmail
}

func (c *Configuration) missing(name string) string {
	return fmt.Sprintf("there is no connection %q in %s", phrase.Clip(name, 60), c.File)
}

// nearest returns a hint about the name of a connection that does not exist.
func (c *Configuration) nearest(name string) string {
	if len(c.Connections) == 0 {
		return "it has no connections"
	}
	return cmp.Or(phrase.DidYouMean(name, c.Names()), "it has: "+strings.Join(c.Names(), ", "))
}

// takenKeys returns the secrets of a plan that are keys of connections. A workflow could send them to
// any host that it lists, so only the operator can give them away, by naming them under `allow`. A
// service key may go to where service keys go anyway.
func (c *Configuration) takenKeys(plan *workflow.Plan) source.Problems {
	var found source.Problems
	for _, secret := range plan.Workflow.Secrets {
		if len(secret.Hosts) > 0 && c.isKey(secret.Name) && !c.gives(secret.Name) {
			found = append(found, source.Problem{
				File: plan.Workflow.File, Line: secret.Position.Line, Column: secret.Position.Column, Rule: "ceiling", Severity: source.SeverityError,
				Message: secret.Name + " is the key of a connection, which a workflow cannot send to other hosts",
				Hint:    fmt.Sprintf("give the secret another name; or the operator adds allow: {secrets: [%s]} to pdflow.yaml", secret.Name),
			})
		}
	}
	return found
}

// isKey reports whether a variable has the key of a connection. Windows knows no case of variables.
func (c *Configuration) isKey(variable string) bool {
	keys := slices.Concat(APIKeyVariables, ServiceKeyVariables)
	if c != nil {
		for i := range c.Connections {
			keys = append(keys, c.Connections[i].APIKey.Variable, c.Connections[i].ServiceKey.Variable)
		}
	}
	return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(key, variable) })
}

// gives reports whether the operator lets workflows use a variable as a secret.
func (c *Configuration) gives(variable string) bool {
	return c != nil && c.Allow != nil && slices.Contains(c.Allow.Secrets, variable)
}

// configured returns the settings of an entry of the configuration.
func (e *Environment) configured(c *Configuration, entry ConfiguredConnection) (s Settings, err error) {
	s.region, s.apiURL, s.eventsURL = entry.Region, entry.APIURL, entry.EventsURL
	s.fromEmail, s.eventsAPI = entry.FromEmail, entry.EventsAPI
	if s.APIKey, err = e.referredKey(c.File, entry.APIKey); err != nil {
		return s, err
	}
	if s.ServiceKey, err = e.referredKey(c.File, entry.ServiceKey); err != nil {
		return s, err
	}
	if entry.CAFile != "" {
		file := relativeTo(c.File, entry.CAFile)
		if s.authorities, err = e.readNamed(file, maxPEMFile); err != nil {
			return s, fmt.Errorf("%s: ca_file of the connection %s: %w", c.File, entry.Name, FileError(err, file))
		}
	}
	return s, nil
}

// referredKey reads the key that a configuration refers to. A missing variable is an error only when
// a call needs the key. A missing file is an error at once.
func (e *Environment) referredKey(file string, r SecretReference) (string, error) {
	if r.File == "" {
		return strings.TrimSpace(e.Getenv(r.Variable)), nil
	}
	return e.keyring().file(relativeTo(file, r.File), fmt.Sprintf("%s:%d", file, r.Position.Line))
}

// relativeTo returns a path that a file names. Relative paths begin at the folder of the file.
func relativeTo(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// override replaces settings with those that the environment sets.
func (e *Environment) override(s *Settings) error {
	apiKey, err := e.keyring().key(APIKeyVariables)
	if err != nil {
		return err
	}
	serviceKey, err := e.keyring().key(ServiceKeyVariables)
	if err != nil {
		return err
	}
	s.APIKey, s.ServiceKey = cmp.Or(apiKey, s.APIKey), cmp.Or(serviceKey, s.ServiceKey)
	s.region = cmp.Or(e.Getenv("PAGERDUTY_SERVICE_REGION"), s.region)
	s.apiURL, s.eventsURL = cmp.Or(e.Getenv("PAGERDUTY_API_URL"), s.apiURL), cmp.Or(e.Getenv("PAGERDUTY_EVENTS_URL"), s.eventsURL)
	s.fromEmail = cmp.Or(e.Getenv("PAGERDUTY_FROM_EMAIL"), s.fromEmail)
	s.eventsAPI = cmp.Or(e.Getenv("PAGERDUTY_EVENTS_API"), s.eventsAPI)
	if file := e.Getenv("PAGERDUTY_CA_FILE"); file != "" {
		if s.authorities, err = e.readNamed(file, maxPEMFile); err != nil {
			return fmt.Errorf("PAGERDUTY_CA_FILE: %w", FileError(err, file))
		}
	}
	return nil
}
