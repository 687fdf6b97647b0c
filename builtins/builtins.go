package builtins

import (
	"net/http"
	"slices"

	"github.com/pdflow/pdflow/builtins/codes"
	"github.com/pdflow/pdflow/builtins/jsonvalue"
	"github.com/pdflow/pdflow/builtins/logging"
	"github.com/pdflow/pdflow/builtins/pagerduty"
	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/probe"
	"github.com/pdflow/pdflow/builtins/text"
	"github.com/pdflow/pdflow/builtins/times"
	"github.com/pdflow/pdflow/builtins/validate"
	"github.com/pdflow/pdflow/builtins/web"
	"github.com/pdflow/pdflow/engine/action"
)

// Config says what the actions connect to. The zero Config is enough to check workflows and
// to write the reference page; a call of PagerDuty then fails with an [action.Error] that
// says what is missing.
type Config struct {
	// PagerDuty is the client of every call of the module pagerduty.
	PagerDuty *client.Client
	// Connect replaces PagerDuty when there are several accounts. It returns the client of a
	// connection by name.
	Connect func(connection string) (*client.Client, error)
	// Transport sends the requests of the module http; nil is the real network.
	Transport http.RoundTripper
	// Network answers the module net; nil is the real network.
	Network probe.Network
}

// Actions returns every built-in action, module by module.
func Actions(c Config) []*action.Action {
	if c.Transport == nil {
		c.Transport = web.NewTransport()
	}
	if c.Network == nil {
		c.Network = probe.Internet{}
	}
	if c.Connect == nil {
		c.Connect = func(string) (*client.Client, error) { return c.PagerDuty, nil }
	}
	return slices.Concat(
		pagerduty.Actions(c.Connect),
		web.Actions(Previewing(c.Transport)),
		probe.Actions(c.Network),
		validate.Actions(),
		jsonvalue.Actions(),
		codes.Actions(),
		times.Actions(),
		text.Actions(),
		logging.Actions(),
	)
}
