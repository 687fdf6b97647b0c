package pagerduty

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of PagerDuty's references: "Events API v1" and "v2" for events (1024
// and 255 are enforced by the service, 32 is the length of an integration key),
// the OpenAPI description of the REST API for users.
const (
	maxDescription = 1024
	maxIncidentKey = 255
	serviceKeySize = 32
	apiKeySize     = 20
	maxName        = 100
	minEmail       = 6
	maxEmail       = 100
)

// roles are those that PagerDuty knows.
var roles = []string{"admin", "limited_user", "observer", "owner", "read_only_limited_user", "read_only_user", "restricted_access", "user"}

func invalid(op, hint, format string, args ...any) *Error {
	return &Error{Kind: InvalidInput, Op: op, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// tooLong reports a text that is longer than a limit, in characters.
func tooLong(what, text string, limit int) error {
	if n := utf8.RuneCountInString(text); n > limit {
		return invalid("", "", "%s is %s characters long; PagerDuty takes at most %s", what, grouped(n), grouped(limit))
	}
	return nil
}

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// ValidateEvent checks everything of an event but its service key.
func ValidateEvent(e Event) error {
	switch e.Action {
	case Trigger:
		if strings.TrimSpace(e.Description) == "" {
			return invalid("", "", "description is empty; an incident needs one")
		}
	case Acknowledge, Resolve:
		if e.IncidentKey == "" {
			return invalid("", "use the incident_key that the trigger returned", "incident_key is empty; it says which incident to %s", e.Action)
		}
	default:
		return invalid("", "", "there is no event %q; it is trigger, acknowledge or resolve", e.Action)
	}
	if err := tooLong("description", e.Description, maxDescription); err != nil {
		return err
	}
	if err := tooLong("incident_key", e.IncidentKey, maxIncidentKey); err != nil {
		return err
	}
	for i, context := range e.Contexts {
		if err := validateContext(i+1, context); err != nil {
			return err
		}
	}
	return nil
}

func validateContext(number int, context map[string]any) error {
	text := func(name string) string { s, _ := context[name].(string); return s }
	switch kind := text("type"); kind {
	case "link":
		if text("href") == "" {
			return invalid("", "", "contexts[%d] is a link without href", number)
		}
	case "image":
		if u, err := url.Parse(text("src")); err != nil || u.Scheme != "https" {
			return invalid("", "", "contexts[%d] is an image whose src is not an https URL", number)
		}
	default:
		return invalid("", `write {type: link, href: ...} or {type: image, src: ...}`, "contexts[%d] has the type %q; it is link or image", number, kind)
	}
	return nil
}

// ValidateServiceKey checks the shape of an integration key. The error does not
// show it.
func ValidateServiceKey(key string) error {
	n := utf8.RuneCountInString(key)
	switch {
	case n == apiKeySize && tokenPattern.MatchString(key):
		return invalid("", "take the integration key of a service: Services > the service > Integrations",
			"the service key looks like a REST API key (20 characters), not like an integration key (32)")
	case n != serviceKeySize:
		return invalid("", "take the integration key of a service: Services > the service > Integrations",
			"the service key is %d characters long; an integration key has %d", n, serviceKeySize)
	case !alphanumeric.MatchString(key):
		return invalid("", "", "the service key has characters other than letters and digits")
	}
	return nil
}

var (
	alphanumeric  = regexp.MustCompile(`^[0-9A-Za-z]+$`)
	userIDPattern = regexp.MustCompile(`^[A-Z0-9]{1,64}$`)
)

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
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`?#/\%&<>"`, r) || r == utf8.RuneError
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

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}
