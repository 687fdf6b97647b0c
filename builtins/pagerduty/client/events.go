package client

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
)

// EventAction is what an event does to an incident.
type EventAction string

// The actions of events.
const (
	Trigger     EventAction = "trigger"
	Acknowledge EventAction = "acknowledge"
	Resolve     EventAction = "resolve"
)

// Event is an alert event for the integration of a service.
type Event struct {
	Action      EventAction
	ServiceKey  string           `json:"-"` // integration key; empty: the key of the configuration
	IncidentKey string           // required to acknowledge and resolve
	Description string           // required to trigger
	Client      string           // of a trigger: the name of the monitoring tool
	ClientURL   string           // of a trigger: a link to the monitoring tool
	Details     map[string]any   // any JSON object
	Contexts    []map[string]any // links and images of a trigger
}

// Format implements [fmt.Formatter]: no verb prints the key.
func (e Event) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "pagerduty.Event{Action: %q, ServiceKey: %s, IncidentKey: %q, Description: %q}",
		e.Action, concealed(e.ServiceKey), e.IncidentKey, e.Description)
}

// LogValue implements [slog.LogValuer]: logs do not show the key.
func (e Event) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

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

// SendEvent sends an event to the Events API of the configuration. It does not change
// the maps of the event. An error with Sent set means that the event may have arrived.
func (c *Client) SendEvent(ctx context.Context, e Event) (EventReceipt, error) {
	op := "send " + string(e.Action) + " event"
	var err error
	if e.ServiceKey, err = c.serviceKey(op, e.ServiceKey); err != nil {
		return EventReceipt{}, err
	}
	if err := validateFields(e); err != nil { // the size is checked when the body is written
		return EventReceipt{}, err
	}
	e.Contexts = withoutNulls(e.Contexts)
	priority := acknowledgements
	if e.Action == Trigger {
		priority = triggers
	}
	// Each version has its own answer: what the other one calls the key is not read.
	if c.config.EventsAPI == V2 {
		var out struct {
			Status   string `json:"status"`
			Message  string `json:"message"`
			DedupKey string `json:"dedup_key"`
		}
		err = c.do(ctx, c.event(op, "/v2/enqueue", e.ServiceKey, priority, eventsV2, e.v2()), &out, nil)
		return EventReceipt{out.Status, out.Message, out.DedupKey}, err
	}
	var out struct {
		Status      string `json:"status"`
		Message     string `json:"message"`
		IncidentKey string `json:"incident_key"`
	}
	err = c.do(ctx, c.event(op, "/generic/2010-04-15/create_event.json", e.ServiceKey, priority, eventsV1, e.v1()), &out, nil)
	return EventReceipt{out.Status, out.Message, out.IncidentKey}, err
}

// serviceKey returns the integration key of an event. An empty key means the key of
// the configuration.
func (c *Client) serviceKey(op, key string) (string, error) {
	if key = cmp.Or(key, c.config.ServiceKey); key == "" {
		return "", &Error{
			Kind: InvalidInput, Op: op, Message: "it needs a service key: give service_key in the step's `with`, " +
				"or set the connection's default with PAGERDUTY_SERVICE_KEY",
		}
	}
	return key, ValidateServiceKey(key)
}

// eventV1 is the body of Events API v1 ("create_event"). An absent field is left out,
// never null.
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

func (e Event) v1() eventV1 {
	return eventV1{e.ServiceKey, e.Action, e.IncidentKey, e.Description, e.Client, e.ClientURL, e.Details, e.Contexts}
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

// v2 maps an event to v2. In v2 only a trigger has a payload, so v2 leaves out the
// description and details of other events.
func (e Event) v2() eventV2 {
	body := eventV2{RoutingKey: e.ServiceKey, EventAction: e.Action, DedupKey: e.IncidentKey}
	if e.Action != Trigger {
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

// withoutNulls leaves out the fields of contexts that are null: PagerDuty documents
// these fields as texts, and they may all be absent.
func withoutNulls(contexts []map[string]any) []map[string]any {
	var out []map[string]any
	for _, entry := range contexts {
		kept := maps.Clone(entry)
		maps.DeleteFunc(kept, func(_ string, value any) bool { return value == nil })
		out = append(out, kept)
	}
	return out
}

// The limits of events: "Events API v1" and "v2" (1024 and 255 are enforced by
// PagerDuty).
const (
	maxDescription = 1024 // characters
	maxIncidentKey = 255  // characters
	// maxEvent is the size of a body in bytes. PagerDuty documents 512 KB; Alertmanager
	// reads that as 512,000 bytes, which is the safe reading.
	maxEvent = 512_000
)

// ValidateEvent checks an event without its service key. [ValidateServiceKey] checks
// the key.
func ValidateEvent(e Event) error {
	if err := validateFields(e); err != nil {
		return err
	}
	_, err := encode("", e.v1(), maxEvent) // the body of v2 differs by a few names only
	return err
}

// validateFields checks an event field by field.
func validateFields(e Event) error {
	switch e.Action {
	case Trigger:
		if strings.TrimSpace(e.Description) == "" {
			return invalid("", "", "description is empty; an incident needs one")
		}
	case Acknowledge, Resolve:
		if e.IncidentKey == "" {
			return invalid("", "use the incident_key that the trigger returned", "incident_key is empty; it says which incident to %s", e.Action)
		}
	default:
		return invalid("", "", "there is no event %q; use trigger, acknowledge or resolve", e.Action)
	}
	if err := cmp.Or(tooLong("description", e.Description, maxDescription), tooLong("incident_key", e.IncidentKey, maxIncidentKey)); err != nil {
		return err
	}
	for i, entry := range e.Contexts {
		if err := validateContext(i+1, entry); err != nil {
			return err
		}
	}
	return nil
}

// validateContext checks a context against the reference of Events API v1.
func validateContext(number int, entry map[string]any) error {
	text := func(name string) string { s, _ := entry[name].(string); return s }
	switch kind := text("type"); kind {
	case "link":
		if text("href") == "" {
			return invalid("", "", "contexts[%d] is a link without href", number)
		}
	case "image":
		if u, err := url.Parse(text("src")); err != nil || u.Scheme != "https" {
			return invalid("", "", "contexts[%d] is an image whose src is not an https URL", number)
		}
	default:
		return invalid("", `write {type: link, href: ...} or {type: image, src: ...}`, "contexts[%d] has the type %q; use link or image", number, kind)
	}
	return nil
}
