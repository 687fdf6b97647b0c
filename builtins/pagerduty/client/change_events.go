package client

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// ChangeEvent informs a service about a change, such as a deployment. It opens no
// incident.
type ChangeEvent struct {
	ServiceKey string           `json:"-"` // key of an Events API v2 integration; empty: the key of the configuration
	Summary    string           // required
	Source     string           // where the change happened; may be empty
	Timestamp  string           // when, in RFC 3339; empty: the time of arrival at PagerDuty
	Details    map[string]any   // any JSON object
	Links      []map[string]any // each has href, and may have text
	// Repeatable allows the client to send the request again after a lost answer: a
	// second change event then does no harm.
	Repeatable bool
}

// Format implements [fmt.Formatter]: no verb prints the key.
func (e ChangeEvent) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "pagerduty.ChangeEvent{ServiceKey: %s, Summary: %q}", concealed(e.ServiceKey), e.Summary)
}

// LogValue implements [slog.LogValuer]: logs do not show the key.
func (e ChangeEvent) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

// ChangeReceipt is PagerDuty's answer to a change event: PagerDuty accepted it. Actions
// return it as it is.
type ChangeReceipt struct {
	Status  string `json:"status" doc:"Status"`
	Message string `json:"message" doc:"Message"`
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

// SendChangeEvent sends a change event. PagerDuty has one API for them; the Events API
// of the configuration does not matter. An error with Sent set means that the change
// event may have arrived.
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
	r := c.event(op, "/v2/change/enqueue", e.ServiceKey, changeEvents, onceOr(e.Repeatable, eventsV2), e.body())
	err = c.do(ctx, r, &out, nil)
	return out, err
}

// ValidateChangeEvent checks a change event without its service key.
// [ValidateServiceKey] checks the key.
func ValidateChangeEvent(e ChangeEvent) error {
	if strings.TrimSpace(e.Summary) == "" {
		return invalid("", "", "summary is empty; say what has changed")
	}
	if err := tooLong("summary", e.Summary, maxDescription); err != nil {
		return err
	}
	if _, err := time.Parse(time.RFC3339, e.Timestamp); err != nil && e.Timestamp != "" {
		return invalid("", "write it like 2026-01-31T09:00:00Z", "timestamp is %q; it must be a time in RFC 3339", clip(e.Timestamp, maxQuoted))
	}
	for i, link := range e.Links {
		if href, _ := link["href"].(string); href == "" {
			return invalid("", "write {href: ..., text: ...}", "links[%d] has no href", i+1)
		}
	}
	_, err := encode("", e.body(), maxEvent)
	return err
}
