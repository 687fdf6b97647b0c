package workflow

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"gopkg.in/yaml.v3"
)

// A Configuration is what the operator of a machine says of it, in pdflow.yaml:
// the accounts that there are, and what workflows may do at most. It never stands
// beside a workflow, so that no file can grant itself more.
type Configuration struct {
	File        string
	Connections []Connection
	// Allow is nil where nothing is said: then workflows are allowed whatever they
	// ask for.
	Allow     *Allowance
	Alerts    *Alerts    // nil: none are sent
	Heartbeat *Heartbeat // nil: none is sent
}

// A Connection is an account of PagerDuty under a name. Empty fields are not set.
type Connection struct {
	Name       string
	Position   Position
	APIKey     SecretReference
	ServiceKey SecretReference
	Region     string
	APIURL     string
	EventsURL  string
	FromEmail  string
	EventsAPI  string
	CAFile     string
}

// A SecretReference says where the text of a key is: it never stands in the file.
type SecretReference struct {
	Variable string // of the environment
	File     string
	Position Position
}

// IsZero reports whether nothing is referred to.
func (r SecretReference) IsZero() bool { return r.Variable == "" && r.File == "" }

// An Allowance is what workflows may do at most.
type Allowance struct {
	Permissions
	Secrets []string
}

// Alerts says which account hears of runs that fail unattended.
type Alerts struct {
	Connection Text
}

// A Heartbeat is a URL that is called as long as the scheduler works.
type Heartbeat struct {
	URL      string
	Every    time.Duration
	Position Position
}

// DefaultHeartbeat is how often a heartbeat is sent when its file does not say.
const DefaultHeartbeat = time.Minute

