package account

import (
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
)

// State is what an account holds before the first request. Its JSON form is the
// document of [ParseState]. Users are referred to by ID or e-mail address;
// services, schedules and escalation policies by ID or name.
//
// An absent list leaves what an account without a state has: the users of
// [DefaultUsers], one account API key, one service and one escalation policy. An empty
// list means none.
type State struct {
	Account            StateAccount       `json:"account,omitzero"`
	Tokens             []StateToken       `json:"tokens,omitempty"`
	Users              []User             `json:"users,omitempty"`
	Services           []StateService     `json:"services,omitempty"`
	EscalationPolicies []EscalationPolicy `json:"escalation_policies,omitempty"`
	Schedules          []Schedule         `json:"schedules,omitempty"`
	OnCalls            []OnCall           `json:"on_calls,omitempty"`
	Incidents          []StateIncident    `json:"incidents,omitempty"`
}

// StateAccount is the properties of the account as a whole.
type StateAccount struct {
	Subdomain string   `json:"subdomain,omitempty"` // in the addresses of web pages; "simulator" when empty
	Region    string   `json:"region,omitempty"`    // us or eu; us when empty
	Abilities []string `json:"abilities,omitempty"` // the abilities that GET /abilities lists and that roles need
}

// StateToken is an API key.
type StateToken struct {
	Key  string    `json:"key"`
	Kind TokenKind `json:"kind,omitempty"` // account when empty
	User string    `json:"user,omitempty"` // the owner of a user token
}

// StateService is a service and its integration keys.
type StateService struct {
	ID               string             `json:"id,omitempty"` // generated when empty
	Name             string             `json:"name"`
	EscalationPolicy string             `json:"escalation_policy,omitempty"` // the first of the account when empty
	Integrations     []StateIntegration `json:"integrations,omitempty"`      // one with a generated key when absent
}

// StateIntegration is an integration key.
type StateIntegration struct {
	ID      string        `json:"id,omitempty"` // generated when empty
	Name    string        `json:"name,omitempty"`
	Key     string        `json:"key,omitempty"`     // 32 letters and digits; generated when empty
	Accepts EventsVersion `json:"accepts,omitempty"` // both when empty
}

// StateIncident is an incident that was opened before the first request.
type StateIncident struct {
	ID        string     `json:"id,omitempty"`  // generated when empty
	Key       string     `json:"key,omitempty"` // generated when empty
	Service   string     `json:"service"`
	Title     string     `json:"title"`
	Status    Status     `json:"status,omitempty"`    // triggered when empty
	Urgency   string     `json:"urgency,omitempty"`   // high or low; high when empty
	Assignees []string   `json:"assignees,omitempty"` // the users on call when absent
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// ParseState reads the JSON document of a state and validates it. Its error is
// [strictjson.Problems]: every mistake with its path. No error quotes a key.
func ParseState(document []byte) (State, error) { return strictjson.Read[State](document) }
