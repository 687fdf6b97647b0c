package account

import (
	"slices"
	"time"
)

// OnCall is the duty of a user at one level of an escalation policy. A state that lists
// duties replaces those that follow from the policies.
type OnCall struct {
	User             string     `json:"user"`
	EscalationPolicy string     `json:"escalation_policy"`
	Level            int        `json:"level,omitempty"` // 1 when zero
	Schedule         string     `json:"schedule,omitempty"`
	Start            *time.Time `json:"start,omitempty"` // absent: always
	End              *time.Time `json:"end,omitempty"`
}

// Duties returns who is on call at a time, level by level: the duties that the state
// lists, or else those that follow from the escalation policies.
func (a *Account) Duties(now time.Time) []OnCall {
	if a.onCalls == nil {
		return a.derivedDuties()
	}
	return Filter(a.onCalls, func(duty OnCall) bool {
		started := duty.Start == nil || !now.Before(*duty.Start)
		ended := duty.End != nil && !now.Before(*duty.End)
		return started && !ended && a.Users.ByID(duty.User) != nil
	})
}

// derivedDuties returns the duties of the users of every rule and of the first user of
// each of its schedules.
func (a *Account) derivedDuties() []OnCall {
	var found []OnCall
	for _, policy := range a.Policies.entries {
		for i, rule := range a.RulesOf(policy) {
			for _, user := range rule.Users {
				found = append(found, OnCall{User: user, EscalationPolicy: policy.ID, Level: i + 1})
			}
			for _, id := range rule.Schedules {
				if schedule := a.Schedules.ByID(id); schedule != nil && len(schedule.Users) > 0 {
					found = append(found, OnCall{User: schedule.Users[0], EscalationPolicy: policy.ID, Level: i + 1, Schedule: id})
				}
			}
		}
	}
	return slices.DeleteFunc(found, func(duty OnCall) bool { return a.Users.ByID(duty.User) == nil })
}

// onCallFor returns the IDs of the users to whom an escalation policy assigns a new
// incident: those on the first level on which anybody is on call.
func (a *Account) onCallFor(policyID string, now time.Time) []string {
	var found []string
	lowest := 0
	for _, duty := range a.Duties(now) {
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
