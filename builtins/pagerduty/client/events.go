package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// EventReceipt is PagerDuty's answer to an event. It says that the event was accepted,
// not that an incident exists: PagerDuty processes events later, and drops the events
// that match no incident.
//
// IncidentKey is the key of the event, or the key that PagerDuty gave a trigger. Actions
// return the receipt as it is.
type EventReceipt struct {
	Status      string `json:"status" doc:"Status"`
	Message     string `json:"message" doc:"Message"`
	IncidentKey string `json:"incident_key" doc:"Incident Key"`
}

// SendEvent sends an alert to the Events API of the configuration. What PagerDuty would
// not take of it is changed first, as [event.Alert.Fit] says: only a missing key is an
// error. An error with Sent set means that the event may have arrived.
func (c *Client) SendEvent(ctx context.Context, e event.Alert) (EventReceipt, error) {
	op := "send " + string(e.Action) + " event"
	var err error
	if e.ServiceKey, err = c.serviceKey(op, e.ServiceKey); err != nil {
		return EventReceipt{}, err
	}
	switch e.Action {
	case event.Trigger:
	case event.Acknowledge, event.Resolve:
		if e.IncidentKey == "" {
			return EventReceipt{}, invalid(op, "use the incident_key that the trigger returned", "incident_key is empty; it says which incident to %s", e.Action)
		}
	default:
		return EventReceipt{}, invalid(op, "", "there is no event %q; use trigger, acknowledge or resolve", e.Action)
	}
	e, _ = e.Fit()
	priority := acknowledgements
	if e.Action == event.Trigger {
		priority = triggers
	}
	// Each version has its own answer: what the other one calls the key is not read.
	if c.config.EventsAPI == V2 {
		var out struct {
			Status   string `json:"status"`
			Message  string `json:"message"`
			DedupKey string `json:"dedup_key"`
		}
		err = c.do(ctx, c.event(op, "/v2/enqueue", e.ServiceKey, priority, eventsV2, bodyV2(e)), &out, func() bool { return out.Status == accepted })
		return EventReceipt{out.Status, out.Message, cmp.Or(out.DedupKey, e.IncidentKey)}, aboutKey(err, e.ServiceKey)
	}
	var out struct {
		Status      string `json:"status"`
		Message     string `json:"message"`
		IncidentKey string `json:"incident_key"`
	}
	err = c.do(ctx, c.event(op, "/generic/2010-04-15/create_event.json", e.ServiceKey, priority, eventsV1, bodyV1(e)), &out, func() bool { return out.Status == accepted })
	return EventReceipt{out.Status, out.Message, cmp.Or(out.IncidentKey, e.IncidentKey)}, aboutKey(err, e.ServiceKey)
}

// aboutKey adds to the error of an event what is wrong with the shape of its key. A key of
// any shape is sent: PagerDuty decides which keys it takes, and a page must not be lost for
// a rule of ours.
func aboutKey(err error, key string) error {
	var refused *Error
	if wrong := ValidateServiceKey(key); wrong != nil && errors.As(err, &refused) && refused.Kind == InvalidInput {
		explained := *refused
		explained.Hint = wrong.Error()
		return &explained
	}
	return err
}

// accepted is the status of an answer by which PagerDuty accepts an event.
const accepted = "success"

// verdict returns why an Events API refuses an event in an answer with the status of a
// success; nil if it does not.
func (r request) eventVerdict(answer response) *Error {
	var out struct {
		Status string          `json:"status"`
		Errors json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(answer.body, &out) != nil || out.Status == accepted {
		return nil
	}
	refused := refusal(r, answer)
	refused.Sent = false
	switch {
	case strings.Contains(out.Status, "throttle"):
		refused.Kind, refused.RetryAfter = RateLimited, resetOf(answer.header)
	case strings.Contains(out.Status, "invalid"), strings.Contains(out.Status, "unrecognized"):
		refused.Kind = InvalidInput
	default:
		return nil
	}
	return refused
}

// serviceKey returns the integration key of an event. An empty key means the key of
// the configuration.
func (c *Client) serviceKey(op, key string) (string, error) {
	if key = cmp.Or(strings.TrimSpace(key), c.config.ServiceKey); key == "" {
		return "", &Error{
			Kind: InvalidInput, Op: op, Message: "it needs a service key: give service_key in the step's `with`, " +
				"or set the connection's default with PAGERDUTY_SERVICE_KEY",
		}
	}
	return key, nil
}

// eventV1 is the body of Events API v1 ("create_event"). An absent field is left out,
// never null.
type eventV1 struct {
	ServiceKey  string           `json:"service_key"`
	EventType   event.Action     `json:"event_type"`
	IncidentKey string           `json:"incident_key,omitempty"`
	Description string           `json:"description,omitempty"`
	Client      string           `json:"client,omitempty"`
	ClientURL   string           `json:"client_url,omitempty"`
	Details     map[string]any   `json:"details,omitzero"`
	Contexts    []map[string]any `json:"contexts,omitempty"`
}

func bodyV1(e event.Alert) eventV1 {
	return eventV1{e.ServiceKey, e.Action, e.IncidentKey, e.Description, e.Client, e.ClientURL, e.Details, e.Contexts}
}

// eventV2 is the body of Events API v2 ("enqueue").
type eventV2 struct {
	RoutingKey  string           `json:"routing_key"`
	EventAction event.Action     `json:"event_action"`
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

// bodyV2 maps an alert to v2. In v2 only a trigger has a payload, so v2 leaves out the
// description and details of other events.
func bodyV2(e event.Alert) eventV2 {
	body := eventV2{RoutingKey: e.ServiceKey, EventAction: e.Action, DedupKey: e.IncidentKey}
	if e.Action != event.Trigger {
		return body
	}
	// v2 requires source and severity, which v1 does not have. Alertmanager's default
	// severity is error, too.
	body.Payload = &payloadV2{e.Description, cmp.Or(e.Client, "pdflow"), "error", e.Details}
	body.Client, body.ClientURL = e.Client, e.ClientURL
	// v2 has separate lists for links and images, and no type.
	for _, entry := range e.Contexts {
		list := &body.Links
		if entry["type"] == "image" {
			list = &body.Images
		}
		entry = maps.Clone(entry)
		delete(entry, "type")
		*list = append(*list, entry)
	}
	return body
}
