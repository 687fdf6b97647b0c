package simulator

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

// channelDocument says how a change came in, and with which words.
type channelDocument struct {
	Type    string `json:"type"`
	Summary string `json:"summary"`
}

// logSummaries are what each kind of log entry says.
var logSummaries = map[string]string{
	"trigger":     "Triggered",
	"acknowledge": "Acknowledged",
	"resolve":     "Resolved",
	"assign":      "Assigned",
	"annotate":    "Note added",
}

func (a *account) logEntryReference(i *incident, n int) reference {
	kind := i.Log[n].Type
	path := "/log_entries/" + i.origins[n].id
	return a.site.pagedReference(kind+"_log_entry", path, "/incidents/"+i.ID+path, logSummaries[kind])
}

// logEntryDocument returns the nth log entry of an incident as sent. Its agent is
// the user who made it, or the service that an event reached.
func (a *account) logEntryDocument(i *incident, n int) logEntryDocument {
	entry, from := i.Log[n], i.origins[n]
	agent := a.userReferenceByID(from.agentID)
	if agent == nil {
		of := a.serviceReference(i.service).short()
		agent = &of
	}
	return logEntryDocument{
		reference: a.logEntryReference(i, n),
		CreatedAt: timestamp(entry.At),
		Agent:     agent,
		Channel:   channelDocument{Type: from.channel, Summary: entry.Description},
		Incident:  a.incidentReference(i).short(),
		Service:   a.serviceReference(i.service).short(),
		Teams:     []any{},
	}
}

// listLogEntries answers GET /incidents/{id}/log_entries, the latest first, as
// the service does.
func (s *Simulator) listLogEntries(x *exchange) response {
	found := s.incidents.byID(x.id)
	if found == nil {
		return notFound()
	}
	order := make([]int, 0, len(found.Log))
	for n := len(found.Log) - 1; n >= 0; n-- {
		order = append(order, n)
	}
	return listing(x, "log_entries", order, func(n int) any { return s.logEntryDocument(found, n) })
}
