package client

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A UserFilter narrows a list of users.
type UserFilter struct {
	Query   string   // a part of the name or the address
	TeamIDs []string // of any of these teams
	Limit   int      // at most so many; up to [MaxListed]
}

// Validate refuses what are no ids.
func (f UserFilter) Validate() error { return validateIDs("team", f.TeamIDs) }

// Users lists users, page by page. more says that there are others beyond the limit.
func (c *Client) Users(ctx context.Context, filter UserFilter) (users []User, more bool, err error) {
	if err := filter.Validate(); err != nil {
		return nil, false, err
	}
	query := url.Values{"team_ids[]": filter.TeamIDs}
	if filter.Query != "" {
		query.Set("query", filter.Query)
	}
	return listing[User]{"list users", "/users", "users", query, func(u User) string { return u.ID }, reads}.read(ctx, c, filter.Limit)
}

// A UserChange is what to change of a user. What is empty stays as it is.
type UserChange struct {
	Name        string `json:"name,omitempty"`
	Email       string `json:"email,omitempty"`
	Role        string `json:"role,omitempty"`
	JobTitle    string `json:"job_title,omitempty"`
	Description string `json:"description,omitempty"`
	TimeZone    string `json:"time_zone,omitempty"`
	Color       string `json:"color,omitempty"`
}

// UpdateUser changes a user and returns what became of it. Only what is given is
// sent: the service keeps the other fields (go-pagerduty and the pd command line
// rely on that).
func (c *Client) UpdateUser(ctx context.Context, id string, change UserChange) (User, error) {
	if err := cmp.Or(ValidateUserID(id), ValidateUserChange(change)); err != nil {
		return User{}, err
	}
	type body struct {
		Type string `json:"type"`
		UserChange
	}
	in := map[string]body{"user": {"user", change}}
	var out userEnvelope
	err := c.rest(ctx, "update user", http.MethodPut, "/users/"+url.PathEscape(id), updates, in, &out, "")
	return out.User, err
}

// ValidateUserChange checks what is to be changed of a user.
func ValidateUserChange(change UserChange) error {
	switch {
	case change == UserChange{}:
		return invalid("", "", "there is nothing to change: give a name, email, role, job_title, description, time_zone or color")
	case change.Name != "" && strings.TrimSpace(change.Name) == "":
		return invalid("", "", "the name of the user is empty")
	case change.Email != "":
		if err := ValidateEmail(change.Email); err != nil {
			return err
		}
	}
	return cmp.Or(
		tooLong("the name of the user", change.Name, maxName),
		tooLong("job_title", change.JobTitle, maxJobTitle),
		validateRole(change.Role),
	)
}

// An OnCall is a user on call, on one level of an escalation policy.
type OnCall struct {
	User             User      `json:"user"`
	Level            int       `json:"escalation_level"`
	EscalationPolicy Reference `json:"escalation_policy"`
	Schedule         Reference `json:"schedule"` // empty for a user who is always on call
	Start            string    `json:"start"`    // empty likewise
	End              string    `json:"end"`
}

// An OnCallFilter narrows a list of users on call.
type OnCallFilter struct {
	EscalationPolicyIDs, ScheduleIDs, UserIDs []string
	Limit                                     int // at most so many; up to [MaxListed]
}

// OnCalls lists who is on call now, the first level first. more says that there are
// others beyond the limit.
func (c *Client) OnCalls(ctx context.Context, filter OnCallFilter) (onCalls []OnCall, more bool, err error) {
	if err := filter.Validate(); err != nil {
		return nil, false, err
	}
	query := url.Values{
		"include[]": {"users"}, "escalation_policy_ids[]": filter.EscalationPolicyIDs,
		"schedule_ids[]": filter.ScheduleIDs, "user_ids[]": filter.UserIDs,
	}
	onCalls, more, err = listing[OnCall]{"get on-call", "/oncalls", "oncalls", query, nil, reads}.read(ctx, c, filter.Limit)
	slices.SortStableFunc(onCalls, func(a, b OnCall) int { return a.Level - b.Level })
	return onCalls, more, err
}

// Validate refuses what are no ids.
func (f OnCallFilter) Validate() error {
	return cmp.Or(
		validateIDs("escalation policy", f.EscalationPolicyIDs),
		validateIDs("schedule", f.ScheduleIDs),
		validateIDs("user", f.UserIDs),
	)
}
