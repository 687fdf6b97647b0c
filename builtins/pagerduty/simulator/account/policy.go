package account

import "slices"

// EscalationPolicy says to whom an incident is assigned, level by level. A user in one
// of its rules cannot be deleted.
type EscalationPolicy struct {
	ID    string           `json:"id,omitempty"` // generated when empty
	Name  string           `json:"name"`
	Rules []EscalationRule `json:"rules,omitempty"`
}

// EscalationRule is one level of an escalation policy.
type EscalationRule struct {
	DelayMinutes int      `json:"delay_minutes,omitempty"` // 30 when zero
	Users        []string `json:"users,omitempty"`
	Schedules    []string `json:"schedules,omitempty"`
}

// defaultPolicyName is the name of the escalation policy of an account whose state lists no
// policies. The policy pages the first user. Its rules are empty, so it does not keep that
// user from being deleted.
const defaultPolicyName = "Default"

// Policies are the escalation policies of an account, with IDs as references.
type Policies struct{ entries []*EscalationPolicy }

// All returns copies of the policies.
func (p *Policies) All() []EscalationPolicy {
	return Each(p.entries, func(entry *EscalationPolicy) EscalationPolicy { return *entry })
}

// firstID returns the ID of the policy for a service that sets no policy.
func (p *Policies) firstID() string {
	if len(p.entries) == 0 {
		return ""
	}
	return p.entries[0].ID
}

// ByID returns the escalation policy with an ID, or nil.
func (p *Policies) ByID(id string) *EscalationPolicy {
	return find(p.entries, func(entry *EscalationPolicy) bool { return entry.ID == id })
}

// Using returns the escalation policies with a schedule in one of their rules.
func (p *Policies) Using(scheduleID string) []*EscalationPolicy {
	return p.having(func(rule EscalationRule) bool { return slices.Contains(rule.Schedules, scheduleID) })
}

// of lists the escalation policies with a user in one of their rules, for a message.
func (p *Policies) of(userID string) []string {
	found := p.having(func(rule EscalationRule) bool { return slices.Contains(rule.Users, userID) })
	return Each(found, func(entry *EscalationPolicy) string { return entry.Name + " (" + entry.ID + ")" })
}

func (p *Policies) having(wanted func(EscalationRule) bool) []*EscalationPolicy {
	return Filter(p.entries, func(entry *EscalationPolicy) bool { return slices.ContainsFunc(entry.Rules, wanted) })
}

// MatchingPolicies returns the escalation policies whose name contains query, regardless
// of case, and that name one of some users. An empty list of users stands for all.
func (a *Account) MatchingPolicies(query string, userIDs []string) []*EscalationPolicy {
	named := func(rule EscalationRule) bool {
		return slices.ContainsFunc(rule.Users, func(id string) bool { return slices.Contains(userIDs, id) })
	}
	return Filter(a.Policies.entries, func(policy *EscalationPolicy) bool {
		return contains(policy.Name, query) && (len(userIDs) == 0 || slices.ContainsFunc(a.RulesOf(policy), named))
	})
}

// RulesOf returns the rules of a policy. For the default policy it is one rule with the user
// who was the first at the start, while that user exists.
func (a *Account) RulesOf(policy *EscalationPolicy) []EscalationRule {
	if len(policy.Rules) > 0 || a.Users.ByID(a.defaultOnCall) == nil {
		return policy.Rules
	}
	return []EscalationRule{{Users: []string{a.defaultOnCall}}}
}
