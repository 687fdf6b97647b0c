package account

import (
	"cmp"
	"slices"
	"strings"
)

// User is a person of the account. Fields that the account does not know are empty.
type User struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Email       string `json:"email"`
	Role        string `json:"role"`
	JobTitle    string `json:"job_title,omitempty"`
	TimeZone    string `json:"time_zone,omitempty"`
	Color       string `json:"color,omitempty"`
	Description string `json:"description,omitempty"`
}

// DefaultRole is the role of a user who is created without one ([unknown, safe
// reading]).
const DefaultRole = "user"

// Values of a user who is created without them. The service takes the time zone from
// the account and draws the colour.
const (
	defaultTimeZone = "Etc/UTC"
	defaultColor    = "purple"
)

// Limits of a user's fields, from the User schema in PagerDuty's OpenAPI
// description of the REST API.
const (
	maximumNameLength     = 100
	minimumEmailLength    = 6
	maximumEmailLength    = 100
	maximumJobTitleLength = 100
)

// userRoles is the enumeration of the same schema.
var userRoles = []string{
	"admin", "limited_user", "observer", "owner", "read_only_user",
	"restricted_access", "read_only_limited_user", "user",
}

// DefaultUsers returns the users of an account whose configuration lists no users. The first of them
// is on call.
func DefaultUsers() []User {
	return []User{
		{Name: "Olivia Owner", Email: "ops@example.com", Role: "owner"},
		{Name: "Adam Admin", Email: "admin@example.com", Role: "admin"},
		{Name: "Rita Responder", Email: "responder@example.com", Role: "limited_user"},
	}
}

// normalized returns a user as the account keeps it.
func (u User) normalized() User {
	u.Name = squeezed(u.Name)
	u.Email = NormalizedEmail(u.Email)
	u.TimeZone = cmp.Or(u.TimeZone, defaultTimeZone)
	u.Color = cmp.Or(u.Color, defaultColor)
	return u
}

// check returns what is wrong with a normalized user. The texts are [unknown, safe
// reading].
func (u User) check() Invalid {
	var found Invalid
	switch {
	case u.Name == "":
		found.Add("Name can't be blank")
	case IsLonger(u.Name, maximumNameLength):
		found.Add("Name is too long (maximum is %d characters)", maximumNameLength)
	}
	switch {
	case u.Email == "":
		found.Add("Email can't be blank")
	case !IsLonger(u.Email, minimumEmailLength-1):
		found.Add("Email is too short (minimum is %d characters)", minimumEmailLength)
	case IsLonger(u.Email, maximumEmailLength):
		found.Add("Email is too long (maximum is %d characters)", maximumEmailLength)
	case !IsEmail(u.Email):
		found.Add("Email is invalid")
	}
	if !slices.Contains(userRoles, u.Role) {
		found.Add("Role must be one of: %s", strings.Join(userRoles, " "))
	}
	if IsLonger(u.JobTitle, maximumJobTitleLength) {
		found.Add("Job title is too long (maximum is %d characters)", maximumJobTitleLength)
	}
	return found
}

// Member is a user with what the account made for the user.
type Member struct {
	User
	Contact ContactMethod
	Rules   []NotificationRule
}

// ContactMethod is the e-mail address at which a member is notified: the address of
// the user when the user was created. A later change of the user does not change it.
type ContactMethod struct{ ID, Address string }

// NotificationRule makes the account write to the contact method at once, for
// incidents of one urgency.
type NotificationRule struct{ ID, Urgency string }

// newMember gives a user the identifier, the contact method and the two notification
// rules that the service creates (fixtures of Rapid7's plugin).
func (a *Account) newMember(user User) *Member {
	if user.ID == "" {
		user.ID = a.Identifiers.Resource()
	}
	return &Member{
		User:    user,
		Contact: ContactMethod{ID: a.Identifiers.Resource(), Address: user.Email},
		Rules: []NotificationRule{
			{ID: a.Identifiers.Resource(), Urgency: "high"},
			{ID: a.Identifiers.Resource(), Urgency: "low"},
		},
	}
}

