package builtins

import (
	"context"

	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

func pagerdutyChange(m pagerdutyModule) []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.send_change_event",
			Summary: "Tell a service of a change, such as a deployment.",
			Doc: "It opens no incident: responders see it beside the service's incidents. The key must be that of an integration of " +
				"Events API v2. Two change events are two entries, so it is never sent again when it is unknown whether it arrived, " +
				"unless `idempotent` says that a second one does no harm.",
			Effect:  action.Once,
			Example: action.Object{"status": "success", "message": "Change event processed"},
		}, m.sendChangeEvent),
	}
}

type changeEventInput struct {
	Summary    string            `json:"summary" required:"true" doc:"What has changed, in at most 1,024 characters"`
	Source     string            `json:"source" doc:"Where it happened, such as the name of a host"`
	Timestamp  string            `json:"timestamp" doc:"When it happened, such as 2026-01-31T09:00:00Z; when it arrives, if absent"`
	Details    action.Object     `json:"details" doc:"Any further data"`
	Links      []action.Object   `json:"links" doc:"Links, each {href = ..., text = ...}"`
	ServiceKey action.Credential `json:"service_key" bindable:"true" doc:"The integration key; the connection's if absent"`
	Idempotent bool              `json:"idempotent" doc:"Whether sending it twice does no harm, so that it may be repeated"`
}

// CallEffect goes by what the author says of a second one.
func (in *changeEventInput) CallEffect() action.Effect { return onceUnless(in.Idempotent) }

// KnownOutput says that it was accepted.
func (in *changeEventInput) KnownOutput() action.Object { return action.Object{"status": "success"} }

// Validate checks everything but the service key, which may be a secret.
func (in *changeEventInput) Validate() error {
	return pagerdutyError(pagerduty.ValidateChangeEvent(in.event()))
}

func (in *changeEventInput) event() pagerduty.ChangeEvent {
	return pagerduty.ChangeEvent{
		Summary: in.Summary, Source: in.Source, Timestamp: in.Timestamp, Details: in.Details, Links: in.Links, Repeatable: in.Idempotent,
	}
}

// onceUnless is the effect of a write that the world has no key for.
func onceUnless(idempotent bool) action.Effect {
	if idempotent {
		return action.Repeats
	}
	return action.Once
}

type changeEventOutput struct {
	Status  string `json:"status" doc:"Status"`
	Message string `json:"message" doc:"Message"`
}

func (m pagerdutyModule) sendChangeEvent(ctx context.Context, in changeEventInput) (changeEventOutput, error) {
	client, err := m.connected(ctx)
	if err != nil {
		return changeEventOutput{}, err
	}
	event := in.event()
	if !in.ServiceKey.IsZero() { // otherwise the client has one
		if event.ServiceKey, err = in.ServiceKey.Reveal(ctx, action.ToEvents); err != nil {
			return changeEventOutput{}, err
		}
	}
	receipt, err := client.SendChangeEvent(ctx, event)
	return changeEventOutput(receipt), pagerdutyError(err)
}
