package api

import (
	"net/http"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// blankAvatar is the picture of every user since 2026-07-28, when the service stopped using
// Gravatar (changelog of PagerDuty's API schema).
const blankAvatar = "https://pd-static-assets.pagerduty.com/users/blank-avatar.png"

// userDocument is a user as the REST API sends it: the User schema of
// PagerDuty's OpenAPI description, and billed and coordinated_incidents, which
// real answers have in addition (fixtures of Rapid7's plugin).
type userDocument struct {
	reference
	Name                 string  `json:"name"`
	Email                string  `json:"email"`
	TimeZone             string  `json:"time_zone"`
	Color                string  `json:"color"`
	Role                 string  `json:"role"`
	AvatarURL            string  `json:"avatar_url"`
	Description          *string `json:"description"`
	InvitationSent       bool    `json:"invitation_sent"`
	JobTitle             *string `json:"job_title"`
	CreatedViaSSO        bool    `json:"created_via_sso"`
	Billed               bool    `json:"billed"`
	Teams                []any   `json:"teams"`
	ContactMethods       []any   `json:"contact_methods"`
	NotificationRules    []any   `json:"notification_rules"`
	CoordinatedIncidents []any   `json:"coordinated_incidents"`
	HTTPCalendarURL      *string `json:"http_cal_url"` // always null: in the real account it is a credential
	WebCalendarURL       *string `json:"web_cal_url"`
}

// renderUser returns a member as sent. Resources that include names are sent whole, others
// as references.
func renderUser(a *account.Account, m *account.Member, include []string) userDocument {
	return userDocument{
		reference:            referToUser(a, m),
		Name:                 m.Name,
		Email:                m.Email,
		TimeZone:             m.TimeZone,
		Color:                m.Color,
		Role:                 m.Role,
		AvatarURL:            blankAvatar,
		Description:          nullIfEmpty(m.Description),
		InvitationSent:       true,
		JobTitle:             nullIfEmpty(m.JobTitle),
		Billed:               true,
		Teams:                []any{},
		ContactMethods:       []any{renderContact(a, m, slices.Contains(include, "contact_methods"))},
		NotificationRules:    renderRules(a, m, slices.Contains(include, "notification_rules")),
		CoordinatedIncidents: []any{},
	}
}

func referToUser(a *account.Account, m *account.Member) reference {
	return refer(a, "user", "/users/"+m.ID, m.Name)
}

// referToUserID returns nil for a user who does not exist any more.
func referToUserID(a *account.Account, id string) *reference {
	m := a.Users.ByID(id)
	if m == nil {
		return nil
	}
	found := referToUser(a, m).short()
	return &found
}

// contactDocument is a contact method sent whole.
type contactDocument struct {
	reference
	Label          string `json:"label"`
	Address        string `json:"address"`
	SendShortEmail bool   `json:"send_short_email"`
}

func referToContact(a *account.Account, m *account.Member) reference {
	return referWithoutPage(a, "email_contact_method", "/users/"+m.ID+"/contact_methods/"+m.Contact.ID, "Default")
}

func renderContact(a *account.Account, m *account.Member, whole bool) any {
	found := referToContact(a, m)
	if !whole {
		return found.short()
	}
	return contactDocument{reference: found, Label: found.Summary, Address: m.Contact.Address}
}

// ruleDocument is a notification rule sent whole.
type ruleDocument struct {
	reference
	StartDelay    int       `json:"start_delay_in_minutes"`
	ContactMethod reference `json:"contact_method"`
	Urgency       string    `json:"urgency"`
}

func renderRule(a *account.Account, m *account.Member, rule account.NotificationRule, whole bool) any {
	found := referWithoutPage(a, "assignment_notification_rule",
		"/users/"+m.ID+"/notification_rules/"+rule.ID, "0 minutes: channel "+m.Contact.ID)
	if !whole {
		return found.short()
	}
	return ruleDocument{reference: found, ContactMethod: referToContact(a, m).short(), Urgency: rule.Urgency}
}

func renderRules(a *account.Account, m *account.Member, whole bool) []any {
	documents := make([]any, 0, len(m.Rules))
	for _, rule := range m.Rules {
		documents = append(documents, renderRule(a, m, rule, whole))
	}
	return documents
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

// userBody is the body of an answer with one user.
type userBody struct {
	User userDocument `json:"user"`
}

// userListBody is the body of a listing of users.
type userListBody struct {
	Users []userDocument `json:"users"`
	Query *string        `json:"query"`
	pageDocument
}

// listUsers answers GET /users. Unknown parameters are ignored, as the service does: "id"
// is one of them, so ?id= finds every user. The account has no teams, so team_ids[] finds
// no user.
func listUsers(x *Exchange) Response {
	asked, complaint := readPage(x.query)
	if complaint != "" {
		return InvalidInput(complaint)
	}
	query := x.query.Get("query")
	matching := x.account.Users.Matching(query)
	if len(x.values("team_ids")) > 0 {
		matching = nil
	}
	found, position := cut(matching, asked)
	documents := make([]userDocument, 0, len(found))
	for _, m := range found {
		documents = append(documents, renderUser(x.account, m, x.values("include")))
	}
	return Document(http.StatusOK, userListBody{documents, nullIfEmpty(query), position})
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
	return Document(http.StatusCreated, userBody{renderUser(x.account, created, x.values("include"))})
}

// getUser answers GET /users/{id}.
func getUser(x *Exchange, found *account.Member) Response {
	return Document(http.StatusOK, userBody{renderUser(x.account, found, x.values("include"))})
}

// getCurrentUser answers GET /users/me, which needs the key of a user. That an account's
// key is answered 400 is in the OpenAPI description; the text is [unknown, safe reading].
func getCurrentUser(x *Exchange) Response {
	if x.token.UserID == "" {
		return InvalidInput("An account API key does not belong to a user")
	}
	return getUser(x, x.account.Users.ByID(x.token.UserID))
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
	return getUser(x, changed)
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
	return listing(x, "contact_methods", []account.ContactMethod{m.Contact}, func(account.ContactMethod) any {
		return renderContact(x.account, m, true)
	})
}

// listNotificationRules answers GET /users/{id}/notification_rules.
func listNotificationRules(x *Exchange, m *account.Member) Response {
	return listing(x, "notification_rules", m.Rules, func(rule account.NotificationRule) any {
		return renderRule(x.account, m, rule, true)
	})
}
