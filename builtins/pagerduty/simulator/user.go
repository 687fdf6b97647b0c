package simulator

import "strings"

// User is a person of the account. Fields that the account does not know are
// empty.
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

// Values of a user created without them. The service takes the time zone from
// the account and draws the colour; that the role is "user" is [unknown, safe
// reading].
const (
	defaultRole     = "user"
	defaultTimeZone = "Etc/UTC"
	defaultColor    = "purple"
)

// DefaultUsers returns the users of an account that no option changed. The
// first of them is on call.
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
	u.Email = normalizedEmail(u.Email)
	u.TimeZone = orDefault(u.TimeZone, defaultTimeZone)
	u.Color = orDefault(u.Color, defaultColor)
	return u
}

func orDefault(value, standard string) string {
	if value == "" {
		return standard
	}
	return value
}

// squeezed drops spaces around a name and repeated ones inside it, as the
// service does (terraform-provider-pagerduty #810).
func squeezed(name string) string { return strings.Join(strings.Fields(name), " ") }

// normalizedEmail is how the service keeps an address. That it compares
// addresses regardless of case is known (the Terraform provider suppresses such
// differences); that it keeps them in lower case is inferred.
func normalizedEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// member is a user with what the account made for them.
type member struct {
	User
	contact contactMethod
	rules   []notificationRule
}

// contactMethod is the e-mail address at which a member is notified. It is the
// address of the day of creation: changing the user's leaves it alone.
type contactMethod struct {
	id      string
	address string
}

// notificationRule makes the account write to a contact method at once, for
// incidents of one urgency.
type notificationRule struct {
	id      string
	urgency string
}

// newMember gives a user the identifier, the contact method and the two
// notification rules that the service creates (fixtures of Rapid7's plugin).
func (s *Simulator) newMember(user User) *member {
	if user.ID == "" {
		user.ID = s.identifiers.resource()
	}
	return &member{
		User:    user,
		contact: contactMethod{id: s.identifiers.resource(), address: user.Email},
		rules: []notificationRule{
			{id: s.identifiers.resource(), urgency: "high"},
			{id: s.identifiers.resource(), urgency: "low"},
		},
	}
}
