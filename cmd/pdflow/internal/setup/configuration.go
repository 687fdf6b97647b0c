package setup

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A Configuration is the file of the operator of a machine, pdflow.yaml: the
// connections of the machine, and what its workflows may do at most. It is never read
// from the folder of a workflow, so a workflow cannot give itself more rights.
type Configuration struct {
	File        string
	Connections []ConfiguredConnection
	// Allow is nil when the file does not set it. Workflows may then do everything that
	// their own permissions list.
	Allow *Allowance
	// Ceilings are the most that workflows may ask for.
	Ceilings workflow.Ceilings
	// MaxMemory is the memory of the process, in bytes; 0 when the file does not set it.
	MaxMemory int64
	Alerts    *Alerts    // nil: no alerts are sent
	Heartbeat *Heartbeat // nil: no heartbeat is sent
}

// A ConfiguredConnection is a named PagerDuty account with its keys. Empty fields are not set.
type ConfiguredConnection struct {
	Name       string
	Position   source.Position
	APIKey     SecretReference
	ServiceKey SecretReference
	Region     string
	APIURL     string
	EventsURL  string
	FromEmail  string
	EventsAPI  string
	CAFile     string
}

// A SecretReference says where the text of a key is. The key itself is never in the
// configuration.
type SecretReference struct {
	Variable string // of the environment
	File     string
	Position source.Position
}

// IsZero reports whether there is no reference.
func (r SecretReference) IsZero() bool { return r.Variable == "" && r.File == "" }

// An Allowance is what workflows may do at most.
type Allowance struct {
	permission.Permissions
	Secrets []string
}

// Alerts says which account gets an alert when a run fails that no one watches.
type Alerts struct {
	Connection source.Text
}

// A Heartbeat is a URL that is called regularly as long as the scheduler works.
type Heartbeat struct {
	URL      string
	Every    time.Duration
	Position source.Position
}

// DefaultHeartbeat is the interval of heartbeats when the file does not set it.
const DefaultHeartbeat = time.Minute

// Connection returns a connection by name.
func (c *Configuration) Connection(name string) (ConfiguredConnection, bool) {
	i := slices.IndexFunc(c.Connections, func(one ConfiguredConnection) bool { return one.Name == name })
	if i < 0 {
		return ConfiguredConnection{}, false
	}
	return c.Connections[i], true
}

// Names returns the names of the connections, in the order of the file.
func (c *Configuration) Names() []string {
	names := make([]string, len(c.Connections))
	for i := range c.Connections {
		names[i] = c.Connections[i].Name
	}
	return names
}

// ParseConfiguration reads pdflow.yaml. The error is [source.Problems].
func ParseConfiguration(name string, src []byte) (*Configuration, error) {
	d := source.Read(name, src)
	c := &Configuration{File: name}
	keys := []source.Key{
		{Name: "connections", Read: func(v source.Node) { c.Connections = readConnections(v) }},
		{Name: "allow", Read: func(v source.Node) { c.Allow = readAllowance(v) }},
		{Name: "limits", Read: func(v source.Node) {
			c.Ceilings = workflow.ReadCeilings(v, source.Key{Name: "max_memory", Read: func(v source.Node) { c.MaxMemory = v.Size("max_memory", LeastMemory, 1<<50) }})
		}},
		{Name: "alerts", Read: func(v source.Node) { c.Alerts = readAlerts(v) }},
		{Name: "heartbeat", Read: func(v source.Node) { c.Heartbeat = readHeartbeat(v) }},
	}
	if root, ok := d.Root(); ok && d.OnlyKeys(source.NamesOf(keys)...) {
		root.Mapping("the configuration", keys...)
	}
	if a := c.Alerts; a != nil && a.Connection.Text != "" && a.Connection.Text != workflow.DefaultConnection {
		if _, ok := c.Connection(a.Connection.Text); !ok {
			d.Report(a.Connection.Position, "unknown-connection", fmt.Sprintf("there is no connection %q", source.Clip(a.Connection.Text)), phrase.DidYouMean(a.Connection.Text, c.Names()))
		}
	}
	return c, d.Err()
}

