package pagerduty

import (
	"context"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

func peopleActions(m module) []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.get_on_call",
			Summary: "Get who is on call now.",
			Doc: "Without ids it is the whole account. `users` has everybody once, those of the first level first; `on_calls` says " +
				"on which level, and until when.",
			Effect: action.Reads,
		}, m.getOnCall),
		action.New(action.Spec{
			Name:    "pagerduty.list_users",
			Summary: "List users.",
			Doc: "All pages are read, up to `limit` users, and come as one list; `more` says that there are others. " + loopDoc +
				" For one user by address there is get_user_by_email: `query` matches parts.",
			Effect: action.Reads,
			Lists:  action.Listing{Items: "users", Limit: "limit", More: "more"},
		}, m.listUsers),
		action.New(action.Spec{
			Name:    "pagerduty.update_user",
			Summary: "Change a user.",
			Doc:     "What is not given, or is empty, stays as it is. That there is no such user is a failure of kind not_found.",
			Effect:  action.Repeats,
			Guarded: true,
			Example: action.Object{"user": exampleUser()},
		}, m.updateUser),
	}
}

// loopDoc is said of what lists all pages.
const loopDoc = "They are read before a loop over them begins, so that it misses none when it changes or deletes them; one without a " +
	"`limit` is refused where there are others."

// reference is something of the account, by id and name.
type reference struct {
	ID   string `json:"id" doc:"ID"`
	Name string `json:"name" doc:"Name"`
}

// TypeName is the type's name in reference tables.
func (reference) TypeName() string { return "reference" }

func referenceOf(r client.Reference) reference { return reference{ID: r.ID, Name: r.Name} }

type onCallInput struct {
	EscalationPolicyIDs []string `json:"escalation_policy_ids" doc:"Only those of any of these escalation policies"`
	ScheduleIDs         []string `json:"schedule_ids" doc:"Only those of any of these schedules"`
	Limit               int      `json:"limit" default:"1000" doc:"At most so many, up to 10,000"`
}

// Validate checks the ids and the limit.
func (in *onCallInput) Validate() error {
	if err := in.filter().Validate(); err != nil {
		return typed(err)
	}
	return checkListLimit(in.Limit)
}

func (in *onCallInput) filter() client.OnCallFilter {
	return client.OnCallFilter{EscalationPolicyIDs: in.EscalationPolicyIDs, ScheduleIDs: in.ScheduleIDs, Limit: in.Limit}
}

type onCall struct {
	User             user      `json:"user" doc:"User"`
	Level            int       `json:"escalation_level" doc:"The level of the escalation policy, from 1"`
	EscalationPolicy reference `json:"escalation_policy" doc:"The escalation policy"`
	Schedule         reference `json:"schedule" doc:"The schedule; empty for a user who is always on call"`
	Start            string    `json:"start" doc:"Since when; empty for a user who always is"`
	End              string    `json:"end" doc:"Until when; empty for a user who always is"`
}

// TypeName is the type's name in reference tables.
func (onCall) TypeName() string { return "on_call" }

type onCallOutput struct {
	Users   []user   `json:"users" doc:"Everybody who is on call, once"`
	OnCalls []onCall `json:"on_calls" doc:"Who is on call where, the first level first"`
	More    bool     `json:"more" doc:"True if there are more than the limit"`
}

func (m module) getOnCall(ctx context.Context, in onCallInput) (onCallOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return onCallOutput{}, err
	}
	found, more, err := c.OnCalls(ctx, in.filter())
	out := onCallOutput{More: more}
	seen := map[string]bool{}
	for _, duty := range found {
		out.OnCalls = append(out.OnCalls, onCall{
			User: user(duty.User), Level: duty.Level, EscalationPolicy: referenceOf(duty.EscalationPolicy),
			Schedule: referenceOf(duty.Schedule), Start: duty.Start, End: duty.End,
		})
		if !seen[duty.User.ID] {
			seen[duty.User.ID], out.Users = true, append(out.Users, user(duty.User))
		}
	}
	return out, typed(err)
}

type listUsersInput struct {
	Query   string   `json:"query" max:"100" doc:"Only those with this in their name or address"`
	TeamIDs []string `json:"team_ids" doc:"Only those of any of these teams"`
	Limit   int      `json:"limit" default:"1000" doc:"At most so many, up to 10,000"`
}

// Validate checks the ids and the limit.
func (in *listUsersInput) Validate() error {
	if err := in.filter().Validate(); err != nil {
		return typed(err)
	}
	return checkListLimit(in.Limit)
}

func (in *listUsersInput) filter() client.UserFilter {
	return client.UserFilter{Query: in.Query, TeamIDs: in.TeamIDs, Limit: in.Limit}
}

// checkListLimit checks an input called limit.
func checkListLimit(limit int) error {
	if limit < 1 || limit > client.MaxListed {
		return action.Errorf(action.InvalidInput, `"limit" must be from 1 to %d, got %d`, client.MaxListed, limit)
	}
	return nil
}

type listUsersOutput struct {
	Users []user `json:"users" doc:"The users"`
	More  bool   `json:"more" doc:"True if there are more than the limit"`
}

func (m module) listUsers(ctx context.Context, in listUsersInput) (listUsersOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return listUsersOutput{}, err
	}
	found, more, err := c.Users(ctx, in.filter())
	out := listUsersOutput{More: more}
	for _, u := range found {
		out.Users = append(out.Users, user(u))
	}
	return out, typed(err)
}

type updateUserInput struct {
	ID          string `json:"id" required:"true" doc:"User ID"`
	Name        string `json:"name" doc:"Name"`
	Email       string `json:"email" doc:"Email"`
	Role        string `json:"role" enum:"admin,limited_user,observer,owner,read_only_limited_user,read_only_user,restricted_access,user" doc:"Role"`
	JobTitle    string `json:"job_title" doc:"Job title"`
	Description string `json:"description" doc:"Description"`
	TimeZone    string `json:"time_zone" doc:"Time zone, such as Europe/Berlin"`
	Color       string `json:"color" doc:"The user's color in schedules"`
}

// HarmlessLate says that a late repeat may do harm: somebody may have changed the
// user since.
func (in *updateUserInput) HarmlessLate() bool { return false }

// Validate refuses what could turn the URL into another one, and checks the fields.
func (in *updateUserInput) Validate() error {
	if err := client.ValidateUserID(in.ID); err != nil {
		return typed(err)
	}
	return typed(client.ValidateUserChange(in.change()))
}

func (in *updateUserInput) change() client.UserChange {
	return client.UserChange{
		Name: in.Name, Email: in.Email, Role: in.Role, JobTitle: in.JobTitle,
		Description: in.Description, TimeZone: in.TimeZone, Color: in.Color,
	}
}

type updateUserOutput struct {
	User user `json:"user" doc:"The user as it is now"`
}

func (m module) updateUser(ctx context.Context, in updateUserInput) (updateUserOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return updateUserOutput{}, err
	}
	u, err := c.UpdateUser(ctx, in.ID, in.change())
	return updateUserOutput{User: user(u)}, typed(err)
}
