package pagerduty

import (
	"cmp"
	"context"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/event"
	"github.com/pdflow/pdflow/engine/action"
)

// lenientDoc is part of the Doc of every event.
const lenientDoc = "A value that PagerDuty would not take is changed, with a warning and a note in the details: only a missing service key is an error. "

// eventDoc is part of the Doc of every alert event.
const eventDoc = lenientDoc + "PagerDuty accepts the event and processes it afterwards, so a success does not prove that there is an incident. " +
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
			return sendAlert(ctx, c, event.Trigger, in.Given(), in.IncidentKey, in.ServiceKey)
		}), action.Rules[triggerInput]{
			Check: func(given action.Object) action.Problems {
				return problems(event.CheckAlert(event.Trigger, given, known))
			},
			Known: func(in *triggerInput) action.Object { return knownAlert(event.Trigger, in.Given(), in.IncidentKey) },
		}),
		m.changesIncident(action.Spec{
			Name:    "pagerduty.send_acknowledge_event",
			Summary: "Acknowledge an incident.",
			Example: example,
		}, event.Acknowledge),
		m.changesIncident(action.Spec{
			Name:    "pagerduty.send_resolve_event",
			Summary: "Resolve an incident.",
			Example: example,
		}, event.Resolve),
	}
}

// changesIncident completes the declaration of an acknowledgement or a resolution.
func (m module) changesIncident(s action.Spec, a event.Action) *action.Action {
	s.Doc = eventDoc + " Without an open incident that has the key, the event is dropped."
	s.Effect = action.Repeats
	s.Late = action.LateNever // by then the key may belong to another incident
	return action.New(s, with(m, func(ctx context.Context, c *client.Client, in changeInput) (client.EventReceipt, error) {
		return sendAlert(ctx, c, a, in.Given(), in.IncidentKey, in.ServiceKey)
	}), action.Rules[changeInput]{
		Check: func(given action.Object) action.Problems { return problems(event.CheckAlert(a, given, known)) },
		Validate: func(in *changeInput) error {
			if event.AlertOf(a, in.Given()).IncidentKey == "" {
				return action.Errorf(action.InvalidInput, "incident_key is empty; it says which incident to %s", a)
			}
			return nil
		},
		Known: func(in *changeInput) action.Object { return knownAlert(a, in.Given(), in.IncidentKey) },
	})
}

// knownAlert contains the key that is sent, by which later steps acknowledge and resolve.
func knownAlert(a event.Action, given action.Object, derived string) action.Object {
	key := cmp.Or(event.AlertOf(a, given).IncidentKey, derived)
	return action.Object{"incident_key": event.Key(key), "status": "success"}
}

type triggerInput struct {
	action.Lenient
	ClientURL   string            `json:"client_url" doc:"The URL of the monitoring client that is triggering this event"`
	Client      string            `json:"client" doc:"The name of the monitoring client that is triggering this event"`
	Description string            `json:"description" required:"true" max:"1024" doc:"Text that will appear in the incident's log associated with this event"`
	Contexts    []action.Object   `json:"contexts" doc:"Additional context objects"`
	ServiceKey  action.Credential `json:"service_key" doc:"Service Key"`
	Details     action.Object     `json:"details" doc:"An arbitrary JSON object containing any data you'd like included in the incident log."`
	IncidentKey string            `json:"incident_key" max:"255" exact:"true" doc:"Incident Key; derived from the run when absent, so that a repeat joins the same incident"`
}

// changeInput is the input of an acknowledgement or a resolution.
type changeInput struct {
	action.Lenient
	IncidentKey string            `json:"incident_key" required:"true" min:"1" max:"255" exact:"true" doc:"Incident Key"`
	ServiceKey  action.Credential `json:"service_key" doc:"Service Key"`
	Details     action.Object     `json:"details" doc:"An arbitrary JSON object containing any data you'd like included in the incident log."`
	Description string            `json:"description" max:"1024" doc:"Text that will appear in the incident's log associated with this event"`
}

// sendAlert sends what a script gave. derived is the key of a trigger that was given none.
func sendAlert(ctx context.Context, c *client.Client, a event.Action, given action.Object, derived string, key action.Credential) (client.EventReceipt, error) {
	serviceKey, err := revealServiceKey(ctx, given, key)
	if err != nil {
		return client.EventReceipt{}, err
	}
	alert := event.AlertOf(a, given)
	alert.IncidentKey, alert.Fallback = cmp.Or(alert.IncidentKey, derived), place(ctx)+" (no description)"
	alert, notes := alert.Fit()
	alert.ServiceKey = serviceKey
	warn(ctx, "the "+string(a)+" event", notes)
	if a != event.Trigger && c.EventsVersion() == client.V2 && (alert.Description != "" || len(alert.Details) > 0) {
		action.Warn(ctx, "Events API v2 has no place for the description and details of this "+string(a)+" event: they are left out")
	}
	return c.SendEvent(ctx, alert)
}

// place names the step that sends an event: it stands for a text that is empty.
func place(ctx context.Context) string {
	if scope := action.ScopeOf(ctx); scope.Step != "" {
		return scope.Workflow + ": step " + scope.Step
	}
	return "pdflow"
}

// warn logs what was changed of an event.
func warn(ctx context.Context, what string, notes []string) {
	for _, note := range notes {
		action.Warn(ctx, what+" was changed so that PagerDuty takes it: "+note)
	}
}

// revealServiceKey returns the text of a service key. Empty text means the key of the connection.
func revealServiceKey(ctx context.Context, given action.Object, key action.Credential) (string, error) {
	if v := given[serviceKey]; v != nil && key.IsZero() && v != "" {
		action.Warn(ctx, "service_key is neither text nor a secret: the key of the connection is used")
	}
	return key.Reveal(ctx, action.Place(serviceKey))
}

// known reports whether a value of a file is known before the run.
func known(v any) bool { return v != action.Dynamic }

// problems returns the mistakes of an author.
func problems(mistakes []event.Mistake) action.Problems {
	var found action.Problems
	for _, m := range mistakes {
		found = append(found, action.Problem{Rule: action.RuleBadInput, Path: m.Path, Message: m.Message})
	}
	return found
}
