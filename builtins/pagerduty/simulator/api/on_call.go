package api

import (
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// onCallDocument is a duty as the REST API sends it.
type onCallDocument struct {
	EscalationPolicy any        `json:"escalation_policy"`
	Level            int        `json:"escalation_level"`
	Schedule         *reference `json:"schedule"`
	User             any        `json:"user"`
	Start            *string    `json:"start"`
	End              *string    `json:"end"`
}

func renderOnCall(a *account.Account, duty account.OnCall, include []string) onCallDocument {
	sent := onCallDocument{
		EscalationPolicy: referToPolicy(a, duty.EscalationPolicy),
		Level:            duty.Level,
		Schedule:         referToSchedule(a, duty.Schedule),
		User:             referToUserID(a, duty.User),
		Start:            optionalTimestamp(duty.Start),
		End:              optionalTimestamp(duty.End),
	}
	if m := a.Users.ByID(duty.User); m != nil && slices.Contains(include, "users") {
		sent.User = renderUser(a, m, nil)
	}
	if policy := a.Policies.ByID(duty.EscalationPolicy); policy != nil && slices.Contains(include, "escalation_policies") {
		sent.EscalationPolicy = renderPolicy(a, policy, nil)
	}
	return sent
}

// listOnCalls answers GET /oncalls: who is on call now. A range of time (since, until) is
// ignored.
func listOnCalls(x *Exchange) Response {
	var matching []account.OnCall
	for _, duty := range x.account.Duties(x.Now) {
		if isAmong(x.values("user_ids"), duty.User) && isAmong(x.values("schedule_ids"), duty.Schedule) &&
			isAmong(x.values("escalation_policy_ids"), duty.EscalationPolicy) {
			matching = append(matching, duty)
		}
	}
	return listing(x, "oncalls", matching, func(duty account.OnCall) any {
		return renderOnCall(x.account, duty, x.values("include"))
	})
}
