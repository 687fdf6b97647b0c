package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// scheduleByID returns the schedule with an ID, or nil.
func (a *account) scheduleByID(id string) *Schedule {
	i := slices.IndexFunc(a.schedules, func(v Schedule) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return &a.schedules[i]
}

// schedulesOf lists the schedules that a user is on.
func (a *account) schedulesOf(userID string) []string {
	var found []string
	for _, schedule := range a.schedules {
		if slices.Contains(schedule.Users, userID) {
			found = append(found, schedule.Name+" ("+schedule.ID+")")
		}
	}
	return found
}

// scheduleDocument is a schedule as the REST API sends it. Layers and overrides
// are not kept.
type scheduleDocument struct {
	reference
	Name               string      `json:"name"`
	TimeZone           string      `json:"time_zone"`
	Description        *string     `json:"description"`
	Users              []reference `json:"users"`
	EscalationPolicies []reference `json:"escalation_policies"`
	Layers             []any       `json:"schedule_layers"`
	Teams              []any       `json:"teams"`
}

// scheduleReference returns nil for a schedule that does not exist.
func (a *account) scheduleReference(id string) *reference {
	schedule := a.scheduleByID(id)
	if schedule == nil {
		return nil
	}
	found := a.site.reference("schedule", "/schedules/"+id, schedule.Name).short()
	return &found
}

func (a *account) scheduleDocument(schedule Schedule) scheduleDocument {
	document := scheduleDocument{
		reference:          a.site.reference("schedule", "/schedules/"+schedule.ID, schedule.Name),
		Name:               schedule.Name,
		TimeZone:           schedule.TimeZone,
		Users:              []reference{},
		EscalationPolicies: []reference{},
		Layers:             []any{},
		Teams:              []any{},
	}
	for _, id := range schedule.Users {
		if user := a.userReferenceByID(id); user != nil {
			document.Users = append(document.Users, *user)
		}
	}
	for _, policy := range a.policies {
		uses := func(rule EscalationRule) bool { return slices.Contains(rule.Schedules, schedule.ID) }
		if slices.ContainsFunc(policy.Rules, uses) {
			document.EscalationPolicies = append(document.EscalationPolicies, *a.policyReference(policy.ID))
		}
	}
	return document
}

// listSchedules answers GET /schedules, narrowed by a part of the name.
func (s *Simulator) listSchedules(x *exchange) response {
	query := strings.ToLower(x.query.Get("query"))
	var matching []Schedule
	for _, schedule := range s.schedules {
		if strings.Contains(strings.ToLower(schedule.Name), query) {
			matching = append(matching, schedule)
		}
	}
	return listing(x, "schedules", matching, func(schedule Schedule) any { return s.scheduleDocument(schedule) })
}

// getSchedule answers GET /schedules/{id}.
func (s *Simulator) getSchedule(x *exchange) response {
	found := s.scheduleByID(x.id)
	if found == nil {
		return notFound()
	}
	return single(http.StatusOK, "schedule", s.scheduleDocument(*found))
}
