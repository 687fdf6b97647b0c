package simulator

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
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

// complaints are the texts that tell what is wrong with a request.
type complaints []string

func (c *complaints) add(format string, values ...any) {
	*c = append(*c, fmt.Sprintf(format, values...))
}

// userField is one field of a user that requests may set.
type userField struct {
	name  string // in JSON
	title string // in complaints
	place func(*User) *string
}

// userFields leaves out what is read-only and what the account does not keep:
// both are ignored in requests, as the service does.
var userFields = []userField{
	{"name", "Name", func(u *User) *string { return &u.Name }},
	{"email", "Email", func(u *User) *string { return &u.Email }},
	{"role", "Role", func(u *User) *string { return &u.Role }},
	{"job_title", "Job title", func(u *User) *string { return &u.JobTitle }},
	{"time_zone", "Time zone", func(u *User) *string { return &u.TimeZone }},
	{"color", "Color", func(u *User) *string { return &u.Color }},
	{"description", "Description", func(u *User) *string { return &u.Description }},
}

// changeUser returns user with the fields of a request, checked and normalized
// as a whole. A null empties a field, where that is allowed. Of the complaints only that of a taken address is quoted from the
// service (see emailTaken); the texts here are [unknown, safe reading].
func changeUser(user User, fields object) (User, complaints) {
	var found complaints
	for _, field := range userFields {
		value, ok := fields.text(field.name)
		if !ok {
			found.add("%s must be a string", field.title)
		}
		if _, present := fields[field.name]; present {
			*field.place(&user) = value
		}
	}
	if kind, ok := fields.text("type"); !ok || kind != "" && kind != "user" {
		found.add("Type must be user")
	}
	user = user.normalized()
	return user, append(found, checkUser(user)...)
}

func checkUser(user User) complaints {
	var found complaints
	found.checkName(user.Name)
	found.checkEmail(user.Email)
	if !slices.Contains(userRoles, user.Role) {
		found.add("Role must be one of: %s", strings.Join(userRoles, " "))
	}
	if isLonger(user.JobTitle, maximumJobTitleLength) {
		found.add("Job title is too long (maximum is %d characters)", maximumJobTitleLength)
	}
	return found
}

func (c *complaints) checkName(name string) {
	switch {
	case name == "":
		c.add("Name can't be blank")
	case isLonger(name, maximumNameLength):
		c.add("Name is too long (maximum is %d characters)", maximumNameLength)
	}
}

func (c *complaints) checkEmail(email string) {
	switch {
	case email == "":
		c.add("Email can't be blank")
	case !isLonger(email, minimumEmailLength-1):
		c.add("Email is too short (minimum is %d characters)", minimumEmailLength)
	case isLonger(email, maximumEmailLength):
		c.add("Email is too long (maximum is %d characters)", maximumEmailLength)
	case !isEmail(email):
		c.add("Email is invalid")
	}
}

// isEmail reports whether text is a bare address, without a display name.
func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}
