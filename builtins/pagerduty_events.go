package builtins

import (
	"context"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

// eventDoc is said of every event.
const eventDoc = "PagerDuty answers that it accepted the event and processes it afterwards, so a success does not prove that " +
	"there is an incident. Without `service_key` the event goes to the service of the connection."

func pagerdutyEvents(m pagerdutyModule) []*action.Action {
	example := action.Object{"status": "success", "message": "Event processed", "incident_key": "db1-disk"}
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.send_trigger_event",
			Summary: "Trigger an incident.",
			Doc: eventDoc + " The key is derived from the run when the author gives none, so a repeat of this call joins " +
				"the incident; another run opens another one.",
			Effect:  action.Keyed,
			Key:     action.KeyInput{Name: "incident_key", Joins: "incident"},
			Example: example,
		}, m.sendTrigger),
		action.New(action.Spec{
			Name:    "pagerduty.send_acknowledge_event",
			Summary: "Acknowledge an incident.",
			Doc:     eventDoc + " Where no open incident has the key, it is dropped.",
			Effect:  action.Repeats,
			Example: example,
		}, m.sendChange(pagerduty.Acknowledge)),
		action.New(action.Spec{
			Name:    "pagerduty.send_resolve_event",
			Summary: "Resolve an incident.",
			Doc:     eventDoc + " Where no open incident has the key, it is dropped.",
			Effect:  action.Repeats,
			Example: example,
		}, m.sendChange(pagerduty.Resolve)),
	}
}

type triggerInput struct {
	ClientURL   string            `json:"client_url" doc:"The URL of the monitoring client that is triggering this event"`
	Client      string            `json:"client" doc:"The name of the monitoring client that is triggering this event"`
	Description string            `json:"description" required:"true" doc:"Text that will appear in the incident's log associated with this event"`
	Contexts    []action.Object   `json:"contexts" doc:"Additional context objects"`
	ServiceKey  action.Credential `json:"service_key" bindable:"true" doc:"Service Key"`
	Details     action.Object     `json:"details" doc:"An arbitrary JSON object containing any data you'd like included in the incident log."`
	IncidentKey string            `json:"incident_key" doc:"Incident Key; derived from the run when absent, so that a repeat joins the same incident"`

	derived bool // the key is the engine's
}

// UseKey takes the engine's key where the author gave none.
func (in *triggerInput) UseKey(key string) {
	if in.IncidentKey == "" {
		in.IncidentKey, in.derived = key, true
	}
}

// HarmlessLate says that a trigger with the author's own key may be sent late: a
// doubtful second page is better than none. One with a key of the run may open
// another incident for something that a person has resolved meanwhile.
func (in *triggerInput) HarmlessLate() bool { return !in.derived }

// KnownOutput is the key, which later steps acknowledge and resolve by.
func (in *triggerInput) KnownOutput() action.Object {
	return action.Object{"incident_key": in.IncidentKey, "status": "success"}
}

// Validate checks everything but the service key, which may be a secret.
func (in *triggerInput) Validate() error {
	return pagerdutyError(pagerduty.ValidateEvent(in.event()))
}

func (in *triggerInput) event() pagerduty.Event {
	return pagerduty.Event{
		Action: pagerduty.Trigger, IncidentKey: in.IncidentKey, Description: in.Description,
		Client: in.Client, ClientURL: in.ClientURL, Details: in.Details, Contexts: in.Contexts,
	}
}

// changeInput is an acknowledgement or a resolution.
type changeInput struct {
	IncidentKey string            `json:"incident_key" required:"true" doc:"Incident Key"`
	ServiceKey  action.Credential `json:"service_key" bindable:"true" doc:"Service Key"`
	Details     action.Object     `json:"details" doc:"An arbitrary JSON object containing any data you'd like included in the incident log."`
	Description string            `json:"description" doc:"Text that will appear in the incident's log associated with this event"`
}

// HarmlessLate says that a late repeat may do harm: by then the key may stand for
// another incident.
func (in *changeInput) HarmlessLate() bool { return false }

// KnownOutput is the key.
func (in *changeInput) KnownOutput() action.Object {
	return action.Object{"incident_key": in.IncidentKey, "status": "success"}
}

// Validate checks everything but the service key, which may be a secret. The two
// actions have the same rules.
func (in *changeInput) Validate() error {
	return pagerdutyError(pagerduty.ValidateEvent(in.event(pagerduty.Resolve)))
}

func (in *changeInput) event(a pagerduty.EventAction) pagerduty.Event {
	return pagerduty.Event{Action: a, IncidentKey: in.IncidentKey, Description: in.Description, Details: in.Details}
}

type eventOutput struct {
	Status      string `json:"status" doc:"Status"`
	Message     string `json:"message" doc:"Message"`
	IncidentKey string `json:"incident_key" doc:"Incident Key"`
}

func (m pagerdutyModule) sendTrigger(ctx context.Context, in triggerInput) (eventOutput, error) {
	return m.send(ctx, in.event(), in.ServiceKey)
}

func (m pagerdutyModule) sendChange(a pagerduty.EventAction) func(context.Context, changeInput) (eventOutput, error) {
	return func(ctx context.Context, in changeInput) (eventOutput, error) {
		return m.send(ctx, in.event(a), in.ServiceKey)
	}
}

func (m pagerdutyModule) send(ctx context.Context, event pagerduty.Event, key action.Credential) (eventOutput, error) {
	client, err := m.connected(ctx)
	if err != nil {
		return eventOutput{}, err
	}
	if !key.IsZero() { // otherwise the client has one
		if event.ServiceKey, err = key.Reveal(ctx, action.ToEvents); err != nil {
			return eventOutput{}, err
		}
	}
	warnOfLoss(ctx, client, event)
	receipt, err := client.SendEvent(ctx, event)
	return eventOutput(receipt), pagerdutyError(err)
}

// warnOfLoss logs what an event loses on Events API v2, which has no text and no
// details for acknowledgements and resolutions.
func warnOfLoss(ctx context.Context, client *pagerduty.Client, event pagerduty.Event) {
	lost := event.Action != pagerduty.Trigger && (event.Description != "" || len(event.Details) > 0)
	log := action.ScopeOf(ctx).Log
	if !lost || log == nil || client.EventsVersion() != pagerduty.V2 {
		return
	}
	log(action.LogRecord{
		Level:   "warn",
		Message: "Events API v2 has no place for the description and details of this " + string(event.Action) + " event: they are left out",
	})
}
