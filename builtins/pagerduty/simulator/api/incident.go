package api

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// incidentDocument is an incident as the REST API sends it.
type incidentDocument struct {
	reference
	Number           int                       `json:"incident_number"`
	Title            string                    `json:"title"`
	Description      string                    `json:"description"`
	CreatedAt        string                    `json:"created_at"`
	UpdatedAt        string                    `json:"updated_at"`
	ResolvedAt       *string                   `json:"resolved_at"`
	Status           account.Status            `json:"status"`
	Key              string                    `json:"incident_key"`
	Urgency          string                    `json:"urgency"`
	Service          any                       `json:"service"`
	Assignments      []assignmentDocument      `json:"assignments"`
	AssignedVia      string                    `json:"assigned_via"`
	Acknowledgements []acknowledgementDocument `json:"acknowledgements"`
	LastStatusChange string                    `json:"last_status_change_at"`
	LastChangeBy     *reference                `json:"last_status_change_by"`
	FirstTrigger     any                       `json:"first_trigger_log_entry"`
	EscalationPolicy any                       `json:"escalation_policy"`
	AlertCounts      alertCountsDocument       `json:"alert_counts"`
	Body             *incidentTextDocument     `json:"body,omitempty"`
	Teams            []any                     `json:"teams"`
	Priority         *reference                `json:"priority"`
}

// assignmentDocument says to whom an open incident is assigned.
type assignmentDocument struct {
	At       string `json:"at"`
	Assignee any    `json:"assignee"`
}

// acknowledgementDocument says who acknowledged an incident.
type acknowledgementDocument struct {
	At           string     `json:"at"`
	Acknowledger *reference `json:"acknowledger"`
}

// alertCountsDocument is the numbers of alerts of an incident.
type alertCountsDocument struct {
	All       int `json:"all"`
	Triggered int `json:"triggered"`
	Resolved  int `json:"resolved"`
}

// incidentTextDocument is the text that POST /incidents gave.
type incidentTextDocument struct {
	Type    string `json:"type"`
	Details string `json:"details"`
}

func referToIncident(a *account.Account, i *account.Incident) reference {
	return refer(a, "incident", "/incidents/"+i.ID, fmt.Sprintf("[#%d] %s", i.Number, i.Description))
}

// renderIncident returns an incident as sent. Resources that include names are sent whole,
// others as references.
func renderIncident(a *account.Account, i *account.Incident, include []string) incidentDocument {
	return incidentDocument{
		reference:        referToIncident(a, i),
		Number:           i.Number,
		Title:            i.Description,
		Description:      i.Description,
		CreatedAt:        timestamp(i.CreatedAt),
		UpdatedAt:        timestamp(i.ChangedAt),
		ResolvedAt:       resolvedAt(i),
		Status:           i.Status,
		Key:              i.Key,
		Urgency:          i.Urgency,
		Service:          renderServiceOf(a, i, slices.Contains(include, "services")),
		Assignments:      renderAssignments(a, i, slices.Contains(include, "assignees") || slices.Contains(include, "users")),
		AssignedVia:      "escalation_policy",
		Acknowledgements: renderAcknowledgements(a, i),
		LastStatusChange: timestamp(i.StatusChangedAt),
		LastChangeBy:     agentOf(a, i, i.ChangedBy),
		FirstTrigger:     renderFirstTrigger(a, i, slices.Contains(include, "first_trigger_log_entries")),
		EscalationPolicy: renderPolicyOf(a, i, slices.Contains(include, "escalation_policies")),
		AlertCounts:      countAlerts(i),
		Body:             renderText(i),
		Teams:            []any{},
	}
}

func resolvedAt(i *account.Incident) *string {
	if i.IsOpen() {
		return nil
	}
	at := timestamp(i.StatusChangedAt)
	return &at
}

func countAlerts(i *account.Incident) alertCountsDocument {
	counts := alertCountsDocument{All: len(i.Alerts)}
	for _, alert := range i.Alerts {
		if alert.Resolved {
			counts.Resolved++
			continue
		}
		counts.Triggered++
	}
	return counts
}

