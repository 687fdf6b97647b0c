package client

import (
	"cmp"
	"context"
	"net/url"
	"slices"
)

// OnCall is a user on call at one level of an escalation policy.
type OnCall struct {
	User             User      `json:"user"`
	Level            int       `json:"escalation_level"` // from 1
	EscalationPolicy Reference `json:"escalation_policy"`
	Schedule         Reference `json:"schedule"` // empty for a user who is always on call
	Start            string    `json:"start"`    // RFC 3339; empty for a user who is always on call
	End              string    `json:"end"`      // RFC 3339; empty for a user who is always on call
}

// OnCallFilter narrows a list of users on call. An empty field does not narrow it.
type OnCallFilter struct {
	EscalationPolicyIDs, ScheduleIDs, UserIDs []string
	Limit                                     int // most entries to return, 1 to [MaxListed]
}

// Validate checks the ids.
func (f OnCallFilter) Validate() error {
	return cmp.Or(
		validateIDs("escalation policy", f.EscalationPolicyIDs),
		validateIDs("schedule", f.ScheduleIDs),
		validateIDs("user", f.UserIDs),
	)
}

// OnCalls lists the users who are on call now, the first level first. more reports
// whether there are others beyond the limit.
func (c *Client) OnCalls(ctx context.Context, filter OnCallFilter) (onCalls []OnCall, more bool, err error) {
	if err := filter.Validate(); err != nil {
		return nil, false, err
	}
	query := url.Values{
		"include[]": {"users"}, "escalation_policy_ids[]": filter.EscalationPolicyIDs,
		"schedule_ids[]": filter.ScheduleIDs, "user_ids[]": filter.UserIDs,
	}
	list := listing[OnCall]{op: "get on-call", path: "/oncalls", name: "oncalls", query: query, policy: reads}
	onCalls, more, err = list.read(ctx, c, filter.Limit)
	slices.SortStableFunc(onCalls, func(a, b OnCall) int { return cmp.Compare(a.Level, b.Level) })
	return onCalls, more, err
}
