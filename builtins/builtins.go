package builtins

import (
	"fmt"
	"net/http"
	"slices"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

// Config says what the actions talk to. Its zero value declares every action,
// which is all that a check and a reference page need; a PagerDuty call then
// fails with an [action.Error] that says what is missing.
type Config struct {
	// PagerDuty is the client of every call.
	PagerDuty *pagerduty.Client
	// Connect takes the place of PagerDuty where there are several accounts: it
	// returns the client of a connection by name.
	Connect func(connection string) (*pagerduty.Client, error)
	// Transport carries the requests of the http module; nil is the network.
	Transport http.RoundTripper
	// Network answers the net module; nil is the network.
	Network Network
}

// Actions returns every built-in action, module by module.
func Actions(c Config) []*action.Action {
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	if c.Network == nil {
		c.Network = internet{}
	}
	if c.Connect == nil {
		c.Connect = func(string) (*pagerduty.Client, error) { return c.PagerDuty, nil }
	}
	m := pagerdutyModule{c.Connect}
	return slices.Concat(
		pagerdutyEvents(m), pagerdutyUsers(m), pagerdutyIncidents(m), pagerdutyPeople(m), pagerdutyChange(m),
		httpActions(Previewing(c.Transport)),
		netActions(c.Network),
		validateActions(),
		jsonActions(),
		base64Actions(),
		hashActions(),
		timeActions(),
		textActions(),
		logActions(),
		uuidActions(),
	)
}

// clip shortens text that an error quotes.
func clip(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit]) + fmt.Sprintf("… (%d characters)", len(runes))
}
