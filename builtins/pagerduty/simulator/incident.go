package simulator

import "time"

// Status is where an incident stands.
type Status string

// An incident goes from triggered over acknowledged to resolved, or straight to
// resolved, and never back.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Resolved     Status = "resolved"
)

// Incident is a problem that an event reported.
type Incident struct {
	ID          string     `json:"id"`
	Key         string     `json:"incident_key"`
	Status      Status     `json:"status"`
	Description string     `json:"description"` // of the latest trigger event
	Service     string     `json:"service"`     // the name
	CreatedAt   time.Time  `json:"created_at"`
	Log         []LogEntry `json:"log"`
}

// LogEntry is an event that had an effect on an incident.
type LogEntry struct {
	Type        string    `json:"type"` // trigger, acknowledge or resolve
	Description string    `json:"description"`
	At          time.Time `json:"at"`
}

// incident is an Incident with what the account keeps besides.
type incident struct {
	Incident
	number          int
	service         Service
	assignee        string // a user's ID, or empty
	statusChangedAt time.Time
}

func (i *incident) isOpen() bool { return i.Status != Resolved }

// enter gives the incident another status.
func (i *incident) enter(status Status, at time.Time) {
	i.Status = status
	i.statusChangedAt = at
}

// record adds a log entry for an event.
func (i *incident) record(e event, at time.Time) {
	i.Log = append(i.Log, LogEntry{Type: string(e.action), Description: e.description, At: at})
}

// changedAt is when the latest event had an effect.
func (i *incident) changedAt() time.Time { return i.Log[len(i.Log)-1].At }
