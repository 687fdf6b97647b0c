package simulator

import (
	"slices"
	"time"
)

// Limits of webhooks (developer documentation, "Webhooks").
const (
	webhookTimeout      = 5 * time.Second
	webhookRetryPeriod  = 48 * time.Hour
	webhookDisabledTime = 24 * time.Hour
	dropsToDisable      = 3
	maximumWebhookBody  = 256_000
)

// defaultWebhookRetries are waits that grow to an hour and end within the 48 hours
// of the documentation. How they are spread there is [unknown, safe reading].
func defaultWebhookRetries() []time.Duration {
	var delays []time.Duration
	var all time.Duration
	for delay := 10 * time.Second; all+delay <= webhookRetryPeriod; delay = min(2*delay, time.Hour) {
		all += delay
		delays = append(delays, delay)
	}
	return delays
}

// webhookEvent is what a subscriber can be told of.
type webhookEvent string

const (
	incidentTriggered    webhookEvent = "incident.triggered"
	incidentAcknowledged webhookEvent = "incident.acknowledged"
	incidentResolved     webhookEvent = "incident.resolved"
	incidentReassigned   webhookEvent = "incident.reassigned"
	incidentAnnotated    webhookEvent = "incident.annotated"
	pageyPing            webhookEvent = "pagey.ping"
)

// webhookEvents are those that a subscription may name: all that the documentation
// has. The simulator sends the five above and a ping.
var webhookEvents = []webhookEvent{
	incidentTriggered, incidentAcknowledged, "incident.unacknowledged", incidentResolved, "incident.reopened",
	"incident.escalated", incidentReassigned, "incident.delegated", incidentAnnotated, "incident.priority_updated",
	"incident.service_updated", "incident.responder.added", "incident.responder.replied",
	"incident.status_update_published", "incident.workflow.started", "incident.workflow.completed",
	"incident.custom_field_values.updated", "incident.incident_type.changed", "incident.task.created",
	"incident.role.assigned", "incident.action_invocation.created", "incident.conference_bridge.updated",
	"service.created", "service.updated", "service.deleted", "service.custom_field_values.updated", pageyPing,
}

// subscription is where webhooks go, and which.
type subscription struct {
	id            string
	address       string
	secret        string
	description   string
	headers       []webhookHeader
	events        []webhookEvent
	filterType    string
	filterID      string
	drops         int // consecutive
	disabledUntil time.Time
}

// webhookHeader is one that the subscriber wants to have sent along.
type webhookHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// wants reports whether an event about an incident goes to the subscription.
func (v *subscription) wants(event webhookEvent, i *incident, now time.Time) bool {
	return v.isActive(now) && slices.Contains(v.events, event) &&
		(v.filterType != serviceFilter || v.filterID == i.service.ID)
}

// isActive is false for 24 hours after too many deliveries had to be dropped.
func (v *subscription) isActive(now time.Time) bool {
	return !now.Before(v.disabledUntil)
}

// webhooks is the subscriptions and what is on its way to them.
type webhooks struct {
	subscriptions []*subscription
	queues        map[queueKey][]*outgoing
	deliveries    []Delivery
	idle          chan struct{} // closed when the last worker ends; nil without any
	workers       int
}

// queueKey is what keeps its order: the events of one resource to one subscriber.
type queueKey struct{ subscriptionID, resourceID string }

// outgoing is one event on its way to one subscriber.
type outgoing struct {
	subscription *subscription
	webhookID    string // the same in every attempt
	event        webhookEvent
	body         []byte
	incidentKey  string
}

// clear forgets everything but the workers, which end by themselves.
func (w *webhooks) clear() {
	w.subscriptions, w.queues, w.deliveries = nil, map[queueKey][]*outgoing{}, nil
}

func (w *webhooks) byID(id string) *subscription {
	i := slices.IndexFunc(w.subscriptions, func(v *subscription) bool { return v.id == id })
	if i < 0 {
		return nil
	}
	return w.subscriptions[i]
}

func (w *webhooks) secrets() []string {
	var secrets []string
	for _, v := range w.subscriptions {
		secrets = append(secrets, v.secret)
	}
	return secrets
}
