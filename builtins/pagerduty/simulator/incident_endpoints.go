package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// incidentDocument is an incident as the REST API sends it.
type incidentDocument struct {
	ID               string       `json:"id"`
	Type             string       `json:"type"`
	Summary          string       `json:"summary"`
	Self             string       `json:"self"`
	HTMLURL          string       `json:"html_url"`
	Number           int          `json:"incident_number"`
	Title            string       `json:"title"`
	Description      string       `json:"description"`
	CreatedAt        string       `json:"created_at"`
	UpdatedAt        string       `json:"updated_at"`
	Status           Status       `json:"status"`
	Key              string       `json:"incident_key"`
	Urgency          string       `json:"urgency"`
	Service          reference    `json:"service"`
	Assignments      []assignment `json:"assignments"`
	AssignedVia      string       `json:"assigned_via"`
	LastStatusChange string       `json:"last_status_change_at"`
	EscalationPolicy *reference   `json:"escalation_policy"`
	Teams            []any        `json:"teams"`
	Priority         *reference   `json:"priority"`
}

// assignment says who has an open incident to look after.
type assignment struct {
	At       string    `json:"at"`
	Assignee reference `json:"assignee"`
}

// incidentBody is the body of an answer with one incident.
type incidentBody struct {
	Incident incidentDocument `json:"incident"`
}

// incidentListBody is the body of a listing of incidents.
type incidentListBody struct {
	Incidents []incidentDocument `json:"incidents"`
	pageDocument
}

func (s *Simulator) incidentDocument(i *incident) incidentDocument {
	return incidentDocument{
		ID:               i.ID,
		Type:             "incident",
		Summary:          fmt.Sprintf("[#%d] %s", i.number, i.Description),
		Self:             restBase + "/incidents/" + i.ID,
		HTMLURL:          webBase + "/incidents/" + i.ID,
		Number:           i.number,
		Title:            i.Description,
		Description:      i.Description,
		CreatedAt:        timestamp(i.CreatedAt),
		UpdatedAt:        timestamp(i.changedAt()),
		Status:           i.Status,
		Key:              i.Key,
		Urgency:          "high",
		Service:          i.service.reference(),
		Assignments:      s.assignments(i),
		AssignedVia:      "escalation_policy",
		LastStatusChange: timestamp(i.statusChangedAt),
		Teams:            []any{},
	}
}

func (s *Simulator) assignments(i *incident) []assignment {
	assignee := s.users.byID(i.assignee)
	if assignee == nil || !i.isOpen() {
		return []assignment{}
	}
	return []assignment{{At: timestamp(i.CreatedAt), Assignee: assignee.reference()}}
}

// timestamp writes a time as the REST API does.
func timestamp(at time.Time) string { return at.Format(time.RFC3339) }

// getIncident answers GET /incidents/{id}.
func (s *Simulator) getIncident(x *exchange) response {
	found := s.incidents.byID(x.id)
	if found == nil {
		return notFound()
	}
	return document(http.StatusOK, incidentBody{s.incidentDocument(found)})
}

// listIncidents answers GET /incidents.
func (s *Simulator) listIncidents(x *exchange) response {
	wanted, complaint := readIncidentFilter(x)
	if complaint != "" {
		return invalidInput(complaint)
	}
	asked, complaint := readPage(x.query)
	if complaint != "" {
		return invalidInput(complaint)
	}
	found, position := cut(wanted.apply(s.incidents.entries), asked)
	documents := make([]incidentDocument, 0, len(found))
	for _, entry := range found {
		documents = append(documents, s.incidentDocument(entry))
	}
	return document(http.StatusOK, incidentListBody{documents, position})
}

// incidentFilter narrows a listing. What is empty does not narrow it.
type incidentFilter struct {
	key        string
	statuses   []string
	serviceIDs []string
}

// readIncidentFilter reads the filter of a request. The answer to an unknown
// status is [unknown, safe reading]: a complaint.
func readIncidentFilter(x *exchange) (filter incidentFilter, complaint string) {
	filter = incidentFilter{
		key:        x.query.Get("incident_key"),
		statuses:   x.values("statuses"),
		serviceIDs: x.values("service_ids"),
	}
	for _, status := range filter.statuses {
		switch Status(status) {
		case Triggered, Acknowledged, Resolved:
		default:
			return filter, "Statuses must be of: triggered acknowledged resolved"
		}
	}
	return filter, ""
}

func (f incidentFilter) apply(entries []*incident) []*incident {
	var found []*incident
	for _, entry := range entries {
		if f.matches(entry) {
			found = append(found, entry)
		}
	}
	return found
}

func (f incidentFilter) matches(i *incident) bool {
	return (f.key == "" || f.key == i.Key) &&
		(len(f.statuses) == 0 || slices.Contains(f.statuses, string(i.Status))) &&
		(len(f.serviceIDs) == 0 || slices.Contains(f.serviceIDs, i.service.ID))
}
