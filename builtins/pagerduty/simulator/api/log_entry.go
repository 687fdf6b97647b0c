package api

import "github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"

// logEntryDocument is a log entry as the REST API sends it.
type logEntryDocument struct {
	reference
	CreatedAt string          `json:"created_at"`
	Agent     *reference      `json:"agent"`
	Channel   channelDocument `json:"channel"`
	Incident  reference       `json:"incident"`
	Service   reference       `json:"service"`
	Teams     []any           `json:"teams"`
}

// channelDocument says how a change came in, and its text.
type channelDocument struct {
	Type    string `json:"type"`
	Summary string `json:"summary"`
}

// logSummaries are the summaries of log entries, by type.
var logSummaries = map[string]string{
	"trigger":     "Triggered",
	"acknowledge": "Acknowledged",
	"resolve":     "Resolved",
	"assign":      "Assigned",
	"annotate":    "Note added",
}

func referToLogEntry(a *account.Account, i *account.Incident, n int) reference {
	kind := i.Log[n].Type
	path := "/log_entries/" + i.Origins[n].ID
	return referToPage(a, kind+"_log_entry", path, "/incidents/"+i.ID+path, logSummaries[kind])
}

// renderLogEntry returns the nth log entry of an incident as sent. Its agent is the user
// who made the change, or the service to which the event was sent.
func renderLogEntry(a *account.Account, i *account.Incident, n int) logEntryDocument {
	entry, from := i.Log[n], i.Origins[n]
	return logEntryDocument{
		reference: referToLogEntry(a, i, n),
		CreatedAt: timestamp(entry.At),
		Agent:     agentOf(a, i, from.AgentID),
		Channel:   channelDocument{Type: from.Channel, Summary: entry.Description},
		Incident:  referToIncident(a, i).short(),
		Service:   referToService(a, i.Impacted).short(),
		Teams:     []any{},
	}
}

// agentOf refers to the user who changed an incident, or to its service when an event did.
func agentOf(a *account.Account, i *account.Incident, userID string) *reference {
	by := referToUserID(a, userID)
	if by == nil {
		of := referToService(a, i.Impacted).short()
		by = &of
	}
	return by
}

// listLogEntries answers GET /incidents/{id}/log_entries. The latest entry comes first, as
// in the service.
func listLogEntries(x *Exchange, found *account.Incident) Response {
	order := make([]int, 0, len(found.Log))
	for n := len(found.Log) - 1; n >= 0; n-- {
		order = append(order, n)
	}
	return listing(x, "log_entries", order, func(n int) any { return renderLogEntry(x.account, found, n) })
}
