package pagerduty

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// roles are those that PagerDuty knows.
var roles = []string{"admin", "limited_user", "observer", "owner", "read_only_limited_user", "read_only_user", "restricted_access", "user"}

// userIDPattern is the alphabet of PagerDuty's ids; they have 7 characters today.
var userIDPattern = regexp.MustCompile(`^[A-Z0-9]{1,64}$`)

// ValidateUserID refuses what is not the id of a user, and so could change the
// URL: "me", "..", an empty text.
func ValidateUserID(id string) error {
	if !userIDPattern.MatchString(id) {
		return invalid("", "find it with get_user_by_email", "%q is not the id of a user; ids are upper-case letters and digits, such as PXPGF42", shorten(id))
	}
	return nil
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
	if user.Role != "" && !slices.Contains(roles, user.Role) {
		return invalid("", "", "there is no role %q; it is one of %s", shorten(user.Role), strings.Join(roles, ", "))
	}
	if user.FromEmail == "" {
		return invalid("", "give from_email, or set PAGERDUTY_FROM_EMAIL", "there is no From address: PagerDuty wants to know on whose behalf a user is created")
	}
	if err := ValidateEmail(user.FromEmail); err != nil {
		return invalid("", "", "from_email: %v", err)
	}
	return nil
}
