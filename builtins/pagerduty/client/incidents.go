package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// Incident is an incident as the REST API returns it.
type Incident struct {
	ID               string       `json:"id"`
	Number           int          `json:"incident_number"`
	Title            string       `json:"title"`
	Status           string       `json:"status"`       // triggered, acknowledged or resolved
	Urgency          string       `json:"urgency"`      // high or low
	Key              string       `json:"incident_key"` // of its events
	CreatedAt        string       `json:"created_at"`   // RFC 3339
	HTMLURL          string       `json:"html_url"`     // page in PagerDuty's web interface
	Service          Reference    `json:"service"`
	EscalationPolicy Reference    `json:"escalation_policy"`
	Assignments      []Assignment `json:"assignments"`
}

// Assignment names a user to whom an incident is assigned.
type Assignment struct {
	Assignee Reference `json:"assignee"`
}

// incidentEnvelope is the JSON of one incident in the REST API.
type incidentEnvelope struct {
	Incident Incident `json:"incident"`
}

// IncidentByID returns an incident, or an error of kind not_found.
func (c *Client) IncidentByID(ctx context.Context, id string) (Incident, error) {
	if err := ValidateIncidentID(id); err != nil {
		return Incident{}, err
	}
	var out incidentEnvelope
	r := c.rest("get incident", http.MethodGet, "/incidents/"+url.PathEscape(id), reads, nil, "")
	err := c.do(ctx, r, &out, func() bool { return out.Incident.ID == id })
	return out.Incident, err
}

// IncidentFilter narrows a list of incidents. An empty field does not narrow it.
type IncidentFilter struct {
	Key        string   // incident_key of the incident's events, as it was given to them; see [event.Key]
	Statuses   []string // any of triggered, acknowledged and resolved
	ServiceIDs []string // incidents of any of these services
	UserIDs    []string // incidents assigned to any of these users
	Limit      int      // most incidents to return, 1 to [MaxListed]
}

// incidentStatuses are the statuses of incidents, the open ones first.
var incidentStatuses = []string{"triggered", "acknowledged", "resolved"}

// Validate checks the statuses and the ids.
func (f IncidentFilter) Validate() error {
	for _, status := range f.Statuses {
		if !slices.Contains(incidentStatuses, status) {
			return invalid("", "", "there is no status %q; use any of %s", clip(status, maxQuoted), strings.Join(incidentStatuses, ", "))
		}
	}
	return cmp.Or(validateIDs("service", f.ServiceIDs), validateIDs("user", f.UserIDs))
}

// Incidents lists incidents. more reports whether there are others beyond the limit.
func (c *Client) Incidents(ctx context.Context, filter IncidentFilter) (incidents []Incident, more bool, err error) {
	if err := filter.Validate(); err != nil {
		return nil, false, err
	}
	// Without a range of dates, PagerDuty may leave out old incidents.
	query := url.Values{
		"date_range": {"all"}, "statuses[]": filter.Statuses,
		"service_ids[]": filter.ServiceIDs, "user_ids[]": filter.UserIDs,
	}
	if filter.Key != "" {
		query.Set("incident_key", event.Key(filter.Key))
	}
	return listing[Incident]{
		op: "list incidents", path: "/incidents", name: "incidents", query: query, policy: reads,
		id: func(i Incident) string { return i.ID },
	}.read(ctx, c, filter.Limit)
}

// IncidentsUpdate changes the status of many incidents.
type IncidentsUpdate struct {
	IDs       []string
	Status    string // acknowledged or resolved
	FromEmail string // e-mail address of the user on whose behalf; empty: the address of the configuration
}

// IncidentResult is the result of an update for one incident. Actions return it as it is.
type IncidentResult struct {
	ID      string `json:"id" doc:"Incident ID"`
	OK      bool   `json:"ok" doc:"True if the incident has the status now"`
	Status  string `json:"status" doc:"Its status; empty if it is not known"`
	Message string `json:"message" doc:"Why the status is another, or a remark of PagerDuty; may be empty"`
}

// TypeName is the type's name in reference tables.
func (IncidentResult) TypeName() string { return "incident_result" }

// Validate checks the ids and the status.
func (u IncidentsUpdate) Validate() error {
	switch {
	case len(u.IDs) > MaxListed:
		return invalid("", "", "there are %s ids; give at most %s", grouped(len(u.IDs)), grouped(MaxListed))
	case u.Status != "acknowledged" && u.Status != "resolved":
		return invalid("", "", "an incident cannot be given the status %q; use acknowledged or resolved", clip(u.Status, maxQuoted))
	}
	return validateIDs("incident", u.IDs)
}

