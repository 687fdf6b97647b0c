package simulator

import "time"

// alert is what an event reported to an incident. All triggers with one key are
// one alert.
type alert struct {
	id          string
	key         string
	summary     string
	severity    string
	details     any
	createdAt   time.Time
	resolved    bool
	integration *integration
}

// defaultSeverity is that of an alert from Events API v1, which has none
// ([unknown, safe reading]).
const defaultSeverity = "critical"

// raiseAlert gives an incident its alert, or overwrites the summary of the one
// that it has (pdpyras #45).
func (s *Simulator) raiseAlert(i *incident, e event, at time.Time) {
	severity := orDefault(e.severity, defaultSeverity)
	if len(i.alerts) > 0 {
		latest := &i.alerts[len(i.alerts)-1]
		latest.summary, latest.severity, latest.details = e.description, severity, e.details
		return
	}
	i.alerts = append(i.alerts, alert{
		id:          s.identifiers.of("alert", "Q", 13),
		key:         e.incidentKey,
		summary:     e.description,
		severity:    severity,
		details:     e.details,
		createdAt:   at,
		integration: e.source,
	})
}

// alertDocument is an alert as the REST API sends it.
type alertDocument struct {
	reference
	CreatedAt   string            `json:"created_at"`
	Status      string            `json:"status"`
	Key         string            `json:"alert_key"`
	Suppressed  bool              `json:"suppressed"`
	Severity    string            `json:"severity"`
	Service     reference         `json:"service"`
	Incident    reference         `json:"incident"`
	Integration reference         `json:"integration"`
	Body        alertBodyDocument `json:"body"`
}

// alertBodyDocument is what an event carried.
type alertBodyDocument struct {
	Type    string `json:"type"`
	Details any    `json:"details"`
}

func (a *account) alertDocument(i *incident, v alert) alertDocument {
	status := Triggered
	if v.resolved {
		status = Resolved
	}
	return alertDocument{
		reference:   a.site.pagedReference("alert", "/incidents/"+i.ID+"/alerts/"+v.id, "/alerts/"+v.id, v.summary),
		CreatedAt:   timestamp(v.createdAt),
		Status:      string(status),
		Key:         v.key,
		Severity:    v.severity,
		Service:     a.serviceReference(i.service).short(),
		Incident:    a.incidentReference(i).short(),
		Integration: a.integrationReference(v.integration).short(),
		Body:        alertBodyDocument{Type: "alert_body", Details: v.details},
	}
}

// listAlerts answers GET /incidents/{id}/alerts.
func (s *Simulator) listAlerts(x *exchange) response {
	found := s.incidents.byID(x.id)
	if found == nil {
		return notFound()
	}
	return listing(x, "alerts", found.alerts, func(v alert) any { return s.alertDocument(found, v) })
}
