package account

import "time"

// Events of which webhook subscribers are informed.
const (
	IncidentTriggered    = "incident.triggered"
	IncidentAcknowledged = "incident.acknowledged"
	IncidentResolved     = "incident.resolved"
	IncidentReassigned   = "incident.reassigned"
	IncidentAnnotated    = "incident.annotated"
)

// Announcement is a change of an incident of which webhook subscribers are informed.
type Announcement struct {
	Event    string    // one of the constants
	Incident *Incident // after the change
	AgentID  string    // the user who made the change; empty for an event
	At       time.Time
}

func (a *Account) announce(event string, i *Incident, agentID string, at time.Time) {
	if a.config.Announce != nil {
		a.config.Announce(Announcement{event, i, agentID, at})
	}
}
