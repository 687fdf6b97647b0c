package pagerduty

import (
	"context"
	"encoding/json"
	"net/http"
)

// An EventAction is what an event does to an incident.
type EventAction string

// The actions of events.
const (
	Trigger     EventAction = "trigger"
	Acknowledge EventAction = "acknowledge"
	Resolve     EventAction = "resolve"
)

// An Event is sent to the integration of a service.
type Event struct {
	Action      EventAction
	ServiceKey  string // the configuration's when empty
	IncidentKey string // required to acknowledge and resolve
	Description string // required to trigger
	Client      string // of a trigger
	ClientURL   string // of a trigger
	Details     map[string]any
	Contexts    []map[string]any // links and images of a trigger
}

// An EventReceipt is PagerDuty's answer. It says that the event was accepted, not
// that there is an incident: events are processed afterwards, and those that fit
// no incident are dropped.
type EventReceipt struct {
	Status      string
	Message     string
	IncidentKey string
}

// SendEvent sends an event to the Events API of the configuration.
func (c *Client) SendEvent(ctx context.Context, e Event) (EventReceipt, error) {
	if e.ServiceKey == "" {
		e.ServiceKey = c.config.ServiceKey
	}
	op := "send " + string(e.Action) + " event"
	if e.ServiceKey == "" {
		return EventReceipt{}, &Error{
			Kind: InvalidInput, Op: op, Message: "it needs a service key",
			Hint: "give service_key in the step, or set the connection's with PAGERDUTY_SERVICE_KEY",
		}
	}
	if err := ValidateServiceKey(e.ServiceKey); err != nil {
		return EventReceipt{}, err
	}
	if err := ValidateEvent(e); err != nil {
		return EventReceipt{}, err
	}
	if c.config.EventsAPI == V2 {
		return c.sendV2(ctx, op, e)
	}
	return c.sendV1(ctx, op, e)
}

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
	Contexts    []map[string]any `json:"contexts,omitzero"`
}

func (c *Client) sendV1(ctx context.Context, op string, e Event) (EventReceipt, error) {
	var out struct {
		Status      string `json:"status"`
		Message     string `json:"message"`
		IncidentKey string `json:"incident_key"`
	}
	body := eventV1{e.ServiceKey, e.Action, e.IncidentKey, e.Description, e.Client, e.ClientURL, e.Details, e.Contexts}
	err := c.event(ctx, op, "/generic/2010-04-15/create_event.json", eventsV1, body, &out)
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

// sendV2 maps an event to v2. Its payload belongs to triggers only, so the text
// and details of the others have no place there.
func (c *Client) sendV2(ctx context.Context, op string, e Event) (EventReceipt, error) {
	body := eventV2{RoutingKey: e.ServiceKey, EventAction: e.Action, DedupKey: e.IncidentKey}
	if e.Action == Trigger {
		source := e.Client
		if source == "" {
			source = "pdflow"
		}
		// v2 requires source and severity, which v1 does not have.
		body.Payload = &payloadV2{e.Description, source, "error", e.Details}
		body.Client, body.ClientURL = e.Client, e.ClientURL
		body.Links, body.Images = splitContexts(e.Contexts)
	}
	var out struct {
		Status   string `json:"status"`
		Message  string `json:"message"`
		DedupKey string `json:"dedup_key"`
	}
	err := c.event(ctx, op, "/v2/enqueue", eventsV2, body, &out)
	return EventReceipt{out.Status, out.Message, out.DedupKey}, err
}

// splitContexts sorts contexts into the links and images of v2, which do not
// carry a type.
func splitContexts(contexts []map[string]any) (links, images []map[string]any) {
	for _, context := range contexts {
		out := map[string]any{}
		for name, v := range context {
			if name != "type" {
				out[name] = v
			}
		}
		if context["type"] == "image" {
			images = append(images, out)
		} else {
			links = append(links, out)
		}
	}
	return links, images
}

// maxEvent bounds the body of an event: PagerDuty documents 512 KB; Alertmanager
// takes that for 512,000 bytes, the safe reading.
const maxEvent = 512_000

func (c *Client) event(ctx context.Context, op, path string, p policy, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return &Error{Kind: InvalidInput, Op: op, Message: "the event cannot be written as JSON", Err: err}
	}
	if len(body) > maxEvent {
		return invalid(op, "", "the event has %s bytes; PagerDuty takes at most %s", grouped(len(body)), grouped(maxEvent))
	}
	return c.exchange(ctx, request{
		op: op, method: http.MethodPost, url: c.config.EventsURL + path, policy: p, body: body,
		header: http.Header{"Content-Type": {"application/json"}},
	}, out)
}
