package pagerduty

import (
	"context"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/event"
	"github.com/pdflow/pdflow/engine/action"
)

func (m module) changeEvents() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.send_change_event",
			Summary: "Tell a service of a change, such as a deployment.",
			Doc: lenientDoc + "It opens no incident; responders see it next to the incidents of the service. The key must belong to an " +
				"integration of Events API v2. A repeat adds a second entry, so the event is not sent again when its answer was lost, " +
				"unless `idempotent` says that a second entry does no harm.",
			Effect:  action.Once,
			Example: action.Object{"status": "success", "message": "Change event processed"},
		}, with(m, sendChangeEvent), action.Rules[changeEventInput]{
			Check:    func(given action.Object) action.Problems { return problems(event.CheckChange(given, known)) },
			EffectOf: func(in *changeEventInput) action.Effect { return onceUnless(in.Idempotent) },
			Known:    func(*changeEventInput) action.Object { return action.Object{"status": "success"} },
		}),
	}
}

type changeEventInput struct {
	action.Lenient
	Summary    string            `json:"summary" required:"true" max:"1024" doc:"What has changed, in at most 1,024 characters"`
	Source     string            `json:"source" doc:"Where it happened, such as the name of a host"`
	Timestamp  string            `json:"timestamp" doc:"When it happened, such as 2026-01-31T09:00:00Z; when it arrives, if absent"`
	Details    action.Object     `json:"details" doc:"Any further data"`
	Links      []action.Object   `json:"links" doc:"Links, each {href = ..., text = ...}"`
	ServiceKey action.Credential `json:"service_key" doc:"The integration key; the connection's if absent"`
	Idempotent bool              `json:"idempotent" doc:"Whether sending it twice does no harm, so that it may be repeated"`
}

func sendChangeEvent(ctx context.Context, c *client.Client, in changeEventInput) (client.ChangeReceipt, error) {
	key, err := revealServiceKey(ctx, in.Given(), in.ServiceKey)
	if err != nil {
		return client.ChangeReceipt{}, err
	}
	change := event.ChangeOf(in.Given())
	change.Fallback = place(ctx) + " (no summary)"
	change, notes := change.Fit()
	change.ServiceKey = key
	warn(ctx, "the change event", notes)
	return c.SendChangeEvent(ctx, change, in.Idempotent)
}
