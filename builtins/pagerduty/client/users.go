package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// User is a user of the account. A field that PagerDuty has no value for is empty. Actions
// return it as it is: the doc tags describe its fields on their reference page.
type User struct {
	ID          string `json:"id" doc:"User ID"`
	Self        string `json:"self" doc:"The user's URL in the API"`
	Name        string `json:"name" doc:"Name"`
	Email       string `json:"email" doc:"Email"`
	Summary     string `json:"summary" doc:"Summary"`
	Color       string `json:"color" doc:"The user's color in schedules"`
	Description string `json:"description" doc:"Description"`
	JobTitle    string `json:"job_title" doc:"Job title"`
	AvatarURL   string `json:"avatar_url" doc:"The URL of the user's picture"`
	TimeZone    string `json:"time_zone" doc:"Time zone"`
	Role        string `json:"role" doc:"Role"`
}

// TypeName is the type's name in reference tables.
func (User) TypeName() string { return "user" }

// userEnvelope is the JSON of one user in the REST API.
type userEnvelope struct {
	User User `json:"user"`
}

func (e *userEnvelope) complete() bool { return e.User.ID != "" }

// UserByID returns a user, or an error of kind not_found.
func (c *Client) UserByID(ctx context.Context, id string) (User, error) {
	if err := ValidateUserID(id); err != nil {
		return User{}, err
	}
	var out userEnvelope
	err := c.do(ctx, c.rest("get user", http.MethodGet, "/users/"+url.PathEscape(id), reads, nil, ""), &out, func() bool { return out.User.ID == id })
	return out.User, err
}

// UserByEmail returns the user with an e-mail address, ignoring case, and whether
// there is one. PagerDuty's search also matches parts of names and addresses, so
// UserByEmail compares the users of all pages.
func (c *Client) UserByEmail(ctx context.Context, email string) (user User, found bool, err error) {
	const op = "find user"
	if err := ValidateEmail(email); err != nil {
		return User{}, false, err
	}
	has := func(u User) bool { return strings.EqualFold(strings.TrimSpace(u.Email), strings.TrimSpace(email)) }
	list := listing[User]{op: op, path: "/users", name: "users", query: url.Values{"query": {email}}, policy: reads}
	for page, err := range list.pages(ctx, c) {
		if err != nil {
			return User{}, false, err
		}
		if i := slices.IndexFunc(page.items, has); i >= 0 {
			return page.items[i], true, nil
		}
		if !page.more {
			return User{}, false, nil
		}
	}
	return User{}, false, &Error{
		Kind: Unavailable, Op: op, Message: "more than 10,000 users match the address in part, and PagerDuty lists only the first 10,000",
	}
}

// UserFilter narrows a list of users. An empty field does not narrow it.
type UserFilter struct {
	Query   string   // part of the name or of the e-mail address
	TeamIDs []string // members of any of these teams
	Limit   int      // most users to return, 1 to [MaxListed]
}

// Validate checks the ids.
func (f UserFilter) Validate() error { return validateIDs("team", f.TeamIDs) }

// Users lists users. more reports whether there are others beyond the limit.
func (c *Client) Users(ctx context.Context, filter UserFilter) (users []User, more bool, err error) {
	if err := filter.Validate(); err != nil {
		return nil, false, err
	}
	query := url.Values{"team_ids[]": filter.TeamIDs}
	if filter.Query != "" {
		query.Set("query", filter.Query)
	}
	return listing[User]{
		op: "list users", path: "/users", name: "users", query: query, policy: reads,
		id: func(u User) string { return u.ID },
	}.read(ctx, c, filter.Limit)
}

// NewUser is a user to create.
type NewUser struct {
	Email, Name string
	Role        string // empty: PagerDuty's default
	FromEmail   string // e-mail address of the user on whose behalf; empty: the address of the configuration
}

// CreateUser creates a user. It does not send the request again if PagerDuty may have
// acted on it; then the error has Sent set, and [Client.UserByEmail] shows whether the
// user exists.
func (c *Client) CreateUser(ctx context.Context, user NewUser) (User, error) {
	user.FromEmail = cmp.Or(user.FromEmail, c.config.FromEmail)
	if err := ValidateNewUser(user); err != nil {
		return User{}, err
	}
	type body struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Email string `json:"email"`
		Role  string `json:"role,omitempty"`
	}
	in := map[string]body{"user": {"user", user.Name, user.Email, user.Role}}
	var out userEnvelope
	r := c.rest("create user", http.MethodPost, "/users", creates, in, user.FromEmail)
	err := c.do(ctx, r, &out, out.complete)
	return out.User, err
}

// UserChange is a change of a user. An empty field is not changed.
type UserChange struct {
	Name        string `json:"name,omitempty"`
	Email       string `json:"email,omitempty"`
	Role        string `json:"role,omitempty"`
	JobTitle    string `json:"job_title,omitempty"`
	Description string `json:"description,omitempty"`
	TimeZone    string `json:"time_zone,omitempty"`
	Color       string `json:"color,omitempty"`
}

