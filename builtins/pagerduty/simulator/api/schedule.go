package api

import (
	"net/http"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// scheduleDocument is a schedule as the REST API sends it. The account has no layers and no
// overrides.
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

// referToSchedule returns nil for a schedule that does not exist.
func referToSchedule(a *account.Account, id string) *reference {
	schedule := a.Schedules.ByID(id)
	if schedule == nil {
		return nil
	}
	found := refer(a, "schedule", "/schedules/"+id, schedule.Name).short()
	return &found
}

func renderSchedule(a *account.Account, schedule *account.Schedule) scheduleDocument {
	document := scheduleDocument{
		reference:          refer(a, "schedule", "/schedules/"+schedule.ID, schedule.Name),
		Name:               schedule.Name,
		TimeZone:           schedule.TimeZone,
		Users:              []reference{},
		EscalationPolicies: []reference{},
		Layers:             []any{},
		Teams:              []any{},
	}
	for _, id := range schedule.Users {
		if user := referToUserID(a, id); user != nil {
			document.Users = append(document.Users, *user)
		}
	}
	for _, policy := range a.Policies.Using(schedule.ID) {
		document.EscalationPolicies = append(document.EscalationPolicies, *referToPolicy(a, policy.ID))
	}
	return document
}

// listSchedules answers GET /schedules, filtered by a part of the name.
func listSchedules(x *Exchange) Response {
	return listing(x, "schedules", x.account.Schedules.Matching(x.query.Get("query")), func(schedule *account.Schedule) any {
		return renderSchedule(x.account, schedule)
	})
}

// getSchedule answers GET /schedules/{id}.
func getSchedule(x *Exchange, found *account.Schedule) Response {
	return single(http.StatusOK, "schedule", renderSchedule(x.account, found))
}
