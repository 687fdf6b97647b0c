package client

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A ChangeEvent tells a service of a change, such as a deployment. It opens no
// incident.
type ChangeEvent struct {
	ServiceKey string `json:"-"` // of an integration of Events API v2; the configuration's when empty
	Summary    string
	Source     string           // where it happened; may be empty
	Timestamp  string           // when, in RFC 3339; PagerDuty's time of arrival when empty
	Details    map[string]any   // any data
	Links      []map[string]any // each with href, and text
	// Repeatable says that a second one does no harm: then the request may be sent
	// again after a lost answer.
	Repeatable bool
}

// Format keeps the key out of every verb of fmt.
func (e ChangeEvent) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "pagerduty.ChangeEvent{ServiceKey: %s, Summary: %q}", concealed(e.ServiceKey), e.Summary)
}

// LogValue keeps the key out of structured logs.
func (e ChangeEvent) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

// A ChangeReceipt is PagerDuty's answer: the change event was accepted.
type ChangeReceipt struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// changeEventBody is the body of a change event (Events API v2, "Send a change
// event").
type changeEventBody struct {
	RoutingKey string             `json:"routing_key"`
	Payload    changeEventPayload `json:"payload"`
	Links      []map[string]any   `json:"links,omitempty"`
}

type changeEventPayload struct {
	Summary       string         `json:"summary"`
	Source        string         `json:"source,omitempty"`
	Timestamp     string         `json:"timestamp,omitempty"`
	CustomDetails map[string]any `json:"custom_details,omitzero"`
}

func (e ChangeEvent) body() changeEventBody {
	return changeEventBody{e.ServiceKey, changeEventPayload{e.Summary, e.Source, e.Timestamp, e.Details}, withoutNulls(e.Links)}
}

// SendChangeEvent sends a change event. There is one API for them, whichever
// version other events go to. An error with Sent set means that it may have
// arrived.
func (c *Client) SendChangeEvent(ctx context.Context, e ChangeEvent) (ChangeReceipt, error) {
	const op = "send change event"
	var err error
	if e.ServiceKey, err = c.serviceKey(op, e.ServiceKey); err != nil {
		return ChangeReceipt{}, err
	}
	if err := ValidateChangeEvent(e); err != nil {
		return ChangeReceipt{}, err
	}
	var out ChangeReceipt
	err = c.event(ctx, op, "/v2/change/enqueue", e.ServiceKey, changeEvents, onceOr(e.Repeatable, eventsV2), e.body(), &out)
	return out, err
}

// ValidateChangeEvent checks everything of a change event but its service key.
func ValidateChangeEvent(e ChangeEvent) error {
	if strings.TrimSpace(e.Summary) == "" {
		return invalid("", "", "summary is empty; say what has changed")
	}
	if err := tooLong("summary", e.Summary, maxDescription); err != nil {
		return err
	}
	if _, err := time.Parse(time.RFC3339, e.Timestamp); err != nil && e.Timestamp != "" {
		return invalid("", "write it like 2026-01-31T09:00:00Z", "timestamp is %q, which is no time", shorten(e.Timestamp))
	}
	for i, link := range e.Links {
		if href, _ := link["href"].(string); href == "" {
			return invalid("", "write {href: ..., text: ...}", "links[%d] has no href", i+1)
		}
	}
	_, err := eventJSON("", e.body())
	return err
}
