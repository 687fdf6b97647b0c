package api

import (
	"cmp"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// defaultEscalationDelay is the delay of PagerDuty's default policy, in minutes.
const defaultEscalationDelay = 30

func referToPolicy(a *account.Account, policy *account.EscalationPolicy) document {
	return refer(a, "escalation_policy", "/escalation_policies/"+policy.ID, policy.Name)
}

func policyByID(a *account.Account, id string, whole bool) document {
	return embed(a, a.Policies.ByID(id), whole, renderPolicy, referToPolicy)
}

func renderPolicy(a *account.Account, policy *account.EscalationPolicy, include []string) document {
	return referToPolicy(a, policy).with(document{
		{"name", policy.Name},
		{"description", nil},
		{"escalation_rules", account.Each(a.RulesOf(policy), func(rule account.EscalationRule) document {
			return document{
				{"escalation_delay_in_minutes", cmp.Or(rule.DelayMinutes, defaultEscalationDelay)},
				{"targets", renderTargets(a, rule, slices.Contains(include, "targets"))},
			}
		})},
		{"services", account.Each(a.Services.Of(policy.ID), func(service *account.Service) document {
			return referToService(a, service).short()
		})},
		{"num_loops", 0},
		{"teams", []any{}},
	})
}

// renderTargets returns the users of a rule, then its schedules.
func renderTargets(a *account.Account, rule account.EscalationRule, whole bool) []document {
	users := account.Each(rule.Users, func(id string) document { return userByID(a, id, whole) })
	schedules := account.Each(rule.Schedules, func(id string) document { return scheduleByID(a, id) })
	return existing(append(users, schedules...))
}

// listPolicies answers GET /escalation_policies, filtered by a part of the name and by
// users in the rules.
func listPolicies(x *Exchange) Response {
	matching := x.account.MatchingPolicies(x.query.Get("query"), x.values("user_ids"))
	return listing(x, "escalation_policies", matching, renderPolicy)
}
