package simulator

import (
	"fmt"
	"slices"
	"time"
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
	Status           Status                    `json:"status"`
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

// assignmentDocument says who has an open incident to look after.
type assignmentDocument struct {
	At       string `json:"at"`
	Assignee any    `json:"assignee"`
}

// acknowledgementDocument says who took an incident on.
type acknowledgementDocument struct {
	At           string     `json:"at"`
	Acknowledger *reference `json:"acknowledger"`
}

// alertCountsDocument says how many alerts an incident has.
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

func (a *account) incidentReference(i *incident) reference {
	return a.site.reference("incident", "/incidents/"+i.ID, fmt.Sprintf("[#%d] %s", i.number, i.Description))
}

// incidentDocument returns an incident as sent. What include names is sent whole.
func (a *account) incidentDocument(i *incident, include []string) incidentDocument {
	return incidentDocument{
		reference:        a.incidentReference(i),
		Number:           i.number,
		Title:            i.Description,
		Description:      i.Description,
		CreatedAt:        timestamp(i.CreatedAt),
		UpdatedAt:        timestamp(i.changedAt),
		ResolvedAt:       i.resolvedAt(),
		Status:           i.Status,
		Key:              i.Key,
		Urgency:          i.urgency,
		Service:          a.serviceOf(i, slices.Contains(include, "services")),
		Assignments:      a.assignments(i, slices.Contains(include, "assignees") || slices.Contains(include, "users")),
		AssignedVia:      "escalation_policy",
		Acknowledgements: a.acknowledgements(i),
		LastStatusChange: timestamp(i.statusChangedAt),
		LastChangeBy:     a.lastChangeBy(i),
		FirstTrigger:     a.firstTrigger(i, slices.Contains(include, "first_trigger_log_entries")),
		EscalationPolicy: a.policyOf(i, slices.Contains(include, "escalation_policies")),
		AlertCounts:      i.alertCounts(),
		Body:             i.text(),
		Teams:            []any{},
	}
}

func (i *incident) resolvedAt() *string {
	if i.isOpen() {
		return nil
	}
	at := timestamp(i.statusChangedAt)
	return &at
}

func (i *incident) alertCounts() alertCountsDocument {
	counts := alertCountsDocument{All: len(i.alerts)}
	for _, alert := range i.alerts {
		if alert.resolved {
			counts.Resolved++
			continue
		}
		counts.Triggered++
	}
	return counts
}

func (i *incident) text() *incidentTextDocument {
	if i.details == "" {
		return nil
	}
	return &incidentTextDocument{Type: "incident_body", Details: i.details}
}

func (a *account) serviceOf(i *incident, whole bool) any {
	if found := a.services.byID(i.service.ID); whole && found != nil {
		return a.serviceDocument(found, nil)
	}
	return a.serviceReference(i.service).short()
}

func (a *account) policyOf(i *incident, whole bool) any {
	if found := a.policyByID(i.policyID); whole && found != nil {
		return a.policyDocument(*found, nil)
	}
	return a.policyReference(i.policyID)
}

func (a *account) firstTrigger(i *incident, whole bool) any {
	if whole {
		return a.logEntryDocument(i, 0)
	}
	return a.logEntryReference(i, 0).short()
}

func (a *account) assignments(i *incident, whole bool) []assignmentDocument {
	found := []assignmentDocument{}
	for _, id := range i.assignees {
		m := a.users.byID(id)
		if m == nil || !i.isOpen() {
			continue
		}
		assignee := any(a.userReference(m).short())
		if whole {
			assignee = a.userDocument(m, nil)
		}
		found = append(found, assignmentDocument{At: timestamp(i.CreatedAt), Assignee: assignee})
	}
	return found
}

// acknowledgements are those of an incident that is still acknowledged.
func (a *account) acknowledgements(i *incident) []acknowledgementDocument {
	found := []acknowledgementDocument{}
	if i.Status != Acknowledged {
		return found
	}
	for _, by := range i.acknowledgements {
		found = append(found, acknowledgementDocument{At: timestamp(by.at), Acknowledger: a.userReferenceByID(by.userID)})
	}
	return found
}

// lastChangeBy is who gave the incident its status: a user, or for an event its
// service.
func (a *account) lastChangeBy(i *incident) *reference {
	by := a.userReferenceByID(i.changedBy)
	if by == nil {
		of := a.serviceReference(i.service).short()
		by = &of
	}
	return by
}

// timestamp writes a time as the REST API does.
func timestamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
