package account

import "time"

// LogEntry is an event, or a request to the REST API, that changed an incident.
type LogEntry struct {
	Type        string    `json:"type"` // trigger, acknowledge, resolve, assign or annotate
	Description string    `json:"description"`
	At          time.Time `json:"at"`
}

// Origin says where a log entry comes from.
type Origin struct {
	ID      string // of the log entry
	AgentID string // the user who made the change; empty for an event
	Channel string // ChannelV1, ChannelV2 or ChannelAPI
}

// Channels by which a change comes in, as log entries name them. The names are
// [unknown, safe reading].
const (
	ChannelV1  = "events_api_v1"
	ChannelV2  = "events_api_v2"
	ChannelAPI = "api"
)

// record adds a log entry to an incident.
func (a *Account) record(i *Incident, entry LogEntry, channel, agentID string) {
	i.Log = append(i.Log, entry)
	i.ChangedAt = entry.At
	i.Origins = append(i.Origins, Origin{a.Identifiers.Of("log entry", "R", 25), agentID, channel})
}
