package api

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

func referToIncident(a *account.Account, i *account.Incident) document {
	return refer(a, "incident", "/incidents/"+i.ID, fmt.Sprintf("[#%d] %s", i.Number, i.Description))
}

func renderIncident(a *account.Account, i *account.Incident, include []string) document {
	changedAt := timestamp(i.StatusChangedAt)
	var resolvedAt any
	if !i.IsOpen() {
		resolvedAt = changedAt
	}
	trigger := referToLogEntry(a, i, 0).short()
	if slices.Contains(include, "first_trigger_log_entries") {
		trigger = renderLogEntry(a, i, 0)
	}
	sent := referToIncident(a, i).with(document{
		{"incident_number", i.Number},
		{"title", i.Description},
		{"description", i.Description},
		{"created_at", timestamp(i.CreatedAt)},
		{"updated_at", timestamp(i.ChangedAt)},
		{"resolved_at", resolvedAt},
		{"status", i.Status},
		{"incident_key", i.Key},
		{"urgency", i.Urgency},
		{"service", serviceOf(a, i, slices.Contains(include, "services"))},
		{"assignments", renderAssignments(a, i, slices.Contains(include, "assignees") || slices.Contains(include, "users"))},
		{"assigned_via", "escalation_policy"},
		{"acknowledgements", renderAcknowledgements(a, i)},
		{"last_status_change_at", changedAt},
		{"last_status_change_by", agentOf(a, i, i.ChangedBy)},
		{"first_trigger_log_entry", trigger},
		{"escalation_policy", policyByID(a, i.PolicyID, slices.Contains(include, "escalation_policies"))},
		{"alert_counts", countAlerts(i)},
	})
	if i.Details != "" {
		sent = append(sent, field{"body", document{{"type", "incident_body"}, {"details", i.Details}}})
	}
	return append(sent, field{"teams", []any{}}, field{"priority", nil})
}

func countAlerts(i *account.Incident) document {
	resolved := len(account.Filter(i.Alerts, func(alert account.Alert) bool { return alert.Resolved }))
	return document{{"all", len(i.Alerts)}, {"triggered", len(i.Alerts) - resolved}, {"resolved", resolved}}
}

// assigneesOf returns the users to whom an open incident is assigned.
func assigneesOf(a *account.Account, i *account.Incident, whole bool) []document {
	if !i.IsOpen() {
		return []document{}
	}
	return existing(account.Each(i.Assignees, func(id string) document { return userByID(a, id, whole) }))
}

func renderAssignments(a *account.Account, i *account.Incident, whole bool) []document {
	return account.Each(assigneesOf(a, i, whole), func(assignee document) document {
		return document{{"at", timestamp(i.CreatedAt)}, {"assignee", assignee}}
	})
}

// renderAcknowledgements returns the acknowledgements while the incident is acknowledged.
func renderAcknowledgements(a *account.Account, i *account.Incident) []document {
	if i.Status != account.Acknowledged {
		return []document{}
	}
	return account.Each(i.Acknowledgements, func(by account.Acknowledgement) document {
		return document{{"at", timestamp(by.At)}, {"acknowledger", userByID(a, by.UserID, false)}}
	})
}

func oneIncident(x *Exchange, status int, i *account.Incident) Response {
	return single(status, "incident", renderIncident(x.account, i, x.include()))
}

// listIncidents answers GET /incidents.
func listIncidents(x *Exchange) Response {
	wanted, complaint := readIncidentFilter(x)
	if complaint != "" {
		return InvalidInput(complaint)
	}
	return listing(x, "incidents", account.Filter(x.account.Incidents.All(), wanted.matches), renderIncident)
}

// incidentFilter filters a listing. A field that is empty accepts every incident.
type incidentFilter struct {
	key        string
	statuses   []string
	serviceIDs []string
	userIDs    []string
	urgencies  []string
	since      time.Time
	until      time.Time
	none       bool // a team is given, and the account has no teams
}

