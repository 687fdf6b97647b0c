package simulator

import (
	"net/http"
	"slices"
)

// duplicateIncident is the text for a key that an open incident of the service
// has. That such a request is answered 400 is known, the text is [unknown, safe
// reading].
const duplicateIncident = "Open incident with matching dedup key already exists on this service"

// createIncident answers POST /incidents.
func (s *Simulator) createIncident(x *exchange) response {
	if refused, ok := s.checkFrom(x, true); !ok {
		return refused
	}
	fields, refused, ok := readResource(x.body, "incident", "Incident")
	if !ok {
		return refused
	}
	wanted, found := s.readNewIncident(fields)
	if len(found) > 0 {
		return invalidInput(found...)
	}
	if wanted.key == "" {
		wanted.key = s.identifiers.incidentKey()
	}
	author := s.requester(x)
	created := s.newIncident(wanted.service, wanted.key, wanted.title, x.now)
	wanted.change.apply(created)
	created.details, created.changedBy = wanted.details, author.ID
	s.openIncident(created)
	s.record(created, LogEntry{Type: "trigger", Description: wanted.title, At: x.now}, channelAPI, author.ID)
	s.announce(incidentTriggered, created, author.ID, x.now)
	return single(http.StatusCreated, "incident", s.incidentDocument(created, x.values("include")))
}

// newIncidentRequest is what POST /incidents asks for.
type newIncidentRequest struct {
	service *service
	key     string
	title   string
	details string
	change  incidentChange
}

// readNewIncident reads the fields of an incident to open. What is required is in
// PagerDuty's OpenAPI description; the texts are [unknown, safe reading].
func (s *Simulator) readNewIncident(fields object) (newIncidentRequest, complaints) {
	var found complaints
	wanted := newIncidentRequest{
		key:    found.textOf(fields, "incident_key", "Incident key"),
		title:  found.textOf(fields, "title", "Title"),
		change: s.readIncidentChange(fields, &found),
	}
	if isBlank(wanted.title) {
		found.add("Title can't be blank")
	}
	if isLonger(wanted.key, maximumIncidentKeyLength) {
		found.add("Incident key is too long (maximum is %d characters)", maximumIncidentKeyLength)
	}
	if wanted.change.status != "" {
		found.add("Status cannot be set on a new incident")
	}
	body, ok := fields.object("body")
	if !ok {
		found.add("Body must be an object")
	}
	wanted.details = found.textOf(body, "details", "Details")
	wanted.service = s.services.byID(referredID(fields, "service"))
	if wanted.service == nil {
		found.add("Service Not Found")
		return wanted, found
	}
	if s.incidents.open[alertKey{wanted.service.ID, wanted.key}] != nil {
		found.add(duplicateIncident)
	}
	return wanted, found
}

// textOf returns a string field.
func (c *complaints) textOf(fields object, name, title string) string {
	value, ok := fields.text(name)
	if !ok {
		c.add("%s must be a string", title)
	}
	return value
}

// referredID returns the identifier in a reference, and "" without one.
func referredID(fields object, name string) string {
	to, _ := fields.object(name)
	id, _ := to.text("id")
	return id
}

// readAssignees reads who shall look after an incident.
func (s *Simulator) readAssignees(fields object, found *complaints) []string {
	assignments, ok := fields.list("assignments")
	if !ok {
		found.add("Assignments must be an array")
	}
	var ids []string
	for _, value := range assignments {
		assignment, _ := value.(map[string]any)
		id := referredID(assignment, "assignee")
		switch {
		case s.users.byID(id) == nil:
			found.add("Assignee Not Found")
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	return ids
}
