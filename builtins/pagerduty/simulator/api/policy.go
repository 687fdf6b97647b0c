package api

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// defaultEscalationDelay is the delay of PagerDuty's default policy, in minutes.
const defaultEscalationDelay = 30

// policyDocument is an escalation policy as the REST API sends it.
type policyDocument struct {
	reference
	Name        string         `json:"name"`
	Description *string        `json:"description"`
	Rules       []ruleOfPolicy `json:"escalation_rules"`
	Services    []any          `json:"services"`
	Loops       int            `json:"num_loops"`
	Teams       []any          `json:"teams"`
}

// ruleOfPolicy is one level of an escalation policy as sent.
type ruleOfPolicy struct {
	Delay   int   `json:"escalation_delay_in_minutes"`
	Targets []any `json:"targets"`
}

// referToPolicy returns nil for a policy that does not exist.
func referToPolicy(a *account.Account, id string) *reference {
	policy := a.Policies.ByID(id)
	if policy == nil {
		return nil
	}
	found := refer(a, "escalation_policy", "/escalation_policies/"+id, policy.Name).short()
	return &found
}

func renderPolicy(a *account.Account, policy *account.EscalationPolicy, include []string) policyDocument {
	document := policyDocument{
		reference: refer(a, "escalation_policy", "/escalation_policies/"+policy.ID, policy.Name),
		Name:      policy.Name,
		Rules:     []ruleOfPolicy{},
		Services:  []any{},
		Teams:     []any{},
	}
	for _, rule := range a.RulesOf(policy) {
		document.Rules = append(document.Rules, ruleOfPolicy{
			Delay:   cmp.Or(rule.DelayMinutes, defaultEscalationDelay),
			Targets: renderTargets(a, rule, slices.Contains(include, "targets")),
		})
	}
	for _, service := range a.Services.Of(policy.ID) {
		document.Services = append(document.Services, referToService(a, service.ServiceView).short())
	}
	return document
}

// renderTargets returns the users of a rule, then its schedules.
func renderTargets(a *account.Account, rule account.EscalationRule, whole bool) []any {
	targets := []any{}
	for _, id := range rule.Users {
		m := a.Users.ByID(id)
		switch {
		case m == nil:
		case whole:
			targets = append(targets, renderUser(a, m, nil))
		default:
			targets = append(targets, referToUser(a, m).short())
		}
	}
	for _, id := range rule.Schedules {
		if found := referToSchedule(a, id); found != nil {
			targets = append(targets, *found)
		}
	}
	return targets
}

// listPolicies answers GET /escalation_policies, filtered by a part of the name and by
// users in the rules.
func listPolicies(x *Exchange) Response {
	matching := x.account.MatchingPolicies(x.query.Get("query"), x.values("user_ids"))
	return listing(x, "escalation_policies", matching, func(policy *account.EscalationPolicy) any {
		return renderPolicy(x.account, policy, x.values("include"))
	})
}

// getPolicy answers GET /escalation_policies/{id}.
func getPolicy(x *Exchange, found *account.EscalationPolicy) Response {
	return single(http.StatusOK, "escalation_policy", renderPolicy(x.account, found, x.values("include")))
}
