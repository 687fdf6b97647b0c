package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// defaultPolicyName is that of the escalation policy of an account whose state
// has none. It pages the first user and, unlike a policy of a state, keeps nobody
// from being deleted.
const defaultPolicyName = "Default"

// defaultEscalationDelay is that of PagerDuty's default policy, in minutes.
const defaultEscalationDelay = 30

// firstPolicyID is that of a service for which nobody said another.
func (a *account) firstPolicyID() string {
	if len(a.policies) == 0 {
		return ""
	}
	return a.policies[0].ID
}

// policyByID returns the escalation policy with an ID, or nil.
func (a *account) policyByID(id string) *EscalationPolicy {
	i := slices.IndexFunc(a.policies, func(p EscalationPolicy) bool { return p.ID == id })
	if i < 0 {
		return nil
	}
	return &a.policies[i]
}

// policiesOf lists the escalation policies that name a user.
func (a *account) policiesOf(userID string) []string {
	var found []string
	for _, policy := range a.policies {
		named := func(rule EscalationRule) bool { return slices.Contains(rule.Users, userID) }
		if slices.ContainsFunc(policy.Rules, named) {
			found = append(found, policy.Name+" ("+policy.ID+")")
		}
	}
	return found
}

// names reports whether a policy has a rule for one of some users. No users are all.
func (a *account) names(policy EscalationPolicy, userIDs []string) bool {
	if len(userIDs) == 0 {
		return true
	}
	for _, rule := range a.rulesOf(policy) {
		if slices.ContainsFunc(rule.Users, func(id string) bool { return slices.Contains(userIDs, id) }) {
			return true
		}
	}
	return false
}

// rulesOf are those of a policy. Only the default policy has none of its own.
func (a *account) rulesOf(policy EscalationPolicy) []EscalationRule {
	if len(policy.Rules) > 0 || a.users.byID(a.incidents.onCall) == nil {
		return policy.Rules
	}
	return []EscalationRule{{Users: []string{a.incidents.onCall}}}
}

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

// policyReference returns nil for a policy that does not exist.
func (a *account) policyReference(id string) *reference {
	policy := a.policyByID(id)
	if policy == nil {
		return nil
	}
	found := a.site.reference("escalation_policy", "/escalation_policies/"+id, policy.Name).short()
	return &found
}

func (a *account) policyDocument(policy EscalationPolicy, include []string) policyDocument {
	document := policyDocument{
		reference: a.site.reference("escalation_policy", "/escalation_policies/"+policy.ID, policy.Name),
		Name:      policy.Name,
		Rules:     []ruleOfPolicy{},
		Services:  []any{},
		Teams:     []any{},
	}
	for _, rule := range a.rulesOf(policy) {
		sent := ruleOfPolicy{Delay: rule.DelayMinutes, Targets: a.targets(rule, slices.Contains(include, "targets"))}
		if sent.Delay == 0 {
			sent.Delay = defaultEscalationDelay
		}
		document.Rules = append(document.Rules, sent)
	}
	for _, service := range a.services.entries {
		if service.policyID == policy.ID {
			document.Services = append(document.Services, a.serviceReference(service.Service).short())
		}
	}
	return document
}

// targets are whom a rule names: users, then schedules.
func (a *account) targets(rule EscalationRule, whole bool) []any {
	targets := []any{}
	for _, id := range rule.Users {
		m := a.users.byID(id)
		switch {
		case m == nil:
		case whole:
			targets = append(targets, a.userDocument(m, nil))
		default:
			targets = append(targets, a.userReference(m).short())
		}
	}
	for _, id := range rule.Schedules {
		if found := a.scheduleReference(id); found != nil {
			targets = append(targets, *found)
		}
	}
	return targets
}

// listPolicies answers GET /escalation_policies, narrowed by a part of the name and
// by users whom a policy names.
func (s *Simulator) listPolicies(x *exchange) response {
	query := strings.ToLower(x.query.Get("query"))
	var matching []EscalationPolicy
	for _, policy := range s.policies {
		if strings.Contains(strings.ToLower(policy.Name), query) && s.names(policy, x.values("user_ids")) {
			matching = append(matching, policy)
		}
	}
	return listing(x, "escalation_policies", matching, func(policy EscalationPolicy) any {
		return s.policyDocument(policy, x.values("include"))
	})
}

// getPolicy answers GET /escalation_policies/{id}.
func (s *Simulator) getPolicy(x *exchange) response {
	found := s.policyByID(x.id)
	if found == nil {
		return notFound()
	}
	return single(http.StatusOK, "escalation_policy", s.policyDocument(*found, x.values("include")))
}
