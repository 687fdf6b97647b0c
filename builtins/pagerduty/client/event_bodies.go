package client

import (
	"cmp"
	"context"
	"maps"
)

// eventV1 is the body of Events API v1 ("create_event"). Absent fields are left
// out, never null.
type eventV1 struct {
	ServiceKey  string           `json:"service_key"`
	EventType   EventAction      `json:"event_type"`
	IncidentKey string           `json:"incident_key,omitempty"`
	Description string           `json:"description,omitempty"`
	Client      string           `json:"client,omitempty"`
	ClientURL   string           `json:"client_url,omitempty"`
	Details     map[string]any   `json:"details,omitzero"`
	Contexts    []map[string]any `json:"contexts,omitempty"`
}

// v1 writes an event for v1, whose fields are those of [Event].
func (e Event) v1() eventV1 {
	return eventV1{e.ServiceKey, e.Action, e.IncidentKey, e.Description, e.Client, e.ClientURL, e.Details, e.Contexts}
}

func (c *Client) sendV1(ctx context.Context, op string, e Event) (EventReceipt, error) {
	var out struct {
		Status      string `json:"status"`
		Message     string `json:"message"`
		IncidentKey string `json:"incident_key"`
	}
	err := c.event(ctx, op, "/generic/2010-04-15/create_event.json", e.ServiceKey, e.Action.class(), eventsV1, e.v1(), &out)
	return EventReceipt(out), err
}

// eventV2 is the body of Events API v2 ("enqueue").
type eventV2 struct {
	RoutingKey  string           `json:"routing_key"`
	EventAction EventAction      `json:"event_action"`
	DedupKey    string           `json:"dedup_key,omitempty"`
	Payload     *payloadV2       `json:"payload,omitempty"`
	Client      string           `json:"client,omitempty"`
	ClientURL   string           `json:"client_url,omitempty"`
	Links       []map[string]any `json:"links,omitempty"`
	Images      []map[string]any `json:"images,omitempty"`
}

type payloadV2 struct {
	Summary       string         `json:"summary"`
	Source        string         `json:"source"`
	Severity      string         `json:"severity"`
	CustomDetails map[string]any `json:"custom_details,omitzero"`
}

// v2 maps an event to v2. Its payload belongs to triggers only, so the text and
// details of the others have no place there.
func (e Event) v2() eventV2 {
	body := eventV2{RoutingKey: e.ServiceKey, EventAction: e.Action, DedupKey: e.IncidentKey}
	if e.Action != Trigger {
		return body
	}
	// v2 requires source and severity, which v1 does not have. Alertmanager's
	// default severity is error, too.
	body.Payload = &payloadV2{e.Description, cmp.Or(e.Client, "pdflow"), "error", e.Details}
	body.Client, body.ClientURL = e.Client, e.ClientURL
	body.Links, body.Images = splitContexts(e.Contexts)
	return body
}

func (c *Client) sendV2(ctx context.Context, op string, e Event) (EventReceipt, error) {
	var out struct {
		Status   string `json:"status"`
		Message  string `json:"message"`
		DedupKey string `json:"dedup_key"`
	}
	err := c.event(ctx, op, "/v2/enqueue", e.ServiceKey, e.Action.class(), eventsV2, e.v2(), &out)
	return EventReceipt{out.Status, out.Message, out.DedupKey}, err
}

// splitContexts sorts contexts into the links and images of v2, which do not
// carry a type.
func splitContexts(contexts []map[string]any) (links, images []map[string]any) {
	for _, entry := range contexts {
		out := maps.Clone(entry)
		delete(out, "type")
		if entry["type"] == "image" {
			images = append(images, out)
		} else {
			links = append(links, out)
		}
	}
	return links, images
}

// withoutNulls leaves out what a context has no value for: PagerDuty's references
// type these fields as texts, and an absent one is always right.
func withoutNulls(contexts []map[string]any) []map[string]any {
	var out []map[string]any
	for _, entry := range contexts {
		kept := maps.Clone(entry)
		maps.DeleteFunc(kept, func(_ string, value any) bool { return value == nil })
		out = append(out, kept)
	}
	return out
}
