package api

import (
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/webhook"
)

// renderForWebhook returns an incident as webhooks send it.
func renderForWebhook(a *account.Account, i *account.Incident) document {
	return document{
		{"id", i.ID},
		{"type", "incident"},
		{"self", a.Site.REST + "/incidents/" + i.ID},
		{"html_url", a.Site.Web + "/incidents/" + i.ID},
		{"number", i.Number},
		{"status", i.Status},
		{"incident_key", i.Key},
		{"created_at", timestamp(i.CreatedAt)},
		{"title", i.Description},
		{"incident_type", document{{"name", "incident_default"}}},
		{"service", serviceOf(a, i, false)},
		{"assignees", assigneesOf(a, i, false)},
		{"escalation_policy", policyByID(a, i.PolicyID, false)},
		{"teams", []any{}},
		{"priority", nil},
		{"urgency", i.Urgency},
		{"conference_bridge", nil},
		{"resolve_reason", nil},
	}
}

// writeWebhook returns the body of an event with its data. The agent is the user who caused
// the event; an alert event has no agent.
func writeWebhook(a *account.Account, event, resourceType string, data document, agentID string, at time.Time) []byte {
	return single(http.StatusOK, "event", document{
		{"id", a.Identifiers.Of("webhook event", "", 26)},
		{"event_type", event},
		{"resource_type", resourceType},
		{"occurred_at", at.UTC().Format("2006-01-02T15:04:05.000Z07:00")},
		{"agent", userByID(a, agentID, false)},
		{"client", nil},
		{"data", data},
	}).Body
}

// Announce informs the webhook subscribers of a change of an incident.
func (a *API) Announce(change account.Announcement) {
	i := change.Incident
	about := webhook.Resource{ID: i.ID, ServiceID: i.Impacted.ID, IncidentKey: i.Key}
	a.config.Webhooks.Announce(change.Event, about, change.At, func() []byte {
		return writeWebhook(a.account, change.Event, "incident", renderForWebhook(a.account, i), change.AgentID, change.At)
	})
}

// renderSubscription returns a subscription as sent. The values of its headers may be
// credentials and are not shown. The secret is sent once, in the answer to POST.
func (x *Exchange) renderSubscription(v webhook.Subscription, secret any) document {
	filter := document{{"type", v.FilterType}}
	if v.FilterID != "" {
		filter = append(filter, field{"id", v.FilterID})
	}
	return document{
		{"id", v.ID},
		{"type", "webhook_subscription"},
		{"active", true},
		{"delivery_method", document{
			{"type", "http_delivery_method"},
			{"url", v.Address},
			{"temporarily_disabled", !v.IsActive(x.api.config.Glance())},
			{"custom_headers", account.Each(v.Headers, func(header webhook.Header) webhook.Header {
				return webhook.Header{Name: header.Name, Value: "<redacted>"}
			})},
			{"secret", secret},
		}},
		{"description", nullIfEmpty(v.Description)},
		{"events", v.Events},
		{"filter", filter},
	}
}

// listSubscriptions answers GET /webhook_subscriptions.
func listSubscriptions(x *Exchange) Response {
	return listing(x, "webhook_subscriptions", x.api.config.Webhooks.List(), func(_ *account.Account, v webhook.Subscription, _ []string) document {
		return x.renderSubscription(v, nil)
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
	return single(http.StatusOK, "webhook_subscription", x.renderSubscription(v, nil))
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
	return single(http.StatusCreated, "webhook_subscription", x.renderSubscription(added, added.Secret))
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
	data := document{{"message", "This is a test."}, {"type", "ping"}}
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
