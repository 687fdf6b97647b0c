package api

import "github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"

func referToSchedule(a *account.Account, schedule *account.Schedule) document {
	return refer(a, "schedule", "/schedules/"+schedule.ID, schedule.Name)
}

func scheduleByID(a *account.Account, id string) document {
	return embed(a, a.Schedules.ByID(id), false, renderSchedule, referToSchedule)
}

// renderSchedule returns a schedule as sent. The account has no layers and no overrides.
func renderSchedule(a *account.Account, schedule *account.Schedule, _ []string) document {
	return referToSchedule(a, schedule).with(document{
		{"name", schedule.Name},
		{"time_zone", schedule.TimeZone},
		{"description", nil},
		{"users", existing(account.Each(schedule.Users, func(id string) document {
			return userByID(a, id, false)
		}))},
		{"escalation_policies", account.Each(a.Policies.Using(schedule.ID), func(policy *account.EscalationPolicy) document {
			return referToPolicy(a, policy).short()
		})},
		{"schedule_layers", []any{}},
		{"teams", []any{}},
	})
}

// listSchedules answers GET /schedules, filtered by a part of the name.
func listSchedules(x *Exchange) Response {
	return listing(x, "schedules", x.account.Schedules.Matching(x.query.Get("query")), renderSchedule)
}
