package api

import (
	"encoding/json"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// webhookBody is the body of a webhook: one event.
type webhookBody struct {
	Event webhookEventDocument `json:"event"`
}

type webhookEventDocument struct {
	ID           string         `json:"id"`
	EventType    string         `json:"event_type"`
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
	ID               string         `json:"id"`
	Type             string         `json:"type"`
	Self             string         `json:"self"`
	HTMLURL          string         `json:"html_url"`
	Number           int            `json:"number"`
	Status           account.Status `json:"status"`
	Key              string         `json:"incident_key"`
	CreatedAt        string         `json:"created_at"`
	Title            string         `json:"title"`
	IncidentType     namedObject    `json:"incident_type"`
	Service          reference      `json:"service"`
	Assignees        []*reference   `json:"assignees"`
	EscalationPolicy *reference     `json:"escalation_policy"`
	Teams            []any          `json:"teams"`
	Priority         *reference     `json:"priority"`
	Urgency          string         `json:"urgency"`
	ConferenceBridge any            `json:"conference_bridge"`
	ResolveReason    any            `json:"resolve_reason"`
}

type namedObject struct {
	Name string `json:"name"`
}

// renderForWebhook returns an incident as webhooks send it.
func renderForWebhook(a *account.Account, i *account.Incident) webhookIncident {
	whole := referToIncident(a, i)
	sent := webhookIncident{
		ID:               i.ID,
		Type:             "incident",
		Self:             whole.Self,
		HTMLURL:          *whole.HTMLURL,
		Number:           i.Number,
		Status:           i.Status,
		Key:              i.Key,
		CreatedAt:        timestamp(i.CreatedAt),
		Title:            i.Description,
		IncidentType:     namedObject{Name: "incident_default"},
		Service:          referToService(a, i.Impacted).short(),
		Assignees:        []*reference{},
		EscalationPolicy: referToPolicy(a, i.PolicyID),
		Teams:            []any{},
		Urgency:          i.Urgency,
	}
	for _, id := range i.Assignees {
		if user := referToUserID(a, id); user != nil && i.IsOpen() {
			sent.Assignees = append(sent.Assignees, user)
		}
	}
	return sent
}

// writeWebhook returns the body of an event with its data. The agent is the user who caused
// the event; an alert event has no agent.
func writeWebhook(a *account.Account, event, resourceType string, data any, agentID string, at time.Time) []byte {
	body, err := json.Marshal(webhookBody{webhookEventDocument{
		ID:           a.Identifiers.Of("webhook event", "", 26),
		EventType:    event,
		ResourceType: resourceType,
		OccurredAt:   at.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Agent:        referToUserID(a, agentID),
		Data:         data,
	}})
	if err != nil {
		panic("simulator: a webhook cannot be written: " + err.Error()) // every type of the body can be written
	}
	return body
}

// Announce informs the webhook subscribers of a change of an incident.
func (a *API) Announce(change account.Announcement) {
	i := change.Incident
	about := webhook.Resource{ID: i.ID, ServiceID: i.Impacted.ID, IncidentKey: i.Key}
	a.config.Webhooks.Announce(change.Event, about, change.At, func() []byte {
		return writeWebhook(a.account, change.Event, "incident", renderForWebhook(a.account, i), change.AgentID, change.At)
	})
}

// subscriptionDocument is a webhook subscription as the REST API sends it.
type subscriptionDocument struct {
	ID             string                 `json:"id"`
	Type           string                 `json:"type"`
	Active         bool                   `json:"active"`
	DeliveryMethod deliveryMethodDocument `json:"delivery_method"`
	Description    *string                `json:"description"`
	Events         []string               `json:"events"`
	Filter         filterDocument         `json:"filter"`
}

type deliveryMethodDocument struct {
	Type                string           `json:"type"`
	URL                 string           `json:"url"`
	TemporarilyDisabled bool             `json:"temporarily_disabled"`
	CustomHeaders       []webhook.Header `json:"custom_headers"`
	Secret              *string          `json:"secret"` // once, in the answer to POST
}

type filterDocument struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
}

// renderSubscription returns a subscription as sent. The values of its headers may be
// credentials and are not shown.
func (x *Exchange) renderSubscription(v webhook.Subscription) subscriptionDocument {
	headers := []webhook.Header{}
	for _, header := range v.Headers {
		headers = append(headers, webhook.Header{Name: header.Name, Value: "<redacted>"})
	}
	return subscriptionDocument{
		ID:     v.ID,
		Type:   "webhook_subscription",
		Active: true,
		DeliveryMethod: deliveryMethodDocument{
			Type:                "http_delivery_method",
			URL:                 v.Address,
			TemporarilyDisabled: !v.IsActive(x.api.config.Glance()),
			CustomHeaders:       headers,
		},
		Description: nullIfEmpty(v.Description),
		Events:      v.Events,
		Filter:      filterDocument{Type: v.FilterType, ID: v.FilterID},
	}
}

// listSubscriptions answers GET /webhook_subscriptions.
func listSubscriptions(x *Exchange) Response {
	return listing(x, "webhook_subscriptions", x.api.config.Webhooks.List(), func(v webhook.Subscription) any {
		return x.renderSubscription(v)
	})
}

