package action

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/phrase"
)

// DurationOf reads a duration: text such as "5s", "10m" or "1d12h", or a number of
// seconds. It refuses a negative duration.
func DurationOf(v any) (time.Duration, error) {
	switch v := v.(type) {
	case float64:
		return phrase.Seconds(v)
	case string:
		return phrase.ParseDuration(v)
	}
	return 0, fmt.Errorf("%s is not a duration", describe(v))
}

// Formats returns the formats that a string may be declared to have.
func Formats() []string {
	return []string{"date", "date-time", "email", "hostname", "ip", "url"}
}

// hostnamePattern is RFC 1123's rule for one name: labels of letters, digits
// and inner hyphens, at most 63 characters each.
var hostnamePattern = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$`)

// maxFormatted is the largest length in bytes of a text that has a format. Every valid
// text is shorter. The bound exists because the time that the standard library takes to
// parse a long address is not documented.
const maxFormatted = 8 << 10

// CheckFormat returns why text does not have a format, or nil. The empty format accepts
// every text.
func CheckFormat(format, text string) error {
	if format != "" && len(text) > maxFormatted {
		return fmt.Errorf("it is %d bytes long, at most %d are allowed", len(text), maxFormatted)
	}
	switch format {
	case "email":
		return checkEmail(text)
	case "url":
		return checkURL(text)
	case "hostname":
		if len(text) > 253 || !hostnamePattern.MatchString(text) {
			return fmt.Errorf("%q is not a host name", phrase.Clip(text, 60))
		}
	case "ip":
		if _, err := netip.ParseAddr(text); err != nil {
			return fmt.Errorf("%q is not an IP address", phrase.Clip(text, 60))
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return fmt.Errorf("%q is not a date such as 2026-01-31", phrase.Clip(text, 40))
		}
	case "date-time":
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return fmt.Errorf("%q is not a time such as 2026-01-31T09:00:00Z", phrase.Clip(text, 40))
		}
	}
	return nil
}

func checkEmail(text string) error {
	address, err := mail.ParseAddress(text)
	switch {
	case err != nil || address.Address != text:
		return fmt.Errorf("%q is not an e-mail address such as ann@example.com", phrase.Clip(text, 60))
	case len(text) > 254: // RFC 5321 4.5.3.1.3: a path is at most 256 octets with its brackets
		return fmt.Errorf("it is %d characters long, at most 254 are allowed", len(text))
	}
	local, domain, _ := strings.Cut(text, "@")
	if len(local) > 64 { // RFC 5321 4.5.3.1.1
		return fmt.Errorf("the part before @ is %d characters long, at most 64 are allowed", len(local))
	}
	if !hostnamePattern.MatchString(domain) {
		return fmt.Errorf("%q is not a host name", phrase.Clip(domain, 60))
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("%q cannot be read as a URL", phrase.Clip(text, 60))
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return fmt.Errorf("%q is not a URL such as https://example.com/path", phrase.Clip(text, 60))
	}
	return nil
}
