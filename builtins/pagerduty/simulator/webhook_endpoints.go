package simulator

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Filters of subscriptions. There are no teams to filter by.
const (
	accountFilter = "account_reference"
	serviceFilter = "service_reference"
)

// subscriptionDocument is a webhook subscription as the REST API sends it.
type subscriptionDocument struct {
	ID             string                 `json:"id"`
	Type           string                 `json:"type"`
	Active         bool                   `json:"active"`
	DeliveryMethod deliveryMethodDocument `json:"delivery_method"`
	Description    *string                `json:"description"`
	Events         []webhookEvent         `json:"events"`
	Filter         filterDocument         `json:"filter"`
}

type deliveryMethodDocument struct {
	Type                string          `json:"type"`
	URL                 string          `json:"url"`
	TemporarilyDisabled bool            `json:"temporarily_disabled"`
	CustomHeaders       []webhookHeader `json:"custom_headers"`
	Secret              *string         `json:"secret"` // once, in the answer to POST
}

type filterDocument struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
}

// subscriptionDocument returns a subscription as sent. The values of its headers
// may be credentials and are not shown again.
func (s *Simulator) subscriptionDocument(v *subscription) subscriptionDocument {
	headers := []webhookHeader{}
	for _, header := range v.headers {
		headers = append(headers, webhookHeader{Name: header.Name, Value: "<redacted>"})
	}
	return subscriptionDocument{
		ID:     v.id,
		Type:   "webhook_subscription",
		Active: true,
		DeliveryMethod: deliveryMethodDocument{
			Type:                "http_delivery_method",
			URL:                 v.address,
			TemporarilyDisabled: !v.isActive(s.timeline.glance()),
			CustomHeaders:       headers,
		},
		Description: nullIfEmpty(v.description),
		Events:      v.events,
		Filter:      filterDocument{Type: v.filterType, ID: v.filterID},
	}
}

// listSubscriptions answers GET /webhook_subscriptions.
func (s *Simulator) listSubscriptions(x *exchange) response {
	return listing(x, "webhook_subscriptions", s.webhooks.subscriptions, func(v *subscription) any {
		return s.subscriptionDocument(v)
	})
}

// getSubscription answers GET /webhook_subscriptions/{id}.
func (s *Simulator) getSubscription(x *exchange) response {
	found := s.webhooks.byID(x.id)
	if found == nil {
		return notFound()
	}
	return single(http.StatusOK, "webhook_subscription", s.subscriptionDocument(found))
}

// createSubscription answers POST /webhook_subscriptions, with the secret that
// signs the deliveries, which is never sent again.
func (s *Simulator) createSubscription(x *exchange) response {
	fields, refused, ok := readResource(x.body, "webhook_subscription", "Webhook subscription")
	if !ok {
		return refused
	}
	added, found := s.readSubscription(fields)
	if len(found) > 0 {
		return invalidInput(found...)
	}
	added.id = s.identifiers.of("subscription", "P", 6)
	added.secret = s.identifiers.draw("webhook secret", apiKeyAlphabet[:62], 32)
	s.webhooks.subscriptions = append(s.webhooks.subscriptions, added)
	sent := s.subscriptionDocument(added)
	sent.DeliveryMethod.Secret = &added.secret
	return single(http.StatusCreated, "webhook_subscription", sent)
}

// deleteSubscription answers DELETE /webhook_subscriptions/{id}. What is on its
// way is not repeated.
func (s *Simulator) deleteSubscription(x *exchange) response {
	found := s.webhooks.byID(x.id)
	if found == nil {
		return notFound()
	}
	s.webhooks.subscriptions = slices.DeleteFunc(s.webhooks.subscriptions, func(v *subscription) bool { return v == found })
	return noContent()
}