// readIncidentFilter reads the filter of a request. The answers to an unknown status and to
// a text that is not a time are [unknown, safe reading]: a complaint.
func readIncidentFilter(x *Exchange) (filter incidentFilter, complaint string) {
	filter = incidentFilter{
		key:        x.query.Get("incident_key"),
		statuses:   x.values("statuses"),
		serviceIDs: x.values("service_ids"),
		userIDs:    x.values("user_ids"),
		urgencies:  x.values("urgencies"),
	}
	for _, status := range filter.statuses {
		if !slices.Contains(account.Statuses, account.Status(status)) {
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
func readTime(x *Exchange, name string) (at time.Time, ok bool) {
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

func (f incidentFilter) matches(i *account.Incident) bool {
	assigned := func(id string) bool { return i.IsOpen() && slices.Contains(i.Assignees, id) }
	return !f.none && (f.key == "" || f.key == i.Key) &&
		isAmong(f.statuses, string(i.Status)) &&
		isAmong(f.serviceIDs, i.Impacted.ID) &&
		(len(f.userIDs) == 0 || slices.ContainsFunc(f.userIDs, assigned)) &&
		isAmong(f.urgencies, i.Urgency) &&
		!i.CreatedAt.Before(f.since) &&
		(f.until.IsZero() || i.CreatedAt.Before(f.until))
}

// createIncident answers POST /incidents.
func createIncident(x *Exchange, author *account.Member) Response {
	fields, refused, ok := readResource(x.body, "incident", "Incident")
	if !ok {
		return refused
	}
	wanted, found := readNewIncident(x.account, fields)
	created, err := x.account.CreateIncident(wanted, account.Invalid(found), author.ID, x.Now)
	if err != nil {
		return refuse(err)
	}
	return oneIncident(x, http.StatusCreated, created)
}

// readNewIncident reads and checks the fields of an incident to create.
func readNewIncident(a *account.Account, fields object) (account.NewIncident, complaints) {
	var found complaints
	wanted := account.NewIncident{
		ServiceID: fields.referredID("service"),
		Key:       found.text(fields, "incident_key", "Incident key"),
	}
	found.text(fields, "title", "Title") // a new incident reports a bad title twice
	wanted.IncidentChange = readIncidentChange(fields, &found)
	found = append(found, a.CheckNew(wanted)...)
	body, ok := fields.object("body")
	if !ok {
		found.add("Body must be an object")
	}
	wanted.Details = found.text(body, "details", "Details")
	return wanted, found
}

// readIncidentChange reads the fields of an incident that can be changed.
func readIncidentChange(fields object, found *complaints) account.IncidentChange {
	return account.IncidentChange{
		Status:    account.Status(found.text(fields, "status", "Status")),
		Title:     found.text(fields, "title", "Title"),
		Urgency:   found.text(fields, "urgency", "Urgency"),
		PolicyID:  fields.referredID("escalation_policy"),
		HasPolicy: fields.has("escalation_policy"),
		Assignees: readAssignees(fields, found),
	}
}

// readAssignees reads the identifiers of the users to whom an incident is assigned.
func readAssignees(fields object, found *complaints) []string {
	assignments, ok := fields.list("assignments")
	if !ok {
		found.add("Assignments must be an array")
	}
	var ids []string
	for _, value := range assignments {
		assignment, _ := value.(map[string]any)
		ids = append(ids, object(assignment).referredID("assignee"))
	}
	return ids
}

// updateIncident answers PUT /incidents/{id}.
func updateIncident(x *Exchange, author *account.Member) Response {
	fields, refused, ok := readResource(x.body, "incident", "Incident")
	if !ok {
		return refused
	}
	changed, err := x.changeIncident(x.id, fields, author)
	if err != nil {
		return refuse(err)
	}
	return oneIncident(x, http.StatusOK, changed)
}

func (x *Exchange) changeIncident(id string, fields object, author *account.Member) (*account.Incident, error) {
	var found complaints
	change := readIncidentChange(fields, &found)
	return x.account.ChangeIncident(id, change, account.Invalid(found), author.ID, x.Now)
}

// maximumBulk is how many incidents one request may change. That PUT /incidents may be
// answered 413 is in the OpenAPI description; the number is [unknown, safe reading].
const maximumBulk = 250

// updateIncidents answers PUT /incidents, which changes each incident separately: for
// an incident that cannot be changed, the answer has an error instead of the incident.
// How the service answers when only some can be changed is [unknown, safe reading];
// when none can, the answer is the error of the first.
func updateIncidents(x *Exchange, author *account.Member) Response {
	root, ok := parseObject(x.body)
	if !ok {
		return InvalidInput("Request body is not a JSON object")
	}
	wanted, ok := root.list("incidents")
	switch {
	case !ok || len(wanted) == 0:
		return failure(http.StatusBadRequest, codeMissingArguments, "Missing Arguments", "Incidents are missing")
	case len(wanted) > maximumBulk:
		return failure(http.StatusRequestEntityTooLarge, codeInvalidInput, "Request Entity Too Large")
	}
	var first error
	results, changed := []any{}, 0
	for _, value := range wanted {
		fields, _ := value.(map[string]any)
		id, _ := object(fields).text("id")
		done, err := x.changeIncident(id, fields, author)
		if err == nil {
			changed++
			results = append(results, renderIncident(x.account, done, x.include()))
			continue
		}
		if first == nil {
			first = err
		}
		_, detail := refusal(err)
		results = append(results, document{{"id", id}, {"type", "incident_reference"}, {"error", detail}})
	}
	if changed == 0 {
		return refuse(first)
	}
	return single(http.StatusOK, "incidents", results)
}