const (
	// maxBatch is how many incidents one request may change (PagerDuty's REST
	// reference, "Manage incidents").
	maxBatch = 250
	// batchParts is how many parts a refused batch is split into. One bad incident of
	// 250 is then found in about 20 requests, and 250 bad incidents cost little more
	// than one request each.
	batchParts = 8
)

// UpdateIncidents acknowledges or resolves incidents in batches. It returns one result
// for each id, in the order of the ids, and drops repeated ids. If PagerDuty refuses
// one incident, its result says so. Any other failure is an error; UpdateIncidents
// then also returns the results of the batches before.
func (c *Client) UpdateIncidents(ctx context.Context, u IncidentsUpdate) ([]IncidentResult, error) {
	u.FromEmail = cmp.Or(u.FromEmail, c.config.FromEmail)
	if err := cmp.Or(u.Validate(), validateFrom(u.FromEmail, "incidents are updated")); err != nil {
		return nil, err
	}
	var results []IncidentResult
	for batch := range slices.Chunk(distinct(u.IDs), maxBatch) {
		done, err := c.updateBatch(ctx, u, batch)
		results = append(results, done...)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// distinct returns the ids without repetitions.
func distinct(ids []string) []string {
	seen := map[string]bool{}
	var kept []string
	for _, id := range ids {
		if !seen[id] {
			seen[id], kept = true, append(kept, id)
		}
	}
	return kept
}

// updateBatch updates incidents with one request. If PagerDuty refuses the batch
// because of one incident, updateBatch splits the batch to find out which.
func (c *Client) updateBatch(ctx context.Context, u IncidentsUpdate, ids []string) ([]IncidentResult, error) {
	type reference struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Status string `json:"status"`
	}
	in := map[string][]reference{}
	for _, id := range ids {
		in["incidents"] = append(in["incidents"], reference{id, "incident_reference", u.Status})
	}
	out := listPage[updatedIncident]{name: "incidents"}
	err := c.do(ctx, c.rest("update incidents", http.MethodPut, "/incidents", updates, in, u.FromEmail), &out, out.complete)
	var failure *Error
	switch {
	case err == nil:
		return u.resultsOf(ids, out.items, c.keys("")), nil
	case !errors.As(err, &failure) || !failure.aboutIncident():
		return nil, err
	case len(ids) == 1:
		return []IncidentResult{u.refused(ids[0], failure)}, nil
	}
	var results []IncidentResult
	for part := range slices.Chunk(ids, (len(ids)+batchParts-1)/batchParts) {
		done, err := c.updateBatch(ctx, u, part)
		if results = append(results, done...); err != nil {
			return results, err
		}
	}
	return results, nil
}

// aboutIncident reports whether PagerDuty may have refused a batch because of one
// incident.
func (e *Error) aboutIncident() bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge:
		return !e.aboutRequester()
	}
	return false
}

// updatedIncident is an entry of the answer: an incident, or why PagerDuty refused it.
type updatedIncident struct {
	ID     string          `json:"id"`
	Status string          `json:"status"`
	Error  json.RawMessage `json:"error"`
}

// resultsOf returns the results in the order of ids. An answer may have another order.
func (u IncidentsUpdate) resultsOf(ids []string, answers []updatedIncident, keys *redactor) []IncidentResult {
	byID := map[string]updatedIncident{}
	for _, answer := range answers {
		byID[answer.ID] = answer
	}
	var results []IncidentResult
	for _, id := range ids {
		result := IncidentResult{ID: id, Message: "PagerDuty's answer does not mention it"}
		if answer, ok := byID[id]; ok {
			result = u.resultOf(answer, keys)
		}
		results = append(results, result)
	}
	return results
}

func (u IncidentsUpdate) resultOf(answer updatedIncident, keys *redactor) IncidentResult {
	status := keys.line(answer.Status)
	switch {
	case len(answer.Error) > 0 && string(answer.Error) != "null":
		body, _ := json.Marshal(map[string]json.RawMessage{"error": answer.Error})
		failure := &Error{}
		failure.Code, failure.Message, failure.Details = decodeError(body, keys)
		failure.Message = cmp.Or(failure.Message, "PagerDuty refused it")
		return u.refused(answer.ID, failure)
	case status != u.Status:
		return IncidentResult{ID: answer.ID, Status: status, Message: "PagerDuty did not refuse it, but its status is a different one"}
	}
	return IncidentResult{ID: answer.ID, OK: true, Status: status}
}

// refused returns the result of an incident that PagerDuty refused. An incident that
// is resolved already counts as resolved.
func (u IncidentsUpdate) refused(id string, failure *Error) IncidentResult {
	if failure.says("already resolved") {
		return IncidentResult{ID: id, OK: u.Status == "resolved", Status: "resolved", Message: "it was resolved already"}
	}
	reason := *failure
	reason.Op = "" // the result does not need it
	return IncidentResult{ID: id, Message: reason.Error()}
}
