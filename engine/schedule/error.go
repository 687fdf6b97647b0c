package schedule

import "fmt"

// An Error says why a schedule is refused.
type Error struct {
	Field   string // which setting: "cron" or "timezone"
	Message string // what was wrong, and what was expected
	Hint    string // what to try; may be empty
}

// Error returns the field and the message.
func (e *Error) Error() string { return e.Field + ": " + e.Message }

// cronErrorf returns an Error about the cron text.
func cronErrorf(hint, format string, args ...any) error {
	return &Error{Field: "cron", Message: fmt.Sprintf(format, args...), Hint: hint}
}

// zoneErrorf returns an Error about the zone.
func zoneErrorf(hint, format string, args ...any) error {
	return &Error{Field: "timezone", Message: fmt.Sprintf(format, args...), Hint: hint}
}
