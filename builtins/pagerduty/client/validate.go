package client

import (
	"fmt"
	"strconv"
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
	maxJobTitle    = 100
	// maxNote is ours: PagerDuty documents no limit for notes.
	maxNote = 25_000
)

// invalid is the error of an input that PagerDuty would not take.
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

// shorten bounds what an error quotes of an input.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return text
}
