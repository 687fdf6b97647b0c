package api

import "github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"

func renderAlert(a *account.Account, i *account.Incident, v account.Alert) document {
	status := account.Triggered
	if v.Resolved {
		status = account.Resolved
	}
	return refer(a, "alert", "/incidents/"+i.ID+"/alerts/"+v.ID, v.Summary).with(document{
		{"html_url", a.Site.Web + "/alerts/" + v.ID},
		{"created_at", timestamp(v.CreatedAt)},
		{"status", status},
		{"alert_key", v.Key},
		{"suppressed", false},
		{"severity", v.Severity},
		{"service", referToService(a, v.Integration.Service).short()},
		{"incident", referToIncident(a, i).short()},
		{"integration", referToIntegration(a, v.Integration).short()},
		{"body", document{{"type", "alert_body"}, {"details", v.Details}}},
	})
}

// listAlerts answers GET /incidents/{id}/alerts.
func listAlerts(x *Exchange, found *account.Incident) Response {
	return listing(x, "alerts", found.Alerts, func(a *account.Account, v account.Alert, _ []string) document {
		return renderAlert(a, found, v)
	})
}
