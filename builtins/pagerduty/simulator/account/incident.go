package account

import (
	"cmp"
	"slices"
	"time"
)

// Status is the state of an incident.
type Status string

// An incident goes from triggered to acknowledged to resolved, or directly to resolved.
// It never goes back.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Resolved     Status = "resolved"
)

// Statuses are all statuses, in the order in which messages list them.
var Statuses = []Status{Triggered, Acknowledged, Resolved}

// defaultUrgency is used when a new incident does not set its urgency.
const defaultUrgency = "high"

var urgencies = []string{defaultUrgency, "low"}

// Limits of an incident, the same in all APIs.
const (
	// MaximumDescriptionLength is in the texts that users quote:
	// sensu_handlers #38 for v1, stream-tester #354 for v2. Alertmanager
	// counts it in characters, not bytes.
	MaximumDescriptionLength = 1024
	// MaximumIncidentKeyLength is from the documentation of both Events APIs.
	MaximumIncidentKeyLength = 255
)

// IncidentView is an incident as callers outside the simulator see it.
type IncidentView struct {
	ID          string     `json:"id"`
	Key         string     `json:"incident_key"`
	Status      Status     `json:"status"`
	Description string     `json:"description"` // of the latest trigger event
	Service     string     `json:"service"`     // the name
	CreatedAt   time.Time  `json:"created_at"`
	Log         []LogEntry `json:"log"`
	Notes       []Note     `json:"notes,omitempty"`
}

// Incident is a problem that an event or a request reported.
type Incident struct {
	IncidentView
	Number           int
	Urgency          string
	Impacted         ServiceView // the service
	PolicyID         string
	Assignees        []string // IDs of users
	Acknowledgements []Acknowledgement
	Alerts           []Alert
	Origins          []Origin // of the log entries, in their order
	StatusChangedAt  time.Time
	ChangedAt        time.Time
	ChangedBy        string // the ID of the user who set the status; empty for an event
	Details          string // the body given by the request that created it
}

// Acknowledgement says who acknowledged an incident.
type Acknowledgement struct {
	UserID string
	At     time.Time
}

// IsOpen reports whether the incident is not resolved.
func (i *Incident) IsOpen() bool { return i.Status != Resolved }

// key returns the key of all events for the incident.
func (i *Incident) key() alertKey { return alertKey{i.Impacted.ID, i.Key} }

// enter gives the incident another status, set by a user or, when the ID is empty, by an
// event.
func (i *Incident) enter(status Status, userID string, at time.Time) {
	i.Status, i.StatusChangedAt, i.ChangedBy = status, at, userID
	if status == Resolved {
		for n := range i.Alerts {
			i.Alerts[n].Resolved = true
		}
	}
}

// clone returns a copy that later changes of the incident do not affect.
func (i *Incident) clone() *Incident {
	copied := *i
	copied.Log = slices.Clone(i.Log)
	copied.Notes = slices.Clone(i.Notes)
	copied.Assignees = slices.Clone(i.Assignees)
	copied.Acknowledgements = slices.Clone(i.Acknowledgements)
	copied.Alerts = slices.Clone(i.Alerts)
	copied.Origins = slices.Clone(i.Origins)
	return &copied
}

// alertKey identifies a reported problem. The same incident key at another service is
// another problem.
type alertKey struct {
	serviceID   string
	incidentKey string
}

// Incidents are all incidents of an account in the order of their opening.
type Incidents struct {
	entries []*Incident
	open    map[alertKey]*Incident
}

func newIncidents() Incidents { return Incidents{open: map[alertKey]*Incident{}} }

func (l *Incidents) clone() Incidents {
	copied := newIncidents()
	for _, entry := range l.entries {
		kept := entry.clone()
		copied.entries = append(copied.entries, kept)
		if l.open[entry.key()] == entry {
			copied.open[kept.key()] = kept
		}
	}
	return copied
}

// All returns the incidents. The caller must not change the list.
func (l *Incidents) All() []*Incident { return l.entries }

// Views returns the incidents as callers outside the simulator see them.
func (l *Incidents) Views() []IncidentView {
	return Each(l.entries, func(entry *Incident) IncidentView { return entry.clone().IncidentView })
}

// ByID returns the incident with an ID, or nil.
func (l *Incidents) ByID(id string) *Incident {
	return find(l.entries, func(entry *Incident) bool { return entry.ID == id })
}

// openOf returns the IDs of the open incidents of a user.
func (l *Incidents) openOf(userID string) []string {
	found := Filter(l.entries, func(entry *Incident) bool { return entry.IsOpen() && slices.Contains(entry.Assignees, userID) })
	return Each(found, func(entry *Incident) string { return entry.ID })
}

// add numbers an incident and adds it.
func (l *Incidents) add(added *Incident) {
	added.Number = len(l.entries) + 1
	l.entries = append(l.entries, added)
	if added.IsOpen() {
		l.open[added.key()] = added
	}
}

// close removes the key of a resolved incident: the next event with this key opens a
// new incident.
func (l *Incidents) close(resolved *Incident) { delete(l.open, resolved.key()) }

// newIncident returns an incident that is assigned to those whom the escalation policy
// of the service names. Without a user on call the real service opens no incident; the
// simulator opens it unassigned, so that an account without users can be tested.
func (a *Account) newIncident(at *Service, key, title string, now time.Time) *Incident {
	return &Incident{
		IncidentView: IncidentView{
			ID:          a.Identifiers.Incident(),
			Key:         key,
			Status:      Triggered,
			Description: title,
			Service:     at.Name,
			CreatedAt:   now,
		},
		Urgency:         defaultUrgency,
		Impacted:        at.ServiceView,
		PolicyID:        at.PolicyID,
		Assignees:       a.onCallFor(at.PolicyID, now),
		StatusChangedAt: now,
	}
}

