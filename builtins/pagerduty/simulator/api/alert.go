package api

import "github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"

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

// alertBodyDocument is the details of an event.
type alertBodyDocument struct {
	Type    string `json:"type"`
	Details any    `json:"details"`
}

func renderAlert(a *account.Account, i *account.Incident, v account.Alert) alertDocument {
	status := account.Triggered
	if v.Resolved {
		status = account.Resolved
	}
	return alertDocument{
		reference:   referToPage(a, "alert", "/incidents/"+i.ID+"/alerts/"+v.ID, "/alerts/"+v.ID, v.Summary),
		CreatedAt:   timestamp(v.CreatedAt),
		Status:      string(status),
		Key:         v.Key,
		Severity:    v.Severity,
		Service:     referToService(a, i.Impacted).short(),
		Incident:    referToIncident(a, i).short(),
		Integration: referToIntegration(a, v.Integration).short(),
		Body:        alertBodyDocument{Type: "alert_body", Details: v.Details},
	}
}

// listAlerts answers GET /incidents/{id}/alerts.
func listAlerts(x *Exchange, found *account.Incident) Response {
	return listing(x, "alerts", found.Alerts, func(v account.Alert) any { return renderAlert(x.account, found, v) })
}
