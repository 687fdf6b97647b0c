package client

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Reference names something of the account.
type Reference struct {
	ID      string `json:"id"`
	Name    string `json:"summary"`
	HTMLURL string `json:"html_url"`
}

// An Incident is an incident as the REST API shows it.
type Incident struct {
	ID               string
	Number           int
	Title            string
	Status           string // triggered, acknowledged or resolved
	Urgency          string
	Key              string // the incident_key of its events
	CreatedAt        string
	HTMLURL          string
	Service          Reference
	EscalationPolicy Reference
	Assignees        []Reference
}

// incidentBody is an incident on the wire.
type incidentBody struct {
	ID          string    `json:"id"`
	Number      int       `json:"incident_number"`
	Title       string    `json:"title"`
	Status      string    `json:"status"`
	Urgency     string    `json:"urgency"`
	Key         string    `json:"incident_key"`
	CreatedAt   string    `json:"created_at"`
	HTMLURL     string    `json:"html_url"`
	Service     Reference `json:"service"`
	Policy      Reference `json:"escalation_policy"`
	Assignments []struct {
		Assignee Reference `json:"assignee"`
	} `json:"assignments"`
}

func (b incidentBody) incident() Incident {
	found := Incident{
		ID: b.ID, Number: b.Number, Title: b.Title, Status: b.Status, Urgency: b.Urgency, Key: b.Key,
		CreatedAt: b.CreatedAt, HTMLURL: b.HTMLURL, Service: b.Service, EscalationPolicy: b.Policy,
	}
	for _, assignment := range b.Assignments {
		found.Assignees = append(found.Assignees, assignment.Assignee)
	}
	return found
}

// An incidentEnvelope is how the REST API wraps an incident.
type incidentEnvelope struct {
	Incident incidentBody `json:"incident"`
}

func (e *incidentEnvelope) complete() bool { return e.Incident.ID != "" }

// IncidentByID returns an incident, or an error of kind not_found.
func (c *Client) IncidentByID(ctx context.Context, id string) (Incident, error) {
	if err := ValidateIncidentID(id); err != nil {
		return Incident{}, err
	}
	var out incidentEnvelope
	if err := c.rest(ctx, "get incident", http.MethodGet, "/incidents/"+url.PathEscape(id), reads, nil, &out, ""); err != nil {
		return Incident{}, err
	}
	return out.Incident.incident(), nil
}

// An IncidentFilter narrows a list of incidents. What is empty does not.
type IncidentFilter struct {
	Key        string   // the incident_key of its events
	Statuses   []string // any of triggered, acknowledged and resolved
	ServiceIDs []string
	UserIDs    []string // assigned to any of these users
	Limit      int      // at most so many; up to [MaxListed]
}

// incidentStatuses are those of an incident.
var incidentStatuses = []string{"triggered", "acknowledged", "resolved"}

// Validate refuses what PagerDuty would not understand.
func (f IncidentFilter) Validate() error {
	for _, status := range f.Statuses {
		if !slices.Contains(incidentStatuses, status) {
			return invalid("", "", "there is no status %q; it is one of %s", shorten(status), strings.Join(incidentStatuses, ", "))
		}
	}
	return cmp.Or(tooLong("incident_key", f.Key, maxIncidentKey), validateIDs("service", f.ServiceIDs), validateIDs("user", f.UserIDs))
}

// Incidents lists incidents, page by page. more says that there are others beyond
// the limit.
func (c *Client) Incidents(ctx context.Context, filter IncidentFilter) (incidents []Incident, more bool, err error) {
	if err := filter.Validate(); err != nil {
		return nil, false, err
	}
	// Without a range of dates the service may leave out old incidents, which would
	// pass for there being none.
	query := url.Values{
		"date_range": {"all"}, "statuses[]": filter.Statuses,
		"service_ids[]": filter.ServiceIDs, "user_ids[]": filter.UserIDs,
	}
	if filter.Key != "" {
		query.Set("incident_key", filter.Key)
	}
	bodies, more, err := listing[incidentBody]{
		"list incidents", "/incidents", "incidents", query, func(b incidentBody) string { return b.ID }, reads,
	}.read(ctx, c, filter.Limit)
	for _, body := range bodies {
		incidents = append(incidents, body.incident())
	}
	return incidents, more, err
}

// A Note is a text at an incident.
type Note struct {
	ID        string `json:"id"`
	Content   string `json:"content"`
	CreatedAt string `json:"created_at"`
}

// A noteEnvelope is how the REST API wraps a note.
type noteEnvelope struct {
	Note Note `json:"note"`
}

func (e *noteEnvelope) complete() bool { return e.Note.ID != "" }

// A NewNote is a note to add.
type NewNote struct {
	IncidentID, Content string
	FromEmail           string // on whose behalf; the configuration's when empty
	// Repeatable says that a second one does no harm: then the request may be sent
	// again after a lost answer.
	Repeatable bool
}

// AddNote adds a note to an incident. An error with Sent set means that it may be
// there.
func (c *Client) AddNote(ctx context.Context, note NewNote) (Note, error) {
	note.FromEmail = cmp.Or(note.FromEmail, c.config.FromEmail)
	if err := cmp.Or(ValidateNote(note), validateFrom(note.FromEmail, "a note is added")); err != nil {
		return Note{}, err
	}
	in := map[string]map[string]string{"note": {"content": note.Content}}
	var out noteEnvelope
	path := "/incidents/" + url.PathEscape(note.IncidentID) + "/notes"
	err := c.rest(ctx, "add note", http.MethodPost, path, onceOr(note.Repeatable, updates), in, &out, note.FromEmail)
	return out.Note, err
}

// ValidateNote checks a note, but for whom it is from.
func ValidateNote(note NewNote) error {
	if err := ValidateIncidentID(note.IncidentID); err != nil {
		return err
	}
	if strings.TrimSpace(note.Content) == "" {
		return invalid("", "", "the content of the note is empty")
	}
	return tooLong("the content of the note", note.Content, maxNote)
}