// IncidentChange is what to change in an incident. A field that is empty stays as it is.
type IncidentChange struct {
	Status    Status
	Title     string
	Urgency   string
	PolicyID  string
	Assignees []string // IDs of users; each counts once
	// HasPolicy is set when an escalation policy is given: PolicyID must then exist.
	HasPolicy bool
}

// apply makes every change except the change of the status.
func (c IncidentChange) apply(i *Incident) {
	i.Description = cmp.Or(c.Title, i.Description)
	i.Urgency = cmp.Or(c.Urgency, i.Urgency)
	i.PolicyID = cmp.Or(c.PolicyID, i.PolicyID)
	if assignees := unique(c.Assignees); len(assignees) > 0 {
		i.Assignees = assignees
	}
}

// checkChange returns what is wrong with a change. The OpenAPI description allows only
// the statuses acknowledged and resolved; the texts are [unknown, safe reading].
func (a *Account) checkChange(change IncidentChange) Invalid {
	var found Invalid
	for _, id := range change.Assignees {
		if a.Users.ByID(id) == nil {
			found.Add("Assignee Not Found")
		}
	}
	if change.Status != "" && change.Status != Acknowledged && change.Status != Resolved {
		found.Add("Status must be one of: acknowledged resolved")
	}
	if change.Urgency != "" && !slices.Contains(urgencies, change.Urgency) {
		found.Add("Urgency must be one of: high low")
	}
	if IsLonger(change.Title, MaximumDescriptionLength) {
		found.Add("Title is too long (maximum is %d characters)", MaximumDescriptionLength)
	}
	if change.HasPolicy && a.Policies.ByID(change.PolicyID) == nil {
		found.Add("Escalation Policy Not Found")
	}
	return found
}

// ChangeIncident changes an incident for a user, or nothing. The error is ErrNotFound,
// Invalid with the mistakes that the caller has found and its own, or ErrAlreadyResolved.
func (a *Account) ChangeIncident(id string, change IncidentChange, found Invalid, userID string, now time.Time) (*Incident, error) {
	i := a.Incidents.ByID(id)
	if i == nil {
		return nil, ErrNotFound
	}
	found = append(found, a.checkChange(change)...)
	switch {
	case len(found) > 0:
		return nil, found
	case !i.IsOpen():
		return nil, ErrAlreadyResolved
	}
	change.apply(i)
	i.ChangedAt = now
	if len(change.Assignees) > 0 {
		a.record(i, LogEntry{Type: "assign", At: now}, ChannelAPI, userID)
		a.announce(IncidentReassigned, i, userID, now)
	}
	a.changeStatus(i, change.Status, userID, now)
	return i, nil
}

// changeStatus gives an incident the status that a user wants. The user who
// acknowledges becomes the assignee (hubot-pager-me #125). A second acknowledgement
// changes nothing.
func (a *Account) changeStatus(i *Incident, status Status, userID string, at time.Time) {
	announced, action := IncidentResolved, Resolve
	switch status {
	case "", i.Status:
		return
	case Acknowledged:
		i.Assignees = []string{userID}
		i.Acknowledgements = append(i.Acknowledgements, Acknowledgement{userID, at})
		announced, action = IncidentAcknowledged, Acknowledge
	case Resolved:
		a.Incidents.close(i)
	}
	a.record(i, LogEntry{Type: string(action), At: at}, ChannelAPI, userID)
	i.enter(status, userID, at)
	a.announce(announced, i, userID, at)
}

// NewIncident is an incident to create.
type NewIncident struct {
	ServiceID string
	Key       string // generated when empty
	Details   string
	IncidentChange
}

// CheckNew returns what is wrong with an incident to create, except for its service.
// What is required is in PagerDuty's OpenAPI description; the texts are [unknown, safe
// reading].
func (a *Account) CheckNew(wanted NewIncident) Invalid {
	found := a.checkChange(wanted.IncidentChange)
	if IsBlank(wanted.Title) {
		found.Add("Title can't be blank")
	}
	if IsLonger(wanted.Key, MaximumIncidentKeyLength) {
		found.Add("Incident key is too long (maximum is %d characters)", MaximumIncidentKeyLength)
	}
	if wanted.Status != "" {
		found.Add("Status cannot be set on a new incident")
	}
	return found
}

// CreateIncident opens an incident for a user. The caller has called CheckNew and passes
// all mistakes that were found. The error is Invalid with these mistakes, followed by a
// missing service or a key that an open incident of the service has. It is known that
// such a key is refused; the text is [unknown, safe reading].
func (a *Account) CreateIncident(wanted NewIncident, found Invalid, userID string, now time.Time) (*Incident, error) {
	service := a.Services.ByID(wanted.ServiceID)
	switch {
	case service == nil:
		found.Add("Service Not Found")
	case a.Incidents.open[alertKey{service.ID, wanted.Key}] != nil:
		found.Add("Open incident with matching dedup key already exists on this service")
	}
	if len(found) > 0 {
		return nil, found
	}
	if wanted.Key == "" {
		wanted.Key = a.Identifiers.IncidentKey()
	}
	created := a.newIncident(service, wanted.Key, wanted.Title, now)
	wanted.apply(created)
	created.Details, created.ChangedBy = wanted.Details, userID
	a.Incidents.add(created)
	a.record(created, LogEntry{Type: string(Trigger), Description: wanted.Title, At: now}, ChannelAPI, userID)
	a.announce(IncidentTriggered, created, userID, now)
	return created, nil
}

// unique returns the texts, each once, in their order.
func unique(texts []string) []string {
	var found []string
	for _, text := range texts {
		if !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	return found
}