// enableSubscription answers POST /webhook_subscriptions/{id}/enable.
func (s *Simulator) enableSubscription(x *exchange) response {
	found := s.webhooks.byID(x.id)
	if found == nil {
		return notFound()
	}
	found.drops, found.disabledUntil = 0, time.Time{}
	return single(http.StatusOK, "webhook_subscription", s.subscriptionDocument(found))
}

// pingSubscription answers POST /webhook_subscriptions/{id}/ping and sends an
// event that means nothing. Its data is [unknown, safe reading].
func (s *Simulator) pingSubscription(x *exchange) response {
	found := s.webhooks.byID(x.id)
	if found == nil {
		return notFound()
	}
	data := map[string]string{"type": "ping", "message": "This is a test."}
	body := s.webhookBody(pageyPing, "pagey", data, x.token.userID, x.now)
	s.enqueue(queueKey{found.id, ""}, &outgoing{subscription: found, event: pageyPing, body: body})
	return response{status: http.StatusAccepted, header: http.Header{}}
}

// readSubscription reads a subscription to create. The shape is in PagerDuty's
// OpenAPI description; the texts are [unknown, safe reading].
func (s *Simulator) readSubscription(fields object) (*subscription, complaints) {
	var found complaints
	method, ok := fields.object("delivery_method")
	if !ok || method == nil {
		found.add("Delivery method can't be blank")
	}
	if kind := found.textOf(method, "type", "Type of the delivery method"); kind != "http_delivery_method" {
		found.add("Type of the delivery method must be http_delivery_method")
	}
	read := &subscription{
		address:     found.textOf(method, "url", "URL"),
		description: found.textOf(fields, "description", "Description"),
	}
	s.checkTarget(read.address, &found)
	read.headers = readWebhookHeaders(method, &found)
	read.events = readWebhookEvents(fields, &found)
	filter, ok := fields.object("filter")
	if !ok || filter == nil {
		found.add("Filter can't be blank")
	}
	read.filterType = found.textOf(filter, "type", "Type of the filter")
	read.filterID = found.textOf(filter, "id", "ID of the filter")
	switch {
	case read.filterType == serviceFilter && s.services.byID(read.filterID) == nil:
		found.add("Service Not Found")
	case read.filterType != serviceFilter && read.filterType != accountFilter:
		found.add("Type of the filter must be one of: account_reference service_reference")
	}
	return read, found
}

// checkTarget refuses addresses of other machines: the simulator is a tool for
// tests, and what it is told to call must not leave this one by accident.
func (s *Simulator) checkTarget(address string, found *complaints) {
	target, err := url.Parse(address)
	switch {
	case err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https":
		found.add("URL must be an http or https URL")
	case !s.settings.remoteWebhooks && !isLoopback(target.Hostname()):
		found.add("URL must be on this machine, such as http://127.0.0.1:8080/; the simulator calls no others unless it is told to")
	}
}

// isLoopback reports whether a host is this machine, without asking the DNS.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func readWebhookHeaders(method object, found *complaints) []webhookHeader {
	values, ok := method.list("custom_headers")
	if !ok {
		found.add("Custom headers must be an array")
	}
	var headers []webhookHeader
	for _, value := range values {
		fields, _ := value.(map[string]any)
		header := webhookHeader{
			Name:  found.textOf(fields, "name", "Name of a custom header"),
			Value: found.textOf(fields, "value", "Value of a custom header"),
		}
		if !isHeaderName(header.Name) || strings.ContainsAny(header.Value, "\r\n\x00") {
			found.add("Custom header is invalid")
		}
		headers = append(headers, header)
	}
	return headers
}

func readWebhookEvents(fields object, found *complaints) []webhookEvent {
	values, ok := fields.list("events")
	if !ok || len(values) == 0 {
		found.add("Events can't be blank")
	}
	var events []webhookEvent
	for _, value := range values {
		name, _ := value.(string)
		if !slices.Contains(webhookEvents, webhookEvent(name)) {
			found.add("Event is not supported: %q", name)
		}
		events = append(events, webhookEvent(name))
	}
	return events
}
