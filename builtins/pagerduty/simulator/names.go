package simulator

import (
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// The resources of an account, from package account.
type (
	// User is a person of the account.
	User = account.User
	// Service receives events.
	Service = account.ServiceView
	// Incident is a problem that an event or a request reported.
	Incident = account.IncidentView
	// Status is the state of an incident.
	Status = account.Status
	// LogEntry is an event, or a request to the REST API, that changed an incident.
	LogEntry = account.LogEntry
	// Note is a text that a user added to an incident.
	Note = account.Note
	// ChangeEvent is a change that was reported to a service.
	ChangeEvent = account.ChangeEvent
	// EscalationPolicy says to whom an incident is assigned, level by level.
	EscalationPolicy = account.EscalationPolicy
	// EscalationRule is one level of an escalation policy.
	EscalationRule = account.EscalationRule
	// Schedule lists who takes turns being on call.
	Schedule = account.Schedule
	// OnCall is the duty of a user at one level of an escalation policy.
	OnCall = account.OnCall
)

// The starting state of an account, from package account.
type (
	// State is what an account holds before the first request.
	State = account.State
	// StateAccount is the properties of the account as a whole.
	StateAccount = account.StateAccount
	// StateToken is an API key.
	StateToken = account.StateToken
	// StateService is a service and its integration keys.
	StateService = account.StateService
	// StateIntegration is an integration key.
	StateIntegration = account.StateIntegration
	// StateIncident is an incident that was opened before the first request.
	StateIncident = account.StateIncident
	// TokenKind is the kind of an API key.
	TokenKind = account.TokenKind
	// EventsVersion is an Events API, or both.
	EventsVersion = account.EventsVersion
)

// The records and limits of requests, from package api, and of webhooks.
type (
	// Request is the record of one answered request. It never holds a key.
	Request = api.Request
	// Limits are the numbers of requests with one key that are allowed in a minute.
	Limits = api.Limits
	// Delivery is one attempt to deliver a webhook.
	Delivery = webhook.Delivery
	// Outcome is the result of an attempt to deliver a webhook.
	Outcome = webhook.Outcome
)

// The fault plan, from package fault, and the mistakes of a document.
type (
	// Fault is a rule: what goes wrong, and with which requests.
	Fault = fault.Fault
	// Match says for which requests a rule is.
	Match = fault.Match
	// FaultKind says what goes wrong.
	FaultKind = fault.Kind
	// Duration is a time.Duration whose text is "250ms" or "1m30s".
	Duration = fault.Duration
	// FaultPlan is the JSON document of faults.
	FaultPlan = fault.Plan
	// FaultCount is the counters of a rule.
	FaultCount = fault.Count
	// Problem is one mistake in a document.
	Problem = strictjson.Problem
	// Problems are all mistakes in a document.
	Problems = strictjson.Problems
)

// An incident goes from triggered over acknowledged to resolved, or straight to resolved.
const (
	Triggered    = account.Triggered
	Acknowledged = account.Acknowledged
	Resolved     = account.Resolved
)

// The kinds of API keys. An OAuth token is accepted with Bearer only.
const (
	AccountToken  = account.AccountToken
	UserToken     = account.UserToken
	ReadOnlyToken = account.ReadOnlyToken
	OAuthToken    = account.OAuthToken
)

// The Events APIs that an integration key can be for.
const (
	EventsV1   = account.EventsV1
	EventsV2   = account.EventsV2
	EventsBoth = account.EventsBoth
)

// A repeated attempt is followed by another attempt of the same webhook.
const (
	Delivered = webhook.Delivered
	Repeated  = webhook.Repeated
	Dropped   = webhook.Dropped
)

// The kinds of faults, documented in package fault.
const (
	AnswerStatus  = fault.AnswerStatus
	RateLimited   = fault.RateLimited
	RateLimitBare = fault.RateLimitBare
	AnswerHTML    = fault.AnswerHTML
	AnswerText    = fault.AnswerText
	ErrorArray    = fault.ErrorArray
	ErrorsString  = fault.ErrorsString
	AccountLocked = fault.AccountLocked
	ChangeHeaders = fault.ChangeHeaders
	SlowHeader    = fault.SlowHeader
	SlowBody      = fault.SlowBody
	TruncatedBody = fault.TruncatedBody
	ResetBefore   = fault.ResetBefore
	ResetAfter    = fault.ResetAfter
	TimeoutBefore = fault.TimeoutBefore
	TimeoutAfter  = fault.TimeoutAfter
	Duplicate     = fault.Duplicate
	StaleRead     = fault.StaleRead
	ClockJump     = fault.ClockJump
)

// DefaultUsers returns the users of an account without options. The first of them
// is on call.
func DefaultUsers() []User { return account.DefaultUsers() }

// DefaultLimits returns the rate limits of the service.
func DefaultLimits() Limits { return api.DefaultLimits() }

// ParseState reads the JSON document of a state and validates it. Its error is [Problems]:
// every mistake with its path. No error quotes a key.
func ParseState(document []byte) (State, error) { return account.ParseState(document) }

// ParseFaults reads the JSON document of a fault plan and validates it. Its error is
// [Problems]: every mistake with its path.
func ParseFaults(document []byte) (FaultPlan, error) { return fault.Parse(document) }
