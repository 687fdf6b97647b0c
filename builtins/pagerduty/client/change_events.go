package client

import (
	"context"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

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

func changeBody(e event.Change) changeEventBody {
	return changeEventBody{e.ServiceKey, changeEventPayload{e.Summary, e.Source, e.Timestamp, e.Details}, e.Links}
}

// SendChangeEvent sends a change event. PagerDuty has one API for them; the Events API
// of the configuration does not matter. What PagerDuty would not take of the event is
// changed first, as [event.Change.Fit] says. Repeatable allows the client to send the
// request again after a lost answer: a second change event then does no harm. An error
// with Sent set means that the change event may have arrived.
func (c *Client) SendChangeEvent(ctx context.Context, e event.Change, repeatable bool) (ChangeReceipt, error) {
	const op = "send change event"
	var err error
	if e.ServiceKey, err = c.serviceKey(op, e.ServiceKey); err != nil {
		return ChangeReceipt{}, err
	}
	e, _ = e.Fit()
	var out ChangeReceipt
	r := c.event(op, "/v2/change/enqueue", e.ServiceKey, changeEvents, onceOr(repeatable, eventsV2), changeBody(e))
	err = c.do(ctx, r, &out, func() bool { return out.Status == accepted })
	return out, aboutKey(err, e.ServiceKey)
}
