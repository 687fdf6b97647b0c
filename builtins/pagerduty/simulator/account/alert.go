package account

import (
	"cmp"
	"time"
)

// Alert is what the trigger events with one key reported to an incident.
type Alert struct {
	ID          string
	Key         string
	Summary     string
	Severity    string
	Details     any
	CreatedAt   time.Time
	Resolved    bool
	Integration *Integration
}

// defaultSeverity is the severity of an alert from Events API v1, whose events have no
// severity ([unknown, safe reading]).
const defaultSeverity = "critical"

// raiseAlert gives an incident its alert, or overwrites the summary, severity and
// details of the alert that it has (pdpyras #45).
func (a *Account) raiseAlert(i *Incident, e Event, at time.Time) {
	severity := cmp.Or(e.Severity, defaultSeverity)
	if len(i.Alerts) > 0 {
		latest := &i.Alerts[len(i.Alerts)-1]
		latest.Summary, latest.Severity, latest.Details = e.Description, severity, e.Details
		return
	}
	i.Alerts = append(i.Alerts, Alert{
		ID:          a.Identifiers.Of("alert", "Q", 13),
		Key:         e.IncidentKey,
		Summary:     e.Description,
		Severity:    severity,
		Details:     e.Details,
		CreatedAt:   at,
		Integration: e.Source,
	})
}