// getSubscription answers GET /webhook_subscriptions/{id}.
func getSubscription(x *Exchange) Response {
	return x.oneSubscription(x.api.config.Webhooks.Get(x.id))
}

func (x *Exchange) oneSubscription(v webhook.Subscription, ok bool) Response {
	if !ok {
		return notFound()
	}
	return single(http.StatusOK, "webhook_subscription", x.renderSubscription(v))
}

// createSubscription answers POST /webhook_subscriptions, with the secret that signs the
// deliveries. The secret is never sent again.
func createSubscription(x *Exchange) Response {
	fields, refused, ok := readResource(x.body, "webhook_subscription", "Webhook subscription")
	if !ok {
		return refused
	}
	wanted, found := x.readSubscription(fields)
	if len(found) > 0 {
		return InvalidInput(found...)
	}
	added := x.api.config.Webhooks.Add(wanted)
	sent := x.renderSubscription(added)
	sent.DeliveryMethod.Secret = &added.Secret
	return single(http.StatusCreated, "webhook_subscription", sent)
}

// deleteSubscription answers DELETE /webhook_subscriptions/{id}.
func deleteSubscription(x *Exchange) Response {
	if !x.api.config.Webhooks.Remove(x.id) {
		return notFound()
	}
	return Empty(http.StatusNoContent)
}

// enableSubscription answers POST /webhook_subscriptions/{id}/enable.
func enableSubscription(x *Exchange) Response {
	return x.oneSubscription(x.api.config.Webhooks.Enable(x.id))
}

// pingSubscription answers POST /webhook_subscriptions/{id}/ping and sends a test event.
// Its data is [unknown, safe reading].
func pingSubscription(x *Exchange) Response {
	found, ok := x.api.config.Webhooks.Get(x.id)
	if !ok {
		return notFound()
	}
	data := map[string]string{"type": "ping", "message": "This is a test."}
	x.api.config.Webhooks.SendPing(found.ID, writeWebhook(x.account, webhook.Ping, "pagey", data, x.token.UserID, x.Now))
	return Empty(http.StatusAccepted)
}

// readSubscription reads a subscription to create. The shape is in PagerDuty's
// OpenAPI description; the texts are [unknown, safe reading].
func (x *Exchange) readSubscription(fields object) (webhook.Subscription, complaints) {
	var found complaints
	method, ok := fields.object("delivery_method")
	if !ok || method == nil {
		found.add("Delivery method can't be blank")
	}
	if kind := found.text(method, "type", "Type of the delivery method"); kind != "http_delivery_method" {
		found.add("Type of the delivery method must be http_delivery_method")
	}
	read := webhook.Subscription{
		Address:     found.text(method, "url", "URL"),
		Description: found.text(fields, "description", "Description"),
	}
	if wrong := webhook.CheckAddress(read.Address, x.api.config.RemoteWebhooks); wrong != "" {
		found.add("%s", wrong)
	}
	read.Headers = readWebhookHeaders(method, &found)
	read.Events = readWebhookEvents(fields, &found)
	filter, ok := fields.object("filter")
	if !ok || filter == nil {
		found.add("Filter can't be blank")
	}
	read.FilterType = found.text(filter, "type", "Type of the filter")
	read.FilterID = found.text(filter, "id", "ID of the filter")
	switch {
	case read.FilterType == webhook.ServiceFilter && x.account.Services.ByID(read.FilterID) == nil:
		found.add("Service Not Found")
	case read.FilterType != webhook.ServiceFilter && read.FilterType != webhook.AccountFilter:
		found.add("Type of the filter must be one of: account_reference service_reference")
	}
	return read, found
}

func readWebhookHeaders(method object, found *complaints) []webhook.Header {
	values, ok := method.list("custom_headers")
	if !ok {
		found.add("Custom headers must be an array")
	}
	var headers []webhook.Header
	for _, value := range values {
		fields, _ := value.(map[string]any)
		header := webhook.Header{
			Name:  found.text(fields, "name", "Name of a custom header"),
			Value: found.text(fields, "value", "Value of a custom header"),
		}
		if !IsHeaderName(header.Name) || strings.ContainsAny(header.Value, "\r\n\x00") {
			found.add("Custom header is invalid")
		}
		headers = append(headers, header)
	}
	return headers
}

func readWebhookEvents(fields object, found *complaints) []string {
	values, ok := fields.list("events")
	if !ok || len(values) == 0 {
		found.add("Events can't be blank")
	}
	var events []string
	for _, value := range values {
		name, _ := value.(string)
		if !slices.Contains(webhook.Events, name) {
			found.add("Event is not supported: %q", name)
		}
		events = append(events, name)
	}
	return events
}

var headerNameShape = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// IsHeaderName reports whether name is a header that a caller may set on a message.
// Content-Length is not: net/http sets it.
func IsHeaderName(name string) bool {
	return headerNameShape.MatchString(name) && textproto.CanonicalMIMEHeaderKey(name) != "Content-Length"
}
