package client

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// roles are those that PagerDuty knows.
var roles = []string{"admin", "limited_user", "observer", "owner", "read_only_limited_user", "read_only_user", "restricted_access", "user"}

// idPattern is the alphabet of PagerDuty's ids: those of users have 7 characters
// today, those of incidents 14.
var idPattern = regexp.MustCompile(`^[A-Z0-9]{1,64}$`)

// ValidateUserID refuses what is not the id of a user, and so could change the
// URL: "me", "..", an empty text.
func ValidateUserID(id string) error {
	return validateID("user", "find it with get_user_by_email", id)
}

// ValidateIncidentID refuses what is not the id of an incident.
func ValidateIncidentID(id string) error {
	return validateID("incident", "find it with list_incidents; an incident_key is not an id", id)
}

func validateID(of, hint, id string) error {
	if !idPattern.MatchString(id) {
		return invalid("", hint, "%q is not the id of %s %s; ids are upper-case letters and digits, such as PXPGF42", shorten(id), article(of), of)
	}
	return nil
}

// validateIDs checks a list of ids of one kind.
func validateIDs(of string, ids []string) error {
	for _, id := range ids {
		if err := validateID(of, "", id); err != nil {
			return err
		}
	}
	return nil
}

// article is "a" or "an"; a user is one of the exceptions.
func article(of string) string {
	if strings.ContainsAny(of[:1], "aeio") {
		return "an"
	}
	return "a"
}

// ValidateEmail checks an address before it becomes a part of a URL.
func ValidateEmail(email string) error {
	n := utf8.RuneCountInString(email)
	switch {
	case n < minEmail:
		return invalid("", "", "the e-mail address is %d characters long; PagerDuty takes at least %d", n, minEmail)
	case n > maxEmail:
		return invalid("", "", "the e-mail address is %d characters long; PagerDuty takes at most %d", n, maxEmail)
	}
	local, domain, ok := strings.Cut(email, "@")
	if !ok || local == "" || domain == "" || strings.Contains(domain, "@") || strings.ContainsFunc(email, notInEmail) {
		return invalid("", "", "%q is not an e-mail address such as ann@example.com", shorten(email))
	}
	return nil
}

// notInEmail are the characters that no address has in practice, and that mean
// something in a URL or a header.
func notInEmail(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`?#/\%&<>"`, r) || r == utf8.RuneError
}

// ValidateNewUser checks a user to create.
func ValidateNewUser(user NewUser) error {
	if err := ValidateEmail(user.Email); err != nil {
		return err
	}
	if strings.TrimSpace(user.Name) == "" {
		return invalid("", "", "the name of the user is empty")
	}
	if err := tooLong("the name of the user", user.Name, maxName); err != nil {
		return err
	}
	if err := validateRole(user.Role); err != nil {
		return err
	}
	return validateFrom(user.FromEmail, "a user is created")
}

// validateRole checks a role; an empty one is PagerDuty's choice.
func validateRole(role string) error {
	if role != "" && !slices.Contains(roles, role) {
		return invalid("", "", "there is no role %q; it is one of %s", shorten(role), strings.Join(roles, ", "))
	}
	return nil
}

// validateFrom checks on whose behalf something is done.
func validateFrom(email, what string) error {
	if email == "" {
		return invalid("", "give from_email, or set PAGERDUTY_FROM_EMAIL", "there is no From address: PagerDuty wants to know on whose behalf %s", what)
	}
	if err := ValidateEmail(email); err != nil {
		return invalid("", "", "from_email: %v", err)
	}
	return nil
}