// UpdateUser changes a user and returns the changed user. It sends only the fields
// that are given: PagerDuty keeps the others (go-pagerduty and the pd command line
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
	err := c.do(ctx, c.rest("update user", http.MethodPut, "/users/"+url.PathEscape(id), updates, in, ""), &out, func() bool { return out.User.ID == id })
	return out.User, err
}

// The limits of users, in characters (OpenAPI description of the REST API).
const (
	maxName     = 100
	maxJobTitle = 100
)

// roles are the roles that PagerDuty knows.
var roles = []string{"admin", "limited_user", "observer", "owner", "read_only_limited_user", "read_only_user", "restricted_access", "user"}

// ValidateNewUser checks a user to create.
func ValidateNewUser(user NewUser) error {
	if err := ValidateEmail(user.Email); err != nil {
		return err
	}
	if strings.TrimSpace(user.Name) == "" {
		return invalid("", "", "the name of the user is empty")
	}
	return cmp.Or(
		tooLong("the name of the user", user.Name, maxName),
		validateRole(user.Role),
		validateFrom(user.FromEmail, "a user is created"),
	)
}

// ValidateUserChange checks a change of a user.
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

// validateRole checks a role; it may be empty.
func validateRole(role string) error {
	if role != "" && !slices.Contains(roles, role) {
		return invalid("", "", "there is no role %q; use one of %s", clip(role, maxQuoted), strings.Join(roles, ", "))
	}
	return nil
}

// DeleteUser deletes a user. If the user does not exist, the error has the kind
// not_found, unless an earlier try of the same call may have deleted the user. If
// PagerDuty refuses, the error's Details name what still needs the user.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	if err := ValidateUserID(id); err != nil {
		return err
	}
	err := c.do(ctx, c.rest("delete user", http.MethodDelete, "/users/"+url.PathEscape(id), deletes, nil, ""), nil, nil)
	var failure *Error
	if errors.As(err, &failure) && failure.Kind == Conflict {
		failure.Details = append(failure.Details, c.blockers(ctx, id)...)
	}
	return err
}

// maxBlockers is how many blockers of each kind an error names.
const maxBlockers = 3

// blockers returns what keeps PagerDuty from deleting a user: open incidents, schedules
// and escalation policies (PagerDuty's community forum, topic 1271). It returns one
// text for each kind, with links. The texts only help, so it leaves out what it cannot
// read, and retries nothing.
func (c *Client) blockers(ctx context.Context, id string) []string {
	var found []string
	for _, kind := range []struct {
		name string
		find func(context.Context, string) ([]Reference, error)
	}{
		{"open incidents", c.openIncidentsOf},
		{"schedules", c.schedulesOf},
		{"escalation policies", c.policiesOf},
	} {
		if blockers, err := kind.find(ctx, id); err == nil && len(blockers) > 0 {
			found = append(found, named(kind.name, blockers, c.keys("")))
		}
	}
	return found
}

// named writes the first few blockers with their links.
func named(kind string, blockers []Reference, keys *redactor) string {
	var texts []string
	for _, b := range blockers[:min(len(blockers), maxBlockers)] {
		texts = append(texts, strings.TrimSpace(keys.line(b.Name)+" "+keys.line(b.HTMLURL)))
	}
	if more := len(blockers) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %s more", grouped(more)))
	}
	return kind + ": " + strings.Join(texts, ", ")
}

func (c *Client) openIncidentsOf(ctx context.Context, id string) ([]Reference, error) {
	query := url.Values{"user_ids[]": {id}, "statuses[]": incidentStatuses[:2], "date_range": {"all"}}
	return listOnce[Reference](ctx, c, "/incidents", "incidents", query)
}

// schedulesOf reads all schedules, because PagerDuty cannot search them by user.
func (c *Client) schedulesOf(ctx context.Context, id string) ([]Reference, error) {
	type schedule struct {
		Reference
		Users []Reference `json:"users"`
	}
	all, err := listOnce[schedule](ctx, c, "/schedules", "schedules", nil)
	var found []Reference
	for _, s := range all {
		if slices.ContainsFunc(s.Users, func(user Reference) bool { return user.ID == id }) {
			found = append(found, s.Reference)
		}
	}
	return found, err
}

func (c *Client) policiesOf(ctx context.Context, id string) ([]Reference, error) {
	type rule struct {
		Targets []Reference `json:"targets"`
	}
	type policy struct {
		Reference
		Rules []rule `json:"escalation_rules"`
	}
	all, err := listOnce[policy](ctx, c, "/escalation_policies", "escalation_policies", url.Values{"user_ids[]": {id}})
	isUser := func(target Reference) bool { return target.ID == id }
	var found []Reference
	for _, p := range all {
		if slices.ContainsFunc(p.Rules, func(r rule) bool { return slices.ContainsFunc(r.Targets, isUser) }) {
			found = append(found, p.Reference)
		}
	}
	return found, err
}

// listOnce reads a list and retries nothing.
func listOnce[T any](ctx context.Context, c *Client, path, name string, query url.Values) ([]T, error) {
	found, _, err := listing[T]{op: "look what a user is needed for", path: path, name: name, query: query, policy: extras}.read(ctx, c, MaxListed)
	return found, err
}