// CreateUser adds a user. It returns MissingAbility, or Invalid with the mistakes that
// the caller has found and its own.
func (a *Account) CreateUser(user User, found Invalid) (*Member, error) {
	user = user.normalized()
	if err := a.Abilities.checkRole(user.Role); err != nil {
		return nil, err
	}
	if err := a.checkUser(user, nil, found); err != nil {
		return nil, err
	}
	created := a.newMember(user)
	a.Users.members = append(a.Users.members, created)
	return created, nil
}

// UpdateUser changes a member into a user. It returns the same errors as CreateUser.
func (a *Account) UpdateUser(changed *Member, user User, found Invalid) error {
	user = user.normalized()
	if err := a.Abilities.checkRole(user.Role); err != nil && user.Role != changed.Role {
		return err
	}
	if err := a.checkUser(user, changed, found); err != nil {
		return err
	}
	changed.User = user
	return nil
}

// emailTaken is the text for an address of another user (terraform-provider-
// pagerduty #845). Clients compare it to the letter.
const emailTaken = "Email has already been taken"

// checkUser adds the mistakes of a user to those found. It ignores the address of the
// member that is changed.
func (a *Account) checkUser(user User, changed *Member, found Invalid) error {
	found = append(found, user.check()...)
	if other := a.Users.ByEmail(user.Email); other != nil && other != changed {
		found.Add(emailTaken)
	}
	return found.err()
}

// DeleteUser removes a user. A user with an open incident, on a schedule or in an
// escalation policy is kept: the error is Invalid with a sentence for each kind of
// blocker, which names the blockers. That such a user is kept is documented and
// confirmed by PagerDuty's staff (community 1271); the texts are [unknown, safe
// reading].
func (a *Account) DeleteUser(id string) error {
	if a.Users.ByID(id) == nil {
		return ErrNotFound
	}
	var found Invalid
	report := func(sentence string, blockers []string) {
		if len(blockers) > 0 {
			found.Add("%s: %s", sentence, strings.Join(blockers, ", "))
		}
	}
	report("User cannot be deleted as they have open incidents assigned", a.Incidents.openOf(id))
	report("User cannot be deleted as they are on schedules", a.Schedules.of(id))
	report("User cannot be deleted as they belong to escalation policies", a.Policies.of(id))
	if len(found) > 0 {
		return found
	}
	a.Users.members = slices.DeleteFunc(a.Users.members, func(m *Member) bool { return m.ID == id })
	return nil
}

// Users are the members of an account in the order of their creation.
type Users struct{ members []*Member }

func (u *Users) clone() Users {
	return Users{Each(u.members, func(m *Member) *Member {
		copied := *m
		return &copied
	})}
}

// Views returns the users without what the account made for them.
func (u *Users) Views() []User { return Each(u.members, func(m *Member) User { return m.User }) }

// replace adds a member in place of members with the same ID or address.
func (u *Users) replace(added *Member) {
	u.members = slices.DeleteFunc(u.members, func(m *Member) bool {
		return m.ID == added.ID || m.Email == added.Email
	})
	u.members = append(u.members, added)
}

// ByID returns the member with an ID, or nil.
func (u *Users) ByID(id string) *Member {
	return find(u.members, func(m *Member) bool { return m.ID == id })
}

// ByEmail returns the member with a normalized address, or nil.
func (u *Users) ByEmail(email string) *Member {
	return find(u.members, func(m *Member) bool { return m.Email == email })
}

// Matching returns the members whose name or address contains query, regardless of
// case. The documentation mentions only the name; pagerduty-cli #10 shows the address
// too.
func (u *Users) Matching(query string) []*Member {
	return Filter(u.members, func(m *Member) bool { return contains(m.Name, query) || contains(m.Email, query) })
}