func renderText(i *account.Incident) *incidentTextDocument {
	if i.Details == "" {
		return nil
	}
	return &incidentTextDocument{Type: "incident_body", Details: i.Details}
}

func renderServiceOf(a *account.Account, i *account.Incident, whole bool) any {
	if found := a.Services.ByID(i.Impacted.ID); whole && found != nil {
		return renderService(a, found, nil)
	}
	return referToService(a, i.Impacted).short()
}

func renderPolicyOf(a *account.Account, i *account.Incident, whole bool) any {
	if found := a.Policies.ByID(i.PolicyID); whole && found != nil {
		return renderPolicy(a, found, nil)
	}
	return referToPolicy(a, i.PolicyID)
}

func renderFirstTrigger(a *account.Account, i *account.Incident, whole bool) any {
	if whole {
		return renderLogEntry(a, i, 0)
	}
	return referToLogEntry(a, i, 0).short()
}

func renderAssignments(a *account.Account, i *account.Incident, whole bool) []assignmentDocument {
	found := []assignmentDocument{}
	for _, id := range i.Assignees {
		m := a.Users.ByID(id)
		if m == nil || !i.IsOpen() {
			continue
		}
		assignee := any(referToUser(a, m).short())
		if whole {
			assignee = renderUser(a, m, nil)
		}
		found = append(found, assignmentDocument{At: timestamp(i.CreatedAt), Assignee: assignee})
	}
	return found
}

// renderAcknowledgements returns the acknowledgements while the incident is acknowledged.
func renderAcknowledgements(a *account.Account, i *account.Incident) []acknowledgementDocument {
	found := []acknowledgementDocument{}
	if i.Status != account.Acknowledged {
		return found
	}
	for _, by := range i.Acknowledgements {
		found = append(found, acknowledgementDocument{At: timestamp(by.At), Acknowledger: referToUserID(a, by.UserID)})
	}
	return found
}

// getIncident answers GET /incidents/{id}.
func getIncident(x *Exchange, found *account.Incident) Response {
	return oneIncident(x, http.StatusOK, found)
}

func oneIncident(x *Exchange, status int, i *account.Incident) Response {
	return single(status, "incident", renderIncident(x.account, i, x.values("include")))
}

// listIncidents answers GET /incidents.
func listIncidents(x *Exchange) Response {
	wanted, complaint := readIncidentFilter(x)
	if complaint != "" {
		return InvalidInput(complaint)
	}
	return listing(x, "incidents", account.Filter(x.account.Incidents.All(), wanted.matches), func(i *account.Incident) any {
		return renderIncident(x.account, i, x.values("include"))
	})
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
func createIncident(x *Exchange) Response {
	author, refused, ok := x.requester()
	if !ok {
		return refused
	}
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
func updateIncident(x *Exchange) Response {
	author, refused, ok := x.requester()
	if !ok {
		return refused
	}
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

// refusedIncident takes the place of an incident that was not changed.
type refusedIncident struct {
	ID    string      `json:"id"`
	Type  string      `json:"type"`
	Error errorDetail `json:"error"`
}

// updateIncidents answers PUT /incidents, which changes each incident for itself: an
// incident that cannot be changed has its error in the place of its document. How the
// service answers when only some can be changed is [unknown, safe reading]; when none can,
// the answer is the error of the first.
func updateIncidents(x *Exchange) Response {
	author, refused, ok := x.requester()
	if !ok {
		return refused
	}
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
			results = append(results, renderIncident(x.account, done, x.values("include")))
			continue
		}
		if first == nil {
			first = err
		}
		_, detail := refusal(err)
		results = append(results, refusedIncident{ID: id, Type: "incident_reference", Error: detail})
	}
	if changed == 0 {
		return refuse(first)
	}
	return single(http.StatusOK, "incidents", results)
}
