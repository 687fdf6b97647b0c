package account

import (
	"net/mail"
	"strings"
	"unicode/utf8"
)

// IsBlank reports whether text is empty or has only spaces.
func IsBlank(text string) bool { return strings.TrimSpace(text) == "" }

// IsLonger reports whether text has more than a number of characters.
func IsLonger(text string, characters int) bool {
	return utf8.RuneCountInString(text) > characters
}

// IsAlphanumeric reports whether text has only ASCII letters and digits.
func IsAlphanumeric(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool {
		digit := '0' <= c && c <= '9'
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		return !digit && !letter
	})
}

// IsEmail reports whether text is a bare address, without a display name.
func IsEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// NormalizedEmail returns an address as the service keeps it. It is known that the
// service ignores case when it compares addresses (the Terraform provider suppresses
// such differences), and inferred that it keeps them in lower case.
func NormalizedEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// squeezed removes spaces around a name and repeated spaces inside it, as the
// service does (terraform-provider-pagerduty #810).
func squeezed(name string) string { return strings.Join(strings.Fields(name), " ") }
