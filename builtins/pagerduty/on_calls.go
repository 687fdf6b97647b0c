package pagerduty

import (
	"cmp"
	"context"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

func (m module) onCalls() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.get_on_call",
			Summary: "Get who is on call now.",
			Doc: "Without ids it covers the whole account. `users` contains each user once, the users of the first level first; " +
				"`on_calls` says on which level each is on call, and until when.",
			Effect: action.Reads,
		}, with(m, getOnCall), checks(func(in *onCallInput) error {
			return cmp.Or(in.filter().Validate(), checkListLimit(in.Limit))
		})),
	}
}

type onCallInput struct {
	EscalationPolicyIDs []string `json:"escalation_policy_ids" doc:"Only those of any of these escalation policies"`
	ScheduleIDs         []string `json:"schedule_ids" doc:"Only those of any of these schedules"`
	Limit               int      `json:"limit" default:"1000" doc:"The most on-call entries to return, up to 10,000"`
}

func (in *onCallInput) filter() client.OnCallFilter {
	return client.OnCallFilter{EscalationPolicyIDs: in.EscalationPolicyIDs, ScheduleIDs: in.ScheduleIDs, Limit: in.Limit}
}

type onCall struct {
	User             client.User `json:"user" doc:"User"`
	Level            int         `json:"escalation_level" doc:"The level of the escalation policy, from 1"`
	EscalationPolicy reference   `json:"escalation_policy" doc:"The escalation policy"`
	Schedule         reference   `json:"schedule" doc:"The schedule; empty for a user who is always on call"`
	Start            string      `json:"start" doc:"Since when; empty for a user who is always on call"`
	End              string      `json:"end" doc:"Until when; empty for a user who is always on call"`
}

// TypeName is the type's name in reference tables.
func (onCall) TypeName() string { return "on_call" }

type onCallOutput struct {
	Users   []client.User `json:"users" doc:"Each user who is on call, once"`
	OnCalls []onCall      `json:"on_calls" doc:"Who is on call where, the first level first"`
	More    bool          `json:"more" doc:"True if there are more than the limit"`
}

func getOnCall(ctx context.Context, c *client.Client, in onCallInput) (onCallOutput, error) {
	found, more, err := c.OnCalls(ctx, in.filter())
	out := onCallOutput{More: more}
	seen := map[string]bool{}
	for _, duty := range found {
		out.OnCalls = append(out.OnCalls, onCall{
			User: duty.User, Level: duty.Level, EscalationPolicy: referenceOf(duty.EscalationPolicy),
			Schedule: referenceOf(duty.Schedule), Start: duty.Start, End: duty.End,
		})
		if !seen[duty.User.ID] {
			seen[duty.User.ID], out.Users = true, append(out.Users, duty.User)
		}
	}
	return out, err
}
