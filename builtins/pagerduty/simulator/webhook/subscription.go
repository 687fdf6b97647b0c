package webhook

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Limits of subscriptions (developer documentation, "Webhooks").
const (
	disabledTime   = 24 * time.Hour
	dropsToDisable = 3
)

// Ping is the event that a subscriber can ask for.
const Ping = "pagey.ping"

// Events are the events that a subscription may name: all that the documentation has.
// The simulator sends those of package account, and Ping.
var Events = []string{
	"incident.triggered", "incident.acknowledged", "incident.unacknowledged", "incident.resolved", "incident.reopened",
	"incident.escalated", "incident.reassigned", "incident.delegated", "incident.annotated", "incident.priority_updated",
	"incident.service_updated", "incident.responder.added", "incident.responder.replied",
	"incident.status_update_published", "incident.workflow.started", "incident.workflow.completed",
	"incident.custom_field_values.updated", "incident.incident_type.changed", "incident.task.created",
	"incident.role.assigned", "incident.action_invocation.created", "incident.conference_bridge.updated",
	"service.created", "service.updated", "service.deleted", "service.custom_field_values.updated", Ping,
}

// Filters of subscriptions. The simulated account has no teams to filter by.
const (
	AccountFilter = "account_reference"
	ServiceFilter = "service_reference"
)

// Subscription says which events go to which address.
type Subscription struct {
	ID          string
	Address     string
	Secret      string // signs the deliveries
	Description string
	Headers     []Header
	Events      []string
	FilterType  string // AccountFilter or ServiceFilter
	FilterID    string // the ID of the service

	drops         int // consecutive
	disabledUntil time.Time
}

// Header is a header that the subscriber wants in every delivery.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// IsActive is false for 24 hours after three deliveries in a row were dropped.
func (v *Subscription) IsActive(now time.Time) bool {
	return !now.Before(v.disabledUntil)
}

// wants reports whether an event about a resource goes to the subscription.
func (v *Subscription) wants(event string, about Resource, now time.Time) bool {
	return v.IsActive(now) && slices.Contains(v.Events, event) &&
		(v.FilterType != ServiceFilter || v.FilterID == about.ServiceID)
}

// CheckAddress returns what is wrong with the address of a subscription, or "". Unless
// remote is set it refuses addresses of other machines: the simulator is a tool for
// tests and must not call another machine by accident.
func CheckAddress(address string, remote bool) string {
	target, err := url.Parse(address)
	switch {
	case err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https":
		return "URL must be an http or https URL"
	case !remote && !IsLoopback(target.Hostname()):
		return "URL must be on this machine, such as http://127.0.0.1:8080/; the simulator calls other machines only if it is configured to"
	}
	return ""
}

// IsLoopback reports whether a host is this machine. It does not use the DNS.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
