package simulator

import (
	"slices"
	"time"
)

// duties returns who is on call at a time, level by level: those that the state
// lists, or those that follow from the escalation policies.
func (a *account) duties(now time.Time) []OnCall {
	if a.onCalls == nil {
		return a.derivedDuties()
	}
	var found []OnCall
	for _, duty := range a.onCalls {
		started := duty.Start == nil || !now.Before(*duty.Start)
		ended := duty.End != nil && !now.Before(*duty.End)
		if started && !ended && a.users.byID(duty.User) != nil {
			found = append(found, duty)
		}
	}
	return found
}

// derivedDuties are the users of every rule and the first user of its schedules.
func (a *account) derivedDuties() []OnCall {
	var found []OnCall
	for _, policy := range a.policies {
		for i, rule := range a.rulesOf(policy) {
			for _, user := range rule.Users {
				found = append(found, OnCall{User: user, EscalationPolicy: policy.ID, Level: i + 1})
			}
			for _, id := range rule.Schedules {
				if schedule := a.scheduleByID(id); schedule != nil && len(schedule.Users) > 0 {
					found = append(found, OnCall{User: schedule.Users[0], EscalationPolicy: policy.ID, Level: i + 1, Schedule: id})
				}
			}
		}
	}
	return slices.DeleteFunc(found, func(duty OnCall) bool { return a.users.byID(duty.User) == nil })
}

// onCallFor lists whom an escalation policy assigns a new incident to: those on
// its first level that has anybody.
func (a *account) onCallFor(policyID string, now time.Time) []string {
	var found []string
	lowest := 0
	for _, duty := range a.duties(now) {
		switch {
		case duty.EscalationPolicy != policyID || lowest != 0 && duty.Level > lowest:
			continue
		case lowest == 0 || duty.Level < lowest:
			lowest, found = duty.Level, nil
		}
		if !slices.Contains(found, duty.User) {
			found = append(found, duty.User)
		}
	}
	return found
}

// onCallDocument is a duty as the REST API sends it.
type onCallDocument struct {
	EscalationPolicy any        `json:"escalation_policy"`
	Level            int        `json:"escalation_level"`
	Schedule         *reference `json:"schedule"`
	User             any        `json:"user"`
	Start            *string    `json:"start"`
	End              *string    `json:"end"`
}

func (a *account) onCallDocument(duty OnCall, include []string) onCallDocument {
	sent := onCallDocument{
		EscalationPolicy: a.policyReference(duty.EscalationPolicy),
		Level:            duty.Level,
		Schedule:         a.scheduleReference(duty.Schedule),
		User:             a.userReferenceByID(duty.User),
		Start:            optionalTimestamp(duty.Start),
		End:              optionalTimestamp(duty.End),
	}
	if m := a.users.byID(duty.User); m != nil && slices.Contains(include, "users") {
		sent.User = a.userDocument(m, nil)
	}
	if policy := a.policyByID(duty.EscalationPolicy); policy != nil && slices.Contains(include, "escalation_policies") {
		sent.EscalationPolicy = a.policyDocument(*policy, nil)
	}
	return sent
}

func optionalTimestamp(at *time.Time) *string {
	if at == nil {
		return nil
	}
	text := timestamp(*at)
	return &text
}

// listOnCalls answers GET /oncalls: who is on call now. A range of time (since,
// until) is not looked at.
func (s *Simulator) listOnCalls(x *exchange) response {
	var matching []OnCall
	for _, duty := range s.duties(x.now) {
		if isAmong(x.values("user_ids"), duty.User) && isAmong(x.values("schedule_ids"), duty.Schedule) &&
			isAmong(x.values("escalation_policy_ids"), duty.EscalationPolicy) {
			matching = append(matching, duty)
		}
	}
	return listing(x, "oncalls", matching, func(duty OnCall) any { return s.onCallDocument(duty, x.values("include")) })
}

// isAmong reports whether a filter lets a value pass. An empty one does.
func isAmong(filter []string, value string) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}
