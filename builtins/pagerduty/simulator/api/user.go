package api

import (
	"net/http"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// blankAvatar is the picture of every user since 2026-07-28, when the service stopped using
// Gravatar (changelog of PagerDuty's API schema).
const blankAvatar = "https://pd-static-assets.pagerduty.com/users/blank-avatar.png"

func referToUser(a *account.Account, m *account.Member) document {
	return refer(a, "user", "/users/"+m.ID, m.Name)
}

func userByID(a *account.Account, id string, whole bool) document {
	return embed(a, a.Users.ByID(id), whole, renderUser, referToUser)
}

// renderUser returns a member as sent: the User schema of PagerDuty's OpenAPI description,
// and billed and coordinated_incidents, which real answers have in addition (fixtures of
// Rapid7's plugin).
func renderUser(a *account.Account, m *account.Member, include []string) document {
	return referToUser(a, m).with(document{
		{"name", m.Name},
		{"email", m.Email},
		{"time_zone", m.TimeZone},
		{"color", m.Color},
		{"role", m.Role},
		{"avatar_url", blankAvatar},
		{"description", nullIfEmpty(m.Description)},
		{"invitation_sent", true},
		{"job_title", nullIfEmpty(m.JobTitle)},
		{"created_via_sso", false},
		{"billed", true},
		{"teams", []any{}},
		{"contact_methods", []document{embed(a, m, slices.Contains(include, "contact_methods"), renderContact, referToContact)}},
		{"notification_rules", account.Each(m.Rules, func(rule account.NotificationRule) document {
			return renderRule(a, m, rule, slices.Contains(include, "notification_rules"))
		})},
		{"coordinated_incidents", []any{}},
		{"http_cal_url", nil}, // always null: in the real account it is a credential
		{"web_cal_url", nil},
	})
}

// referToContact refers to the contact method of a member.
func referToContact(a *account.Account, m *account.Member) document {
	return refer(a, "email_contact_method", "/users/"+m.ID+"/contact_methods/"+m.Contact.ID, "Default").
		with(document{{"html_url", nil}})
}

func renderContact(a *account.Account, m *account.Member, _ []string) document {
	return referToContact(a, m).with(document{{"label", "Default"}, {"address", m.Contact.Address}, {"send_short_email", false}})
}

func renderRule(a *account.Account, m *account.Member, rule account.NotificationRule, whole bool) document {
	found := refer(a, "assignment_notification_rule", "/users/"+m.ID+"/notification_rules/"+rule.ID, "0 minutes: channel "+m.Contact.ID).
		with(document{{"html_url", nil}})
	if !whole {
		return found.short()
	}
	return found.with(document{
		{"start_delay_in_minutes", 0},
		{"contact_method", referToContact(a, m).short()},
		{"urgency", rule.Urgency},
	})
}

// userField is one field of a user that requests may set.
type userField struct {
	name  string // in JSON
	title string // in complaints
	place func(*account.User) *string
}

// userFields leaves out the fields that are read-only or that the account does not keep.
// They are ignored in requests, as the service does.
var userFields = []userField{
	{"name", "Name", func(u *account.User) *string { return &u.Name }},
	{"email", "Email", func(u *account.User) *string { return &u.Email }},
	{"role", "Role", func(u *account.User) *string { return &u.Role }},
	{"job_title", "Job title", func(u *account.User) *string { return &u.JobTitle }},
	{"time_zone", "Time zone", func(u *account.User) *string { return &u.TimeZone }},
	{"color", "Color", func(u *account.User) *string { return &u.Color }},
	{"description", "Description", func(u *account.User) *string { return &u.Description }},
}

// readUser returns user with the fields of a request. A null empties a field. The texts
// are [unknown, safe reading].
func readUser(user account.User, fields object) (account.User, complaints) {
	var found complaints
	for _, field := range userFields {
		value := found.text(fields, field.name, field.title)
		if _, present := fields[field.name]; present {
			*field.place(&user) = value
		}
	}
	if kind, ok := fields.text("type"); !ok || kind != "" && kind != "user" {
		found.add("Type must be user")
	}
	return user, found
}

// listUsers answers GET /users. Unknown parameters are ignored, as the service does: "id"
// is one of them, so ?id= finds every user. The account has no teams, so team_ids[] finds
// no user.
func listUsers(x *Exchange) Response {
	query := x.query.Get("query")
	matching := x.account.Users.Matching(query)
	if len(x.values("team_ids")) > 0 {
		matching = nil
	}
	page, complaint := pageOf(x, "users", matching, renderUser)
	if complaint != "" {
		return InvalidInput(complaint)
	}
	return Document(http.StatusOK, slices.Insert(page, 1, field{"query", nullIfEmpty(query)}))
}

// createUser answers POST /users.
func createUser(x *Exchange) Response {
	if x.api.config.StrictFrom {
		if _, refused, ok := x.requester(); !ok {
			return refused
		}
	}
	fields, refused, ok := readResource(x.body, "user", "User")
	if !ok {
		return refused
	}
	user, found := readUser(account.User{Role: account.DefaultRole}, fields)
	created, err := x.account.CreateUser(user, account.Invalid(found))
	if err != nil {
		return refuse(err)
	}
	return oneUser(x, http.StatusCreated, created)
}

func oneUser(x *Exchange, status int, m *account.Member) Response {
	return single(status, "user", renderUser(x.account, m, x.include()))
}

// getCurrentUser answers GET /users/me, which needs the key of a user. That an account's
// key is answered 400 is in the OpenAPI description; the text is [unknown, safe reading].
func getCurrentUser(x *Exchange) Response {
	if x.token.UserID == "" {
		return InvalidInput("An account API key does not belong to a user")
	}
	return oneUser(x, http.StatusOK, x.account.Users.ByID(x.token.UserID))
}

// updateUser answers PUT /users/{id}. Fields that are absent stay as they are.
func updateUser(x *Exchange, changed *account.Member) Response {
	fields, refused, ok := readResource(x.body, "user", "User")
	if !ok {
		return refused
	}
	user, found := readUser(changed.User, fields)
	if err := x.account.UpdateUser(changed, user, account.Invalid(found)); err != nil {
		return refuse(err)
	}
	return oneUser(x, http.StatusOK, changed)
}

// deleteUser answers DELETE /users/{id}.
func deleteUser(x *Exchange) Response {
	if err := x.account.DeleteUser(x.id); err != nil {
		return refuse(err)
	}
	return Empty(http.StatusNoContent)
}

// listContactMethods answers GET /users/{id}/contact_methods.
func listContactMethods(x *Exchange, m *account.Member) Response {
	return listing(x, "contact_methods", []*account.Member{m}, renderContact)
}

// listNotificationRules answers GET /users/{id}/notification_rules.
func listNotificationRules(x *Exchange, m *account.Member) Response {
	return listing(x, "notification_rules", m.Rules, func(a *account.Account, rule account.NotificationRule, _ []string) document {
		return renderRule(a, m, rule, true)
	})
}
