package pagerduty

import (
	"context"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

// eventDoc is part of the Doc of every alert event.
const eventDoc = "PagerDuty accepts the event and processes it afterwards, so a success does not prove that there is an incident. " +
	"Without `service_key` the event goes to the service of the connection."

func (m module) events() []*action.Action {
	example := action.Object{"status": "success", "message": "Event processed", "incident_key": "db1-disk"}
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.send_trigger_event",
			Summary: "Trigger an incident.",
			Doc: eventDoc + " Without `incident_key` a key is derived from the run: a repeat of this call joins the incident, " +
				"and another run opens another incident.",
			Effect: action.Keyed,
			Key:    "incident_key",
			Joins:  "incident",
			// A second event with the author's key joins the incident, and a doubtful page is
			// better than none. An event with a derived key may open an incident for something
			// that a person has resolved since.
			Late:    action.LateWithOwnKey,
			Example: example,
		}, with(m, func(ctx context.Context, c *client.Client, in triggerInput) (client.EventReceipt, error) {
			return sendEvent(ctx, c, in.event(), in.ServiceKey)
		}), action.Rules[triggerInput]{
			Validate: func(in *triggerInput) error { return typed(client.ValidateEvent(in.event())) },
			Known:    func(in *triggerInput) action.Object { return knownEvent(in.IncidentKey) },
		}),
		m.changesIncident(action.Spec{
			Name:    "pagerduty.send_acknowledge_event",
			Summary: "Acknowledge an incident.",
			Example: example,
		}, client.Acknowledge),
		m.changesIncident(action.Spec{
			Name:    "pagerduty.send_resolve_event",
			Summary: "Resolve an incident.",
			Example: example,
		}, client.Resolve),
	}
}

// changesIncident completes the declaration of an acknowledgement or a resolution.
func (m module) changesIncident(s action.Spec, a client.EventAction) *action.Action {
	s.Doc = eventDoc + " Without an open incident that has the key, the event is dropped."
	s.Effect = action.Repeats
	s.Late = action.LateNever // by then the key may belong to another incident
	return action.New(s, with(m, func(ctx context.Context, c *client.Client, in changeInput) (client.EventReceipt, error) {
		return sendEvent(ctx, c, in.event(a), in.ServiceKey)
	}), action.Rules[changeInput]{
		Validate: func(in *changeInput) error { return typed(client.ValidateEvent(in.event(a))) },
		Known:    func(in *changeInput) action.Object { return knownEvent(in.IncidentKey) },
	})
}

// knownEvent contains the key, by which later steps acknowledge and resolve.
func knownEvent(incidentKey string) action.Object {
	return action.Object{"incident_key": incidentKey, "status": "success"}
}

type triggerInput struct {
	ClientURL   string            `json:"client_url" doc:"The URL of the monitoring client that is triggering this event"`
	Client      string            `json:"client" doc:"The name of the monitoring client that is triggering this event"`
	Description string            `json:"description" required:"true" doc:"Text that will appear in the incident's log associated with this event"`
	Contexts    []action.Object   `json:"contexts" doc:"Additional context objects"`
	ServiceKey  action.Credential `json:"service_key" doc:"Service Key"`
	Details     action.Object     `json:"details" doc:"An arbitrary JSON object containing any data you'd like included in the incident log."`
	IncidentKey string            `json:"incident_key" doc:"Incident Key; derived from the run when absent, so that a repeat joins the same incident"`
}

func (in *triggerInput) event() client.Event {
	return client.Event{
		Action: client.Trigger, IncidentKey: in.IncidentKey, Description: in.Description,
		Client: in.Client, ClientURL: in.ClientURL, Details: in.Details, Contexts: in.Contexts,
	}
}

// changeInput is the input of an acknowledgement or a resolution.
type changeInput struct {
	IncidentKey string            `json:"incident_key" required:"true" doc:"Incident Key"`
	ServiceKey  action.Credential `json:"service_key" doc:"Service Key"`
	Details     action.Object     `json:"details" doc:"An arbitrary JSON object containing any data you'd like included in the incident log."`
	Description string            `json:"description" doc:"Text that will appear in the incident's log associated with this event"`
}

func (in *changeInput) event(a client.EventAction) client.Event {
	return client.Event{Action: a, IncidentKey: in.IncidentKey, Description: in.Description, Details: in.Details}
}

// sendEvent sends an event with a service key. Without a key, the client uses its own.
func sendEvent(ctx context.Context, c *client.Client, event client.Event, key action.Credential) (client.EventReceipt, error) {
	text, err := key.Reveal(ctx, action.Place(serviceKey))
	if err != nil {
		return client.EventReceipt{}, err
	}
	event.ServiceKey = text
	warnOfLoss(ctx, c, event)
	return c.SendEvent(ctx, event)
}

// warnOfLoss logs that Events API v2 does not take the description and details of an
// acknowledgement or a resolution.
func warnOfLoss(ctx context.Context, c *client.Client, event client.Event) {
	lost := event.Action != client.Trigger && (event.Description != "" || len(event.Details) > 0)
	log := action.ScopeOf(ctx).Log
	if !lost || log == nil || c.EventsVersion() != client.V2 {
		return
	}
	log(action.LogRecord{
		Level:   "warn",
		Message: "Events API v2 has no place for the description and details of this " + string(event.Action) + " event: they are left out",
	})
}
