package account

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/seeded"
)

// Account is the resources of a PagerDuty account. Callers read the fields and change
// them by methods only. An Account is not safe for concurrent use.
type Account struct {
	Identifiers *seeded.Identifiers // shared by all versions of the account
	Site        Site
	Abilities   Abilities
	Users       Users
	Services    Services
	Policies    Policies
	Schedules   Schedules
	Incidents   Incidents
	Changes     []ChangeEvent // in the order of their arrival

	config  Config
	tokens  map[string]Token
	onCalls []OnCall // with IDs as references; nil when they follow from the policies
	// defaultOnCall is the ID of the user whom the default escalation policy pages.
	defaultOnCall string
	pending       []pendingEvent
	delayed       int // the number of events for which a delay was drawn
	versions      versions
}

// Config is what a new account is made of. Only Glance is required.
type Config struct {
	Seed        int64 // identifiers, keys and delays follow from it
	State       State
	Users       []User     // a later user replaces an earlier one with its ID or address
	AccountKeys []string   // API keys of the account
	UserKeys    []UserKey  // API keys of users
	Services    []NamedKey // services with one integration each

	// LenientServiceKeys makes a new service for a well-formed integration key
	// that is not known.
	LenientServiceKeys bool
	// An accepted event takes effect after a delay between LeastDelay and MostDelay.
	LeastDelay, MostDelay time.Duration

	// Glance returns the time without moving a virtual clock.
	Glance func() time.Time
	// Announce is called with every change that concerns webhook subscribers.
	Announce func(Announcement)
	// Delayed is called with the delay of an accepted event. When it has passed,
	// Settle makes the event take effect.
	Delayed func(time.Duration)
}

// UserKey is an API key that acts as the user with an ID.
type UserKey struct{ Key, UserID string }

// NamedKey is an integration key and the name of its service.
type NamedKey struct{ Name, Key string }

// GenerateKeys gives the configuration an account API key and a service, unless it or
// its state has some. The keys follow from the seed, and stay when the state changes.
func (c *Config) GenerateKeys() {
	if len(c.AccountKeys) == 0 && c.State.Tokens == nil {
		c.AccountKeys = []string{seeded.New(c.Seed).APIKey()}
	}
	if len(c.Services) == 0 && c.State.Services == nil {
		c.Services = []NamedKey{{defaultServiceName, seeded.New(c.Seed).ServiceKey()}}
	}
}

// New returns an account in its starting state, which must be valid.
func New(config Config) *Account {
	a := &Account{
		config:      config,
		Identifiers: seeded.New(config.Seed),
		Incidents:   newIncidents(),
		tokens:      map[string]Token{},
	}
	seeder{a}.seed()
	return a
}

// clone returns a copy that later changes of the account do not affect.
func (a *Account) clone() *Account {
	copied := *a
	copied.tokens = maps.Clone(a.tokens)
	copied.Users = a.Users.clone()
	copied.Services.entries = slices.Clone(a.Services.entries) // a service never changes
	copied.Incidents = a.Incidents.clone()
	copied.versions = versions{}
	return &copied
}

// Site is the addresses at which the resources of the account claim to be.
type Site struct {
	REST string // of the REST API
	Web  string // of the web pages; clients such as the pd command line read the subdomain from it
}

const defaultSubdomain = "simulator"

// newSite returns the addresses of an account. Both regions are named in
// PagerDuty's developer documentation.
func newSite(account StateAccount) Site {
	host, domain := "api.pagerduty.com", "pagerduty.com"
	if account.Region == "eu" {
		host, domain = "api.eu.pagerduty.com", "eu.pagerduty.com"
	}
	return Site{
		REST: "https://" + host,
		Web:  "https://" + cmp.Or(account.Subdomain, defaultSubdomain) + "." + domain,
	}
}
