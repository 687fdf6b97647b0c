package api

import (
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

func renderOnCall(a *account.Account, duty account.OnCall, include []string) document {
	return document{
		{"escalation_policy", policyByID(a, duty.EscalationPolicy, slices.Contains(include, "escalation_policies"))},
		{"escalation_level", duty.Level},
		{"schedule", scheduleByID(a, duty.Schedule)},
		{"user", userByID(a, duty.User, slices.Contains(include, "users"))},
		{"start", optionalTimestamp(duty.Start)},
		{"end", optionalTimestamp(duty.End)},
	}
}

// listOnCalls answers GET /oncalls: who is on call now. A range of time (since, until) is
// ignored.
func listOnCalls(x *Exchange) Response {
	matching := account.Filter(x.account.Duties(x.Now), func(duty account.OnCall) bool {
		return isAmong(x.values("user_ids"), duty.User) && isAmong(x.values("schedule_ids"), duty.Schedule) &&
			isAmong(x.values("escalation_policy_ids"), duty.EscalationPolicy)
	})
	return listing(x, "oncalls", matching, renderOnCall)
}
