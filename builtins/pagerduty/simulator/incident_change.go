package simulator

import (
	"net/http"
	"slices"
	"time"
)

// maximumBulk is how many incidents one request may change. That PUT /incidents
// may be answered 413 is in the OpenAPI description; the number is [unknown, safe
// reading].
const maximumBulk = 250

// incidentChange is what a request wants of an incident. What is empty stays.
type incidentChange struct {
	status    Status
	title     string
	urgency   string
	policyID  string
	assignees []string
}

// apply makes every change but that of the status.
func (c incidentChange) apply(i *incident) {
	i.Description = orDefault(c.title, i.Description)
	i.urgency = orDefault(c.urgency, i.urgency)
	i.policyID = orDefault(c.policyID, i.policyID)
	if len(c.assignees) > 0 {
		i.assignees = c.assignees
	}
}

// readIncidentChange reads the fields that an incident can be changed in. That a
// status other than these two is refused is in the OpenAPI description; the texts
// are [unknown, safe reading].
func (s *Simulator) readIncidentChange(fields object, found *complaints) incidentChange {
	change := incidentChange{
		status:    Status(found.textOf(fields, "status", "Status")),
		title:     found.textOf(fields, "title", "Title"),
		urgency:   found.textOf(fields, "urgency", "Urgency"),
		policyID:  referredID(fields, "escalation_policy"),
		assignees: s.readAssignees(fields, found),
	}
	if change.status != "" && change.status != Acknowledged && change.status != Resolved {
		found.add("Status must be one of: acknowledged resolved")
	}
	if change.urgency != "" && !slices.Contains(urgencies, change.urgency) {
		found.add("Urgency must be one of: high low")
	}
	if isLonger(change.title, maximumDescriptionLength) {
		found.add("Title is too long (maximum is %d characters)", maximumDescriptionLength)
	}
	if fields.has("escalation_policy") && s.policyByID(change.policyID) == nil {
		found.add("Escalation Policy Not Found")
	}
	return change
}

// updateIncident answers PUT /incidents/{id}.
func (s *Simulator) updateIncident(x *exchange) response {
	if refused, ok := s.checkFrom(x, true); !ok {
		return refused
	}
	fields, refused, ok := readResource(x.body, "incident", "Incident")
	if !ok {
		return refused
	}
	changed, refusal := s.changeIncident(x, x.id, fields)
	if refusal != nil {
		return document(refusal.status, errorDocument{refusal.detail})
	}
	return single(http.StatusOK, "incident", s.incidentDocument(changed, x.values("include")))
}

// updateIncidents answers PUT /incidents, which changes each incident for itself:
// one that cannot be changed has its error in the place of its document. How the
// service answers when only some can be changed is [unknown, safe reading]; when
// none can, the answer is the first one's error.
func (s *Simulator) updateIncidents(x *exchange) response {
	if refused, ok := s.checkFrom(x, true); !ok {
		return refused
	}
	root, ok := parseObject(x.body)
	if !ok {
		return invalidInput("Request body is not a JSON object")
	}
	wanted, ok := root.list("incidents")
	switch {
	case !ok || len(wanted) == 0:
		return failure(http.StatusBadRequest, codeMissingArguments, "Missing Arguments", "Incidents are missing")
	case len(wanted) > maximumBulk:
		return failure(http.StatusRequestEntityTooLarge, codeInvalidInput, "Request Entity Too Large")
	}
	var first *refusal
	results, changed := []any{}, 0
	for _, value := range wanted {
		fields, _ := value.(map[string]any)
		id, _ := object(fields).text("id")
		done, refused := s.changeIncident(x, id, fields)
		if refused == nil {
			changed++
			results = append(results, s.incidentDocument(done, x.values("include")))
			continue
		}
		if first == nil {
			first = refused
		}
		results = append(results, refusedIncident{ID: id, Type: "incident_reference", Error: refused.detail})
	}
	if changed == 0 {
		return document(first.status, errorDocument{first.detail})
	}
	return single(http.StatusOK, "incidents", results)
}

// refusedIncident stands for an incident that was not changed.
type refusedIncident struct {
	ID    string      `json:"id"`
	Type  string      `json:"type"`
	Error errorDetail `json:"error"`
}

// refusal is why one incident is not changed.
type refusal struct {
	status int
	detail errorDetail
}

// changeIncident changes one incident, or nothing. Code 1001 is from the
// documented table.
func (s *Simulator) changeIncident(x *exchange, id string, fields object) (*incident, *refusal) {
	i := s.incidents.byID(id)
	if i == nil {
		return nil, &refusal{http.StatusNotFound, errorDetail{Message: "Not Found", Code: codeNotFound}}
	}
	var found complaints
	change := s.readIncidentChange(fields, &found)
	switch {
	case len(found) > 0:
		return nil, &refusal{http.StatusBadRequest, errorDetail{Message: "Invalid Input Provided", Code: codeInvalidInput, Errors: found}}
	case !i.isOpen():
		return nil, &refusal{http.StatusBadRequest, errorDetail{Message: "Incident Already Resolved", Code: codeAlreadyResolved}}
	}
	author := s.requester(x)
	change.apply(i)
	i.changedAt = x.now
	if len(change.assignees) > 0 {
		s.record(i, LogEntry{Type: "assign", At: x.now}, channelAPI, author.ID)
		s.announce(incidentReassigned, i, author.ID, x.now)
	}
	s.changeStatus(i, change.status, author.ID, x.now)
	return i, nil
}

// changeStatus gives an incident the status that a user wants. Who acknowledges
// becomes the assignee (hubot-pager-me #125). A second acknowledgement changes
// nothing.
func (s *Simulator) changeStatus(i *incident, status Status, userID string, at time.Time) {
	switch {
	case status == "" || status == i.Status:
		return
	case status == Acknowledged:
		i.assignees = []string{userID}
		i.acknowledgements = append(i.acknowledgements, acknowledgement{userID, at})
		s.record(i, LogEntry{Type: string(acknowledge), At: at}, channelAPI, userID)
	case status == Resolved:
		s.incidents.close(i)
		s.record(i, LogEntry{Type: string(resolve), At: at}, channelAPI, userID)
	}
	i.enter(status, at)
	i.changedBy = userID
	if status == Acknowledged {
		s.announce(incidentAcknowledged, i, userID, at)
		return
	}
	s.announce(incidentResolved, i, userID, at)
}