// Connection returns a connection by name.
func (c *Configuration) Connection(name string) (Connection, bool) {
	i := slices.IndexFunc(c.Connections, func(one Connection) bool { return one.Name == name })
	if i < 0 {
		return Connection{}, false
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

// ParseConfiguration reads pdflow.yaml. The error is [Diagnostics].
func ParseConfiguration(name string, src []byte) (*Configuration, error) {
	p := newParser(name, src)
	c := &Configuration{File: name}
	if root := p.document(src); root != nil {
		p.mapping(root, "the configuration",
			key{name: "connections", read: func(v *yaml.Node) { c.Connections = p.connections(v) }},
			key{name: "allow", read: func(v *yaml.Node) { c.Allow = p.allow(v) }},
			key{name: "alerts", read: func(v *yaml.Node) { c.Alerts = p.alerts(v) }},
			key{name: "heartbeat", read: func(v *yaml.Node) { c.Heartbeat = p.heartbeat(v) }},
		)
	}
	if a := c.Alerts; a != nil && a.Connection.Text != "" && a.Connection.Text != DefaultConnection {
		if _, ok := c.Connection(a.Connection.Text); !ok {
			p.reportAt(a.Connection.Position, "unknown-connection", fmt.Sprintf("there is no connection %q", clipped(a.Connection.Text)), action.DidYouMean(a.Connection.Text, c.Names()))
		}
	}
	return c, p.diagnostics.err()
}

func (p *parser) connections(n *yaml.Node) []Connection {
	var found []Connection
	p.entries(n, "connections", func(name string, keyNode, v *yaml.Node) {
		if !connectionName.MatchString(name) {
			p.report(keyNode, "bad-name", fmt.Sprintf("the connection %q is not a name", clipped(name)), "a name has letters, digits, _ and -")
		}
		c := Connection{Name: name, Position: Position{keyNode.Line, keyNode.Column}}
		text := func(field string, to *string) key {
			return key{name: field, read: func(v *yaml.Node) { *to = p.someText(v, field) }}
		}
		p.mapping(v, fmt.Sprintf("the connection %s", clipped(name)),
			key{name: "api_key", read: func(v *yaml.Node) { c.APIKey = p.secretReference(v, "api_key") }},
			key{name: "service_key", read: func(v *yaml.Node) { c.ServiceKey = p.secretReference(v, "service_key") }},
			key{name: "region", read: func(v *yaml.Node) { c.Region = p.choice(v, "region", "us", "eu") }},
			text("api_url", &c.APIURL), text("events_url", &c.EventsURL), text("from_email", &c.FromEmail),
			key{name: "events_api", read: func(v *yaml.Node) { c.EventsAPI = p.choice(v, "events_api", "v1", "v2") }},
			text("ca_file", &c.CAFile),
		)
		found = append(found, c)
	})
	return found
}

// secretReference reads `env:NAME` or `file:PATH`. Anything else may be the key
// itself, so the message does not show it.
func (p *parser) secretReference(n *yaml.Node, what string) SecretReference {
	r := SecretReference{Position: Position{n.Line, n.Column}}
	kind, rest, _ := strings.Cut(p.someText(n, what), ":")
	switch {
	case kind == "env" && identifierPattern.MatchString(rest):
		r.Variable = rest
	case kind == "file" && rest != "":
		r.File = rest
	case kind != "":
		p.report(n, "literal-secret", what+" must say where the key is, and not be the key", "write env:NAME or file:PATH; a key that stood here should be replaced")
	}
	return r
}

func (p *parser) choice(n *yaml.Node, what string, allowed ...string) string {
	text := p.someText(n, what)
	if text != "" && !slices.Contains(allowed, text) {
		p.report(n, "bad-input", fmt.Sprintf("%s cannot be %q", what, clipped(text)), "one of: "+strings.Join(allowed, ", "))
	}
	return text
}

func (p *parser) allow(n *yaml.Node) *Allowance {
	a := &Allowance{}
	p.mapping(n, "allow",
		key{name: "secrets", read: func(v *yaml.Node) {
			p.items(v, "allow.secrets", func(item *yaml.Node) {
				var name string
				if p.id(item, "a secret", &name); name != "" {
					a.Secrets = append(a.Secrets, name)
				}
			})
		}},
		key{name: "pagerduty", read: func(v *yaml.Node) {
			a.Narrowed = true
			p.items(v, "allow.pagerduty", func(item *yaml.Node) {
				if name := strings.TrimPrefix(p.someText(item, "an action"), "pagerduty."); name != "" {
					a.PagerDuty = append(a.PagerDuty, name)
				}
			})
		}},
		key{name: "http", read: func(v *yaml.Node) { a.HTTP = p.fixed(p.patterns(v, "http")) }},
		key{name: "net", read: func(v *yaml.Node) { a.Net = p.fixed(p.patterns(v, "net")) }},
	)
	return a
}

// fixed refuses entries of inputs: a configuration has none.
func (p *parser) fixed(patterns []Pattern) []Pattern {
	for _, pattern := range patterns {
		if len(pattern.inputNames()) > 0 {
			p.reportAt(pattern.Position, "bad-permission", fmt.Sprintf("%q names an input, which a configuration has not", clipped(pattern.Text)), "write the host, or *.example.com")
		}
	}
	return patterns
}

func (p *parser) alerts(n *yaml.Node) *Alerts {
	a := &Alerts{Connection: Text{Text: DefaultConnection, Position: Position{n.Line, n.Column}}}
	p.mapping(n, "alerts", key{name: "connection", read: func(v *yaml.Node) { a.Connection = *p.connection(v) }})
	return a
}

func (p *parser) heartbeat(n *yaml.Node) *Heartbeat {
	h := &Heartbeat{Every: DefaultHeartbeat, Position: Position{n.Line, n.Column}}
	seen := p.mapping(n, "heartbeat",
		key{name: "url", read: func(v *yaml.Node) {
			h.URL = p.someText(v, "url")
			u, err := url.Parse(h.URL)
			if h.URL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
				p.report(v, "bad-input", "url must be an https URL", "such as https://heartbeat.example.com/pdflow")
			}
		}},
		key{name: "every", read: func(v *yaml.Node) { h.Every = p.duration(v, "every") }},
	)
	if !seen["url"] {
		p.report(n, "missing-key", `a heartbeat needs "url"`, "the address that is called as long as the scheduler works")
	}
	return h
}
