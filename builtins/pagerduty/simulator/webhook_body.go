package simulator

import (
	"encoding/json"
	"time"
)

// webhookBody is the body of a webhook: one event.
type webhookBody struct {
	Event webhookEventDocument `json:"event"`
}

type webhookEventDocument struct {
	ID           string         `json:"id"`
	EventType    webhookEvent   `json:"event_type"`
	ResourceType string         `json:"resource_type"`
	OccurredAt   string         `json:"occurred_at"`
	Agent        *reference     `json:"agent"`
	Client       *webhookClient `json:"client"`
	Data         any            `json:"data"`
}

// webhookClient is the program that made a change.
type webhookClient struct {
	Name string `json:"name"`
}

// webhookIncident is an incident as webhooks send it.
type webhookIncident struct {
	ID               string       `json:"id"`
	Type             string       `json:"type"`
	Self             string       `json:"self"`
	HTMLURL          string       `json:"html_url"`
	Number           int          `json:"number"`
	Status           Status       `json:"status"`
	Key              string       `json:"incident_key"`
	CreatedAt        string       `json:"created_at"`
	Title            string       `json:"title"`
	IncidentType     namedObject  `json:"incident_type"`
	Service          reference    `json:"service"`
	Assignees        []*reference `json:"assignees"`
	EscalationPolicy *reference   `json:"escalation_policy"`
	Teams            []any        `json:"teams"`
	Priority         *reference   `json:"priority"`
	Urgency          string       `json:"urgency"`
	ConferenceBridge any          `json:"conference_bridge"`
	ResolveReason    any          `json:"resolve_reason"`
}

type namedObject struct {
	Name string `json:"name"`
}

func (a *account) webhookIncident(i *incident) webhookIncident {
	whole := a.incidentReference(i)
	sent := webhookIncident{
		ID:               i.ID,
		Type:             "incident",
		Self:             whole.Self,
		HTMLURL:          *whole.HTMLURL,
		Number:           i.number,
		Status:           i.Status,
		Key:              i.Key,
		CreatedAt:        timestamp(i.CreatedAt),
		Title:            i.Description,
		IncidentType:     namedObject{Name: "incident_default"},
		Service:          a.serviceReference(i.service).short(),
		Assignees:        []*reference{},
		EscalationPolicy: a.policyReference(i.policyID),
		Teams:            []any{},
		Urgency:          i.urgency,
	}
	for _, id := range i.assignees {
		if user := a.userReferenceByID(id); user != nil && i.isOpen() {
			sent.Assignees = append(sent.Assignees, user)
		}
	}
	return sent
}

// webhookBody writes an event with its data. The agent is the user who caused it;
// an event that came in by an Events API has none.
func (s *Simulator) webhookBody(event webhookEvent, resourceType string, data any, agentID string, at time.Time) []byte {
	body, err := json.Marshal(webhookBody{webhookEventDocument{
		ID:           s.identifiers.of("webhook event", "", 26),
		EventType:    event,
		ResourceType: resourceType,
		OccurredAt:   at.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Agent:        s.userReferenceByID(agentID),
		Data:         data,
	}})
	if err != nil {
		panic("simulator: a webhook cannot be written: " + err.Error()) // its types are all ours
	}
	return body
}

// announce tells the subscribers what happened to an incident.
func (s *Simulator) announce(event webhookEvent, i *incident, agentID string, at time.Time) {
	var body []byte
	for _, v := range s.webhooks.subscriptions {
		if !v.wants(event, i, at) {
			continue
		}
		if body == nil {
			body = s.webhookBody(event, "incident", s.webhookIncident(i), agentID, at)
		}
		s.enqueue(queueKey{v.id, i.ID}, &outgoing{subscription: v, event: event, body: body, incidentKey: i.Key})
	}
}
