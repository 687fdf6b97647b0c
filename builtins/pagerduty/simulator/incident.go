package simulator

import (
	"slices"
	"time"
)

// Status is where an incident stands.
type Status string

// An incident goes from triggered over acknowledged to resolved, or straight to
// resolved, and never back.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Resolved     Status = "resolved"
)

var incidentStatuses = []Status{Triggered, Acknowledged, Resolved}

// defaultUrgency is that of an incident for which nobody said another.
const defaultUrgency = "high"

var urgencies = []string{defaultUrgency, "low"}

// Incident is a problem that an event reported.
type Incident struct {
	ID          string     `json:"id"`
	Key         string     `json:"incident_key"`
	Status      Status     `json:"status"`
	Description string     `json:"description"` // of the latest trigger event
	Service     string     `json:"service"`     // the name
	CreatedAt   time.Time  `json:"created_at"`
	Log         []LogEntry `json:"log"`
	Notes       []Note     `json:"notes,omitempty"`
}

// LogEntry is an event, or a request to the REST API, that had an effect on an
// incident.
type LogEntry struct {
	Type        string    `json:"type"` // trigger, acknowledge, resolve, assign or annotate
	Description string    `json:"description"`
	At          time.Time `json:"at"`
}

// Note is what somebody wrote to an incident.
type Note struct {
	ID      string    `json:"id"`
	User    string    `json:"user"` // the ID
	Content string    `json:"content"`
	At      time.Time `json:"at"`
}

// incident is an Incident with what the account keeps besides.
type incident struct {
	Incident
	number           int
	urgency          string
	service          Service
	policyID         string
	assignees        []string // IDs of users
	acknowledgements []acknowledgement
	alerts           []alert
	origins          []origin // of the log entries, in their order
	statusChangedAt  time.Time
	changedAt        time.Time
	changedBy        string // the ID of the user who gave it its status; empty for an event
	details          string // of the body of POST /incidents
}

// origin is where a log entry comes from.
type origin struct {
	id      string // of the log entry
	agentID string // the user who did it; empty for an event
	channel string
}

// Channels by which a change comes in, as log entries name them. The names are
// [unknown, safe reading].
const (
	channelV1  = "events_api_v1"
	channelV2  = "events_api_v2"
	channelAPI = "api"
)

// acknowledgement says who took an incident on.
type acknowledgement struct {
	userID string
	at     time.Time
}

func (i *incident) isOpen() bool { return i.Status != Resolved }

// key is what the events for the incident have in common.
func (i *incident) key() alertKey { return alertKey{i.service.ID, i.Key} }

// enter gives the incident another status.
func (i *incident) enter(status Status, at time.Time) {
	i.Status = status
	i.statusChangedAt = at
	if status == Resolved {
		for a := range i.alerts {
			i.alerts[a].resolved = true
		}
	}
}

// clone returns an incident that later changes leave alone.
func (i *incident) clone() *incident {
	copied := *i
	copied.Log = slices.Clone(i.Log)
	copied.Notes = slices.Clone(i.Notes)
	copied.assignees = slices.Clone(i.assignees)
	copied.acknowledgements = slices.Clone(i.acknowledgements)
	copied.alerts = slices.Clone(i.alerts)
	copied.origins = slices.Clone(i.origins)
	return &copied
}

// record adds a log entry to an incident.
func (s *Simulator) record(i *incident, entry LogEntry, channel, agentID string) {
	i.Log = append(i.Log, entry)
	i.changedAt = entry.At
	i.origins = append(i.origins, origin{s.identifiers.of("log entry", "R", 25), agentID, channel})
}
