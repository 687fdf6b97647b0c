package client

import (
	"fmt"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	serviceKeySize = 32 // characters of an integration key
	apiKeySize     = 20 // characters of a REST API key
	// The limits of an e-mail address, in characters (OpenAPI description of the REST
	// API).
	minEmail = 6
	maxEmail = 100
	// maxQuoted is how many characters an error quotes of an input.
	maxQuoted = 60
)

// invalid returns the error of an input that PagerDuty would not accept.
func invalid(op, hint, format string, args ...any) *Error {
	return &Error{Kind: InvalidInput, Op: op, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// tooLong returns an error if a text has more characters than limit.
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

// ValidateServiceKey checks the shape of an integration key. The error does not show
// the key.
func ValidateServiceKey(key string) error {
	const hint = "use the integration key of a service: Services > the service > Integrations"
	n := utf8.RuneCountInString(key)
	switch {
	case n == apiKeySize && tokenPattern.MatchString(key):
		return invalid("", hint, "the service key looks like a REST API key (20 characters), not like an integration key (32)")
	case n != serviceKeySize:
		return invalid("", hint, "the service key is %d characters long; an integration key has %d", n, serviceKeySize)
	case !integrationKeyPattern.MatchString(key):
		return invalid("", "", "the service key has characters other than letters and digits")
	}
	return nil
}

// idPattern matches PagerDuty's ids. Ids of users have 7 characters today, ids of
// incidents 14.
var idPattern = regexp.MustCompile(`^[A-Z0-9]{1,64}$`)

// ValidateUserID returns an error unless the text is the id of a user. Other texts,
// such as "me" or "..", could change the URL of a request.
func ValidateUserID(id string) error {
	return validateID("user", "find it with get_user_by_email", id)
}

// ValidateIncidentID returns an error unless the text is the id of an incident.
func ValidateIncidentID(id string) error {
	return validateID("incident", "find it with list_incidents; an incident_key is not an id", id)
}

func validateID(of, hint, id string) error {
	if !idPattern.MatchString(id) {
		return invalid("", hint, "%q is not the id of %s %s; ids are upper-case letters and digits, such as PXPGF42", clip(id, maxQuoted), article(of), of)
	}
	return nil
}

// validateIDs checks the ids of a list.
func validateIDs(of string, ids []string) error {
	for _, id := range ids {
		if err := validateID(of, "", id); err != nil {
			return err
		}
	}
	return nil
}

// article returns "a" or "an". "user" is an exception among the vowels.
func article(of string) string {
	if strings.ContainsAny(of[:1], "aeio") {
		return "an"
	}
	return "a"
}

// ValidateEmail checks an e-mail address before it becomes a part of a URL or a header.
func ValidateEmail(email string) error {
	n := utf8.RuneCountInString(email)
	switch {
	case n < minEmail:
		return invalid("", "", "the e-mail address is %d characters long; PagerDuty takes at least %d", n, minEmail)
	case n > maxEmail:
		return invalid("", "", "the e-mail address is %d characters long; PagerDuty takes at most %d", n, maxEmail)
	}
	// This is the rule of the format email, by which scripts and workflows check addresses.
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || strings.ContainsFunc(email, notInEmail) {
		return invalid("", "", "%q is not an e-mail address such as ann@example.com", clip(email, maxQuoted))
	}
	return nil
}

// notInEmail reports characters that a header or a terminal would not show as they are.
func notInEmail(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == utf8.RuneError
}

// validateFrom checks the From address of a call. what says what the call does, such
// as "a user is created".
func validateFrom(email, what string) error {
	if email == "" {
		return invalid("", "give from_email, or set PAGERDUTY_FROM_EMAIL", "there is no From address: PagerDuty requires the e-mail address of the user on whose behalf %s", what)
	}
	if err := ValidateEmail(email); err != nil {
		return invalid("", "", "from_email: %v", err)
	}
	return nil
}
