package simulator

import "time"

// State is what an account holds before the first request. Its JSON form is the
// document of [ParseState]. Users are referred to by ID or e-mail address;
// services, schedules and escalation policies by ID or name.
//
// An absent list leaves the account what a new one has (see [New]); an empty one
// leaves it without.
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

// StateAccount is what holds for the account as a whole.
type StateAccount struct {
	Subdomain string   `json:"subdomain,omitempty"` // in addresses of pages; "simulator" when empty
	Region    string   `json:"region,omitempty"`    // us or eu; us when empty
	Abilities []string `json:"abilities,omitempty"` // what GET /abilities lists and roles need
}

// TokenKind is what an API key is allowed.
type TokenKind string

// The kinds of API keys. An OAuth token is accepted with Bearer only.
const (
	AccountToken  TokenKind = "account"
	UserToken     TokenKind = "user"
	ReadOnlyToken TokenKind = "read_only"
	OAuthToken    TokenKind = "oauth"
)

// tokenKinds is in the order in which complaints list them.
var tokenKinds = []TokenKind{AccountToken, UserToken, ReadOnlyToken, OAuthToken}

// StateToken is an API key.
type StateToken struct {
	Key  string    `json:"key"`
	Kind TokenKind `json:"kind,omitempty"` // account when empty
	User string    `json:"user,omitempty"` // whose a user token is
}

// StateService is a service and how events reach it.
type StateService struct {
	ID               string             `json:"id,omitempty"` // generated when empty
	Name             string             `json:"name"`
	EscalationPolicy string             `json:"escalation_policy,omitempty"` // the first of the account when empty
	Integrations     []StateIntegration `json:"integrations,omitempty"`      // one with a generated key when absent
}

// EventsVersion is an Events API, or both.
type EventsVersion string

// The Events APIs that an integration key can be for.
const (
	EventsV1   EventsVersion = "v1"
	EventsV2   EventsVersion = "v2"
	EventsBoth EventsVersion = "both"
)

// eventsVersions is in the order in which complaints list them.
var eventsVersions = []EventsVersion{EventsV1, EventsV2, EventsBoth}

// accepts reports whether a key for v is one for a request to version.
func (v EventsVersion) accepts(version EventsVersion) bool {
	return v == EventsBoth || v == version
}

// StateIntegration is an integration key.
type StateIntegration struct {
	ID      string        `json:"id,omitempty"` // generated when empty
	Name    string        `json:"name,omitempty"`
	Key     string        `json:"key,omitempty"`     // 32 letters and digits; generated when empty
	Accepts EventsVersion `json:"accepts,omitempty"` // both when empty
}

// EscalationPolicy says whom an incident is assigned to, and to whom after that.
// A user in one of its rules cannot be deleted.
type EscalationPolicy struct {
	ID    string           `json:"id,omitempty"` // generated when empty
	Name  string           `json:"name"`
	Rules []EscalationRule `json:"rules,omitempty"`
}

// EscalationRule is one level of an escalation policy.
type EscalationRule struct {
	DelayMinutes int      `json:"delay_minutes,omitempty"` // 30 when zero
	Users        []string `json:"users,omitempty"`
	Schedules    []string `json:"schedules,omitempty"`
}

// Schedule is who takes turns. A user on a schedule cannot be deleted.
type Schedule struct {
	ID       string   `json:"id,omitempty"` // generated when empty
	Name     string   `json:"name"`
	TimeZone string   `json:"time_zone,omitempty"` // Etc/UTC when empty
	Users    []string `json:"users,omitempty"`     // the first is on call
}

// OnCall is somebody's duty at one level of an escalation policy. A state that
// lists them replaces those that follow from the policies.
type OnCall struct {
	User             string     `json:"user"`
	EscalationPolicy string     `json:"escalation_policy"`
	Level            int        `json:"level,omitempty"` // 1 when zero
	Schedule         string     `json:"schedule,omitempty"`
	Start            *time.Time `json:"start,omitempty"` // absent: always
	End              *time.Time `json:"end,omitempty"`
}

// StateIncident is an incident from before the first request.
type StateIncident struct {
	ID        string     `json:"id,omitempty"`  // generated when empty
	Key       string     `json:"key,omitempty"` // generated when empty
	Service   string     `json:"service"`
	Title     string     `json:"title"`
	Status    Status     `json:"status,omitempty"`    // triggered when empty
	Urgency   string     `json:"urgency,omitempty"`   // high or low; high when empty
	Assignees []string   `json:"assignees,omitempty"` // who is on call when absent
	CreatedAt *time.Time `json:"created_at,omitempty"`
}

// ParseState reads the JSON document of a state and validates it. Its error is
// [Problems]: every mistake with its place. No error quotes a key.
func ParseState(document []byte) (State, error) {
	var state State
	problems := readStrict(document, &state)
	if len(problems) > 0 {
		return State{}, problems
	}
	if err := state.Validate(); err != nil {
		return State{}, err
	}
	return state, nil
}
