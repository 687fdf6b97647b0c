package client

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// ValidateEvent checks everything of an event but its service key, which
// [ValidateServiceKey] checks.
func ValidateEvent(e Event) error {
	if err := validateFields(e); err != nil {
		return err
	}
	_, err := eventJSON("", e.v1()) // v2's body is as long, within a few names
	return err
}

// validateFields checks an event field by field.
func validateFields(e Event) error {
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
	for i, entry := range e.Contexts {
		if err := validateContext(i+1, entry); err != nil {
			return err
		}
	}
	return nil
}

// validateContext checks the shapes that the reference of Events API v1 has for
// contexts.
func validateContext(number int, entry map[string]any) error {
	text := func(name string) string { s, _ := entry[name].(string); return s }
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

var alphanumeric = regexp.MustCompile(`^[0-9A-Za-z]+$`)
