package simulator

import (
	"net/http"
	"slices"
	"time"
)

// getIncident answers GET /incidents/{id}.
func (s *Simulator) getIncident(x *exchange) response {
	found := s.incidents.byID(x.id)
	if found == nil {
		return notFound()
	}
	return single(http.StatusOK, "incident", s.incidentDocument(found, x.values("include")))
}

// listIncidents answers GET /incidents.
func (s *Simulator) listIncidents(x *exchange) response {
	wanted, complaint := readIncidentFilter(x)
	if complaint != "" {
		return invalidInput(complaint)
	}
	return listing(x, "incidents", wanted.apply(s.incidents.entries), func(i *incident) any {
		return s.incidentDocument(i, x.values("include"))
	})
}

// incidentFilter narrows a listing. What is empty does not narrow it.
type incidentFilter struct {
	key        string
	statuses   []string
	serviceIDs []string
	userIDs    []string
	urgencies  []string
	since      time.Time
	until      time.Time
	none       bool // by team: there are none
}

// readIncidentFilter reads the filter of a request. The answers to an unknown
// status and to a time that is none are [unknown, safe reading]: a complaint.
func readIncidentFilter(x *exchange) (filter incidentFilter, complaint string) {
	filter = incidentFilter{
		key:        x.query.Get("incident_key"),
		statuses:   x.values("statuses"),
		serviceIDs: x.values("service_ids"),
		userIDs:    x.values("user_ids"),
		urgencies:  x.values("urgencies"),
	}
	for _, status := range filter.statuses {
		if !slices.Contains(incidentStatuses, Status(status)) {
			return filter, "Statuses must be of: triggered acknowledged resolved"
		}
	}
	var validSince, validUntil bool
	filter.since, validSince = readTime(x, "since")
	filter.until, validUntil = readTime(x, "until")
	filter.none = len(x.values("team_ids")) > 0
	if !validSince || !validUntil {
		return filter, "Since and until must be times such as 2026-01-31T09:00:00Z"
	}
	return filter, ""
}

// readTime reads a time, or a date, of a query.
func readTime(x *exchange, name string) (at time.Time, ok bool) {
	text := x.query.Get(name)
	if text == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
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
	assigned := func(id string) bool { return i.isOpen() && slices.Contains(i.assignees, id) }
	return !f.none && (f.key == "" || f.key == i.Key) &&
		(len(f.statuses) == 0 || slices.Contains(f.statuses, string(i.Status))) &&
		(len(f.serviceIDs) == 0 || slices.Contains(f.serviceIDs, i.service.ID)) &&
		(len(f.userIDs) == 0 || slices.ContainsFunc(f.userIDs, assigned)) &&
		(len(f.urgencies) == 0 || slices.Contains(f.urgencies, i.urgency)) &&
		!i.CreatedAt.Before(f.since) &&
		(f.until.IsZero() || i.CreatedAt.Before(f.until))
}
