package api

import (
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// logSummaries are the summaries of log entries, by type.
var logSummaries = map[string]string{
	"trigger":     "Triggered",
	"acknowledge": "Acknowledged",
	"resolve":     "Resolved",
	"assign":      "Assigned",
	"annotate":    "Note added",
}

func referToLogEntry(a *account.Account, i *account.Incident, n int) document {
	kind := i.Log[n].Type
	path := "/log_entries/" + i.Origins[n].ID
	return refer(a, kind+"_log_entry", path, logSummaries[kind]).
		with(document{{"html_url", a.Site.Web + "/incidents/" + i.ID + path}})
}

// renderLogEntry returns the nth log entry of an incident as sent. Its agent is the user
// who made the change, or the service to which the event was sent.
func renderLogEntry(a *account.Account, i *account.Incident, n int) document {
	entry, from := i.Log[n], i.Origins[n]
	return referToLogEntry(a, i, n).with(document{
		{"created_at", timestamp(entry.At)},
		{"agent", agentOf(a, i, from.AgentID)},
		{"channel", document{{"type", from.Channel}, {"summary", entry.Description}}},
		{"incident", referToIncident(a, i).short()},
		{"service", serviceOf(a, i, false)},
		{"teams", []any{}},
	})
}

// agentOf refers to the user who changed an incident, or to its service when an event did.
func agentOf(a *account.Account, i *account.Incident, userID string) document {
	if by := userByID(a, userID, false); by != nil {
		return by
	}
	return serviceOf(a, i, false)
}

// listLogEntries answers GET /incidents/{id}/log_entries. The latest entry comes first, as
// in the service.
func listLogEntries(x *Exchange, found *account.Incident) Response {
	var order []int
	for n := range slices.Backward(found.Log) {
		order = append(order, n)
	}
	return listing(x, "log_entries", order, func(a *account.Account, n int, _ []string) document {
		return renderLogEntry(a, found, n)
	})
}
