package client

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
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
	ServiceKey  string `json:"-"` // the configuration's when empty
	IncidentKey string // required to acknowledge and resolve
	Description string // required to trigger
	Client      string // of a trigger
	ClientURL   string // of a trigger
	Details     map[string]any
	Contexts    []map[string]any // links and images of a trigger
}

// Format keeps the key out of every verb of fmt.
func (e Event) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "pagerduty.Event{Action: %q, ServiceKey: %s, IncidentKey: %q, Description: %q}",
		e.Action, concealed(e.ServiceKey), e.IncidentKey, e.Description)
}

// LogValue keeps the key out of structured logs.
func (e Event) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(e)) }

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
	op := "send " + string(e.Action) + " event"
	var err error
	if e.ServiceKey, err = c.serviceKey(op, e.ServiceKey); err != nil {
		return EventReceipt{}, err
	}
	if err := validateFields(e); err != nil { // the size is checked as it is sent
		return EventReceipt{}, err
	}
	e.Contexts = withoutNulls(e.Contexts)
	if c.config.EventsAPI == V2 {
		return c.sendV2(ctx, op, e)
	}
	return c.sendV1(ctx, op, e)
}

// serviceKey returns the key of an event, or the configuration's where it has none.
func (c *Client) serviceKey(op, key string) (string, error) {
	if key == "" {
		key = c.config.ServiceKey
	}
	if key == "" {
		return "", &Error{
			Kind: InvalidInput, Op: op, Message: "it needs a service key: give service_key in the step's `with`, " +
				"or set the connection's default with PAGERDUTY_SERVICE_KEY",
		}
	}
	return key, ValidateServiceKey(key)
}

// class of an event: what opens an incident goes before what closes one.
func (a EventAction) class() class {
	if a == Trigger {
		return triggers
	}
	return acknowledgements
}

// event sends the body of an event of any API.
func (c *Client) event(ctx context.Context, op, path, key string, k class, p policy, in, out any) error {
	body, err := eventJSON(op, in)
	if err != nil {
		return err
	}
	return c.exchange(ctx, request{
		op: op, method: http.MethodPost, url: c.config.EventsURL + path, policy: p, body: body,
		header: http.Header{"Content-Type": {"application/json"}}, keys: append(c.keys(), key),
		host: c.config.EventsURL, credential: key, class: k,
	}, out)
}

// maxEvent bounds the body of an event: PagerDuty documents 512 KB; Alertmanager
// takes that for 512,000 bytes, the safe reading.
const maxEvent = 512_000

// eventJSON writes the body of an event, within PagerDuty's limit.
func eventJSON(op string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, &Error{Kind: InvalidInput, Op: op, Message: "the event cannot be written as JSON: " + err.Error(), Err: err}
	}
	if len(body) > maxEvent {
		return nil, invalid(op, "send less in details", "the event has %s bytes; PagerDuty takes at most %s", grouped(len(body)), grouped(maxEvent))
	}
	return body, nil
}