func readConnections(n source.Node) []ConfiguredConnection {
	var found []ConfiguredConnection
	n.Entries("connections", func(name string, key, v source.Node) {
		workflow.CheckConnection(key, name, "")
		c := ConfiguredConnection{Name: name, Position: key.Position()}
		text := func(field string, to *string) source.Key {
			return source.Key{Name: field, Read: func(v source.Node) { *to = v.SomeText(field) }}
		}
		v.Mapping(fmt.Sprintf("the connection %s", source.Clip(name)),
			source.Key{Name: "api_key", Read: func(v source.Node) { c.APIKey = readSecretReference(v, "api_key") }},
			source.Key{Name: "service_key", Read: func(v source.Node) { c.ServiceKey = readSecretReference(v, "service_key") }},
			source.Key{Name: "region", Read: func(v source.Node) { c.Region = readChoice(v, "region", "us", "eu") }},
			text("api_url", &c.APIURL), text("events_url", &c.EventsURL), text("from_email", &c.FromEmail),
			source.Key{Name: "events_api", Read: func(v source.Node) { c.EventsAPI = readChoice(v, "events_api", "v1", "v2") }},
			text("ca_file", &c.CAFile),
		)
		found = append(found, c)
	})
	return found
}

// readSecretReference reads `env:NAME` or `file:PATH`. Any other text may be the key
// itself, so the message does not show it.
func readSecretReference(n source.Node, what string) SecretReference {
	r := SecretReference{Position: n.Position()}
	kind, rest, _ := strings.Cut(n.SomeText(what), ":")
	switch {
	case kind == "env" && source.IsIdentifier(rest):
		r.Variable = rest
	case kind == "file" && rest != "":
		r.File = rest
	case kind != "":
		n.Report("literal-secret", what+" must say where the key is, and not be the key", "write env:NAME or file:PATH; replace a key that was written here")
	}
	return r
}

func readChoice(n source.Node, what string, allowed ...string) string {
	text := n.SomeText(what)
	if text != "" && !slices.Contains(allowed, text) {
		n.Report("bad-input", fmt.Sprintf("%s cannot be %q", what, source.Clip(text)), "one of: "+strings.Join(allowed, ", "))
	}
	return text
}

func readAllowance(n source.Node) *Allowance {
	a := &Allowance{}
	n.Mapping("allow",
		source.Key{Name: "secrets", Read: func(v source.Node) {
			v.Items("allow.secrets", func(item source.Node) {
				var name string
				if item.Identifier("a secret", &name); name != "" {
					a.Secrets = append(a.Secrets, name)
				}
			})
		}},
		source.Key{Name: "pagerduty", Read: func(v source.Node) {
			functions := []string{}
			for _, name := range permission.ReadActions(v, "allow.pagerduty", "pagerduty") {
				functions = append(functions, name.Text)
			}
			a.Actions = map[string][]string{"pagerduty": functions}
		}},
		source.Key{Name: "http", Read: func(v source.Node) { a.HTTP = readFixed(v, "http") }},
		source.Key{Name: "net", Read: func(v source.Node) { a.Net = readFixed(v, "net") }},
	)
	return a
}

// readFixed reads a list of endpoints and refuses entries that name inputs, which a
// configuration does not have.
func readFixed(n source.Node, kind string) []permission.Pattern {
	patterns := permission.ReadPatterns(n, kind)
	for _, pattern := range patterns {
		if len(pattern.Inputs()) > 0 {
			n.Document().Report(pattern.Position, "bad-permission", fmt.Sprintf("%q names an input, which a configuration does not have", source.Clip(pattern.Text)), "write the host, or *.example.com")
		}
	}
	return patterns
}

func readAlerts(n source.Node) *Alerts {
	a := &Alerts{Connection: source.Text{Text: workflow.DefaultConnection, Position: n.Position()}}
	n.Mapping("alerts", source.Key{Name: "connection", Read: func(v source.Node) { a.Connection = *workflow.ReadConnection(v) }})
	return a
}

func readHeartbeat(n source.Node) *Heartbeat {
	h := &Heartbeat{Every: DefaultHeartbeat, Position: n.Position()}
	seen := false
	n.Mapping("heartbeat",
		source.Key{Name: "url", Read: func(v source.Node) {
			seen = true
			h.URL = v.SomeText("url")
			u, err := url.Parse(h.URL)
			if h.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
				v.Report("bad-input", "url must be an https URL", "such as https://heartbeat.example.com/pdflow")
			}
		}},
		source.Key{Name: "every", Read: func(v source.Node) { h.Every = v.Duration("every") }},
	)
	if !seen {
		n.Report("missing-key", `a heartbeat needs "url"`, "the address that is called as long as the scheduler works")
	}
	return h
}
